"""Time of inference: fusing, refining and explaining one photo with counterfactuals, without encoder and OCR.

Measures one observation with 20 constraints, combined from several texts, and the texts one by one; also without
counterfactuals, to show their share.

    OMP_NUM_THREADS=1 python benchmarks/bench_fusion.py [--world W]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent import GeoAgent
from geoagent.belief.estimate import estimate
from geoagent.evidence.observation import Observation
from geoagent.types import Constraint, TextEvidence, TextRegion, VisionEvidence

CONSTRAINTS = 20


def joined(seen: list[Observation]) -> Observation:
    """One observation of the first constraints of several, each on its own lines."""
    constraints: list[Constraint] = []
    regions: list[TextRegion] = []
    for one in seen:
        if len(constraints) >= CONSTRAINTS:
            break
        for each in one.text.constraints:
            spans = tuple(replace(span, region=span.region + len(regions)) for span in each.spans)
            constraints.append(replace(each, id=f"joined-{len(constraints)}", spans=spans))
        regions += one.text.regions
    return replace(seen[0], text=TextEvidence(tuple(regions), (), tuple(constraints[:CONSTRAINTS])))


def looked(agent: GeoAgent, seed: int) -> VisionEvidence | None:
    """Vision evidence from random features, if the world has a head."""
    world = agent.assets.world
    if world.head is None:
        return None
    row = np.random.default_rng(seed).standard_normal(world.head.dim).astype(np.float32)
    row /= np.linalg.norm(row)
    return VisionEvidence(world.head(row), world.cells.fingerprint, row, world.head.encoder)


def milliseconds(run: Callable[[], object], times: int) -> float:
    """Median CPU time of one call, ms, excluding the first."""
    run()
    spent = []
    for _ in range(times):
        begin = time.process_time()
        run()
        spent.append(time.process_time() - begin)
    return 1e3 * statistics.median(spent)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--world", type=Path)
    parser.add_argument("--texts", type=int, default=60)
    asked = parser.parse_args()
    agent = GeoAgent.load(world=asked.world, ocr="nothing")
    world = agent.assets.world
    lines = data("sign_texts.jsonl").read_text("utf-8").splitlines()[: asked.texts]
    seen = [agent.observe_text(json.loads(line)["lines"]) for line in lines]
    vision = looked(agent, 0)
    if vision is not None:
        seen = [replace(one, vision=vision) for one in seen]
    big = joined(seen)

    def once() -> object:
        posterior = agent.fusion(big.vision.log_probs, big.text.constraints)
        near = agent.neighbours(big.vision, posterior.log_probs)
        return estimate(posterior, big.text.constraints, world, agent.refiner, near)

    count = statistics.mean(len(one.text.constraints) for one in seen)
    each = statistics.mean(milliseconds(lambda one=one: agent.answer(one), 3) for one in seen)
    rows = [
        ["answer", len(big.text.constraints), milliseconds(lambda: agent.answer(big), 20)],
        ["fused and refined once", len(big.text.constraints), milliseconds(once, 20)],
        ["answer, mean of the texts", count, each],
    ]
    print(f"{world.name}: {len(world.cells):,} geocells, head: {world.head is not None}")
    table(["", "constraints", "ms"], rows)


if __name__ == "__main__":
    main()
