"""Real photos from pixels: how often a country is named, and how often it is right.

    python benchmarks/bench_photos.py --cache FOLDER [--more FOLDER ...] [--frozen] [--open-frozen]

Reads `photos/` and `signs/` of the benchmark data, and further folders with a `labels.csv` of the columns file,
country, source and optionally text, kind and part. Rows without a country, or with a guess ("EG?"), are left out.
Texts read are kept in the cache, so a second run takes seconds.

The frozen part measures what development did not see. Photos of one source look alike and carry the same watermarks,
so whole sources are frozen: those whose name has a SHA-256 that starts below `FROZEN`, about three in ten. The photos
of signs are never frozen, since the cues were developed on them. A table that says "frozen" or "dev" in its column part
decides for its rows itself. `--frozen` prints the totals of the frozen part and
nothing else of it; `--open-frozen` prints its errors too, after which it must be counted as development data.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from _photos import Sample, judge, key_of, print_errors, print_figures, read
from _shared import data

from geoagent import GeoAgent

FROZEN = 0.3
"""Share of the sources that are frozen."""


def is_frozen(source: str) -> bool:
    """Whether a source belongs to the frozen part; decided by its name alone, so that new photos change nothing."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:8]) / 2**64 < FROZEN


def samples(table: Path, name: str, *, source: str = "source", text: str = "text") -> Iterator[tuple[Sample, bool]]:
    """Samples of a table with the columns file and country, and whether each is frozen.

    Args:
        table: the CSV file; photos lie beside it.
        name: name of the set.
        source: column of the source.
        text: column of the text in the photo; may be missing, as may be "kind" and "part".
    """
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            country, path = row["country"].strip(), table.parent / row["file"]
            if country and not country.endswith("?") and path.is_file():
                groups = (name, f"{name} {row['kind']}") if row.get("kind") else (name,)
                id = f"{name}/{Path(row['file']).with_suffix('')}"
                sample = Sample(id, path, key_of(path.read_bytes()), country, groups, row.get(text) or "")
                yield sample, row["part"] == "frozen" if row.get("part") else is_frozen(row[source])


def parts(more: Sequence[Path] = ()) -> tuple[list[Sample], list[Sample]]:
    """The samples of the development part and of the frozen part.

    Args:
        more: further folders with photos and `labels.csv`.
    """
    signs = samples(data("signs", "truth.csv"), "signs", source="source_repo", text="text_lines")
    rows = [*samples(data("photos", "photos.csv"), "photos", source="source_repo")]
    for folder in more:
        rows += samples(folder / "labels.csv", folder.name)
    development = [sample for sample, _ in signs] + [sample for sample, frozen in rows if not frozen]
    return development, [sample for sample, frozen in rows if frozen]


def main() -> None:
    """Read the photos and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the texts read")
    parser.add_argument("--more", type=Path, action="append", default=[], help="folder with photos and labels.csv")
    parser.add_argument("--frozen", action="store_true", help="also print the totals of the frozen part")
    parser.add_argument("--open-frozen", action="store_true", help="also print the errors of the frozen part")
    parser.add_argument("--ocr", default="auto", help="the engine; auto is the default of geoagent")
    args = parser.parse_args()
    development, frozen = parts(args.more)
    agent = GeoAgent.load(looks=False)
    for title, part, opened in (("development", development, True), ("frozen", frozen, args.open_frozen)):
        if part and (title == "development" or args.frozen or args.open_frozen):
            judged = [judge(seen, agent) for seen in read(part, args.cache, ocr=args.ocr)]
            print(f"\n{title} part")
            print_figures(judged, by_group=opened)  # a group of one photo would tell its answer
            if opened:
                print_errors(judged, agent)


if __name__ == "__main__":
    main()
