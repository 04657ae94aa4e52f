"""Quadtree geocells, the baseline for semantic geocells: boxes are halved until none has too many places."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import InputError
from geoagent.places.geo import Float, check_latlon, haversine_km, spherical_mean
from geoagent.places.geocells.cells import Geocells
from geoagent.places.geocells.units import Units
from geoagent.types import Int

LEAST_BOX_DEG = 1e-3
"""Boxes with a shorter side, about 100 m, are not halved: the places inside are treated as one."""


def quadtree_cells(latlon: ArrayLike, units: Units | None = None, *, max_size: int, min_size: int = 1) -> Geocells:
    """Cut the world into boxes in degrees, halved along their longer side (in km) while they have too many places.

    Boxes tile the whole globe, including the sea. Boxes without places are dropped: their area goes to the nearest box
    with places, since `Geocells.assign` uses the nearest polygon.

    Args:
        latlon: `(N, 2)` degrees, N ≥ 1.
        units: administrative units, which determine a box's country and admin-1 unit: those of most of its places; by
            default the gazetteer's.
        max_size: boxes with more places are halved.
        min_size: boxes are not halved if one side would have fewer places than this, but at least one.

    Raises:
        InputError: there are no places, or the sizes are invalid.
    """
    import shapely

    places = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
    if not len(places):
        raise InputError("geocells need at least one training place, got none")
    if not 1 <= min_size <= max_size:
        raise InputError(f"expected 1 ≤ min_size ≤ max_size, got min_size {min_size} and max_size {max_size}")
    units = units or Units.from_gazetteer()
    home = units.cover.index(places)
    boxes, members = _halve(places, max_size, min_size)
    centroids, radii = np.empty((len(boxes), 2)), np.empty(len(boxes))
    country, admin1 = [], []
    for c, mine in enumerate(members):
        centroids[c] = np.asarray(tuple(spherical_mean(places[mine])), dtype=np.float32)
        radii[c] = np.float32(np.median(haversine_km(centroids[c], places[mine])))
        code = _most(units.country[home[mine]])
        country.append(code)
        admin1.append(_most(units.admin1[home[mine]][units.country[home[mine]] == code]))
    shapes = shapely.box(boxes[:, 1], boxes[:, 0], boxes[:, 3], boxes[:, 2])
    return Geocells(
        centroids, np.array(country), np.array(admin1), radii, [bytes(raw) for raw in shapely.to_wkb(shapes)]
    )


def _halve(places: Float, max_size: int, min_size: int) -> tuple[Float, list[Int]]:
    """Return boxes `(C, 4)` (south, west, north, east) and the places of each; boxes without places are dropped."""
    queue = [((-90.0, -180.0, 90.0, 180.0), np.arange(len(places)))]
    boxes: list[tuple[float, float, float, float]] = []
    members: list[Int] = []
    while queue:
        (south, west, north, east), mine = queue.pop()
        if not len(mine):
            continue
        wide = (east - west) * np.cos(np.radians(np.clip(0.0, south, north)))
        axis = 1 if wide > north - south else 0
        middle = (west + east) / 2 if axis else (south + north) / 2
        upper = places[mine, axis] >= middle
        sides = (mine[~upper], mine[upper])
        least = min((len(side) for side in sides if len(side)), default=0)
        if len(mine) <= max_size or max(wide, north - south) < LEAST_BOX_DEG or least < min_size:
            boxes.append((south, west, north, east))
            members.append(mine)
        elif axis:
            queue += [((south, middle, north, east), sides[1]), ((south, west, north, middle), sides[0])]
        else:
            queue += [((middle, west, north, east), sides[1]), ((south, west, middle, east), sides[0])]
    return np.array(boxes), members


def _most(names: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> str:
    found, votes = np.unique(names, return_counts=True)
    return str(found[int(votes.argmax())])
