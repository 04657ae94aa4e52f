"""Borders and all geocells of a world, for a page that draws many answers on one map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from geoagent.interfaces.render._rings import GRID, _ring, country_rings
from geoagent.places.geocells import Geocells

CELL_BYTES = 3_000_000


def atlas(cells: Geocells, outlines: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON values: `grid`, `attribution`, `countries` as `[code, rings]`, and `cells`.

    A cell is a list of rings, each an encoded polyline of lon, lat; or `[lat, lon, radius_km]` where it has no polygon.

    Args:
        cells: geocells of a world.
        outlines: GeoJSON FeatureCollection of countries, as `map_html` takes it.

    Raises:
        InputError: outlines that are no FeatureCollection.
    """
    return {
        "grid": GRID,
        "attribution": str(outlines.get("attribution") or ""),
        "countries": country_rings(outlines),
        "cells": _shapes(cells),
    }


def _shapes(cells: Geocells) -> list[list[str]] | list[list[float]]:
    """Rings of every cell, coarser step by step until they are small enough to send; discs where there are none."""
    if not cells.polygons:
        rows = np.column_stack([cells.centroids, cells.radius_km]).round(3)
        return [[float(value) for value in row] for row in rows]
    parts, owner = shapely.get_parts(np.array(cells.polygons, dtype=object), return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, part = shapely.get_rings(parts[areal], return_index=True)
    owner = owner[areal][part]
    tolerance = 0.02
    while True:
        shapes: list[list[str]] = [[] for _ in range(len(cells))]
        for ring, cell in zip(rings, owner.tolist(), strict=True):
            if line := _ring(shapely.get_coordinates(ring), tolerance):
                shapes[cell].append(line)
        if tolerance > 0.5 or sum(len(line) for lines in shapes for line in lines) <= CELL_BYTES:
            return shapes
        tolerance *= 2
