"""Replay of recorded vision-language model answers: extraction, resolution, reliability, log loss.

    OMP_NUM_THREADS=1 python benchmarks/bench_llm_replay.py [--table] [--failures N]

The recordings are free-text answers about Street View pictures with known places. The script measures:

1. whether the parser finds the city and country that an answer states (the recordings' own parse is the reference);
2. whether the gazetteer places the stated city within 50 km of the coordinates that the model gave with it; these
   are not used otherwise. Models contradict themselves, so the second figure is over answers whose coordinates lie
   within 50 km of any place of the stated name anywhere;
3. how often a statement is right, by level;
4. the log loss of a constraint whose reliabilities are those of its model and level (fitted on four fifths of the
   pictures, measured on the rest) beside constraints of one reliability for everything, of which the best is chosen in
   hindsight.

Measured with the starter world, 1,602 pictures per model; the last two columns are nats at the true geocell::

    model                   extracted  within 50 km  consistent  country right  city right  best r  calibrated
    claude-3-haiku              0.999         0.934       0.987          0.572       0.118   7.224       6.743
    gpt-4o                      1.000         0.961       0.994          0.839       0.301   5.330       4.928
    llama-3.2-11b-vision        0.999         0.631       0.986          0.550       0.132   7.167       6.760
    llava-v1.6-mistral-7b       0.999         0.256       0.978          0.278       0.037   8.089       7.880

The last two models often give coordinates far from the city that they name.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent import GeoAgent, LatLon
from geoagent.belief.fusion import mass_ratio
from geoagent.evidence.constraints._mixture import Weighed, mixture
from geoagent.evidence.constraints._resolve import Resolved, country_of, resolve, stated_nothing
from geoagent.evidence.constraints._stated import stated_place
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import Place

NEAR_KM = 50.0
FOLDS = 5
GRID = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LEVELS = ("country", "admin1", "city")


@dataclass(frozen=True)
class Row:
    """One answer that states a place: its resolution, and the truth."""

    picture: str
    resolved: Resolved
    country: str
    cell: int
    right: dict[str, bool]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="print the fitted reliabilities as Python")
    parser.add_argument("--failures", type=int, default=0, help="print this many answers that were parsed differently")
    args = parser.parse_args()
    agent = GeoAgent.load(ocr="nothing")
    models = sorted(data("vlm_answers").glob("*.csv.gz"))
    rows = {path.name.split("__")[1].removesuffix("-full-bench.csv.gz"): read(path) for path in models}
    out, known = [], {}
    for model, answers in rows.items():
        figures, known[model] = replay(agent, answers, args.failures)
        out.append([model, len(answers), *figures])
    head = [
        "model",
        "answers",
        "state a place",
        "extracted",
        "cities",
        "within 50 km",
        "self-consistent",
        "within 50 km ",
    ]
    table(head, out)
    print()
    fitted = {model: fit(answers) for model, answers in known.items()}
    table(
        ["P(right | stated)", "city stated", "country", "admin1", "city 50 km"],
        [[m, sum(r.resolved.level == "city" for r in known[m]), *(fitted[m][k] for k in LEVELS)] for m in known],
    )
    if args.table:
        print({m: {k: round(v, 3) for k, v in f.items()} for m, f in fitted.items()})
    print()
    losses(agent, known)


def read(path: Path) -> list[dict[str, str]]:
    """Rows of one recording."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def replay(agent: GeoAgent, answers: Sequence[dict[str, str]], failures: int) -> tuple[list[float | int], list[Row]]:
    """Extraction and resolution over one model's answers."""
    gazetteer, world = agent.assets.gazetteer, agent.assets.world
    states = extracted = cities = near = consistent = near_consistent = 0
    found: list[Row] = []
    for row in answers:
        city, country = (row[f"predicted_{part}"].strip() for part in ("city", "country"))
        said = stated_place(row["model_response"])
        if not (stated_nothing(city) and stated_nothing(country)):
            states += 1
            same = said is not None and all(
                stated_nothing(want) or normalise(got) == normalise(want)
                for want, got in ((city, said.city), (country, said.country))
            )
            extracted += same
            if not same and failures > 0:
                failures -= 1
                print("read otherwise:", (city, country), said, row["model_response"][-120:].replace("\n", " / "))
        if said is None:
            continue
        name = ", ".join(part for part in (said.city, said.region) if part)
        resolved = resolve(gazetteer, name or said.country, "city" if said.city else "country", said.country)
        if not resolved.places:
            continue
        own = LatLon(float(row["predicted_lat"]), float(row["predicted_long"])) if coordinates(row) else None
        if said.city and own is not None:
            cities += 1
            hit = resolved.places[0][0].latlon.distance_km(own) <= NEAR_KM
            near += hit
            names = [m.place for m in gazetteer.lookup(said.city, k=60)] + [p for p, _ in resolved.places]
            if any(place.latlon.distance_km(own) <= NEAR_KM for place in names):
                consistent += 1
                near_consistent += hit
        truth = LatLon(float(row["label_lat"]), float(row["label_long"]))
        found.append(judged(gazetteer, row, resolved, truth, int(world.cells.assign([tuple(truth)])[0])))
    shares = [states, extracted / states, cities, near / cities, consistent, near_consistent / max(consistent, 1)]
    return shares, found


