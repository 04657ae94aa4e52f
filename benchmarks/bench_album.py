"""What the photos of an album tell one another: hidden positions, found again from the known ones.

    python benchmarks/bench_album.py [--folds 3] [--seeds 1] [--shipped] [--evidence] [--world FOLDER] [--checkins FILE]
    python benchmarks/bench_album.py --weigh 10000

Reads `albums/checkins.csv` of the benchmark data: real check-ins of 24 persons. Their positions are hidden in three
ways: half at random, runs of 5 to 40, and 95 %. Persons are dealt into folds, and the motion that places one fold is
fitted on the others, unless `--shipped` takes the table that ships (which was fitted on all of them). Radii are those
of the answers. `--evidence` adds what photos show (`_testimony.py`): labelled sign texts, and with a `--world` that was
trained on the split "train" of the street panoramas (`geoagent train`), pictures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _hidden import RULES, Case, random_walk, walk_rate
from _shared import data, table
from _testimony import pictures, texts

from geoagent import GeoAgent
from geoagent.album.constraint import constraint_of
from geoagent.album.motion import Motion
from geoagent.album.sightings import Sighting, leading_places
from geoagent.album.timelines import Timelines
from geoagent.places.geo import LatLon, haversine_km
from geoagent.worlds.training.motion import PROTOCOLS, Positions, fit, known_part, read_positions

NAMES = {"half": "half at random", "runs": "runs of 5-40", "most": "95 %"}
HEAD = ("method", "answered", "<=1", "<=25", "<=200", "median", "p90", "p99")
HEAD += ("in 50 %", "in 90 %", "90 % < 25 km", "of these in 25 km")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=3, help="folds of persons")
    parser.add_argument("--seeds", type=int, default=1, help="how often positions are hidden anew")
    parser.add_argument("--steps", type=int, default=450, help="steps of each fit")
    parser.add_argument("--shipped", action="store_true", help="use the motion that ships")
    parser.add_argument("--motions", type=Path, help="folder for the fitted motions, so that a second run fits none")
    parser.add_argument("--evidence", action="store_true", help="also with texts, and with pictures given a world")
    parser.add_argument("--only-evidence", action="store_true", help="that alone")
    parser.add_argument("--world", type=Path, help="a world trained on the panoramas, for pictures")
    parser.add_argument("--weigh", type=int, metavar="N", help="only the time for an album of N photos")
    parser.add_argument("--checkins", type=Path, help="another table of positions: person, utc, lat, lon")
    args = parser.parse_args()
    people = read_positions(args.checkins or data("albums", "checkins.csv"))
    agent = GeoAgent.load(ocr="nothing", world="starter")
    if args.weigh:
        weigh(people, args.weigh, agent)
        return
    names = sorted(people)
    order = np.random.default_rng(5).permutation(len(names))
    motions: dict[str, Motion] = {}
    for fold in range(args.folds):
        mine = {names[i] for i in order[fold :: args.folds]}
        others = [people[name] for name in names if name not in mine]
        motions |= dict.fromkeys(mine, motion_of(others, fold, args))
    for protocol in () if args.only_evidence else PROTOCOLS:
        cases = []
        for seed in range(1, args.seeds + 1):
            rng = np.random.default_rng(seed)
            for name in names:
                case = Case(name, people[name], known_part(len(people[name]), protocol, rng))
                if len(case.anchors) and len(case.hidden):
                    cases.append(case)
        print(f"\n{NAMES[protocol]}: {sum(len(case.hidden) for case in cases)} hidden")
        rows = [line(name, cases, [rule(case) for case in cases]) for name, rule in RULES.items()]
        walk = random_walk(walk_rate(cases))
        rows.append(line("Gaussian random walk", cases, [walk(case) for case in cases]))
        start, log = time.process_time(), []
        placed = [album(case, motions[case.person], agent, log) for case in cases]
        spent = time.process_time() - start
        rows.append(line("our album", cases, placed))
        table(HEAD, rows)
        count = sum(int(np.isfinite(places[:, 0]).sum()) for places, _ in placed)
        print(f"log density at the true place {np.mean(log):.3f}; {1000 * spent / max(count, 1):.1f} CPU ms a photo")
    if args.evidence or args.only_evidence:
        texts(people, motions, agent)
        if args.world:
            pictures(people, motions, args.world)


def motion_of(others: Sequence[Positions], fold: int, args: argparse.Namespace) -> Motion:
    """The motion fitted on the persons of the other folds, kept in a folder if one is named."""
    kept = args.motions / f"fold-{fold + 1}-of-{args.folds}.json" if args.motions else None
    if args.shipped or (kept and kept.is_file()):
        return Motion.load(None if args.shipped else kept)
    motion = fit(others, seed=11, steps=args.steps)
    print(f"fold {fold + 1}: fitted on {len(others)} persons", flush=True)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        motion.save(kept, {"fitted on": f"{len(others)} persons"})
    return motion


def album(case: Case, motion: Motion, agent: GeoAgent, log: list[float]):
    """Places and radii of the answers; appends the log density at each true place to `log`."""
    world, gazetteer = agent.assets.world, agent.assets.gazetteer
    sightings = [
        Sighting(f"{i:06d}", "camera", float(hours), gps=LatLon(*place) if known else None)
        for i, (hours, place, known) in enumerate(
            zip(case.positions.hours, case.positions.latlon.tolist(), case.known.tolist(), strict=True)
        )
    ]
    lines, nothing = Timelines(sightings, world, motion), agent.observe_text([])
    places, radii = np.full((len(case.hidden), 2), np.nan), np.full((len(case.hidden), 2), np.nan)
    for row in range(len(case.hidden)):
        key = f"{case.hidden[row]:06d}"
        message = lines.told(key)
        made = message and constraint_of(message, lines.sightings[key], lines, gazetteer, world)
        if not made:
            continue
        found = agent.estimate(replace(nothing, album=(made,)))
        places[row], radii[row] = tuple(found.latlon), (found.radius_50_km, found.radius_90_km)
        km = haversine_km(case.truth[row], made.spread.latlon)
        scale = made.spread.extent_km / 1.18
        density = made.spread.mass @ (scale / (2 * np.pi * (km**2 + scale**2) ** 1.5))
        log.append(float(np.log(made.reliability * density + 1e-12)))
    return places, radii


def line(name: str, cases: Sequence[Case], placed) -> list[str]:
    """One row of the table; photos without a place count as wrong."""
    truth = np.concatenate([case.truth for case in cases])
    places = np.concatenate([found for found, _ in placed])
    there = np.isfinite(places[:, 0])
    km = np.full(len(truth), np.inf)
    km[there] = haversine_km(truth[there], places[there])
    cells = [name, f"{there.mean():.0%}", *(f"{100 * (km <= limit).mean():.1f}" for limit in (1, 25, 200))]
    cells += [f"{np.quantile(km[there], share):.1f}" for share in (0.5, 0.9, 0.99)]
    if placed[0][1] is None:
        return [*cells, "", "", "", ""]
    radii = np.concatenate([found for _, found in placed])[there]
    close = radii[:, 1] < 25
    inside = [f"{(km[there] <= radii[:, i]).mean():.1%}" for i in (0, 1)]
    return [*cells, *inside, f"{close.mean():.0%}", f"{(km[there][close] <= 25).mean():.1%}" if close.any() else ""]


def weigh(people: dict[str, Positions], count: int, agent: GeoAgent) -> None:
    """Print CPU seconds for an album of two cameras: one photo in five with a position, one in twenty with a text."""
    rng, sightings = np.random.default_rng(1), list[Sighting]()
    said = [agent.observe_text(lines) for lines in (("Boulangerie", "69002 LYON"), ("Rathaus", "50667 Köln"))]
    world = agent.assets.world
    longest = sorted(people.values(), key=len)[-2:]
    for camera, positions in enumerate(longest):
        span = float(np.ptp(positions.hours)) + 24.0
        for i in range(count // 2):
            lap, row = divmod(i, len(positions))
            made = Sighting(f"{camera}-{i:06d}", f"camera {camera}", float(positions.hours[row]) + lap * span)
            if rng.random() < 0.2:
                off = rng.normal(0, 0.01, 2)
                made = replace(made, gps=LatLon(*np.clip(positions.latlon[row] + off, -89, 89).tolist()))
            elif rng.random() < 0.0625:
                text = said[int(rng.integers(2))]
                logs = agent.fusion(text.vision.log_probs, text.text.constraints).log_probs
                ratio = logs - world.log_prior
                made = replace(made, log_ratio=ratio, leading=leading_places(logs, ratio, world, []))
            sightings.append(made)
    start = time.process_time()
    lines = Timelines(sightings, world, Motion.load())
    _ = lines.merged
    print(f"{len(sightings):,} photos, {len(lines.places):,} places: time lines {time.process_time() - start:.1f} s")
    start = time.process_time()
    messages = {s.key: lines.told(s.key) for s in sightings}
    print(f"messages {time.process_time() - start:.1f} s")
    start = time.process_time()
    for s in sightings:
        if message := messages[s.key]:
            constraint_of(message, s, lines, agent.assets.gazetteer, world)
    print(f"constraints {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main()
