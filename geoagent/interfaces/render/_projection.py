"""Two map projections, from lon, lat as border files have it."""

from __future__ import annotations

import numpy as np

from geoagent.places.geo import EARTH_RADIUS_KM, Float, LatLon


def equidistant(lonlat: Float, centre: LatLon) -> Float:
    """Azimuthal equidistant projection (Snyder 1987, p. 195): true distance and bearing from one place.

    Args:
        lonlat: `(N, 2)` degrees.
        centre: the place.

    Returns:
        `(N, 2)` km to the right of and below `centre`.
    """
    lon, lat = np.radians(np.asarray(lonlat, dtype=np.float64)).T
    lon0, lat0 = np.radians(centre.lon), np.radians(centre.lat)
    cosine = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
    angle = np.arccos(np.clip(cosine, -1, 1))
    k = np.divide(angle, np.sin(angle), out=np.ones_like(angle), where=np.sin(angle) > 1e-9) * EARTH_RADIUS_KM
    x = k * np.cos(lat) * np.sin(lon - lon0)
    y = k * (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon - lon0))
    return np.column_stack([x, -y])


def equal_earth(lonlat: Float) -> Float:
    """Equal Earth projection (Šavrič, Patterson and Jenny 2018) of the whole world.

    Args:
        lonlat: `(N, 2)` degrees.

    Returns:
        `(N, 2)` x within ±2.71 and y within ±1.32, y up, on a globe of radius 1.
    """
    lon, lat = np.radians(np.asarray(lonlat, dtype=np.float64)).T
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = np.arcsin(np.clip(np.sqrt(3) / 2 * np.sin(lat), -1, 1))
    t2, t6 = theta**2, theta**6
    bottom = 3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1)
    return np.column_stack(
        [2 * np.sqrt(3) * lon * np.cos(theta) / bottom, theta * (a1 + a2 * t2 + t6 * (a3 + a4 * t2))]
    )
