"""Cost of search and refinement: the top 10 of 2,000 cells, FAISS compared with numpy, at increasing sizes.

Random unit vectors in uniformly random cells; accuracy is not measured.

    python benchmarks/bench_search.py                       10,000 100,000 and 1,000,000 photos × 512, float16
    python benchmarks/bench_search.py --storage 8bit --rows 100000
    python benchmarks/bench_search.py --mapped              the index written, then memory-mapped
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _shared import table

from geoagent import plugs
from geoagent.places.geo import LatLon
from geoagent.places.geocells import Geocells
from geoagent.protocols import Assets
from geoagent.worlds.gallery import Gallery, Prototypes
from geoagent.worlds.search.exact import ExactSearch
from geoagent.worlds.search.ivf import IvfSearch, build_index, save_index
from geoagent.worlds.search.prototype import PrototypeSearch
from geoagent.worlds.world import Support, World


def gallery_of(rows: int, dim: int, cells: int, storage: str, rng: np.random.Generator) -> Gallery:
    """Random photos, made in chunks to limit memory."""
    parts = [
        Gallery.make(
            rng.standard_normal((min(50_000, rows - a), dim), dtype=np.float32),
            np.zeros((min(50_000, rows - a), 2)),
            np.zeros(min(50_000, rows - a)),
            [""] * min(50_000, rows - a),
            storage=storage,  # type: ignore[arg-type]
        ).embeddings
        for a in range(0, rows, 50_000)
    ]
    embeddings = np.concatenate(parts)
    del parts
    return Gallery(
        embeddings,
        np.stack([rng.uniform(-60, 70, rows), rng.uniform(-180, 180, rows)], axis=1),
        rng.integers(0, cells, rows),
        tuple(map(str, range(rows))),
    )


def milliseconds(call: Callable[[Any], Any], arguments: list[Any]) -> tuple[float, float]:
    """Median and best wall time of one call."""
    call(arguments[0])
    took = []
    for argument in arguments:
        begin = time.perf_counter()
        call(argument)
        took.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(took)), float(min(took))


def one_cluster_a_cell(gallery: Gallery, cells: int) -> Prototypes:
    """Every cell as one cluster: the cost of a prototype search does not depend on the clustering."""
    order = np.argsort(gallery.cell, kind="stable")
    present, begin = np.unique(gallery.cell[order], return_index=True)
    groups = np.split(order, begin[1:])
    mean = np.array([gallery.rows(rows).mean(axis=0) for rows in groups])
    return Prototypes(mean, present, gallery.latlon[order[begin]], order, np.append(begin, len(order)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--cells", type=int, default=2_000)
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--neighbours", type=int, default=64)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--storage", choices=("float32", "float16", "8bit"), default="float16")
    parser.add_argument("--mapped", action="store_true", help="write the index and read it memory-mapped")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    found, refined = [], []
    for rows in asked.rows:
        gallery = gallery_of(rows, asked.dim, asked.cells, asked.storage, rng)
        questions = []
        for _ in range(asked.queries):
            query = rng.standard_normal(asked.dim, dtype=np.float32)
            questions.append(
                (query / np.linalg.norm(query), rng.choice(asked.cells, asked.top, replace=False).tolist())
            )
        begin = time.process_time()
        if asked.mapped:
            ivf, keep = mapped(gallery, asked.cells)
        else:
            ivf, keep = IvfSearch(gallery, asked.cells, 20.0, index=build_index(gallery, asked.cells)), None
        built = time.process_time() - begin
        exact = ExactSearch(gallery, asked.cells, 20.0)
        prototype = PrototypeSearch(gallery, one_cluster_a_cell(gallery, asked.cells), 0.1, False)
        same = all(ivf(q, c, asked.neighbours).refs == exact(q, c, asked.neighbours).refs for q, c in questions[:50])
        times = {}
        for name, search in (("ivf", ivf), ("exact", exact), ("prototype", prototype)):
            times[name] = milliseconds(lambda ask, run=search: run(*ask, asked.neighbours), questions)
        compared = float(np.mean([np.isin(gallery.cell, c).sum() for _, c in questions[:20]]))
        ratio = times["exact"][0] / times["ivf"][0]
        row = (rows, round(compared), *times["ivf"], *times["exact"], ratio, times["prototype"][0], built)
        found.append((*row, "yes" if same else "no"))
        near = [ivf(q, c, asked.neighbours) for q, c in questions]
        for name in plugs.names("refiners"):
            refiner = plugs.build("refiners", name, assets())
            weighed = [(n, np.exp(n.log_weight), LatLon(0, 0)) for n in near]
            refined.append([rows, name, len(near[0]), *milliseconds(lambda ask, run=refiner: run(*ask), weighed)])
        del ivf, exact, prototype, gallery, keep
    print(f"top {asked.top} of {asked.cells:,} cells, {asked.neighbours} neighbours, × {asked.dim}, {asked.storage}")
    print("ms per query, median and best; index: CPU seconds to build it\n")
    table(("photos", "compared", "ivf", "best", "exact", "best", "exact/ivf", "prototype", "index", "same"), found)
    print("\nrefiners, ms per call")
    table(("photos", "refiner", "M", "median", "best"), refined)


def toy(gallery: Gallery | None = None, cells: int = 1) -> World:
    """A minimal world for building a search or a refiner."""
    places = np.stack([np.linspace(-60, 60, cells), np.linspace(-170, 170, cells)], axis=1).astype(np.float32)
    cut = Geocells(places, np.full(cells, "AA"), np.full(cells, ""), np.ones(cells))
    return World("benchmark", cut, np.zeros(cells), Support.of_centroids(cut), gallery=gallery)


def assets() -> Assets:
    """Assets for a refiner."""
    return Assets(toy(), None, None)  # type: ignore[arg-type]


def mapped(gallery: Gallery, cells: int) -> tuple[Any, Any]:
    """Build the search for a world on disk with a saved index."""
    keep = tempfile.TemporaryDirectory(prefix="bench-search-")
    world = World.load(toy(gallery, cells).save(Path(keep.name) / "w"))
    save_index(world)
    return plugs.build("search", "ivf", Assets(world, None, None)), keep  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
