"""What millions of places cost: geocells, labels, gallery and index, product quantisation, training.

Places are real ones of `coords/`, moved a little; features are made, save for those of `pq`. Seconds are CPU seconds,
so that a busy machine changes them little; megabytes are the largest resident set of the process so far.

    python benchmarks/bench_scale.py --only cells --rows 30000 100000 300000
    python benchmarks/bench_scale.py --only labels
    python benchmarks/bench_scale.py --only gallery --rows 300000 1000000
    python benchmarks/bench_scale.py --only pq --world my-world         # recall on real features, and on made ones
    python benchmarks/bench_scale.py --only train --rows 1000000        # 768 numbers a place, in float16, from its file
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data, table

from geoagent import plugs
from geoagent.places.geocells import Geocells
from geoagent.places.geocells.build import build_geocells
from geoagent.protocols import Assets
from geoagent.tables import LAT, LON, read_rows
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.search.exact import ExactSearch
from geoagent.worlds.search.ivf import IvfSearch, save_index
from geoagent.worlds.training import HeadSettings, TrainSettings, read_table, train
from geoagent.worlds.training.labels import Labels
from geoagent.worlds.training.lens import LensSettings
from geoagent.worlds.training.train import support_of
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import Support, World

PARTS = ("cells", "labels", "gallery", "pq", "train")
_CELL_SIZES = (500, 1000)


def places(rows: int, rng: np.random.Generator) -> Any:
    """`(rows, 2)` degrees: places of real photos, each moved by about a kilometre."""
    found = []
    for path in sorted(data("coords").glob("*.csv")):
        for row in read_rows(path):
            lat, lon = row.get(LAT), row.get(LON)
            if lat is None or lon is None:
                break
            found.append((float(lat), float(lon)))
    known = np.array(found)
    drawn = known[rng.integers(0, len(known), rows)] + rng.normal(0, 0.01, (rows, 2))
    return np.column_stack([np.clip(drawn[:, 0], -89.9, 89.9), (drawn[:, 1] + 180) % 360 - 180])


def megabytes(name: str) -> int:
    """A figure of /proc/self/status: VmHWM is the largest resident set, RssAnon what no file backs."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) // 1024 if found else -1


class Clock:
    """CPU seconds since the last call."""

    def __init__(self) -> None:
        self._at = time.process_time()

    def __call__(self) -> float:
        """Read and start again."""
        before, self._at = self._at, time.process_time()
        return round(self._at - before, 1)


def cells(asked: argparse.Namespace) -> None:
    """Building geocells of 500 to 1,000 places, and assigning places to them."""
    rows = []
    for count in asked.rows:
        at, clock = places(count, np.random.default_rng(0)), Clock()
        clock()
        made = build_geocells(at, min_size=_CELL_SIZES[0], max_size=_CELL_SIZES[1]).cells
        built = clock()
        cell = made.assign(at)
        assigned = clock()
        support_of(at, cell, made)
        rows.append((count, len(made), built, assigned, clock(), megabytes("VmHWM")))
    table(("places", "cells", "build s", "assign s", "support s", "MB"), rows)


def labels(asked: argparse.Namespace) -> None:
    """Labels of a batch of 512 places over more and more cells."""
    rows = []
    rng = np.random.default_rng(0)
    for count in (1_000, 3_000, 10_000, 30_000, 100_000):
        centroids = places(count, rng)
        made = Labels(places(51_200, rng), np.zeros(51_200, dtype=np.int64), centroids, 75.0, "normalised")
        made[:512]
        begin = time.process_time()
        for step in range(8):
            soft = made[step * 512 : (step + 1) * 512]
        rows.append((count, 1e3 * (time.process_time() - begin) / 8, float((soft > 0).sum(axis=1).mean())))
    table(("cells", "ms a batch", "cells with a share"), rows)


def made_gallery(count: int, dim: int, number: int, path: Path, rng: np.random.Generator) -> Gallery:
    """Rows on disk that lie about a direction of their cell, as those of a lens do."""
    cell = np.sort(rng.integers(0, number, count))
    middle = rng.standard_normal((number, dim), dtype=np.float32)
    rows = np.lib.format.open_memmap(path, "w+", dtype=np.float16, shape=(count, dim))
    for begin in range(0, count, 65536):
        part = slice(begin, begin + 65536)
        block = middle[cell[part]] + rng.standard_normal((len(cell[part]), dim), dtype=np.float32)
        rows[part] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return Gallery(rows, np.zeros((count, 2)), cell, tuple(map(str, range(count))))


def toy(gallery: Gallery, number: int) -> World:
    """A world of cells along a line, for its gallery alone."""
    at = np.stack([np.linspace(-60, 60, number), np.linspace(-170, 170, number)], axis=1).astype(np.float32)
    cut = Geocells(at, np.full(number, "AA"), np.full(number, ""), np.ones(number))
    return World("benchmark", cut, np.zeros(number), Support.of_centroids(cut), gallery=gallery)


def gallery(asked: argparse.Namespace) -> None:
    """Saving and loading galleries of 256 numbers a row, their index, and searching 24 cells of 3,000."""
    rows = []
    for count in asked.rows:
        with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
            folder, rng, clock = Path(name), np.random.default_rng(0), Clock()
            made = made_gallery(count, 256, 3_000, folder / "rows.npy", rng)
            questions = [(made.rows(int(i)), rng.choice(3_000, 24, replace=False)) for i in rng.integers(0, count, 60)]
            clock()
            toy(made, 3_000).save(folder / "w")
            saved = clock()
            world = World.load(folder / "w")
            loaded = clock()
            path = save_index(world)
            indexed = clock()
            there = Assets(world, None, None)  # type: ignore[arg-type]
            took = []
            for kind in ("exact", "ivf"):
                search = plugs.build("search", kind, there)
                opened = clock()
                begin = time.process_time()
                for query, asked_cells in questions:
                    search(query, asked_cells.tolist(), 50)
                took += [opened, 1e3 * (time.process_time() - begin) / len(questions)]
                clock()
            size = path.stat().st_size / 1e6
        rows.append((count, saved, loaded, indexed, round(size), *took, megabytes("VmHWM")))
    head = ("photos", "save s", "load s", "index s", "index MB", "exact opens s", "ms", "ivf opens s", "ms", "MB")
    table(head, rows)


