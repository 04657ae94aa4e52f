"""Constraints that know the place finer than by names (`Spread`): their points compete as candidates in each cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.belief.radii import SPREAD
from geoagent.places.geo import Float, pairwise_km
from geoagent.types import Candidates, Constraint, Int, Spread
from geoagent.worlds.world import World

TOWN_KM, STREET_KM = 25.0, 1.0
"""The town with most probability this near is chosen, and in it the point."""
_WORTH = 0.25  # share of a town's probability that must lie around one point, to choose that
_WIDE_KM = 25.0
_LIGHT = 1e-4  # points with less of the mass are left to the cells' own places


def cells_of(spread: Spread, world: World) -> Int:
    """The geocell of each point, `(P,)`."""
    return world.cells.assign(spread.latlon) if spread.cell is None else spread.cell


def spread_ratio(constraint: Constraint, world: World) -> tuple[Int, Float]:
    """m(c) / π(c) of a spread: the cells that hold its points, and the ratio in each; see `fusion.mass_ratio`."""
    assert constraint.spread is not None
    cells = cells_of(constraint.spread, world)
    found, of = np.unique(cells, return_inverse=True)
    mass = np.bincount(of, constraint.spread.mass)
    return found.astype(np.int64), mass / world.prior[found]


def points_in(world: World, cells: Int, constraints: Sequence[Constraint]) -> Candidates | None:
    """The points of spreads inside some cells; None if there are none.

    Their `log_weight` is the log of their share of what the constraint and the prior believe of their cell.
    """
    found: list[tuple[Float, Int, Float, Float]] = []
    for constraint in constraints:
        if constraint.spread is None:
            continue
        spread, r = constraint.spread, constraint.reliability
        home = cells_of(spread, world)
        # What is wider than its cell tells no place in it.
        fits = spread.extent_km <= np.maximum(world.cells.radius_km[home], _WIDE_KM)
        keep = np.flatnonzero(np.isin(home, cells) & (spread.mass > _LIGHT) & fits)
        mass = np.bincount(home, r * spread.mass, minlength=len(world.cells))
        share = r * spread.mass[keep] / (mass + (1 - r) * world.prior)[home[keep]]
        found.append((spread.latlon[keep], home[keep].astype(np.int64), np.log(share), spread.extent_km[keep]))
    if not any(len(rows) for _, rows, _, _ in found):
        return None
    latlon, cell, log_weight, extent = (np.concatenate(parts) for parts in zip(*found, strict=True))
    none = np.full(len(cell), np.nan, dtype=np.float32)
    return Candidates(latlon, cell, log_weight, none, ("",) * len(cell), "place", extent)


def left_to_others(points: Candidates, cells: Int) -> Float:
    """Log of the share of its cell that points leave to the cell's other places, for each of some cells."""
    taken = np.bincount(points.cell, np.exp(points.log_weight), minlength=int(cells.max()) + 1 if len(cells) else 1)
    return np.asarray(np.log(np.maximum(1.0 - taken[cells], 1e-12)))


def densest_point(candidates: Candidates, weights: Float, members: Int) -> int:
    """Index of the member with most probability within `STREET_KM`, in the town with most probability.

    An exact place must not win over a town that is far likelier and spread over some kilometres: where little of the
    town's probability lies around any point, its heaviest member is chosen.

    Args:
        candidates: M candidates.
        weights: `(M,)` probability of each.
        members: indices of those that may be chosen; at least one.
    """
    heavy = members[np.argsort(-weights[members], kind="stable")[:200]]
    around, km = _around(candidates, weights, heavy, TOWN_KM)
    town = int(around.argmax())
    held, heavy = float(around[town]), heavy[km[town] <= TOWN_KM]
    around, _ = _around(candidates, weights, heavy, STREET_KM)
    point = int(around.argmax())
    return int(heavy[point if around[point] >= _WORTH * held else 0])


def _around(candidates: Candidates, weights: Float, rows: Int, reach_km: float) -> tuple[Float, Float]:
    """Probability within a distance of each of N candidates, `(N,)`, and their distances, `(N, N)` km."""
    km = pairwise_km(candidates.latlon[rows])
    inside = np.zeros_like(km)
    for quantile in SPREAD:
        inside += np.sqrt(km**2 + (quantile * candidates.extent_km[rows]) ** 2) <= reach_km
    return np.asarray(inside @ weights[rows] / len(SPREAD)), km
