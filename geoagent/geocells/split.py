"""Cutting one polygon into the Voronoi regions of some places."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoagent.geo import Float, lonlat_from_latlon


def voronoi_split(polygon: Any, seeds: Float) -> list[Any]:
    """Cut `polygon` so that each part is the land nearest to one seed.

    The cut is made in a local equirectangular projection about the seeds, where straight lines between places a few
    hundred kilometres apart are within a few per cent of great circles. Polygons that touch ±180° are unrolled first,
    so that a unit on both sides of the antimeridian is one piece of land.

    Args:
        polygon: a shapely geometry, lon, lat degrees.
        seeds: `(S, 2)` degrees, lat then lon, all different, S ≥ 1.

    Returns:
        S shapely geometries, lon, lat, that tile `polygon`; one may be empty if no land is nearest to its seed.
    """
    import shapely

    if len(seeds) == 1:
        return [polygon]
    lonlat = lonlat_from_latlon(seeds)
    west, _, east, _ = polygon.bounds
    wraps = west < -179.0 and east > 179.0
    if wraps:
        polygon = _unroll(polygon)
        lonlat[:, 0] = np.where(lonlat[:, 0] < 0, lonlat[:, 0] + 360.0, lonlat[:, 0])
    squeeze = max(0.05, float(np.cos(np.radians(lonlat[:, 1].mean()))))
    flat = shapely.transform(polygon, lambda xy: xy * np.array([squeeze, 1.0]))
    points = lonlat * (squeeze, 1.0)
    regions: Any = shapely.voronoi_polygons(
        shapely.multipoints(points), extend_to=shapely.box(*flat.buffer(1.0).bounds), ordered=True
    )
    parts = []
    for region in regions.geoms:
        part = _land(shapely.intersection(flat, region))
        part = shapely.transform(part, lambda xy: xy / np.array([squeeze, 1.0]))
        parts.append(_roll(part) if wraps else part)
    return parts


def _land(shape: Any) -> Any:
    """Only the polygons of a geometry: an intersection may leave lines and points behind."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    return shapely.union_all([s for s in getattr(shape, "geoms", ()) if s.geom_type in ("Polygon", "MultiPolygon")])


def _unroll(shape: Any) -> Any:
    """Longitudes [-180, 0) of a geometry moved to [180, 360)."""
    import shapely

    parts = [_moved(part, 360.0) if part.bounds[2] <= 0 else part for part in shapely.get_parts(shape)]
    return shapely.union_all(parts)


def _roll(shape: Any) -> Any:
    """Undo `_unroll`: what lies beyond 180° goes back to negative longitudes."""
    import shapely

    east = shapely.intersection(shape, shapely.box(-180, -90, 180, 90))
    west = shapely.intersection(shape, shapely.box(180, -90, 540, 90))
    return _land(shapely.union_all([_land(east), _moved(_land(west), -360.0)]))


def _moved(shape: Any, east_deg: float) -> Any:
    import shapely

    return shapely.transform(shape, lambda xy: xy + np.array([east_deg, 0.0]))
