"""Probability by distance around a place, and the radii that contain a share of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from geoagent.places.geo import Float, LatLon, great_circle_km, haversine_km, to_unit
from geoagent.types import Candidates, Int
from geoagent.worlds.world import World

SPREAD = np.sqrt(np.log(1 / (1 - np.array([0.1, 0.3, 0.5, 0.7, 0.9]))) / np.log(2))
"""Quantiles of the distance of photos from a place, relative to its median: Rayleigh, that is a round cloud."""
_KM_PER_DEGREE = 111.0  # of latitude; a little less than any ellipsoid has, so that a band is never too narrow
_LIGHT = 1e-7  # probability of a place of support below which it does not count


class Vicinity:
    """Probability within some distances of one place, for any posterior.

    Args:
        world: its support, wherever no candidates are.
        candidates: M places in the leading cells.
        here: the place.
        limits_km: L distances.
    """

    def __init__(self, world: World, candidates: Candidates, here: LatLon, limits_km: Sequence[float]) -> None:
        support, (order, lat) = world.support, world.support_by_lat
        reach = max(limits_km) / _KM_PER_DEGREE
        band = order[np.searchsorted(lat, here.lat - reach) : np.searchsorted(lat, here.lat + reach, "right")]
        taken = np.zeros(len(world.cells), dtype=bool)
        taken[candidates.cell] = True
        band = band[~taken[support.cell[band]]]
        self._near = _near(here, candidates.latlon, candidates.extent_km, limits_km)
        around = _near(here, support.latlon[band], support.extent_km[band], limits_km)
        kept = around.any(axis=0)
        self._cell = support.cell[band[kept]]
        self._around = around[:, kept] * world.support_share[band[kept]]

    def holds(self, probs: Float, weights: Float) -> tuple[float, ...]:
        """Probability within each of the distances.

        Args:
            probs: `(C,)` posterior.
            weights: `(M,)` probability that each candidate stands for.
        """
        return tuple((self._near @ weights + self._around @ probs[self._cell]).tolist())


class Cloud:
    """All of the probability as weighted places with an extent: candidates in the leading cells, support elsewhere.

    Args:
        world: its support.
        probs: `(C,)` posterior.
        candidates: M places in the leading cells.
        weights: `(M,)` probability that each stands for.
    """

    def __init__(self, world: World, probs: Float, candidates: Candidates, weights: Float) -> None:
        self._world, self._candidates, self._weights = world, candidates, weights
        self._elsewhere = probs.copy()
        self._elsewhere[candidates.cell] = 0.0

    def radii(self, here: LatLon, shares: Sequence[float]) -> tuple[float, ...]:
        """Distances from `here`, km, that hold each of some shares of the probability."""
        unit, mass, extent = self._all
        distance = great_circle_km(unit, to_unit((here.lat, here.lon)))
        return tuple(spread_quantiles(distance, extent, mass, shares))

    @cached_property
    def _all(self) -> tuple[Float, Float, Float]:
        support = self._world.support
        mass = self._world.support_share * self._elsewhere[support.cell]
        rows = np.flatnonzero(mass > _LIGHT)
        return (
            np.concatenate([to_unit(self._candidates.latlon), self._world.support_unit[rows]]),
            np.concatenate([self._weights, mass[rows]]),
            np.concatenate([self._candidates.extent_km, support.extent_km[rows]]),
        )


def spread_quantiles(distance: Float, extent: Float, mass: Float, shares: Sequence[float]) -> list[float]:
    """The least distances within which shares of the photos of some places lie; exact, without looking at each photo.

    Args:
        distance: `(N,)` km, of each place.
        extent: `(N,)` km, how far its photos typically are from it.
        mass: `(N,)` its probability; not negative, not all zero.
        shares: in (0, 1).
    """
    # A place's photos lie between its own distance and its outermost photo's; so few places can hold a quantile.
    nearest, farthest = _bins(distance), _bins(np.sqrt(distance**2 + (extent * SPREAD[-1]) ** 2))
    most, least = np.cumsum(np.bincount(nearest, mass)), np.cumsum(np.bincount(farthest, mass))
    found = []
    for share in shares:
        wanted = share * least[-1]
        low, high = int(np.searchsorted(most, wanted)), int(np.searchsorted(least, wanted))
        inside = np.flatnonzero((farthest >= low) & (nearest <= high))
        spread = _spread(distance[inside], extent[inside]).ravel()
        order = np.argsort(spread, kind="stable")
        held = (least[low - 1] if low else 0.0) + np.cumsum(np.tile(mass[inside] / len(SPREAD), len(SPREAD))[order])
        found.append(float(spread[order[min(int(np.searchsorted(held, wanted)), len(order) - 1)]]))
    return found


def _bins(distance: Float) -> Int:
    """A bin for each distance, by its root: 0.1 km wide near the place, some kilometres far from it."""
    return (np.sqrt(distance) * 16.0).astype(np.int64)


def _near(here: LatLon, places: Float, extent: Float, limits_km: Sequence[float]) -> Float:
    """Share of the photos of each place that lies within each distance, `(L, N)`."""
    spread = _spread(haversine_km((here.lat, here.lon), places), extent)
    return np.array([(spread <= limit).mean(axis=0) for limit in limits_km])


def _spread(distance: Float, extent: Float) -> Float:
    """Distances at which the photos of places lie, `(5, N)` km: their quantiles."""
    squares = np.multiply.outer(SPREAD**2, extent**2)
    squares += distance**2
    return np.asarray(np.sqrt(squares, out=squares))
