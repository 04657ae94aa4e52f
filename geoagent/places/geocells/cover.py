"""Point-in-polygon and nearest-polygon queries; exact at the antimeridian and at high latitudes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.places.geo import Float, check_latlon, lonlat_from_latlon
from geoagent.types import Int

_STEPS = 24
"""Segments per border piece: short enough that the tree finds the nearest piece without measuring whole coasts."""
_BLOCK = 200_000
_SEAM_DEG = 40.0
"""Borders within this distance of ±180° are also searched from the other side."""


class Cover:
    """Spatial queries over polygons (shapely, lon, lat); trees are built on first use."""

    def __init__(self, shapes: Sequence[Any] | NDArray[np.object_]) -> None:
        self.shapes: Any = np.array(list(shapes), dtype=object)
        self._tree: Any = None
        self._borders: Any = None
        self._owner: Int = np.zeros(0, dtype=np.int64)

    def inside(self, latlon: ArrayLike) -> Int:
        """Return the polygon that covers each point `(N, 2)`, -1 for none; the lower index on a shared border."""
        import shapely

        if self._tree is None:
            self._tree = shapely.STRtree(self.shapes)
            shapely.prepare(self.shapes)
        places = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
        lonlat = lonlat_from_latlon(places)
        found = np.full(len(places), len(self.shapes), dtype=np.int64)
        for start in range(0, len(places), _BLOCK):
            some = lonlat[start : start + _BLOCK]
            # The tree compares bounding boxes only: prepared polygons are much faster for many points.
            which, shape = self._tree.query(shapely.points(some))
            hit = shapely.intersects_xy(self.shapes[shape], some[which, 0], some[which, 1])
            np.minimum.at(found, start + which[hit], shape[hit])
        return np.where(found < len(self.shapes), found, -1)

    def nearest(self, latlon: ArrayLike) -> Int:
        """Return the polygon with the nearest border for each point `(N, 2)`.

        Distances are measured in the Mercator projection, which is conformal: near a point, distances are true up to a
        constant factor, so that at 70° N a degree of longitude counts a third of a degree of latitude.
        """
        import shapely

        if self._borders is None:
            self._borders, self._owner = _border_pieces(self.shapes)
        lonlat = lonlat_from_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
        points: Any = shapely.points(_mercator(lonlat))
        which, piece = self._borders.query_nearest(points)
        found = np.full(len(points), len(self.shapes), dtype=np.int64)
        np.minimum.at(found, which, self._owner[piece])
        return found

    def index(self, latlon: ArrayLike) -> Int:
        """Return the polygon that covers each point `(N, 2)`, else the nearest one: `(N,)` int64."""
        places = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
        found = self.inside(places)
        outside = np.flatnonzero(found < 0)
        if len(outside):
            found[outside] = self.nearest(places[outside])
        return found


def _mercator(lonlat: Float) -> Float:
    lat = np.radians(np.clip(lonlat[:, 1], -89.5, 89.5))
    return np.column_stack([lonlat[:, 0], np.degrees(np.arcsinh(np.tan(lat)))])


def _border_pieces(shapes: Any) -> tuple[Any, Int]:
    """Cut borders into short lines in the Mercator projection; return a tree of them and the shape of each."""
    import shapely

    parts, of_part = shapely.get_parts(shapes, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    coords, ring = shapely.get_coordinates(rings, return_index=True)
    coords = _mercator(coords)
    owner = of_part[of_ring[ring]]
    begins = np.flatnonzero(np.diff(ring, prepend=-1))
    place_in_ring = np.arange(len(ring)) - np.repeat(begins, np.diff(np.append(begins, len(ring))))
    # The vertex at a cut belongs to both pieces: as the end of one and the start of the next.
    ends_ring = np.append(ring[1:] != ring[:-1], True)
    shared = (place_in_ring % _STEPS == 0) & (place_in_ring > 0) & ~ends_ring
    twice = np.repeat(np.arange(len(ring)), 1 + shared)
    starts = np.append(True, twice[1:] == twice[:-1]) | np.append(True, ring[twice][1:] != ring[twice][:-1])
    piece = np.cumsum(starts) - 1
    lines: Any = shapely.linestrings(coords[twice], indices=piece)
    owners = owner[twice][starts]
    bounds = shapely.bounds(lines)
    west, east = np.flatnonzero(bounds[:, 0] < -180 + _SEAM_DEG), np.flatnonzero(bounds[:, 2] > 180 - _SEAM_DEG)
    east_of: Any = shapely.transform(lines[west], lambda xy: xy + np.array([360.0, 0.0]))
    west_of: Any = shapely.transform(lines[east], lambda xy: xy - np.array([360.0, 0.0]))
    tree = shapely.STRtree(np.concatenate([lines, east_of, west_of]))
    return tree, np.concatenate([owners, owners[west], owners[east]]).astype(np.int64)
