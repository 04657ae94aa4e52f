"""OCR engines side by side on photographed and on rendered signs: words and characters by script, and their cost.

Run from the repository: `OMP_NUM_THREADS=1 python benchmarks/bench_ocr.py [FOLDER] [--only WAY] [-v]`. FOLDER holds
pictures and a `truth.csv` with the columns file, scripts, kind and text_lines (lines separated by " | "), by default
`../shared/data/signs` beside the checkout; it is left out, with a message, where it is absent. `--rendered` measures on
rendered signs alone (`_rendered.py`; scripts that no font of this machine has are named). `--only` measures one engine
in this process and prints its figures; without it, four engines are measured, each in a process of its own, and
compared in tables. `tesseract` and `all` need the package tesserocr and script models (see `geoagent doctor`).

Metric (lenient, recall only, since the truth lists only legible lines): everything is folded (NFKD without marks,
lower case, letters and digits only), recognised lines are joined without spaces, and a true word counts as
found where its best matching substring has an edit distance of at most a quarter of its length, rounded down (so short
words must match exactly). The character error rate (CER) is the same distance for whole lines. In scripts without
spaces, a line is one word. A line's script is that of its letters; lines of digits and Latin on number plates are
"plate".

"False evidence" counts regions whose script an engine marks as evidence although the photo has no text in it; Latin is
excluded, since the truth omits small print and watermarks. CPU seconds are those of the photos alone; peak memory is
that of the process.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _rendered import render

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


@dataclass
class Figures:
    """What was measured of one engine on one folder.

    Attributes:
        groups: script to wrong characters, characters, words found and words; "ALL" is their sum.
        false: regions of false evidence.
        photos: number of photos.
        seconds: CPU seconds of all photos.
        worst: CPU seconds of the slowest photo.
        peak_gb: peak memory of the process.
    """

    groups: dict[str, list[int]]
    false: int
    photos: int
    seconds: float
    worst: float
    peak_gb: float


def measure(folder: Path, read: Read, verbose: bool) -> Figures:
    """Read every photo of a folder; print lines that were not found if `verbose`, and false evidence."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    read(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))
    seconds, photos, worst, false = 0.0, 0, 0.0, 0
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        photo = open_photo(folder / row["file"])
        start = time.process_time()
        regions = [region for region in read(photo) if not region.unread]
        spent = time.process_time() - start
        seconds, worst, photos = seconds + spent, max(worst, spent), photos + 1
        lines = [region.text for region in regions]
        shown = {*row["scripts"].split(), "Zyyy", "Latn"}
        shown |= {"Hani"} if "Jpan" in shown else set()
        for region in regions:
            if region.script_is_evidence and region.script not in shown:
                false += 1
                note = f"{row['file']}: {region.text!r} {region.confidence:.2f} {region.engine}"
                print(f"  false evidence in {note}", file=sys.stderr)
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
                print(f"  {row['file']}: {line!r} not all in {lines}", file=sys.stderr)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Figures(dict(found), false, photos, seconds, worst, peak)


def tables(measured: dict[str, Figures]) -> str:
    """The engines side by side, as a Markdown table: a row a script, and one a cost."""
    names = sorted({name for figures in measured.values() for name in figures.groups})
    rows = [["", "words", *measured], ["---"] * (2 + len(measured))]
    for name in names:
        cells = [figures.groups[name] for figures in measured.values()]
        shares = [f"{hits / max(words, 1):.0%}, {wrong / max(chars, 1):.2f}" for wrong, chars, hits, words in cells]
        rows.append([name, str(cells[0][3]), *shares])
    rows.append(["false evidence, regions", "", *(str(f.false) for f in measured.values())])
    rows.append(["CPU s per photo", "", *(f"{f.seconds / max(f.photos, 1):.2f}" for f in measured.values())])
    rows.append(["CPU s, slowest photo", "", *(f"{f.worst:.2f}" for f in measured.values())])
    rows.append(["peak memory, GB", "", *(f"{f.peak_gb:.2f}" for f in measured.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


WAYS: dict[str, Callable[[], Read]] = {
    "rapidocr": lambda: ours("rapidocr"),
    "multiscript": lambda: ours("multiscript"),
    "tesseract": lambda: ours("tesseract"),
    "all": lambda: ours("multiscript", tesseract=True),
    "tesseract-thorough": lambda: ours("tesseract", thorough=True),
    "rapidocr-unjoined": lambda: ours("rapidocr", join=False),
    "rapidocr-use_cls": theirs,
}
COMPARED = ("rapidocr", "multiscript", "tesseract", "all")
"""The engines of the tables: RapidOCR alone, the default, RapidOCR with Tesseract, and all together."""


def compare(folder: Path, verbose: bool) -> None:
    """Measure the engines, each in a process of its own, and print a table."""
    measured = {}
    for way in COMPARED:
        command = [sys.executable, __file__, str(folder), "--only", way, "--json", *(["-v"] if verbose else [])]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{way} was not measured, see above")
        else:
            measured[way] = Figures(**json.loads(done.stdout))
    if measured:
        print(tables(measured), flush=True)


def main() -> None:
    """Measure one engine, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--only", choices=WAYS, help="measure one engine, in this process")
    parser.add_argument("--rendered", action="store_true", help="measure on rendered signs alone")
    parser.add_argument("--seed", type=int, default=0, help="of the rendered signs")
    parser.add_argument("--json", action="store_true", help="with --only: print the figures as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the lines that were not found")
    args = parser.parse_args()
    photographed = (args.folder / "truth.csv").is_file() and not args.rendered
    if not photographed and not args.rendered:
        message = f"no truth.csv in {args.folder}; pass a folder that has one"
        if args.only or args.folder != DEFAULT:
            sys.exit(message)
        print(message)
    run = compare
    if args.only:

        def run(folder: Path, verbose: bool) -> None:
            figures = measure(folder, WAYS[args.only](), verbose)
            print(json.dumps(asdict(figures)) if args.json else tables({args.only: figures}))

    if photographed:
        run(args.folder, args.verbose)
    if args.rendered or not args.only:
        with tempfile.TemporaryDirectory() as folder:
            skipped = render(Path(folder), args.seed)
            print(f"\nRendered signs; no font for: {', '.join(skipped) or 'none, every script has one'}\n", flush=True)
            run(Path(folder), args.verbose)


if __name__ == "__main__":
    main()
