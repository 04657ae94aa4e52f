"""Time to extract cues and constraints from the text of a photo, without OCR.

    OMP_NUM_THREADS=1 python benchmarks/bench_understand.py [--rows FILE] [--against CHECKOUT]

Each text is processed once, after others have warmed up the tables, so nothing is cached for it. CPU time, which is
little affected by other load. --against also measures another checkout of geoagent, alternating, three times each, and
prints the ratio. --profile prints a profile.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _shared import data, table

ROOT = Path(__file__).resolve().parents[1]
WARM = 40


def once(path: Path, profile: bool) -> list[float]:
    """CPU milliseconds of each text."""
    from geoagent import GeoAgent
    from geoagent.types import regions_from_lines

    rows = [json.loads(line)["lines"] for line in path.read_text("utf-8").splitlines() if line.strip()]
    agent = GeoAgent.load(ocr="nothing")
    for lines in rows[:WARM]:
        agent.understand(regions_from_lines([line[::-1] for line in lines]))
    spent = []
    profiler = cProfile.Profile()
    for lines in rows:
        regions = regions_from_lines(lines)
        begin = time.process_time()
        if profile:
            profiler.enable()
        agent.understand(regions)
        profiler.disable()
        spent.append(1000 * (time.process_time() - begin))
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(28)
    return spent


def of(checkout: Path, path: Path) -> list[float]:
    """The same, in a separate process with the package of another checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, __file__, "--rows", str(path), "--raw"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Measure, and print one row for each checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--against", type=Path, help="root of another checkout")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--raw", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    path = args.rows or data("sign_texts.jsonl")
    if args.raw or args.profile:
        spent = once(path, args.profile)
        print(json.dumps(spent))
        return
    checkouts = [ROOT, *([args.against.resolve()] if args.against else [])]
    runs: dict[Path, list[list[float]]] = {checkout: [] for checkout in checkouts}
    for _ in range(3):
        for checkout in checkouts:
            runs[checkout].append(of(checkout, path))
    best = {checkout: np.min(runs[checkout], axis=0) for checkout in checkouts}
    rows = [
        [
            str(checkout),
            len(ms),
            float(np.mean(ms)),
            float(np.median(ms)),
            float(np.percentile(ms, 95)),
            float(ms.max()),
        ]
        for checkout, ms in best.items()
    ]
    table(["CPU ms per text", "texts", "mean", "median", "95 %", "most"], rows)
    if args.against:
        print(f"\nmean, this checkout to the other: {best[ROOT].mean() / best[checkouts[1]].mean():.2f}")
    print("goal: at most 30 ms per photo")


if __name__ == "__main__":
    main()
