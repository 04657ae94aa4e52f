"""Check the answers for the sample photos, with whatever is installed.

    python examples/check.py

Each drawn photo with text must be placed in its country and, where a city is named, near there; each photograph there
or nowhere. Prints one line a photo; exits with 1 where one is wrong.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from geoagent import GeoAgent, LatLon

NEAR_KM = 25.0
PHOTOS = Path(__file__).resolve().parent / "photos"


def main() -> int:
    """Answer for every photo of both tables and compare; return the number of wrong ones."""
    agent = GeoAgent.load()
    wrong = 0
    for table, may_abstain in (("expected.csv", False), ("photographs.csv", True)):
        with (PHOTOS / table).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                best = agent.locate(PHOTOS / row["file"]).best
                found = "" if best.precision == "none" else best.country
                right = found == row["country"] or (may_abstain and not found)
                if right and found and best.precision == "city" and row["lat"]:
                    at = LatLon(float(row["lat"]), float(row["lon"]))
                    right = at.distance_km(LatLon(best.lat, best.lon)) <= NEAR_KM
                wrong += not right
                where = (best.place or found) if found else "no place"
                print(f"{'ok   ' if right else 'WRONG'} {row['file']:22} {row['country'] or '-':3} {where}")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(), 1))
