"""Geometry on the sphere. Coordinates are WGS 84 degrees, latitude first.

This is the only module with a haversine, an Earth radius or a spherical mean, and it has the only two functions in
which longitude comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import CoordinateError, ShapeError

Float = NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088
"""Mean Earth radius R1 = (2a + b) / 3, km (IUGG; Moritz 2000)."""


def check_latlon(latlon: ArrayLike) -> Float:
    """Validate coordinates and return them as a float64 array `(..., 2)` in degrees.

    Longitudes in [-360, 360] are wrapped to [-180, 180): a photo at 181° is a photo at -179°. A latitude beyond ±90 is
    rejected, since it usually means that latitude and longitude were swapped.

    Raises:
        ShapeError: the last axis does not have two entries.
        CoordinateError: a value is not finite or out of range.
    """
    array = np.array(latlon, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 2:
        raise ShapeError(f"expected coordinates of shape (..., 2), lat then lon; got shape {array.shape}")
    if array.size == 0:
        return array
    if not np.isfinite(array).all():
        bad = array.reshape(-1, 2)[~np.isfinite(array.reshape(-1, 2)).all(axis=1)][0]
        raise CoordinateError(f"a coordinate is not a finite number: lat {bad[0]}, lon {bad[1]}")
    worst_lat = array[..., 0].flat[int(np.abs(array[..., 0]).argmax())]
    if abs(worst_lat) > 90:
        raise CoordinateError(f"latitude {worst_lat:g} is beyond ±90°; did you swap lat and lon?")
    worst_lon = array[..., 1].flat[int(np.abs(array[..., 1]).argmax())]
    if abs(worst_lon) > 360:
        raise CoordinateError(f"longitude {worst_lon:g} is beyond ±360°")
    if abs(worst_lon) > 180:
        array[..., 1] = (array[..., 1] + 180.0) % 360.0 - 180.0
    return array


@dataclass(frozen=True, slots=True)
class LatLon:
    """A point: `lat` in [-90, 90] and `lon` in [-180, 180], degrees.

    Raises:
        CoordinateError: a value is not finite or out of range.
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        lat, lon = check_latlon((self.lat, self.lon)).tolist()
        object.__setattr__(self, "lat", lat)
        object.__setattr__(self, "lon", lon)

    def __iter__(self) -> Any:
        return iter((self.lat, self.lon))

    def __str__(self) -> str:
        return f"{self.lat:.5f}, {self.lon:.5f}"

    def distance_km(self, other: LatLon) -> float:
        """Great-circle distance to `other`, km."""
        return float(haversine_km((self.lat, self.lon), (other.lat, other.lon)))


def haversine_km(a: ArrayLike, b: ArrayLike) -> Float:
    """Great-circle distances between points, km, by the haversine formula.

    Args:
        a: `(..., 2)` degrees, lat then lon.
        b: `(..., 2)`; broadcast against `a` over all but the last axis: `(N, 1, 2)` and `(M, 2)` give `(N, M)`.

    Returns:
        Array of the broadcast shape, km.
    """
    a_rad, b_rad = np.radians(np.asarray(a, dtype=np.float64)), np.radians(np.asarray(b, dtype=np.float64))
    lat_a, lat_b = a_rad[..., 0], b_rad[..., 0]
    h = np.sin((lat_b - lat_a) / 2) ** 2
    h = h + np.cos(lat_a) * np.cos(lat_b) * np.sin((b_rad[..., 1] - a_rad[..., 1]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))), dtype=np.float64)


def bearing_deg(start: LatLon, end: LatLon) -> float:
    """Initial bearing of the great circle from `start` to `end`: degrees in [0, 360), clockwise from north.

    Of two places that are the same, or opposite each other on the globe, it is 0 and means nothing.
    """
    lat_a, lat_b, east = np.radians([start.lat, end.lat, end.lon - start.lon]).tolist()
    x = np.sin(east) * np.cos(lat_b)
    y = np.cos(lat_a) * np.sin(lat_b) - np.sin(lat_a) * np.cos(lat_b) * np.cos(east)
    return float(np.degrees(np.arctan2(x, y)) % 360.0)


def compass_point(bearing: float) -> str:
    """Name a bearing in degrees by the nearest of sixteen points: "N", "NNE", …, "NNW"."""
    return _POINTS[round(bearing / 22.5) % 16]


