"""Word recall of each OCR engine on photographed signs, by script, and its cost.

Compares the package's engines, a variant without joining fragments, and RapidOCR's own pipeline (`use_cls=True`, its
default). Run from the repository: `python benchmarks/bench_ocr.py [FOLDER] [--only WAY] [-v]`; FOLDER holds pictures
and a `truth.csv` with the columns file, scripts and text_lines (lines separated by " | "), by default
`../shared/data/signs` beside the checkout. `tesseract` needs the package tesserocr and script models (see
`geoagent doctor`).

Metric (lenient, recall only, since the truth lists only legible lines): everything is folded (NFKD without marks,
lower case, letters and digits only), recognised lines are joined without spaces, and a true word counts as
found where its best matching substring has an edit distance of at most a quarter of its length, rounded down (so short
words must match exactly). The character error rate (CER) is the same distance for whole lines. In scripts without
spaces, a line is one word. A line's script is that of its letters; lines of digits and Latin on number plates are
"plate".

"False evidence" counts regions whose script an engine marks as evidence although the photo has no text in it; Latin is
excluded, since the truth omits small print and watermarks.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from geoagent import plugs
from geoagent.evidence.photos import open_photo
from geoagent.evidence.scripts import script_of
from geoagent.types import Photo, TextRegion

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "signs"


def fold(text: str) -> str:
    """Letters and digits of `text`, lower case, without marks (vowel signs of Indic scripts stay)."""
    plain = unicodedata.normalize("NFKD", text).lower()
    return "".join(c for c in plain if c.isalnum() or unicodedata.category(c) == "Mc")


def distance(needle: str, hay: str) -> int:
    """Edit distance of `needle` to its best substring of `hay` (Sellers)."""
    row = np.zeros(len(hay) + 1, dtype=int)
    letters = np.array([ord(c) for c in hay], dtype=int)
    steps = np.arange(len(hay) + 1)
    for i, char in enumerate(needle, 1):
        new = np.empty_like(row)
        new[0] = i
        new[1:] = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(char)))
        row = np.minimum.accumulate(new - steps) + steps
    return int(row.min())


Read = Callable[[Photo], tuple[TextRegion, ...]]


def ours(name: str, **options: object) -> Read:
    """One of the package's engines."""
    engine: Read = plugs.build("ocr", name, None, **options)
    return engine


def theirs() -> Read:
    """RapidOCR's own pipeline with its 180° classifier."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(photo: Photo) -> tuple[TextRegion, ...]:
        found = engine(photo.pixels[:, :, ::-1].copy(), use_det=True, use_cls=True, use_rec=True)
        return tuple(TextRegion(text) for text in found.txts or ())

    return read


def measure(folder: Path, read: Read, verbose: bool) -> None:
    """Print one table."""
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    read(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))
    seconds, photos, worst, false = 0.0, 0, 0.0, 0
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        photo = open_photo(folder / row["file"])
        start = time.process_time()
        regions = read(photo)
        spent = time.process_time() - start
        seconds, worst, photos = seconds + spent, max(worst, spent), photos + 1
        lines = [region.text for region in regions]
        shown = {*row["scripts"].split(), "Zyyy", "Latn"}
        shown |= {"Hani"} if "Jpan" in shown else set()
        for region in regions:
            if region.script_is_evidence and region.script not in shown:
                false += 1
                print(f"  false evidence in {row['file']}: {region.text!r} {region.confidence:.2f} {region.engine}")
        hay = fold("".join(lines))
        for line in row["text_lines"].split(" | "):
            script = script_of(line)
            group = "plate" if row["kind"] == "plate" else "digits" if script == "Zyyy" else script
            whole = fold(line)
            words = [w for w in (fold(w) for w in line.split()) if w]
            hits = sum(distance(word, hay) <= len(word) // 4 for word in words)
            for name in ("ALL", group):
                cell = found[name]
                cell[0] += min(distance(whole, hay), len(whole))
                cell[1] += len(whole)
                cell[2] += hits
                cell[3] += len(words)
            if verbose and hits < len(words):
                print(f"  {row['file']}: {line!r} not all in {lines}")
    for name in sorted(found):
        wrong, chars, hits, words = found[name]
        print(f"  {name:7} CER {wrong / max(chars, 1):5.2f}   words {hits / max(words, 1):5.0%} of {words:.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {false} regions of false evidence")
    mean = seconds / max(photos, 1)
    print(f"  {mean:.2f} CPU s per photo, at most {worst:.2f} ({photos} photos), peak memory {peak:.2f} GB")


def main() -> None:
    """Measure each variant in its own process, so that peak memory is separate."""
    ways: dict[str, Callable[[], Read]] = {
        "rapidocr": lambda: ours("rapidocr"),
        "multiscript": lambda: ours("multiscript"),
        "tesseract": lambda: ours("tesseract"),
        "tesseract-thorough": lambda: ours("tesseract", thorough=True),
        "rapidocr-unjoined": lambda: ours("rapidocr", join=False),
        "rapidocr-use_cls": theirs,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--only", choices=ways, help="measure one variant, in this process")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the lines that were not found")
    args = parser.parse_args()
    if not (args.folder / "truth.csv").is_file():
        sys.exit(f"no truth.csv in {args.folder}; pass a folder that has one")
    if args.only:
        measure(args.folder, ways[args.only](), args.verbose)
        return
    for way in ways:
        print(way, flush=True)
        verbose = ["-v"] if args.verbose else []
        done = subprocess.run([sys.executable, __file__, str(args.folder), "--only", way, *verbose], check=False)
        if done.returncode:
            print("  measurement failed")


if __name__ == "__main__":
    main()
