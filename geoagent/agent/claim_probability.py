"""Probability of a claim under a posterior: what of the posterior lies in the claimed place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoagent.agent.claims import Claim
from geoagent.belief.candidates import gazetteer_candidates
from geoagent.belief.radii import SPREAD
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.extents import finer_units, in_city, is_finer, nearest_unit
from geoagent.places.geo import Float, haversine_km
from geoagent.types import Candidates, Constraint, Int, Place, Posterior
from geoagent.worlds.world import World

_REACH_KM = 200.0  # places of support this far outside a circle may still have photos inside it
_UNSEEN = 0.05
"""Share of a cell's probability that is spread evenly over it, since photos are also taken away from known places."""
_BEARINGS = np.radians(np.arange(0, 360, 45))
_KM_PER_DEGREE = 111.2


class Probability:
    """Probability of one claim under a posterior; what depends on the claim alone is computed once.

    Countries and admin-1 units hold the probability of their cells. A finer unit holds what of the photos of the places
    in its admin-1 unit lies nearer to its centre than to any other's. A circle holds what of the cloud of places where
    photos are, and of the cities that the text names, lies in it, and a city holds the places that belong to it; a
    small share of each cell's probability is spread evenly over the cell.

    Args:
        claim: the claim.
        world: cells and support.
        gazetteer: cities and finer units.
        text_weight: what constraints other than the user's count for, as in `Fusion`.
    """

    def __init__(self, claim: Claim, world: World, gazetteer: Gazetteer, text_weight: float = 1.0) -> None:
        self._claim, self._world, self._gazetteer, self._text_weight = claim, world, gazetteer, text_weight
        self._known: dict[tuple[float, float, float], float] = {}
        cells = world.cells
        if claim.centre is None:
            finer = [place for place in claim.areas if is_finer(place, gazetteer)]
            whole = [place for place in claim.areas if place not in finer]
            self._rows = _cells_of(world, whole)
            self._parts = [
                (np.setdiff1d(_cells_of(world, own), self._rows), _Part(own, gazetteer)) for own in _by_parent(finer)
            ]
            return
        self._here = (claim.centre.lat, claim.centre.lon)
        home = cells.at(claim.centre)
        near = haversine_km(self._here, world.support.latlon) <= claim.radius_km + _REACH_KM * (claim.city is None)
        self._rows = np.union1d(world.support.cell[near], [home])
        # Half of a cell's photos lie within its radius: its area is taken as a circle of twice that.
        size = (
            claim.radius_km if claim.city is None else claim.radius_km / 3
        )  # half of a city's photos, see `candidates`
        reach = 2.0 * np.maximum(cells.radius_km, 1.0)
        share = np.minimum(1.0, (size / reach) ** 2)
        away = haversine_km(self._here, cells.centroids)
        self._covered = share * ((away <= reach + size) | (np.arange(len(cells)) == home))

    def __call__(self, posterior: Posterior, constraints: Sequence[Constraint]) -> float:
        """Probability that the claim is true, in (0, 1).

        Args:
            posterior: belief over the world's cells.
            constraints: those that made it.
        """
        probs = posterior.probs
        if self._claim.centre is None:
            total = float(probs[self._rows].sum())
            for rows, part in self._parts:
                places = self._places(rows, constraints)
                total += float(self._mass(places, probs) @ part(places))
            return _inside_unit(total)
        places = self._places(self._rows, constraints)
        mass = self._mass(places, probs)
        if self._claim.city is not None:
            seen = float(mass @ self._in_city(self._claim.city, places.latlon))
        else:
            spread = np.hypot(haversine_km(self._here, places.latlon)[:, None], places.extent_km[:, None] * SPREAD)
            seen = float((mass[:, None] * (spread <= self._claim.radius_km)).sum() / len(SPREAD))
        return _inside_unit((1.0 - _UNSEEN) * seen + _UNSEEN * float(probs @ self._covered))

    def _places(self, rows: Int, constraints: Sequence[Constraint]) -> Candidates:
        return gazetteer_candidates(self._world, rows.tolist(), constraints, self._text_weight)

    @staticmethod
    def _mass(places: Candidates, probs: Float) -> Float:
        return np.asarray(np.exp(places.log_weight) * probs[places.cell], dtype=np.float64)

    def _in_city(self, city: Place, latlon: Float) -> Float:
        keys = [(lat, lon, 0.0) for lat, lon in latlon.tolist()]
        return _remembered(self._known, keys, lambda rows: in_city(city, latlon[rows], self._gazetteer))


class _Part:
    """Share of the photos of each place that lies in some finer units of one admin-1 unit."""

    def __init__(self, own: Sequence[Place], gazetteer: Gazetteer) -> None:
        self._units = finer_units(gazetteer, own[0].country, own[0].admin1)
        self._own = np.array([unit in own for unit in self._units])
        self._known: dict[tuple[float, float, float], float] = {}

    def __call__(self, places: Candidates) -> Float:
        keys = [
            (lat, lon, km) for (lat, lon), km in zip(places.latlon.tolist(), places.extent_km.tolist(), strict=True)
        ]
        return _remembered(
            self._known, keys, lambda rows: self._share(places.latlon[rows], np.asarray(places.extent_km)[rows])
        )

    def _share(self, latlon: Float, extent_km: Float) -> NDArray[np.float64]:
        held = np.zeros(len(latlon))
        for ring in SPREAD:
            north = ring * extent_km / _KM_PER_DEGREE
            east = north / np.maximum(np.cos(np.radians(latlon[:, 0])), 0.05)
            for bearing in _BEARINGS:
                there = latlon + np.stack([north * np.cos(bearing), east * np.sin(bearing)], axis=1)
                held += self._own[nearest_unit(self._units, there)]
        return held / (len(SPREAD) * len(_BEARINGS))


def _remembered(
    known: dict[tuple[float, float, float], float],
    keys: list[tuple[float, float, float]],
    of: Callable[[list[int]], NDArray[Any]],
) -> Float:
    """Values by place, computed for those alone that were not asked for before."""
    new = [i for i, key in enumerate(keys) if key not in known]
    if new:
        known.update(zip([keys[i] for i in new], map(float, of(new)), strict=True))
    return np.array([known[key] for key in keys])


def _cells_of(world: World, places: Sequence[Place]) -> Int:
    """Cells of countries and admin-1 units; of finer units, those of the admin-1 units around them."""
    parts = [world.cells.inside(p.country, p.admin1 if p.level == "admin1" else "") for p in places]
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))


def _by_parent(finer: Sequence[Place]) -> list[list[Place]]:
    parents: dict[tuple[str, str], list[Place]] = {}
    for place in finer:
        parents.setdefault((place.country, place.admin1), []).append(place)
    return list(parents.values())


def _inside_unit(p: float) -> float:
    return min(max(p, 1e-15), 1.0 - 1e-15)
