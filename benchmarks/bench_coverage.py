"""Coverage of radii and credible sets, on thousands of generated texts paired with pictures of held-out places.

    python benchmarks/bench_coverage.py --world WORLD [--texts 4000] [--views all]

WORLD is trained on ../shared/data/streetview. Places of its splits `val` and `test_random` are split into
halves. Fusion, radii and sets are fitted on texts paired with places of one half, as `geoagent calibrate fusion` does,
and measured on other texts with places of the other. The dozens of hand-written texts (see bench_comparison.py) cannot
distinguish 90 % from 85 %; these can, but they come from the tables that the cues read: they show whether the
procedure is calibrated, not how hard real signs are. The world as trained, and as fitted on `pairs.csv`, is measured
for comparison: it shows how a fit on one kind of photos transfers to another. Here they differ in the distance of a
photo from the city that its text names: the nearest of few panoramas is further away than the nearest of many.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent import GeoAgent
from geoagent.belief.conformal import credible, threshold
from geoagent.interfaces.cli.learn import progress_bar
from geoagent.places.geo import LatLon
from geoagent.worlds.evaluation.believe import fit_belief, fit_world, over
from geoagent.worlds.evaluation.cases import Case, Labelled, load_pairs, pair_up
from geoagent.worlds.evaluation.generated import Signs
from geoagent.worlds.evaluation.methods import Methods, Outcome
from geoagent.worlds.training import read_table

LEAST = 100  # minimum rows for a group to be printed: ± 10 points
FITTED_ON = 400  # texts used to fit the belief; radii and sets are fitted on all


def made_up(agent: GeoAgent, count: int, seed: int) -> list[Labelled]:
    """Texts with evidence, and the places that they name."""
    assets = agent.assets
    rows = Signs(assets.gazetteer, assets.facts, assets.world.country_prior, seed).texts(count)
    return [
        Labelled(
            f"{seed}-{row['id']}",
            tuple(row["lines"]),
            row["country"],
            LatLon(row["lat"], row["lon"]) if "lat" in row else None,
            tuple(row["kinds"]),
        )
        for row in rows
    ]


def holds(agent: GeoAgent, case: Case, outcome: Outcome) -> list[float]:
    """Whether each radius and each set covers the truth, NaN if unknown."""
    world, end, probs = agent.assets.world, outcome.conclusion, np.exp(outcome.log_probs)
    found = [np.nan] * 4
    if case.latlon is not None:
        km = case.latlon.distance_km(end.latlon)
        found[:2] = [float(km <= end.radius_50_km), float(km <= end.radius_90_km)]
        limit = threshold(world.calibration, "cells", end.group)
        if limit is not None:
            found[2] = float(world.cells.at(case.latlon) in credible(probs, limit))
    limit = threshold(world.calibration, "countries", end.group)
    true = world.cells.country_number.get(case.country)
    if limit is not None and true is not None:
        found[3] = float(true in credible(world.cells.by_country(probs), limit))
    return found


def measure(agent: GeoAgent, cases: Sequence[Case], title: str) -> None:
    """Print the coverage of answers with and without text, by kind of evidence and by continent."""
    methods = Methods(agent)
    rows: list[list[float]] = []
    strata: list[set[str]] = []
    for case in cases:
        continent = {s.removeprefix("continent ") for s in case.strata if s.startswith("continent ")}
        outcome = methods.aware(case)
        rows.append(holds(agent, case, outcome))
        strata.append({"with text", f"resting on {outcome.conclusion.group}", *(f"text, {c}" for c in continent)})
        rows.append(holds(agent, case, methods.vision(case)))
        strata.append({"without text", *(f"no text, {c}" for c in continent)})
    held, printed = np.array(rows), []
    for name in sorted(set().union(*strata), key=lambda s: (s.startswith(("text,", "no text,")), s)):
        mine = held[[name in s for s in strata]]
        known = np.isfinite(mine).sum(axis=0)
        if known.max() >= LEAST:
            shares = [_share(column) for column in mine.T]
            printed.append([name, int(known[0]), int(known[3]), *shares])
    print(f"\n{title}")
    table(["", "places", "rows", "50 % radius", "90 % radius", "90 % cells", "90 % countries"], printed)


def _share(held: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    held = held[np.isfinite(held)]
    if len(held) < LEAST:
        return "-"
    mean = float(held.mean())
    return f"{100 * mean:.1f} ± {196 * np.sqrt(mean * (1 - mean) / len(held)):.1f}"


def main() -> None:
    """Fit, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--views", choices=("1", "all"), default="all")
    asked = parser.parse_args()
    places = read_table(data("streetview", "panoramas.npz"))
    agent = GeoAgent.load(world=asked.world, ocr="nothing")
    signs = data("pairs.csv"), data("sign_texts.jsonl"), data("streetview", "panoramas.npz")
    with progress_bar() as tell:
        held = np.flatnonzero(np.isin(places.split, ("val", "test_random")))
        halves = np.array_split(np.random.default_rng(0).permutation(held), 2)
        fit_on, tests = (
            pair_up(made_up(agent, asked.texts, seed), places.take(rows), agent, each=1, views=asked.views)
            for seed, rows in enumerate(halves)
        )
        belief = fit_belief(fit_on[:FITTED_ON], agent, progress=tell)
        fitted = over(agent, fit_world(agent.assets.world, belief, fit_on, agent))
        pairs = [case for views in ("1", "all") for case in load_pairs(*signs, agent, views=views, progress=tell)]
        real = over(agent, fit_world(agent.assets.world, fit_belief(pairs, agent), pairs, agent))
    measure(fitted, tests, f"fitted on {len(fit_on):,} pairs of the same kind")
    measure(real, tests, f"fitted on the {len({case.text for case in pairs})} texts of pairs.csv")
    measure(agent, tests, "as trained")


if __name__ == "__main__":
    main()
