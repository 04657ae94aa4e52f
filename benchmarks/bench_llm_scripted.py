"""Effect of a language model of known accuracy on answers from sign texts.

    python benchmarks/bench_llm_scripted.py [--seeds 3] [--rows FILE]

A scripted model answers every text that has a country: with probability `right` it names the true country, and the true
city if there is one; otherwise, equally confidently, a country and city drawn from the prior over places. It states
0.95 and cites every line that it was shown. The table shows what a wrong model costs and what a right one gains,
relative to the lexicon alone.

Measured on 210 texts, 3 seeds::

                            country top-1  top-3  log loss  city within 25 km
    lexicon alone                   0.957  0.986     0.217              0.870
    + model right in 0%             0.954  0.979     0.227              0.868
    + model right in 50%            0.968  0.992     0.130              0.925
    + model right in 80%            0.965  0.994     0.128              0.941
    + model right in 95%            0.971  0.998     0.090              0.954
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data, table

from geoagent import GeoAgent, LatLon
from geoagent.evidence.constraints.llm import build
from geoagent.evidence.llm.scripted import Scripted
from geoagent.evidence.llm_messages import Ask


class Oracle:
    """Scripted model: gives the truth of the current row with the set probability."""

    def __init__(self, agent: GeoAgent, right: float, seed: int) -> None:
        self.right, self.rng = right, np.random.default_rng(seed)
        prior = agent.assets.world.country_prior
        self.codes = np.array(list(prior))
        self.prior = np.array(list(prior.values())) / sum(prior.values())
        cities = agent.assets.gazetteer.cities
        self.cities = {c: str(cities.names[i]) for c, i in _largest(cities).items()} if hasattr(cities, "names") else {}
        self.gazetteer = agent.assets.gazetteer
        self.row: dict[str, Any] = {}

    def __call__(self, ask: Ask) -> dict[str, Any]:
        """One confident candidate."""
        rows = json.loads(ask.messages[-1].text.split("==========")[1])
        cites = [{"region": r["region"], "text": r["text"]} for r in rows][:12]
        row = self.row
        if self.rng.random() < self.right:
            code, city = row["country"], row["city"]
        else:
            others = self.prior * ~np.isin(self.codes, [row["country"], *row["also"]])
            code = str(self.rng.choice(self.codes, p=others / others.sum()))
            city = self.cities.get(code)
        level, name = ("city", city) if city else ("country", self.gazetteer.country(code).name)
        candidate = {
            "place": name,
            "level": level,
            "country": code,
            "probability": 0.95,
            "cites": cites,
            "reason": "It is.",
        }
        return {"language": "", "observations": [], "candidates": [candidate]}


def _largest(cities: Any) -> dict[str, int]:
    best: dict[str, int] = {}
    for i in np.argsort(-np.asarray(cities.population)):
        best.setdefault(str(cities.country[i]), int(i))
    return best


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    path = args.rows or data("sign_texts.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row["country"] is not None]
    agent = GeoAgent.load(ocr="nothing")
    out = [["lexicon alone", *measure(agent, rows, None)]]
    for right in (0.0, 0.3, 0.5, 0.8, 0.95):
        runs = []
        for seed in range(args.seeds):
            oracle = Oracle(agent, right, seed)
            assets = replace(agent.assets, model=Scripted(oracle))
            runs.append(measure(replace(agent, assets=assets, sources=(*agent.sources, build(assets))), rows, oracle))
        out.append([f"+ model right in {right:.0%}", *np.mean(runs, axis=0).tolist()])
    table([f"{len(rows)} texts, {args.seeds} seeds", "country top-1", "top-3", "log loss", "city 25 km"], out)


def measure(agent: GeoAgent, rows: list[dict[str, Any]], oracle: Oracle | None) -> list[float]:
    """Country top-1, top-3, log loss, share of cities within 25 km."""
    first = third = cities = near = 0
    loss = 0.0
    for row in rows:
        if oracle is not None:
            oracle.row = row
        seen = agent.observe_text(row["lines"])
        answer = agent.answer(seen)
        shares = {c.code: c.p for c in answer.countries}
        allowed = {row["country"], *row["also"]}
        ranked = [c.code for c in answer.countries]
        first += ranked[0] in allowed
        third += bool(set(ranked[:3]) & allowed)
        loss -= math.log(max(sum(shares.get(c, 0.0) for c in allowed), 1e-9))
        if row["lat"] is not None:
            cities += 1
            near += LatLon(row["lat"], row["lon"]).distance_km(agent.estimate(seen).latlon) <= 25
    n = len(rows)
    return [first / n, third / n, loss / n, near / cities]


if __name__ == "__main__":
    main()
