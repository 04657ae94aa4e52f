"""How far photos of one place are one witness: the likeness of pictures by which albums discount them.

    python benchmarks/bench_witnesses.py [--world FOLDER] [--photos 1500]

Reads the features of street panoramas of the benchmark data. A world is trained on the split "train" (some minutes),
unless a trained one is named. The likeness of views that look different is fitted on the four headings of the
panoramas of "val", by the log loss of the country; the headings of the other splits, and panoramas of "test_block"
within 15 km of one another, check it. The country's log loss and expected calibration error, all views of a group
pooled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent.album import witnesses
from geoagent.belief.fusion import Fusion
from geoagent.places.geo import great_circle_km, to_unit
from geoagent.worlds.evaluation.metrics import ece
from geoagent.worlds.training import read_table
from geoagent.worlds.world import World

TRIED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
NEAR_KM = 15.0


class Pooling:
    """Groups of views, what each says of the geocells, and where they are."""

    def __init__(self, world: World, views: np.ndarray, latlon: np.ndarray) -> None:
        groups, count, _ = views.shape
        fuse, prior = Fusion(world), world.log_prior
        said = np.asarray(world.head(views.reshape(groups * count, -1)), dtype=np.float64)
        ratio = np.stack([fuse(row, []).log_probs - prior for row in said]).astype(np.float32)
        self.ratio, self.cosine = ratio.reshape(groups, count, -1), np.einsum("nid,njd->nij", views, views)
        self.world, self.country = world, np.array(world.cells.country)[world.cells.assign(latlon)]

    def figures(self, likeness: float | None) -> tuple[float, float, float, float]:
        """Effective number of witnesses, log loss, calibration error and mean confidence of the country.

        Args:
            likeness: of views that look different; None counts every view in full.
        """
        groups, count = self.ratio.shape[:2]
        weight = np.ones((groups, count))
        if likeness is not None:
            look = np.clip((self.cosine - witnesses.UNLIKE) / (1 - witnesses.UNLIKE), 0, 1)
            alike = likeness + (1 - likeness) * look
            alike[:, np.arange(count), np.arange(count)] = 1.0
            weight = np.stack([witnesses.weights(each) for each in alike])
        logs = (weight[..., None] * self.ratio).sum(axis=1) + self.world.log_prior
        probs = np.exp(logs - logs.max(axis=1, keepdims=True))
        countries = np.stack([self.world.cells.by_country(row / row.sum()) for row in probs])
        codes = np.array(self.world.cells.country_codes)
        true = np.array([int(np.flatnonzero(codes == code)[0]) for code in self.country])
        sure, right = countries.max(axis=1), countries.argmax(axis=1) == true
        loss = -np.log(np.maximum(countries[np.arange(groups), true], 1e-12)).mean()
        return float(weight.sum(axis=1).mean()), float(loss), float(ece(sure, right)), float(sure.mean())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, help="a world trained on the split 'train'")
    parser.add_argument("--photos", type=int, default=1500, help="panoramas of each split")
    args = parser.parse_args()
    world = World.load(args.world) if args.world else trained()
    whole, rng = read_table(data("streetview", "panoramas.npz")), np.random.default_rng(0)
    sets = {}
    for split in ("val", "test_random", "test_block"):
        part = whole.part(split)
        some = rng.permutation(len(part))[: args.photos]
        sets[f"four headings, {split}"] = Pooling(world, part.unit_views()[some], part.latlon[some])
    part = whole.part("test_block")
    groups = near_one_another(to_unit(part.latlon), rng)
    views = part.unit_views()[groups, rng.integers(0, 4, groups.shape)]
    sets["three places, test_block"] = Pooling(world, views, part.latlon[groups[:, 0]])
    rows = []
    for name, pooling in sets.items():
        tried = {likeness: pooling.figures(likeness) for likeness in TRIED}
        best = min(tried, key=lambda likeness: tried[likeness][1])
        rows.append([name, len(pooling.country), "every view in full", *pooling.figures(None)])
        rows += [[name, "", f"likeness {likeness}", *found] for likeness, found in tried.items()]
        rows.append([name, "", f"lowest log loss: {best}; ships: {witnesses.SAME_PLACE}", "", "", "", ""])
    table(("views", "groups", "discount", "witnesses", "log loss", "ECE", "confidence"), rows)


def near_one_another(unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of places with two others within 15 km, `(G, 3)`."""
    found = []
    for i in range(len(unit)):
        near = np.flatnonzero(great_circle_km(unit, unit[i]) < NEAR_KM)
        near = near[near != i]
        if len(near) >= 2:
            found.append([i, *rng.choice(near, 2, replace=False)])
    return np.array(found)


def trained() -> World:
    """A world with one small head, trained on the panoramas."""
    from bench_vision import Bench

    bench = Bench(quick=False, rounds=0, seed=0)
    return bench.train("world", bench.settings())


if __name__ == "__main__":
    main()
