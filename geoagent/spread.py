"""How the probability lies around a place: within some kilometres, in circles, and elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from geoagent.geo import Float, LatLon, haversine_km
from geoagent.types import Candidates
from geoagent.world import World

SPREAD = np.sqrt(np.log(1 / (1 - np.array([0.1, 0.3, 0.5, 0.7, 0.9]))) / np.log(2))
"""Quantiles of the distance of photos from a place, relative to its median: Rayleigh, that is a round cloud."""
_KM_PER_DEGREE = 111.0  # of latitude; a little less than any ellipsoid has, so that a band is never too narrow
_LIGHT = 1e-7  # probability of a place of support below which it does not count


class Vicinity:
    """How much of the probability lies within some distances of one place, whatever the probabilities are.

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
        places, mass, extent = self._all
        spread = _spread(here, places, extent).ravel()
        return tuple(weighted_quantiles(spread, np.repeat(mass, len(SPREAD)), shares))

    @cached_property
    def _all(self) -> tuple[Float, Float, Float]:
        support = self._world.support
        mass = self._world.support_share * self._elsewhere[support.cell]
        rows = np.flatnonzero(mass > _LIGHT)
        return (
            np.concatenate([self._candidates.latlon, support.latlon[rows]]),
            np.concatenate([self._weights, mass[rows]]),
            np.concatenate([self._candidates.extent_km, support.extent_km[rows]]),
        )


def weighted_quantiles(values: Float, mass: Float, shares: Sequence[float]) -> list[float]:
    """The least value below or at which each share of the mass lies; exact, and without sorting all of the values.

    Args:
        values: `(N,)`, not negative.
        mass: `(N,)`, not negative, not all zero.
        shares: in (0, 1).
    """
    # Bins of the logarithm find the few values among which a quantile is; only these are sorted.
    which = (np.log1p(values) * 64.0).astype(np.int64)
    held = np.cumsum(np.bincount(which, weights=mass))
    found = []
    for share in shares:
        wanted = share * held[-1]
        first = int(np.searchsorted(held, wanted))
        inside = np.flatnonzero(which == first)
        order = inside[np.argsort(values[inside], kind="stable")]
        before = float(held[first - 1]) if first else 0.0
        rank = int(np.searchsorted(before + np.cumsum(mass[order]), wanted))
        found.append(float(values[order[min(rank, len(order) - 1)]]))
    return found


def _near(here: LatLon, places: Float, extent: Float, limits_km: Sequence[float]) -> Float:
    """Share of the photos of each place that lies within each distance, `(L, N)`."""
    spread = _spread(here, places, extent)
    return np.array([(spread <= limit).mean(axis=1) for limit in limits_km])


def _spread(here: LatLon, places: Float, extent: Float) -> Float:
    """Distances at which the photos of each place lie, `(N, 5)` km: their quantiles."""
    distance = haversine_km((here.lat, here.lon), places)
    return np.asarray(np.sqrt(distance[:, None] ** 2 + (extent[:, None] * SPREAD) ** 2))