_POINTS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def pairwise_km(latlon: ArrayLike) -> Float:
    """Pairwise great-circle distances, `(N, N)` km, from chord lengths.

    Many times faster than the haversine formula, since it needs no sine per pair. Accurate to 0.2 m, except for nearly
    antipodal points, where the error can reach a kilometre.

    Args:
        latlon: `(N, 2)` degrees.
    """
    unit = to_unit(latlon)
    apart = great_circle_km(unit, unit.T)
    np.fill_diagonal(apart, 0.0)
    return apart


def great_circle_km(a: Float, b: Float) -> Float:
    """Great-circle distances between unit vectors, km, from chord lengths; as accurate as `pairwise_km`.

    Args:
        a: `(N, 3)`.
        b: `(3,)` or `(3, M)`.

    Returns:
        `(N,)` or `(N, M)`.
    """
    half_chord = np.sqrt(np.maximum(0.5 - 0.5 * (a @ b), 0.0))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half_chord, 1.0)), dtype=np.float64)


def to_unit(latlon: ArrayLike) -> Float:
    """Convert points `(..., 2)` to unit vectors `(..., 3)` from the Earth's centre."""
    rad = np.radians(np.asarray(latlon, dtype=np.float64))
    lat, lon = rad[..., 0], rad[..., 1]
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def from_unit(vectors: ArrayLike) -> Float:
    """Convert vectors `(..., 3)` of any positive length to points `(..., 2)`, degrees."""
    v = np.asarray(vectors, dtype=np.float64)
    lat = np.degrees(np.arctan2(v[..., 2], np.hypot(v[..., 0], v[..., 1])))
    return np.stack([lat, np.degrees(np.arctan2(v[..., 1], v[..., 0]))], axis=-1)


def spherical_mean(latlon: ArrayLike, weights: ArrayLike | None = None) -> LatLon:
    """Weighted mean of points: the direction of the weighted sum of their unit vectors.

    Correct across ±180° and at the poles, unlike the mean of degrees (Fisher, Lewis & Embleton 1987, §3.2).

    Args:
        latlon: `(N, 2)` degrees, N ≥ 1.
        weights: `(N,)`, not negative, not all zero; equal by default.

    Raises:
        ShapeError: there are no points, or the weights have the wrong shape.
        CoordinateError: the points cancel out (antipodal), so that no mean exists, or the weights are invalid.
    """
    places = check_latlon(latlon)
    if places.ndim != 2 or len(places) == 0:
        raise ShapeError(f"expected at least one place, shape (N, 2); got shape {places.shape}")
    w = np.ones(len(places)) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (len(places),):
        raise ShapeError(f"expected weights of shape ({len(places)},); got {w.shape}")
    if not np.isfinite(w).all() or (w < 0).any() or w.sum() <= 0:
        raise CoordinateError("weights of places must be finite, not negative and not all zero")
    total = (w / w.sum()) @ to_unit(places)
    if np.linalg.norm(total) < 1e-6:
        raise CoordinateError("the places are antipodal: they have no mean on the sphere")
    lat, lon = from_unit(total).tolist()
    return LatLon(lat, lon)


def weighted_radius_km(centre: LatLon, latlon: ArrayLike, weights: ArrayLike, share: float) -> float:
    """Radius around `centre` that contains at least `share` of the weight of the points, km.

    Args:
        centre: centre of the circle.
        latlon: `(N, 2)` degrees, N ≥ 1.
        weights: `(N,)`, not negative, not all zero.
        share: in (0, 1].
    """
    distance = haversine_km((centre.lat, centre.lon), latlon)
    order = np.argsort(distance, kind="stable")
    mass = np.cumsum(np.asarray(weights, dtype=np.float64)[order])
    reached = int(np.searchsorted(mass, share * mass[-1] * (1 - 1e-12)))
    return float(distance[order[min(reached, len(order) - 1)]])


def latlon_from_lonlat(lonlat: ArrayLike) -> Float:
    """Convert GeoJSON or shapely order, lon, lat `(..., 2)`, to lat, lon. One of two functions with longitude first."""
    return check_latlon(np.asarray(lonlat, dtype=np.float64)[..., ::-1])


def lonlat_from_latlon(latlon: ArrayLike) -> Float:
    """Convert lat, lon `(..., 2)` to the order of GeoJSON and shapely: lon, lat. The other such function."""
    return np.ascontiguousarray(check_latlon(latlon)[..., ::-1])


def latlon_array(places: Iterable[LatLon]) -> Float:
    """Return points as one array `(N, 2)`; `(0, 2)` if there are none."""
    return np.array([(p.lat, p.lon) for p in places], dtype=np.float64).reshape(-1, 2)