def pq(asked: argparse.Namespace) -> None:
    """The share of the 50 nearest rows that product quantisation finds, by how many it may offer for each."""
    rows = []
    whole = read_table(data("streetview", "panoramas.npz"))
    known, test = whole.part("train"), whole.part("test_random").take(np.arange(0, 3304, 11))
    cell = np.zeros(len(known), dtype=np.int64)
    joined, ask = mean_view(known.unit_views()), mean_view(test.unit_views())
    plain = Gallery.make(joined, known.latlon, cell, known.refs, mean=joined.mean(axis=0))
    cases = [("panoramas", plain, ask)]
    if asked.world is not None:
        world = World.load(asked.world)
        assert world.gallery is not None
        assert world.head is not None
        through = Gallery(world.gallery.embeddings, world.gallery.latlon, cell, world.gallery.refs)
        cases.append(("panoramas, lens", through, world.head.query(ask)))
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        rng = np.random.default_rng(1)
        made = made_gallery(asked.rows[0], 256, 3_000, Path(name) / "rows.npy", rng)
        one = Gallery(made.embeddings, made.latlon, np.zeros(len(made), dtype=np.int64), made.refs)
        near = np.stack([made.rows(int(i)) for i in rng.integers(0, len(made), 100)])
        near += 0.05 * rng.standard_normal(near.shape, dtype=np.float32)
        cases.append((f"made, {len(made):,}", one, near / np.linalg.norm(near, axis=1, keepdims=True)))
        for title, rows_of, queries in cases:
            exact, clock = ExactSearch(rows_of, 1, 1.0), Clock()
            want = [set(exact(query, [0], 50).refs) for query in queries]
            clock()
            search = IvfSearch(rows_of, 1, 1.0, "pq")
            built = clock()
            shares = []
            for spare in (1, 2, 4, 8):
                search._spare = spare
                found = [search(query, [0], 50).refs for query in queries]
                shares.append(float(np.mean([len(w.intersection(f)) / 50 for w, f in zip(want, found, strict=True)])))
            rows.append((title, len(rows_of), built, *shares))
    table(("features", "photos", "train s", "1 for 1", "2", "4", "8 (default)"), rows)


def write_set(path: Path, at: Any, dim: int) -> None:
    """Write an NPZ as `numpy.savez` does, block by block: noise of which four numbers are louder and tell the place."""
    noise = np.random.default_rng(0).standard_normal((65536, 1, dim), dtype=np.float32)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, column in (("lat", at[:, 0]), ("lon", at[:, 1])):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(column))
        with archive.open("views.npy", "w", force_zip64=True) as file:
            shape = {"descr": "<f2", "fortran_order": False, "shape": (len(at), 1, dim)}
            np.lib.format.write_array_header_1_0(file, shape)
            for begin in range(0, len(at), len(noise)):
                part = at[begin : begin + len(noise)]
                block = noise[: len(part)].astype(np.float16)
                block[:, 0, :4] += 12 * np.column_stack([np.sin(np.radians(part)), np.cos(np.radians(part))])
                file.write(block.tobytes())


def training(asked: argparse.Namespace) -> None:
    """One pass of the head over features in their file, one epoch of the lens, gallery, tuning and saving."""
    count, dim = asked.rows[0], asked.dim
    at = places(count, np.random.default_rng(0))
    with tempfile.TemporaryDirectory(prefix="bench-scale-", dir=asked.folder) as name:
        folder = Path(name)
        write_set(folder / "set.npz", at, dim)
        print(f"made; {megabytes('VmHWM')} MB so far, {megabytes('RssAnon')} MB of them in no file", flush=True)
        head = HeadSettings(hidden=asked.hidden, models=1, epochs=1, draws=1, batch=2048)
        lens = LensSettings(hidden=asked.hidden, dims=min(256, asked.hidden), epochs=1, batch=2048)
        how = TrainSettings(cells="quadtree", max_size=count // 500, head=head, lens=lens)
        last = {"": time.perf_counter()}

        def tell(what: str, done: int, total: int) -> None:
            if what not in last:
                spent = time.perf_counter() - max(last.values())
                last[what] = time.perf_counter()
                print(f"{spent:7.0f} s until: {what}; {megabytes('VmHWM')} MB, {megabytes('RssAnon')} anon", flush=True)

        read = read_table(folder / "set.npz")
        world = train(read, out=folder / "w", settings=how, progress=tell, checkpoints=folder / "w.training")
        print(world.card["seconds"], world.card["cells"], world.card["history"], world.card["lens"])
        print(f"largest resident set {megabytes('VmHWM')} MB, in no file now {megabytes('RssAnon')} MB")


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--only", choices=PARTS, required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--hidden", type=int, default=1024, help="for train: units of head and lens")
    parser.add_argument("--world", type=Path, help="for pq: a world trained on the panoramas, for the rows of its lens")
    parser.add_argument("--folder", type=Path, help="where the made set is put for a while")
    asked = parser.parse_args()
    {"cells": cells, "labels": labels, "gallery": gallery, "pq": pq, "train": training}[asked.only](asked)


if __name__ == "__main__":
    sys.exit(main())
