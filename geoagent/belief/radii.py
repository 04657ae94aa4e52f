"""Probability by distance around a place, and the radii that contain a share of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from geoagent.places.geo import Float, LatLon, great_circle_km, haversine_km, to_unit
from geoagent.types import Candidates, Int
from geoagent.worlds.world import World

SPREAD = np.sqrt(np.log(1 / (1 - np.array([0.1, 0.3, 0.5, 0.7, 0.9]))) / np.log(2))
"""Quantiles of the distance of photos from a place, relative to its median: a Rayleigh distribution (isotropic)."""
_KM_PER_DEGREE = 111.0  # of latitude; slightly below the value on any ellipsoid, so that a band is never too narrow
_LIGHT = 1e-7  # support places with less probability are ignored


class Vicinity:
    """Probability within some distances of one place, for any posterior.

    Args:
        world: its support is used in cells without candidates.
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
            weights: `(M,)` probability of each candidate.
        """
        return tuple((self._near @ weights + self._around @ probs[self._cell]).tolist())


class Cloud:
    """All of the probability as weighted places with an extent: candidates in the leading cells, support elsewhere.

    Args:
        world: its support is used.
        probs: `(C,)` posterior.
        candidates: M places in the leading cells.
        weights: `(M,)` probability of each.
    """

    def __init__(self, world: World, probs: Float, candidates: Candidates, weights: Float) -> None:
        self._world, self._candidates, self._weights = world, candidates, weights
        self._elsewhere = probs.copy()
        self._elsewhere[candidates.cell] = 0.0

    def radii(self, here: LatLon, shares: Sequence[float]) -> tuple[float, ...]:
        """Distances from `here`, km, that contain the given shares of the probability."""
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
    """Smallest distances that contain given shares of the photos of some places; exact, without sorting all of them.

    Args:
        distance: `(N,)` distance of each place, km.
        extent: `(N,)` typical distance of its photos from it, km.
        mass: `(N,)` its probability; non-negative, not all zero.
        shares: in (0, 1).
    """
    # A place's photos lie between its own distance and its outermost photo's, so few places can contain a quantile.
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
    """Bin each distance by its square root: bins are 0.1 km wide near the place, some kilometres wide far from it."""
    return (np.sqrt(distance) * 16.0).astype(np.int64)


def _near(here: LatLon, places: Float, extent: Float, limits_km: Sequence[float]) -> Float:
    """Share of each place's photos within each distance, `(L, N)`."""
    spread = _spread(haversine_km((here.lat, here.lon), places), extent)
    return np.array([(spread <= limit).mean(axis=0) for limit in limits_km])


def _spread(distance: Float, extent: Float) -> Float:
    """Quantiles of the distances of the photos of places, `(5, N)` km."""
    squares = np.multiply.outer(SPREAD**2, extent**2)
    squares += distance**2
    return np.asarray(np.sqrt(squares, out=squares))
