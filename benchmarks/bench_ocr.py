"""Words that the OCR engine finds on photographed signs, by script, and what that costs.

Compares this package's use of RapidOCR with RapidOCR's own pipeline (`use_cls=True`, its default). Run from the
repository: `python benchmarks/bench_ocr.py [FOLDER]`; FOLDER holds pictures and a `truth.csv` with the columns file,
scripts and text_lines (lines separated by " | "), by default `../shared/data/signs` beside the checkout.

Metric, lenient and of recall only, since the truth lists legible lines alone: everything is folded (NFKD without marks,
lower case, letters and digits only), the lines that were read are joined without spaces, and a true word counts as
found where its best matching substring has an edit distance of at most a quarter of its length, rounded down (so short
words must match exactly). The character error rate (CER) is the same distance for whole lines. Where a script writes no
spaces, a line is one word. A line's script is that of its letters; lines of digits and Latin on number plates are
"plate".
"""

from __future__ import annotations

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

from geoagent.ocr.rapidocr import build
from geoagent.photos import open_photo
from geoagent.scripts import script_of
from geoagent.types import Photo

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


def ours(**options: object) -> Callable[[Photo], list[str]]:
    """The package's engine."""
    engine = build(None, **options)  # type: ignore[arg-type]
    return lambda photo: [region.text for region in engine(photo)]


def theirs() -> Callable[[Photo], list[str]]:
    """RapidOCR's own pipeline with its 180° classifier."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(photo: Photo) -> list[str]:
        found = engine(photo.pixels[:, :, ::-1].copy(), use_det=True, use_cls=True, use_rec=True)
        return list(found.txts or ())

    return read


def measure(folder: Path, read: Callable[[Photo], list[str]], verbose: bool) -> None:
    """Print one table."""
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    read(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))
    seconds, photos = 0.0, 0
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        photo = open_photo(folder / row["file"])
        start = time.process_time()
        lines = read(photo)
        seconds += time.process_time() - start
        photos += 1
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
    print(f"  {seconds / max(photos, 1):.2f} CPU s a photo ({photos} photos), peak memory {peak:.2f} GB")


def main(arguments: list[str]) -> None:
    """Measure each way in a process of its own, so that peak memory is its own."""
    ways: dict[str, Callable[[], Callable[[Photo], list[str]]]] = {
        "geoagent": ours,
        "geoagent-unjoined": lambda: ours(join=False),
        "rapidocr-use_cls": theirs,
    }
    if arguments and arguments[0] == "--way":
        measure(Path(arguments[2]), ways[arguments[1]](), "-v" in arguments)
        return
    folder = Path(arguments[0]) if arguments and not arguments[0].startswith("-") else DEFAULT
    if not (folder / "truth.csv").is_file():
        sys.exit(f"no truth.csv in {folder}; name a folder that has one")
    for way in ways:
        print(way, flush=True)
        subprocess.run([sys.executable, __file__, "--way", way, str(folder), *arguments[-1:]], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
