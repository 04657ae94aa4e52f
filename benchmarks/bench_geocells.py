"""Benchmark the construction of geocells: `python benchmarks/bench_geocells.py [--locations 1000000] [--check]`.

Places are drawn from the published photo and street-view positions of the benchmark data, with a jitter of some
kilometres. Each size runs in its own process, so that memory is measured separately.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from _shared import data, table

from geoagent.places.geo import Float
from geoagent.places.geocells import Units, build_geocells, check_cells, quadtree_cells

JITTER_KM = 3.0


def sample(count: int, seed: int = 0) -> Float:
    """Places `(count, 2)` drawn with replacement from known positions, jittered."""
    photos = np.loadtxt(data("coords", "geoclip_coordinates_100K.csv"), delimiter=",", skiprows=1)
    streets = np.loadtxt(data("coords", "cogito_sv_points_latlong.txt"), delimiter=",")
    known = np.vstack([photos, streets])
    rng = np.random.default_rng(seed)
    drawn = known[rng.integers(len(known), size=count)]
    shift = rng.normal(0, JITTER_KM / 111.2, (count, 2))
    shift[:, 1] /= np.maximum(np.cos(np.radians(drawn[:, 0])), 0.05)
    out = drawn + shift
    out[:, 0] = np.clip(out[:, 0], -90, 90)
    out[:, 1] = (out[:, 1] + 180) % 360 - 180
    return out


def measure(places: Float, min_size: int, max_size: int, *, check: bool) -> dict[str, object]:
    """Build once: wall and CPU seconds, memory, cells."""
    units = Units.from_gazetteer()
    wall, cpu = time.perf_counter(), time.process_time()
    built = build_geocells(places, units, min_size=min_size, max_size=max_size)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    start = time.process_time()
    again = built.cells.assign(places)
    assign = time.process_time() - start
    start = time.process_time()
    boxes = len(quadtree_cells(places, units, max_size=max_size))
    quadtree = time.process_time() - start
    return {
        "locations": len(places),
        "sizes": f"{min_size}–{max_size}",
        "cells": len(built.cells),
        "sizes 0/25/50/75/100 %": "/".join(map(str, built.report.sizes)),
        "< min": built.report.below_min,
        "> max": built.report.above_max,
        "wall s": round(wall, 1),
        "CPU s": round(cpu, 1),
        "assign s": round(assign, 2),
        "same": bool((again == built.assigned).all()),
        "quadtree cells": boxes,
        "quadtree s": round(quadtree, 1),
        "peak GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "problems": len(check_cells(built.cells, units)) if check else "–",
    }


def main() -> None:
    """Print one row per size, and one per setting for the real training places."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--check", action="store_true", help="verify that the cells tile the land")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        source, count, low, high = args.one[0], *map(int, args.one[1:])
        if source == "streetview":
            with np.load(data("streetview", "panoramas.npz")) as z:
                places = np.column_stack([z["lat"], z["lon"]])[z["split"] == "train"]
        else:
            places = sample(count)
        print(json.dumps(measure(places, low, high, check=args.check)))
        return
    jobs = [("sample", n, 1000, 2000) for n in args.locations]
    jobs += [("streetview", 0, low, high) for low, high in ((15, 40), (20, 60), (30, 60), (30, 90))]
    rows: list[dict[str, object]] = []
    for job in jobs:
        command = [sys.executable, __file__, *(["--check"] if args.check else []), "--one", *map(str, job)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        rows.append(json.loads(done.stdout))
    table(list(rows[0]), [list(row.values()) for row in rows])


if __name__ == "__main__":
    main()
