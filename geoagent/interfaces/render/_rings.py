"""Borders and cells for the map page: rings of lon, lat as encoded strings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geoagent.errors import InputError
from geoagent.places.geo import Float

OUTLINE_BYTES = 640_000
GRID = 100.0
"""Outlines are kept to 1/100 degree, about a kilometre."""

Rings = Sequence[Any]
"""Rings of one polygon, each `(n, 2)` lon, lat as in GeoJSON."""


def country_rings(outlines: Mapping[str, Any]) -> list[list[Any]]:
    """Countries as `[code, rings]`, each ring a string; coarser step by step until they fit the page."""
    features = outlines.get("features")
    if not isinstance(features, list):
        raise InputError("outlines must be a GeoJSON FeatureCollection with a list 'features'")
    shapes = [
        (str((feature.get("properties") or {}).get("country") or ""), list(rings_of(feature.get("geometry") or {})))
        for feature in features
    ]
    tolerance = 0.0
    while True:
        coded = [[code, [line for ring in rings if (line := _ring(ring, tolerance))]] for code, rings in shapes]
        if tolerance > 1.0 or sum(len(line) for _, lines in coded for line in lines) <= OUTLINE_BYTES:
            return [entry for entry in coded if entry[1]]
        tolerance = tolerance * 1.5 or 0.004


def cell_rings(cells: Sequence[tuple[Rings, float]]) -> list[list[Any]]:
    """The 400 most probable cells as `[probability, rings]`, without invisible ones."""
    top = max((p for _, p in cells), default=0.0)
    kept = sorted((entry for entry in cells if entry[1] > 1e-3 * top), key=lambda entry: -entry[1])[:400]
    return [[p, [line for ring in rings if (line := _ring(np.asarray(ring, float), 0.01))]] for rings, p in kept]


def rings_of(geometry: Mapping[str, Any]) -> Iterator[Float]:
    coordinates = geometry.get("coordinates") or []
    for polygon in [coordinates] if geometry.get("type") == "Polygon" else coordinates:
        for ring in polygon:
            yield np.asarray(ring, dtype=np.float64)[:, :2]


def _ring(lonlat: Float, tolerance: float) -> str:
    """A ring `(n, 2)` lon, lat as text: steps on the grid, zigzag, base 32 (Google's encoded polyline); "" if gone.

    Longitudes are unwrapped first, so that a ring which jumps over ±180° becomes one that runs past it; one that goes
    around a pole (Antarctica) does not close then and stays as it is.
    """
    if len(lonlat) < 3:
        return ""
    east = np.unwrap(np.append(lonlat[:, 0], lonlat[0, 0]), period=360.0)
    line = np.column_stack([east[:-1], lonlat[:, 1]]) if abs(east[-1] - east[0]) < 180 else lonlat
    if tolerance:
        line = shapely.get_coordinates(shapely.simplify(shapely.linestrings(line), tolerance))
    points = np.round(line * GRID).astype(np.int64)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    steps = steps[(steps != 0).any(axis=1) | (np.arange(len(steps)) == 0)]
    if len(steps) < 4:
        return ""
    signs: list[str] = []
    for step in steps.ravel().tolist():
        value = ~(step << 1) if step < 0 else step << 1
        while value >= 32:
            signs.append(chr((32 | (value & 31)) + 63))
            value >>= 5
        signs.append(chr(value + 63))
    return "".join(signs)