def coordinates(row: dict[str, str]) -> bool:
    """Whether a model gave valid coordinates."""
    try:
        lat, lon = float(row["predicted_lat"]), float(row["predicted_long"])
    except ValueError:
        return False
    return abs(lat) <= 90 and abs(lon) <= 180


def judged(gazetteer: Gazetteer, row: dict[str, str], resolved: Resolved, truth: LatLon, cell: int) -> Row:
    """Which levels of a statement are right."""
    place = resolved.places[0][0]
    true = country_of(gazetteer, row["label_country"])
    country = true.country if true is not None else gazetteer.country_at(truth)
    right = {"country": place.country == country}
    if resolved.level == "city":
        right["admin1"] = bool(place.admin1) and place.admin1 == gazetteer.admin1_at(truth)
        right["city"] = place.latlon.distance_km(truth) <= NEAR_KM
    elif resolved.level == "admin1":
        right["admin1"] = place.admin1 == gazetteer.admin1_at(truth)
    return Row(row["image_name"], resolved, country, cell, right)


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """P(right | stated) by level, shrunk to one half by two pseudo-answers."""
    fitted = {}
    for level in LEVELS:
        hits = [row.right[level] for row in rows if level in row.right]
        fitted[level] = (sum(hits) + 1) / (len(hits) + 2)
    return fitted


def losses(agent: GeoAgent, known: dict[str, list[Row]]) -> None:
    """Log loss of the true country and the true geocell, nats per picture."""
    world, gazetteer = agent.assets.world, agent.assets.gazetteer
    prior, shares = np.exp(world.log_prior), world.country_prior
    ratios: dict[Place, np.ndarray] = {}

    def loss(rows: Sequence[Row], believed: Callable[[str], float]) -> tuple[float, float]:
        country = cell = 0.0
        for row in rows:
            said = mixture(
                [Weighed(row.resolved, 1.0, "")],
                believed,
                lambda p: (gazetteer.admin1(p.admin1) if p.admin1 else None, gazetteer.country(p.country)),
                id="x",
                kind="llm-picture",
                source="llm-picture",
                model="",
                spans=(),
            )
            assert said is not None
            mass, own = 0.0, sum(w for p, w in zip(said.places, said.weights, strict=True) if p.country == row.country)
            for place, weight in zip(said.places, said.weights, strict=True):
                if place not in ratios:
                    inside, ratio = mass_ratio(place, world)
                    ratios[place] = dict(zip(inside.tolist(), ratio.tolist(), strict=True))
                mass += float(weight) * ratios[place].get(row.cell, 0.0)
            r = said.reliability
            country -= math.log((1 - r) * shares.get(row.country, 1e-6) + r * own + 1e-12)
            cell -= math.log(float(prior[row.cell]) * ((1 - r) + r * mass) + 1e-300)
        return country / len(rows), cell / len(rows)

    out = []
    totals: dict[str, list[tuple[float, float]]] = {}
    for model, rows in known.items():
        rows = [row for row in rows if row.country in shares]
        none = (
            -float(np.mean([math.log(shares[row.country]) for row in rows])),
            -float(np.mean([world.log_prior[row.cell] for row in rows])),
        )
        uncalibrated = {r: loss(rows, lambda level, r=r: r) for r in GRID}
        best = (min(u[0] for u in uncalibrated.values()), min(u[1] for u in uncalibrated.values()))
        fold = [hash_of(row.picture) % FOLDS for row in rows]
        parts = []
        for k in range(FOLDS):
            fitted = fit([row for row, f in zip(rows, fold, strict=True) if f != k])
            held = [row for row, f in zip(rows, fold, strict=True) if f == k]
            parts.append((len(held), loss(held, lambda level, fitted=fitted: fitted[level])))
        n = sum(count for count, _ in parts)
        calibrated = tuple(sum(count * part[i] for count, part in parts) / n for i in (0, 1))
        as_stated = uncalibrated[0.95]
        out.append(
            [
                model,
                len(rows),
                none[0],
                as_stated[0],
                best[0],
                calibrated[0],
                none[1],
                as_stated[1],
                best[1],
                calibrated[1],
            ]
        )
        for r, value in uncalibrated.items():
            totals.setdefault(f"{r}", []).append(value)
        totals.setdefault("calibrated", []).append((calibrated[0], calibrated[1]))
    means = {k: (float(np.mean([v[0] for v in vs])), float(np.mean([v[1] for v in vs]))) for k, vs in totals.items()}
    rest = {k: v for k, v in means.items() if k != "calibrated"}
    country, cell = (min(rest.items(), key=lambda item, i=i: item[1][i]) for i in (0, 1))
    names = ("prior", "r = 0.95", "best r", "calibrated")
    table(["log loss, nats", "n", *(f"country: {x}" for x in names), *(f"cell: {x}" for x in names)], out)
    print(
        f"\nmean of the models: calibrated {means['calibrated'][0]:.3f} country, {means['calibrated'][1]:.3f} cell; "
        f"best of one reliability for all, in hindsight: {country[1][0]:.3f} country (r = {country[0]}), "
        f"{cell[1][1]:.3f} cell (r = {cell[0]})"
    )


def hash_of(text: str) -> int:
    """A hash that is the same in every run."""
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


if __name__ == "__main__":
    main()
