"""Check that each sample photo with text is placed in its country, with whatever is installed.

    python examples/check.py

Prints one line a photo; exits with 1 where a country is wrong, or where a photo without text is placed.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from geoagent import GeoAgent

PHOTOS = Path(__file__).resolve().parent / "photos"


def main() -> int:
    """Answer for every photo of expected.csv and compare; return the number of wrong ones."""
    agent = GeoAgent.load()
    wrong = 0
    with (PHOTOS / "expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            best = agent.locate(PHOTOS / row["file"]).best
            found = "" if best.precision == "none" else best.country
            wrong += found != row["country"]
            mark = "ok   " if found == row["country"] else "WRONG"
            print(f"{mark} {row['file']:22} {row['country'] or '-':3} {best.place if found else 'no place'}")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(), 1))
