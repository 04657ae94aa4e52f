"""Real photos of signs, from pixels: is the text-aware top country right?

    python benchmarks/bench_signs.py [--errors]

bench_ocr.py has word recall by script. "readable" are photos with a script that the default engine reads; a country
with a question mark in the truth is the labeller's guess, and is counted separately.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict

from _shared import data, table

from geoagent import GeoAgent
from geoagent.interfaces.doctor import examine


def main() -> None:
    """Locate every photo and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="print every photo whose country is wrong")
    parser.add_argument("--ocr", default="auto", help="the engine; auto is the default of geoagent")
    args = parser.parse_args()
    folder = data("signs")
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    plain = {"Latn", "Hani", "Jpan"}
    readable = plain if args.ocr == "rapidocr" else set(examine(timeout_s=0.1)["scripts_readable"])
    agent = GeoAgent.load(ocr=args.ocr)
    tally: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for row in rows:
        answer = agent.locate(folder / row["file"])
        ranked = [share.code for share in answer.countries]
        wanted = row["country"].rstrip("?")
        result = (ranked[0] == wanted, wanted in ranked[:3])
        groups = [f"script {s}" for s in row["scripts"].split()]
        if not row["country"].endswith("?"):
            groups += ["country known", f"kind {row['kind']}"]
            if set(row["scripts"].split()) & readable:
                groups.append("country known, some script readable")
            if set(row["scripts"].split()) <= readable:
                groups.append("country known, every script readable")
        for group in groups:
            tally[group].append(result)
        if args.errors and not result[0]:
            print(f"{row['file']}: want {row['country']}, got {ranked[:3]} | {[r.text for r in answer.regions]}")
            for cue in answer.cues:
                print(f"      {cue.nats:+6.2f} {cue.kind} {cue.value!r} r={cue.reliability} → {cue.favours}")
    order = sorted(tally, key=lambda g: (not g.startswith("country"), g))
    table(
        ["photos", "n", "top-1", "top-3"],
        [
            [g, len(tally[g]), sum(a for a, _ in tally[g]) / len(tally[g]), sum(b for _, b in tally[g]) / len(tally[g])]
            for g in order
        ],
    )
    print("\nfloor: 60 % top-1 of those whose country is known and whose script the default engine reads")


if __name__ == "__main__":
    main()
