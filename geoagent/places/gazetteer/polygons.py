"""Polygons of admin-1 units: look up the unit and country of a point."""

from __future__ import annotations

import json
import lzma
import struct
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ResourceError
from geoagent.places.geo import check_latlon, lonlat_from_latlon

NEAR_DEG = 0.25
"""A point outside all polygons belongs to the nearest one within this many degrees (coasts are simplified)."""


class Areas:
    """All units as one coverage: `codes` ("DE.07", or "AQ" if a country has no units), `countries`, `shapes`.

    Shapes are shapely geometries with longitude first.
    """

    def __init__(self, codes: NDArray[np.str_], shapes: NDArray[Any]) -> None:
        self.codes = codes
        self.countries: NDArray[np.str_] = np.array([c[:2] for c in codes.tolist()], dtype="<U2")
        self.shapes = shapes
        self._tree = shapely.STRtree(shapes)

    @classmethod
    def load(cls, path: Path) -> Areas:
        """Read the packed polygons.

        Raises:
            ResourceError: the file is missing or damaged.
        """
        try:
            raw = lzma.decompress(path.read_bytes())
            (length,) = struct.unpack_from("<I", raw)
            head = json.loads(raw[4 : 4 + length])
            planes = np.frombuffer(raw, dtype=np.uint8, offset=4 + length).reshape(2, 4, -1)
        except (OSError, lzma.LZMAError, struct.error, ValueError) as error:
            raise ResourceError(f"cannot read the polygons {path}: {error}; reinstall geoagent") from error
        steps = np.ascontiguousarray(planes.transpose(0, 2, 1)).view("<i4")[..., 0]
        lonlat = np.cumsum(steps, axis=1, dtype=np.int64).T / 1000.0
        sizes = np.array(head["sizes"])
        rings: Any = shapely.linearrings(lonlat, indices=np.repeat(np.arange(len(sizes)), sizes))
        per_polygon = np.array(head["rings"])
        polygons: Any = shapely.polygons(rings, indices=np.repeat(np.arange(len(per_polygon)), per_polygon))
        per_shape = np.array(head["polygons"])
        shapes: Any = shapely.multipolygons(polygons, indices=np.repeat(np.arange(len(per_shape)), per_shape))
        bad = ~shapely.is_valid(shapes)
        shapes[bad] = shapely.make_valid(shapes[bad])
        return cls(np.array(head["codes"]), shapes)

    def index_at(self, latlon: ArrayLike, near_deg: float = NEAR_DEG) -> NDArray[np.int64]:
        """Return the index of the unit that contains, or is nearest to, each point `(N, 2)`; -1 for the open sea."""
        places = check_latlon(latlon).reshape(-1, 2)
        points: Any = shapely.points(lonlat_from_latlon(places))
        found = np.full(len(places), -1, dtype=np.int64)
        if not len(places):
            return found
        point, shape = self._tree.query(points, predicate="intersects")
        found[point[::-1]] = shape[::-1]
        outside = np.flatnonzero(found < 0)
        if len(outside) and near_deg > 0:
            near, shape = self._tree.query_nearest(points[outside], max_distance=near_deg, all_matches=False)
            found[outside[near]] = shape
        return found

    def admin1_at(self, latlon: ArrayLike) -> NDArray[np.str_]:
        """Return the GeoNames admin-1 code of each point `(N, 2)`, "" if there is none."""
        index = self.index_at(latlon)
        codes = np.where(index >= 0, self.codes[index], "")
        return np.asarray(np.where(np.char.find(codes, ".") >= 0, codes, ""), dtype=self.codes.dtype)

    def country_at(self, latlon: ArrayLike) -> NDArray[np.str_]:
        """Return the ISO country code of each point `(N, 2)`, "" for the open sea."""
        index = self.index_at(latlon)
        return np.asarray(np.where(index >= 0, self.countries[index], ""), dtype="<U2")
