"""Picture features and a sign's text of one place: vision-only, text-only and text-aware side by side.

    python benchmarks/bench_pairs.py --world WORLD

WORLD is trained on ../shared/data/streetview (geoagent train --data …/panoramas.npz --out WORLD). Picture and text are
from different photos of one place (pairs.csv); kilometres only where the panorama is within 50 km of the text's city.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent import GeoAgent, LatLon
from geoagent.training.table import read_table
from geoagent.training.views import mean_view


def main() -> None:
    """Locate every pair and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--views", choices=["1", "all"], default="all")
    args = parser.parse_args()
    texts = {row["id"]: row for row in map(json.loads, data("sign_texts.jsonl").read_text("utf-8").splitlines()) if row}
    with data("pairs.csv").open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    places = read_table(data("streetview", "panoramas.npz")).take(np.array([int(p["panorama"]) for p in pairs]))
    views = places.unit_views()
    looked = mean_view(views if args.views == "all" else views[:, :1])
    agent = GeoAgent.load(world=args.world, ocr="nothing")
    halves = ("vision_only", "text_only", "text_aware")
    strata: dict[str, dict[str, list[tuple[bool, float, float | None]]]] = {}
    for i, pair in enumerate(pairs):
        row = texts[pair["text_id"]]
        answer = agent.locate_features(looked[i], row["lines"], id=row["id"])
        truth, near = LatLon(*places.latlon[i].tolist()), pair["km_from_city"]
        groups = ["no evidence in the text"] if row["country"] is None else ["evidence in the text"]
        groups += ["misleading text"] if "misleading" in row["kinds"] and row["country"] else []
        allowed = {row["country"], *row["also"]}
        for half in halves:
            found = getattr(answer, half)
            km = truth.distance_km(LatLon(found.best.lat, found.best.lon)) if near and float(near) <= 50 else None
            p = max(sum(c.p for c in found.countries if c.code in allowed), 1e-9)
            for group in groups:
                rows = strata.setdefault(group, {}).setdefault(half, [])
                rows.append((found.best.country in allowed, -math.log(p), km))
    for group, found_by in strata.items():
        print(f"\n{group}")
        if group.startswith("no"):
            same = [a == b for a, b in zip(found_by["vision_only"], found_by["text_aware"], strict=True)]
            print(f"text-aware equals vision-only in {sum(same)} of {len(same)}")
            continue
        lines = []
        for half in halves:
            rows = found_by[half]
            far = [km for _, _, km in rows if km is not None]
            right = sum(ok for ok, _, _ in rows) / len(rows)
            lines.append(
                [
                    half,
                    len(rows),
                    right,
                    sum(loss for _, loss, _ in rows) / len(rows),
                    len(far),
                    float(np.median(far)) if far else math.nan,
                ]
            )
        table(["", "n", "country", "log loss", "n km", "median km"], lines)


if __name__ == "__main__":
    main()
