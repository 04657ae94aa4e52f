"""Where a sign stands that gives distances: at the towns that are as far by road from every place it names.

Roads are longer than great circles: the ratio is log-normal with mode 1.2, and rarely below 1 or above 1.6. With
several distances the likelihoods multiply, so the weight lies where the circles meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from geoagent.places.gazetteer.table import Table
from geoagent.places.geo import Float, LatLon, haversine_km
from geoagent.types import Int, Place

_SPREAD = 0.14  # spread of the logarithm of road distance / great circle
_CENTRE = float(np.log(1.2)) + _SPREAD**2  # its mean: the mode of the ratio is 1.2
_ROUGH_KM = 2.5  # distances are rounded and count from somewhere in the town
_SHORTER = 0.03  # tolerance of the logarithm of the ratio below 1, which only coarse positions explain
_LONGEST = 1.9  # ratio above which a town is not considered
_POPULATION = 0.25  # exponent of a town's population: signs stand in the country, too
_ABROAD = (0.08, 0.3)  # weight of a town in another country than the nearest goal: one distance, several
_MISFIT = -8.0  # log likelihood below which no town fits the distances
_COMBINED = 3  # goals of one name that are considered, and names of a sign with more than one goal
_BESIDE_KM, _BESIDE = 5.0, 0.1  # a town stands for those this near: km, share of the shortest distance
_LIGHTEST = 1e-5  # share of the weight below which a town is dropped
_KM_PER_DEGREE = 111.0


@dataclass(frozen=True, eq=False, slots=True)
class Meeting:
    """Towns at the stated distances.

    Attributes:
        rows: `(n,)` their places in the gazetteer's table, heaviest first.
        weights: `(n,)` P(town | distances), sums to 1.
        stands: `(n,)` index into `rows` of the town that stands for each: itself, or a heavier one beside it.
        fit: log likelihood of the distances at the best town, 0 for a perfect fit.
    """

    rows: Int
    weights: Float
    stands: Int
    fit: float


def meeting(table: Table, goals: Sequence[Sequence[tuple[Place, float]]], km: Sequence[float]) -> Meeting | None:
    """Weigh the towns of the world by how well they match all distances.

    Args:
        table: the gazetteer's table.
        goals: for each of n names, the cities that it may mean with their weights > 0; at least one each.
        km: n road distances > 0.

    Returns:
        The towns, or None if none fits.
    """
    order = np.argsort(km, kind="stable").tolist()
    choices = [goals[i][: _COMBINED if rank < _COMBINED else 1] for rank, i in enumerate(order)]
    far = [km[i] for i in order]
    rows, scores, fits = [], [], []
    for combination in product(*choices):
        found = _scored(table, [place for place, _ in combination], far)
        if found is not None:
            rows.append(found[0])
            scores.append(found[1] + sum(float(np.log(weight)) for _, weight in combination))
            fits.append(found[2])
    if not rows or max(fits) < _MISFIT:
        return None
    everywhere, score = np.concatenate(rows), np.concatenate(scores)
    raw = np.exp((score - score.max()) / len(far))
    towns, of = np.unique(everywhere, return_inverse=True)
    weights = np.bincount(of, weights=raw)
    heavy = np.argsort(-weights, kind="stable")
    heavy = heavy[weights[heavy] > _LIGHTEST * weights.sum()]
    towns, weights = towns[heavy], weights[heavy]
    stands = _stands(table.latlon[towns], max(_BESIDE_KM, _BESIDE * min(far)))
    return Meeting(towns, weights / weights.sum(), stands, max(fits))


def _stands(latlon: Float, near_km: float) -> Int:
    """For each town, heaviest first, the first town that has it within `near_km` and stands for others."""
    stands = np.full(len(latlon), -1, dtype=np.int64)
    for i in range(len(latlon)):
        if stands[i] < 0:
            stands[(stands < 0) & (haversine_km(latlon[i], latlon) <= near_km)] = i
    return stands


def _scored(table: Table, goals: list[Place], km: list[float]) -> tuple[Int, Float, float] | None:
    """Towns about as far from each goal, nearest first, with their log weights and the best log likelihood."""
    rows = _around(table, goals[0].latlon, km[0])
    if len(rows) == 0:
        return None
    likelihood = np.zeros(len(rows))
    for goal, far in zip(goals, km, strict=True):
        likelihood += log_likelihood(haversine_km((goal.latlon.lat, goal.latlon.lon), table.latlon[rows]), far)
    abroad = np.log(_ABROAD[len(goals) > 1]) * np.array(
        [table.country_of[i] != goals[0].country for i in rows.tolist()]
    )
    people = _POPULATION * np.log(np.maximum(table.population[rows], 100).astype(np.float64))
    return rows, np.asarray(likelihood + abroad + people), float(likelihood.max())


def _around(table: Table, goal: LatLon, km: float) -> Int:
    """Rows of the cities whose great-circle distance from a goal is possible for a road of `km`."""
    reach = km * (1 + 3 * _SHORTER) + 2 * _ROUGH_KM
    first = table.first_city
    near = np.flatnonzero(np.abs(table.latlon[first:, 0] - goal.lat) <= reach / _KM_PER_DEGREE) + first
    away = haversine_km((goal.lat, goal.lon), table.latlon[near])
    rows: Int = near[(away <= reach) & (away >= (km - 2 * _ROUGH_KM) / _LONGEST) & (away > 0.5)]
    return rows


def log_likelihood(great_circle_km: Float, road_km: float) -> Float:
    """Log likelihood of a road distance at great-circle distances, `(n,)`: 0 at the likeliest distance.

    Args:
        great_circle_km: `(n,)` km, > 0.
        road_km: km as on the sign, > 0.
    """
    rough = _ROUGH_KM / road_km
    ratio = np.log(road_km / np.maximum(great_circle_km, 0.5))
    value = -0.5 * (ratio - _CENTRE) ** 2 / (_SPREAD**2 + rough**2)
    return np.asarray(value - 0.5 * (np.minimum(ratio, 0.0) / (_SHORTER + rough)) ** 2, dtype=np.float64)
