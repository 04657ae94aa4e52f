"""Administrative units: the polygons from which geocells are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geoagent.errors import InputError
from geoagent.places.geo import Float, latlon_from_lonlat
from geoagent.places.geocells.cover import Cover
from geoagent.places.geocells.split import land
from geoagent.types import Int

if TYPE_CHECKING:
    from geoagent.places.gazetteer import Gazetteer

Text = NDArray[np.str_]
TOUCH_DEG = 0.005
"""Units within this distance are neighbours: individually simplified borders leave hairline gaps."""
_SOURCE_EDGE_DEG = 179.9


@dataclass(frozen=True, eq=False)
class Units:
    """U disjoint polygons, each the lowest-level known unit of its land.

    Attributes:
        codes: `(U,)` names of the units, for messages.
        country: `(U,)` ISO 3166-1 alpha-2.
        admin1: `(U,)` GeoNames admin-1 code ("DE.07"), "" if unknown.
        group: `(U,)` the admin-1 unit as named in the source; units of one group are merged first.
        shapes: `(U,)` shapely polygons and multipolygons, lon, lat; valid and without overlaps.
    """

    codes: Text
    country: Text
    admin1: Text
    group: Text
    shapes: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def make(
        cls,
        codes: Sequence[str],
        country: Sequence[str],
        shapes: Sequence[Any],
        *,
        admin1: Sequence[str] | None = None,
        group: Sequence[str] | None = None,
    ) -> Units:
        """Make units from any polygons: invalid ones are repaired, overlaps are assigned to the smaller polygon.

        This rule keeps enclaves (the Vatican in Rome) and prefers the lowest level if there are several.

        Args:
            codes: U names.
            country: U ISO 3166-1 alpha-2 codes.
            shapes: U shapely polygons or multipolygons, lon, lat degrees.
            admin1: U GeoNames admin-1 codes; unknown by default.
            group: U names of the admin-1 units that they belong to; by default `admin1`.

        Raises:
            InputError: there is no polygon, lengths differ, or coordinates are beyond ±180° or ±90°.
        """
        count = len(codes)
        first = [""] * count if admin1 is None else list(admin1)
        columns = {"country": list(country), "shapes": list(shapes), "admin1": first, "group": list(group or first)}
        for name, values in columns.items():
            if len(values) != count:
                raise InputError(f"Units: expected {count} values of {name!r}, as many as codes, got {len(values)}")
        kept_shapes = _disjoint(_repaired(columns["shapes"]))
        kept = np.array([not shape.is_empty for shape in kept_shapes], dtype=bool)
        if not kept.any():
            raise InputError("there is no polygon among the units; give at least one with an area")

        def column(values: Sequence[str]) -> Text:
            return np.array([v for v, keep in zip(values, kept, strict=True) if keep], dtype=np.str_)

        return cls(
            column(codes),
            column(columns["country"]),
            column(columns["admin1"]),
            column(columns["group"]),
            kept_shapes[kept],
        )

    @classmethod
    def from_gazetteer(cls, gazetteer: Gazetteer | None = None) -> Units:
        """Return the admin-1 units of the gazetteer; they cover all land."""
        from geoagent.places.gazetteer import Gazetteer

        codes, countries, shapes = (gazetteer or Gazetteer.load()).admin1_polygons()
        admin1 = [code if "." in code else "" for code in codes.tolist()]
        return cls.make(codes.tolist(), countries.tolist(), [_to_seam(shape) for shape in shapes], admin1=admin1)

    @cached_property
    def cover(self) -> Cover:
        """Spatial index to look up the unit of a point."""
        return Cover(self.shapes)

    @cached_property
    def inside(self) -> Float:
        """`(U, 2)` degrees: a point inside each unit."""
        import shapely

        points = shapely.point_on_surface(self.shapes)
        return latlon_from_lonlat(shapely.get_coordinates(points))

    @cached_property
    def pairs(self) -> Int:
        """`(P, 2)` pairs of touching units of the same country, lower index first; also across ±180°."""
        return touching(self.shapes, self.country)


def touching(shapes: NDArray[np.object_], label: Text | None = None) -> Int:
    """Return pairs `(P, 2)` of touching polygons, lower index first, also across ±180°; with equal `label` if given."""
    import shapely

    tree = shapely.STRtree(shapes)
    found = [tree.query(shapes, predicate="dwithin", distance=TOUCH_DEG)]
    bounds = shapely.bounds(shapes)
    west = np.flatnonzero(bounds[:, 0] < -180 + TOUCH_DEG)
    if len(west) and (bounds[:, 2] > 180 - TOUCH_DEG).any():
        moved = shapely.transform(shapes[west], lambda xy: xy + np.array([360.0, 0.0]))
        there = tree.query(moved, predicate="dwithin", distance=TOUCH_DEG)
        found.append(np.vstack([west[there[0]], there[1]]))
    pairs = np.sort(np.hstack(found).T, axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    if label is not None:
        pairs = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    return pairs.astype(np.int64)


def _to_seam(shape: Any) -> Any:
    """Stretch land that the source cuts off at ±179.9° to ±180°, so that Fiji and Chukotka have no gap there."""
    import shapely

    if shape.bounds[0] > -_SOURCE_EDGE_DEG and shape.bounds[2] < _SOURCE_EDGE_DEG:
        return shape

    def stretched(lonlat: Float) -> Float:
        lon = np.where(np.abs(lonlat[:, 0]) >= _SOURCE_EDGE_DEG, np.copysign(180.0, lonlat[:, 0]), lonlat[:, 0])
        return np.column_stack([lon, lonlat[:, 1]])

    return shapely.transform(shape, stretched)


def _repaired(shapes: Sequence[Any]) -> NDArray[np.object_]:
    import shapely

    out: NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    for i, shape in enumerate(shapes):
        if shape is None or shape.is_empty:
            out[i] = shapely.from_wkt("POLYGON EMPTY")
            continue
        west, south, east, north = shape.bounds
        if south < -90.001 or north > 90.001 or west < -180.001 or east > 180.001:
            raise InputError(
                f"polygon {i} spans longitudes {west:g} to {east:g} and latitudes {south:g} to {north:g}; expected "
                "degrees (EPSG:4326) within ±180 and ±90: reproject the file, and cut polygons at ±180°"
            )
        flat = shapely.force_2d(shape)
        out[i] = flat if shapely.is_valid(flat) else land(shapely.make_valid(flat))
    return out


def _disjoint(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Subtract smaller polygons from larger ones that overlap them (of equal ones, from the later one)."""
    import shapely

    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    # Most pairs are neighbours that only share a border; they are cheap to detect by their common area.
    if len(pairs):
        common: Any = shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]])
        shared = shapely.area(common)
        pairs = pairs[shared > 0]
    area = shapely.area(shapes)
    rank = np.lexsort((np.arange(len(shapes)), area))
    place = np.empty(len(shapes), dtype=np.int64)
    place[rank] = np.arange(len(shapes))
    smaller_than: dict[int, list[int]] = {}
    for a, b in pairs.tolist():
        small, large = (a, b) if place[a] < place[b] else (b, a)
        smaller_than.setdefault(large, []).append(small)
    out = shapes.copy()
    for large, small in smaller_than.items():
        out[large] = land(shapely.difference(shapes[large], shapely.union_all(shapes[sorted(small)])))
    return out
