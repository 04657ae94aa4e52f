"""Splitting of polygons along great circles: into Voronoi regions, or into the two sides of a plane.

Polygons stay in degrees, so that their borders are kept exactly and neighbours still fit; only the cuts are curves. In
degrees, the hemisphere on one side of a great circle is the area above (or below) one curve over all longitudes, so
that the poles and the antimeridian need no special cases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geoagent.places.geo import Float, to_unit

_STEP = np.radians(0.05)
"""Arc between vertices of a cut: its chords, straight in degrees, stay within some metres of the great circle."""
_STEP_DEG = 0.1
"""Maximum longitude between vertices of a cut."""
_MERIDIANS = np.arange(-180.0 + _STEP_DEG / 2, 180.0, _STEP_DEG)
_ALL_PAIRS = 5


def voronoi_split(polygon: Any, seeds: Float) -> list[Any]:
    """Split `polygon` so that each part is the land nearest to one seed on the sphere.

    Args:
        polygon: a shapely geometry, lon, lat degrees.
        seeds: `(S, 2)` degrees, lat then lon, all different, S ≥ 1.

    Returns:
        S shapely geometries, lon, lat, that tile `polygon`; those of seeds with no nearest land are empty.
    """
    import shapely

    if len(seeds) == 1:
        return [polygon]
    unit = to_unit(seeds)
    pairs = _neighbours(unit)
    parts = _regions(polygon, unit, pairs)
    whole = shapely.area(polygon)
    if abs(sum(shapely.area(p) for p in parts) - whole) > 1e-6 * whole:
        # Degenerate seeds (nearly on one circle) can hide a pair of neighbours from the triangulation.
        parts = _regions(polygon, unit, [[j for j in range(len(unit)) if j != i] for i in range(len(unit))])
    return parts


def halves(polygon: Any, normal: Float) -> tuple[Any, Any]:
    """Split `polygon` by the plane through the Earth's centre with normal `(3,)`; return the part towards it first."""
    import shapely

    side, other = _sides(normal, shapely.bounds(polygon))
    return land(shapely.intersection(polygon, side)), land(shapely.intersection(polygon, other))


def land(shape: Any) -> Any:
    """Return only the polygons of a geometry: intersections may also contain lines and points."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    kept = [s for s in getattr(shape, "geoms", ()) if s.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(kept) if kept else shapely.from_wkt("POLYGON EMPTY")


def _regions(polygon: Any, unit: Float, neighbours: list[list[int]]) -> list[Any]:
    import shapely

    parts = []
    for i, others in enumerate(neighbours):
        part = polygon
        # The nearest seeds cut off most of the area, so the later cuts are cheap.
        for j in sorted(others, key=lambda j: float(-unit[i] @ unit[j])):
            if part.is_empty:
                break
            low, high = min(i, j), max(i, j)
            sides = _sides(unit[low] - unit[high], shapely.bounds(part))
            part = land(shapely.intersection(part, sides[0] if i == low else sides[1]))
        parts.append(part)
    return parts


def _neighbours(unit: Float) -> list[list[int]]:
    """Return the possible neighbours of each seed's region: Delaunay in the stereographic projection about their mean.

    This projection maps circles to circles, so the planar triangulation equals the one on the sphere.
    """
    import shapely

    count = len(unit)
    everyone = [[j for j in range(count) if j != i] for i in range(count)]
    centre = unit.sum(axis=0)
    if count <= _ALL_PAIRS or np.linalg.norm(centre) < 1e-6:
        return everyone
    centre /= np.linalg.norm(centre)
    east = np.cross(centre, np.eye(3)[int(np.abs(centre).argmin())])
    east /= np.linalg.norm(east)
    depth = 1.0 + unit @ centre
    if (depth < 1e-6).any():
        return everyone
    flat = np.column_stack([unit @ east, unit @ np.cross(centre, east)]) / depth[:, None]
    scale = float(np.abs(flat - flat.mean(axis=0)).max())
    flat = (flat - flat.mean(axis=0)) / (scale or 1.0)
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(flat)))
    if not len(triangles):
        return everyone
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    number = {tuple(xy): i for i, xy in enumerate(flat.tolist())}
    near: list[set[int]] = [set() for _ in range(count)]
    for triangle in corners.tolist():
        at = [number.get(tuple(xy), -1) for xy in triangle]
        if min(at) < 0:
            return everyone
        for i in at:
            near[i].update(j for j in at if j != i)
    return [sorted(n) if n else e for n, e in zip(near, everyone, strict=True)]


def _sides(normal: Float, bounds: Any) -> tuple[Any, Any]:
    """Return both sides of a great circle as polygons in degrees, over the longitudes of `bounds`; `normal`'s first."""
    import shapely

    flipped = normal[2] < 0
    x, y, z = (-normal if flipped else normal) / np.linalg.norm(normal)
    z = max(float(z), 1e-9)  # a circle through the poles is approximated; it is practically two meridians
    tilt = np.arccos(min(z, 1.0))
    arc = np.arange(-np.pi, np.pi, _STEP)
    lat = np.degrees(np.arcsin(np.sin(tilt) * np.sin(arc)))
    lon = np.degrees(np.arctan2(y, x) + np.pi / 2 + np.arctan2(z * np.sin(arc), np.cos(arc)))
    lon = (lon + 180.0) % 360.0 - 180.0
    order = np.argsort(lon, kind="stable")
    lon, lat = lon[order], lat[order]
    seam = np.degrees(np.arctan2(x, z))  # the curve at ±180°, where cos λ = -1
    lon = np.concatenate([[-182.0, -180.0], lon, [180.0, 182.0]])
    lat = np.concatenate([[seam, seam], lat, [seam, seam]])
    # Near a pole, one step of arc spans many degrees of longitude, over which a chord is far from the circle.
    after = np.searchsorted(lon, _MERIDIANS)
    wide = lon[after] - lon[after - 1] > _STEP_DEG
    along = np.radians(_MERIDIANS[wide])
    steep = np.degrees(np.arctan2(-(x * np.cos(along) + y * np.sin(along)), z))
    lon, lat = np.insert(lon, after[wide], _MERIDIANS[wide]), np.insert(lat, after[wide], steep)
    first = max(int(np.searchsorted(lon, bounds[0], "left")) - 2, 0)
    last = int(np.searchsorted(lon, bounds[2], "right")) + 2
    curve = np.column_stack([lon[first:last], lat[first:last]])
    ends = curve[[-1, 0], 0]
    above, below = (
        shapely.polygons(np.vstack([curve, np.column_stack([ends, [edge, edge]])])) for edge in (91.0, -91.0)
    )
    return (below, above) if flipped else (above, below)
