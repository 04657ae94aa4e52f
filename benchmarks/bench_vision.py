"""Ablation of the vision pipeline on real features of street panoramas, in one table.

Trained on the split "train", tuned on "val", measured on "test_random" and on "test_block" (whole 1° blocks without a
training place), with one view and with four:

    python benchmarks/bench_vision.py             # chance, retrieval alone, cells, labels, refiners, α and M
    python benchmarks/bench_vision.py --quick     # small heads, few rows: a smoke test that shows the ranking
    python benchmarks/bench_vision.py --only main # train, tune and measure the world that `geoagent train` makes
    torchrun --nproc-per-node 2 benchmarks/bench_vision.py --only main  # the same, trained by two processes
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data, table

from geoagent.belief.refiners.barycentre import Barycentre
from geoagent.belief.refiners.mode import Mode
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import from_unit, haversine_km, to_unit
from geoagent.worlds.evaluation import evaluate
from geoagent.worlds.evaluation.evaluate import choose_views
from geoagent.worlds.evaluation.metrics import Bootstrap, geoscore, median_km, within_km
from geoagent.worlds.search.prototype import build_prototypes
from geoagent.worlds.training import HeadSettings, TrainSettings, read_table, train
from geoagent.worlds.training.cells import make_cells
from geoagent.worlds.training.group import Group, together
from geoagent.worlds.training.lens import LensSettings
from geoagent.worlds.training.table import Table
from geoagent.worlds.world import World

PARTS = ("main", "baselines", "refiners", "sweeps", "cells", "labels")
SPLITS = ("test_random", "test_block")
VIEWS = ("1", "all")
HEAD = ("what", "set", "views", "<=1", "<=25", "<=200", "<=750", "<=2500", "median km", "score", "country")


class Bench:
    """Data, settings and the rows of the table."""

    def __init__(self, quick: bool, rounds: int, seed: int, group: Group) -> None:
        self.quick, self.rounds, self.seed, self.group = quick, rounds, seed, group
        whole = read_table(data("streetview", "panoramas.npz"))
        self.parts = {name: whole.part(name) for name in ("train", "val", *SPLITS)}
        if quick:
            self.parts = {name: part.take(np.arange(0, len(part), 6)) for name, part in self.parts.items()}
        assert whole.views is not None
        self.table = joined([self.parts["train"], self.parts["val"]], ("train", "val"))
        self.rows: list[list[Any]] = []
        self.cells: dict[str, Any] = {}
        self.worlds: dict[TrainSettings, World] = {}

    def settings(self, *, full: bool = False, **changes: Any) -> TrainSettings:
        """Settings of the main world, or of the shorter training runs for comparisons."""
        if self.quick:
            head = HeadSettings(hidden=256, models=1, epochs=4)
        else:
            head = HeadSettings() if full else HeadSettings(models=1, epochs=6)
        return replace(TrainSettings(), head=head, seed=self.seed, **changes)

    def geocells(self, kind: str, how: TrainSettings) -> Any:
        """Geocells of a kind, cached."""
        key = f"{kind} {how.min_size} {how.max_size}"
        if key not in self.cells:
            self.cells[key] = make_cells(self.parts["train"].latlon, kind, how.min_size, how.max_size)
        return self.cells[key]

    def train(self, name: str, how: TrainSettings) -> World:
        """Train one world and print the time taken."""
        if how in self.worlds:  # τ 75 and semantic cells are the baseline of two parts
            return self.worlds[how]
        started, used = time.perf_counter(), time.process_time()
        cells = self.geocells(how.cells, how)
        world = train(self.table, cells=cells, settings=how, name=name, group=self.group)
        if world is None:  # the first process has it, and measures it
            sys.exit(0)
        self.worlds[how] = world
        wall, cpu = time.perf_counter() - started, time.process_time() - used
        print(f"{name}: {len(cells)} cells, {wall:.0f} s wall, {cpu:.0f} s CPU, {world.calibration}", flush=True)
        return world

    def measure(
        self, name: str, world: World, refiner: Any, *, splits: Any = SPLITS, views: Any = VIEWS, search: str = "exact"
    ) -> None:
        """Add the rows of one world and refiner."""
        for split in splits:
            for view in views:
                part, rounds = self.parts[split], self.rounds
                found = evaluate(world, part, views=view, refiner=refiner, search=search, bootstrap=rounds)
                self.add(name, split, view, found.figures)
                if name == "main, mode":
                    print(f"{split}, views {view}, {found.seconds:.0f} s")
                    for line in found.lines():
                        print("  {:<18} {:>12} {:>20}".format(*line), flush=True)

    def add(self, name: str, split: str, view: str, figures: Any) -> None:
        """Add one row."""
        percent = [f"within_{km}_km" for km in (1, 25, 200, 750, 2500)]
        cells = [spread(figures[name], 100.0, 1) for name in percent]
        cells += [spread(figures["median_km"], 1.0, 0), spread(figures["geoscore"], 1.0, 0)]
        self.rows.append([name, split, "4" if view == "all" else view, *cells, spread(figures["country"], 100.0, 1)])

    def answers(self, name: str, answer: Callable[[Any], Any]) -> None:
        """Add the rows of a baseline other than a world: a function from features to places."""
        gazetteer = Gazetteer.load()
        for split in SPLITS:
            part = self.parts[split]
            draw = Bootstrap(len(part), self.rounds, 0)
            true = gazetteer.countries_at(part.latlon)
            for view in ("1", "all"):
                at = answer(choose_views(part.unit_views(), view))
                off = haversine_km(at, part.latlon)
                figures = {f"within_{km}_km": draw(within_km(off, km)) for km in (1, 25, 200, 750, 2500)}
                figures |= {"median_km": draw(off, median_km), "geoscore": draw(geoscore(off))}
                figures["country"] = draw(gazetteer.countries_at(at) == true)
                self.add(name, split, view, figures)


def spread(figure: Any, factor: float, digits: int) -> str:
    """A figure with its 95 % interval: "5.7 [4.9 6.5]"."""
    value, low, high = (f"{factor * part:.{digits}f}" for part in (figure.value, figure.low, figure.high))
    return f"{value} [{low} {high}]"


def joined(parts: list[Table], names: tuple[str, ...]) -> Table:
    """Concatenate tables, keeping their splits."""
    return Table(
        np.concatenate([part.latlon for part in parts]),
        tuple(ref for part in parts for ref in part.refs),
        np.concatenate([part.views for part in parts]),  # type: ignore[arg-type]
        None,
        np.repeat(np.array(names), [len(part) for part in parts]),
    )


def baselines(bench: Bench) -> None:
    """Baselines without training: chance, the nearest neighbour, and the density peak of fifty neighbours."""
    part = bench.parts["train"]
    mean = part.unit_views().reshape(-1, part.unit_views().shape[2]).mean(axis=0)

    def centred(x: Any) -> Any:
        return (x - mean) / np.linalg.norm(x - mean, axis=1, keepdims=True)

    gallery, unit = centred(choose_views(part.unit_views(), "all")), to_unit(part.latlon)

    def nearest(x: Any) -> Any:
        return part.latlon[np.concatenate([(c @ gallery.T).argmax(axis=1) for c in chunks(centred(x))])]

    def density(x: Any) -> Any:
        found = []
        for chunk in chunks(centred(x)):
            score = chunk @ gallery.T
            top = np.argpartition(-score, 50, axis=1)[:, :50]
            weight = np.exp(20 * (np.take_along_axis(score, top, 1) - 1))
            u = unit[top]
            apart = 6371.0 * np.arccos(np.clip(u @ u.transpose(0, 2, 1), -1, 1))
            peak = (np.exp(-apart / 200) @ weight[..., None])[..., 0].argmax(axis=1)
            found.append(from_unit(u[np.arange(len(u)), peak]))
        return np.concatenate(found)

    rng = np.random.default_rng(0)
    bench.answers("chance", lambda x: part.latlon[rng.integers(0, len(part), len(x))])
    bench.answers("1-NN", nearest)
    bench.answers("density of 50-NN", density)


def chunks(x: Any) -> Iterator[Any]:
    """Rows in blocks whose scores fit in memory."""
    for begin in range(0, len(x), 500):
        yield x[begin : begin + 500]


def refiners(bench: Bench, world: World) -> None:
    """Every refiner over the same world."""
    for name in ("centroid", "nearest", "barycentre"):
        bench.measure(f"main, {name}", world, name)
    bench.measure("main, planar barycentre", world, Barycentre(plane=True))
    assert world.gallery is not None
    clustered = world if world.prototypes else replace(world, prototypes=build_prototypes(world.gallery))
    bench.measure("main, prototype", clustered, "nearest", search="prototype")


def sweeps(bench: Bench, world: World) -> None:
    """α, β, M and the bandwidth around the fitted values, on one set."""
    fitted = world.calibration
    bandwidth = float(fitted["bandwidth_km"])
    for name, values in (("alpha", (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)), ("neighbours", (1, 5, 20, 50, 150, 300))):
        for value in values:
            changed = replace(world, calibration={**fitted, name: value})
            bench.measure(f"{name} {value:g}", changed, Mode(bandwidth, 2.0), splits=SPLITS[:1], views=("all",))
    for value in (25.0, 50.0, 100.0, 200.0, 400.0):
        bench.measure(f"bandwidth {value:g} km", world, Mode(value, 2.0), splits=SPLITS[:1], views=("all",))


def compare(bench: Bench, part: str) -> None:
    """Heads that differ in one setting, trained more briefly than the main one, without refinement."""
    if part == "cells":
        runs = [("semantic", {}), ("quadtree", {"cells": "quadtree"})]
    else:
        runs = [("hard labels", {"smoothing": "hard"}), ("released labels, τ 75", {"smoothing": "released"})]
        runs += [(f"smoothed, τ {tau}", {"tau_km": float(tau)}) for tau in (25, 40, 65, 75, 110)]
    for name, changes in runs:
        world = bench.train(name, bench.settings(tune=False, lens=LensSettings(dims=0), **changes))
        bench.measure(f"{name}, centroid", world, "centroid")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a sixth of the places and small heads")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--world", type=Path, help="folder of the main world: read if it exists, else trained into it")
    parser.add_argument("--rounds", type=int, default=300, help="bootstrap resamples for the intervals")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wanted = asked.only or list(PARTS)
    with together("cpu") as group:
        run(asked, wanted, Bench(asked.quick, asked.rounds, asked.seed, group))


def run(asked: argparse.Namespace, wanted: list[str], bench: Bench) -> None:
    """Run the requested parts and print the table."""
    if {"main", "refiners", "sweeps"} & set(wanted):
        if asked.world is not None and (asked.world / "world.json").exists():
            world = World.load(asked.world)
        else:
            world = bench.train("main", bench.settings(full=True))
            if asked.world is not None:
                world.save(asked.world)
        if "main" in wanted:
            bench.measure("main, mode", world, "mode")
        if "refiners" in wanted:
            refiners(bench, world)
        if "sweeps" in wanted:
            sweeps(bench, world)
    if "baselines" in wanted:
        baselines(bench)
    for part in ("cells", "labels"):
        if part in wanted:
            compare(bench, part)
    table(HEAD, bench.rows)


if __name__ == "__main__":
    sys.exit(main())
