"""The map that the page draws on: borders and geocells from our own data, made once and sent once."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass

import numpy as np
import shapely

from geoagent.agent import GeoAgent
from geoagent.geocells import Geocells
from geoagent.render._rings import GRID, country_rings, encode_ring

CELL_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Atlas:
    """Borders and cells as gzipped JSON.

    Attributes:
        content: `{"grid", "attribution", "world", "countries": [[code, rings]], "cells": [rings]}`; a cell without a
            polygon is `[lat, lon, radius_km]` instead.
        tag: changes when the content does.
    """

    content: bytes
    tag: str

    @classmethod
    def of(cls, agent: GeoAgent) -> Atlas:
        """Make it for an agent's world."""
        outlines, world = agent.assets.gazetteer.outlines(), agent.assets.world
        data = {
            "grid": GRID,
            "attribution": str(outlines.get("attribution") or ""),
            "world": world.name,
            "encoder": world.encoder is not None,
            "countries": country_rings(outlines),
            "cells": cell_shapes(world.cells),
        }
        content = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 6, mtime=0)
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:24]}"')


def cell_shapes(cells: Geocells) -> list[list[str] | list[float]]:
    """Rings of every cell, coarser step by step until they are small enough to send; discs where there are none."""
    if not cells.polygons:
        rows = np.column_stack([cells.centroids, cells.radius_km]).round(3)
        return [list(map(float, row)) for row in rows]
    parts, owner = shapely.get_parts(np.array(cells.polygons, dtype=object), return_index=True)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts, owner = parts[areal], owner[areal]
    tolerance = 0.02
    while True:
        shapes: list[list[str]] = [[] for _ in range(len(cells))]
        rings, of = shapely.get_rings(parts, return_index=True)
        for ring, part in zip(rings, of.tolist(), strict=True):
            if line := encode_ring(shapely.get_coordinates(ring), tolerance):
                shapes[int(owner[part])].append(line)
        if tolerance > 0.5 or sum(len(line) for lines in shapes for line in lines) <= CELL_BYTES:
            return list(shapes)
        tolerance *= 2
