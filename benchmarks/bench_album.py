"""What the photos of an album tell one another: hidden positions, found again from the known ones.

    python benchmarks/bench_album.py [--folds 3] [--seeds 1] [--shipped] [--evidence] [--checkins FILE]

Reads `albums/checkins.csv` of the benchmark data: real check-ins of 24 persons. Their positions are hidden in three
ways: half at random, runs of 5 to 40, and 95 %. Persons are dealt into folds, and the motion that places one fold is
fitted on the others, unless `--shipped` takes the table that ships (which was fitted on all of them). Radii are those
of the answers. `--evidence` adds texts: each person's movements are turned on the globe so that where they are most
often is the place of a labelled sign text, and one photo there shows that text.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from _hidden import RULES, Case, random_walk, walk_rate
from _shared import data, table

from geoagent import GeoAgent
from geoagent.album.constraint import constraint_of
from geoagent.album.motion import Motion
from geoagent.album.sightings import Sighting, leading_places
from geoagent.album.timelines import Timelines
from geoagent.places.geo import LatLon, from_unit, haversine_km, to_unit
from geoagent.worlds.training.motion import PROTOCOLS, Positions, fit, known_part, read_positions

NAMES = {"half": "half at random", "runs": "runs of 5-40", "most": "95 %"}
HEAD = ("method", "answered", "<=1", "<=25", "<=200", "median", "p90", "p99")
HEAD += ("in 50 %", "in 90 %", "90 % < 25 km", "of these in 25 km")
TEXTS_A_PERSON = 6


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=3, help="folds of persons")
    parser.add_argument("--seeds", type=int, default=1, help="how often positions are hidden anew")
    parser.add_argument("--steps", type=int, default=450, help="steps of each fit")
    parser.add_argument("--shipped", action="store_true", help="use the motion that ships")
    parser.add_argument("--evidence", action="store_true", help="also with texts")
    parser.add_argument("--checkins", type=Path, help="another table of positions: person, utc, lat, lon")
    args = parser.parse_args()
    people = read_positions(args.checkins or data("albums", "checkins.csv"))
    agent = GeoAgent.load(ocr="nothing", world="starter")
    names = sorted(people)
    order = np.random.default_rng(5).permutation(len(names))
    motions: dict[str, Motion] = {}
    for fold in range(args.folds):
        mine = {names[i] for i in order[fold :: args.folds]}
        others = [people[name] for name in names if name not in mine]
        motion = Motion.load() if args.shipped else fit(others, seed=11, steps=args.steps)
        motions |= dict.fromkeys(mine, motion)
        if not args.shipped:
            print(f"fold {fold + 1}: fitted on {len(others)} persons")
    for protocol in PROTOCOLS:
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
    if args.evidence:
        evidence(people, motions, agent)


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


def evidence(people: dict[str, Positions], motions: dict[str, Motion], agent: GeoAgent) -> None:
    """One text in an album without any position, and a text beside positions."""
    rows = [json.loads(row) for row in data("sign_texts.jsonl").read_text("utf-8").splitlines()]
    texts = [row for row in rows if row["lat"] is not None]
    rng, world = np.random.default_rng(3), agent.assets.world
    told: dict[str, list[tuple[float, float]]] = {"the text's own photo": [], "one text, no position": []}
    told |= {"text and 5 % of positions": [], "5 % of positions alone": []}
    for name, positions in people.items():
        if len(positions) < 20:
            continue
        part = Positions(positions.hours[:150], positions.latlon[:150])
        for text in rng.choice(len(texts), TEXTS_A_PERSON, replace=False).tolist():
            turned, shown = _turned(part, LatLon(texts[text]["lat"], texts[text]["lon"]), rng)
            observed = agent.observe_text(texts[text]["lines"])
            posterior = agent.fusion(observed.vision.log_probs, observed.text.constraints)
            ratio = posterior.log_probs - world.log_prior
            leading = leading_places(posterior.log_probs, ratio, world, [])
            if not leading:
                continue
            known = known_part(len(part), "most", rng)
            known[shown] = False
            plain = [Sighting(f"{i:04d}", "camera", float(h)) for i, h in enumerate(turned.hours)]
            speaking = [replace(s, log_ratio=ratio, leading=leading) if i == shown else s for i, s in enumerate(plain)]
            anchored = [
                replace(s, gps=LatLon(*turned.latlon[i].tolist())) if known[i] else s for i, s in enumerate(speaking)
            ]
            mute = [replace(s, log_ratio=None, leading=()) for s in anchored]
            alone = agent.estimate(observed)
            told["the text's own photo"].append(_off(alone, turned.latlon[shown]))
            rest = rng.choice(np.flatnonzero(~known), 12, replace=False).tolist()
            for label, sightings in (
                ("one text, no position", speaking),
                ("text and 5 % of positions", anchored),
                ("5 % of positions alone", mute),
            ):
                lines = Timelines(sightings, world, motions[name])
                for i in rest:
                    if i == shown:
                        continue
                    message = lines.told(f"{i:04d}")
                    made = message and constraint_of(message, sightings[i], lines, agent.assets.gazetteer, world)
                    if made:
                        found = agent.estimate(replace(agent.observe_text([]), album=(made,)))
                        told[label].append(_off(found, turned.latlon[i]))
    print("\nwith texts: km off, and the 90 % radius")
    cells = []
    for label, pairs in told.items():
        km, radius = np.array(pairs).T
        shares = [f"{100 * (km <= limit).mean():.1f}" for limit in (25, 200)]
        cells.append([label, len(km), *shares, f"{np.median(km):.1f}", f"{(km <= radius).mean():.1%}"])
    table(("what", "photos", "<=25", "<=200", "median", "in 90 %"), cells)


def _off(found, truth) -> tuple[float, float]:
    return found.latlon.distance_km(LatLon(*truth.tolist())), found.radius_90_km


def _turned(positions: Positions, home: LatLon, rng: np.random.Generator) -> tuple[Positions, int]:
    """The positions turned on the globe so that the most visited place is `home`; and a photo taken there."""
    unit = to_unit(positions.latlon)
    near = (unit @ unit.T) > np.cos(2.0 / 6371.0)
    centre = int(near.sum(axis=1).argmax())
    a, b = unit[centre], to_unit((home.lat, home.lon))
    cross = np.cross(a, b)
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    rotation = np.eye(3) + skew + skew @ skew / (1 + max(float(a @ b), -0.999999))
    there = np.flatnonzero(near[centre])
    return Positions(positions.hours, from_unit(unit @ rotation.T)), int(rng.choice(there))


if __name__ == "__main__":
    main()
