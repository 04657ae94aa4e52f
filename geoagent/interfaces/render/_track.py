"""Lines of a track for a map: cut where it pauses, and thinned until they are quick to draw."""

from __future__ import annotations

import numpy as np
import shapely

from geoagent.evidence.tracks import Track
from geoagent.places.geo import haversine_km, lonlat_from_latlon

MOST_POINTS = 4000
"""Points of one track on a map."""
DAY_S = 24 * 3600.0
"""How long before the first photo of an album and after its last a track is drawn."""
_PAUSE_S, _PAUSE_KM = 3 * 3600.0, 1.0
_FIRST_DEGREES = 0.00005

Line = list[tuple[float, float]]
"""Places in order of time, (lat, lon) in degrees."""


def track_lines(track: Track, between_s: tuple[float, float] | None = None) -> list[Line]:
    """Return the lines of a track in order of time.

    A pause of hours with a journey in it is a gap, since nobody knows the way that was taken meanwhile.

    Args:
        track: where somebody was, and when.
        between_s: seconds since 1970 between which it is drawn; None for all of it.
    """
    utc_s, latlon = track.utc_s, track.latlon
    if between_s is not None:
        kept = (utc_s >= between_s[0]) & (utc_s <= between_s[1])
        utc_s, latlon = utc_s[kept], latlon[kept]
    if len(utc_s) == 0:
        return []
    apart_km = haversine_km(latlon[:-1], latlon[1:])
    cuts = np.flatnonzero((np.diff(utc_s) > _PAUSE_S) & (apart_km > _PAUSE_KM)) + 1
    parts = [lonlat_from_latlon(part) for part in np.split(latlon, cuts)]
    parts = [np.column_stack([np.unwrap(part[:, 0], period=360.0), part[:, 1]]) for part in parts]
    tolerance, thinned = _FIRST_DEGREES, parts
    while sum(map(len, thinned)) > MOST_POINTS and tolerance < 5:
        thinned = [_thinned(part, tolerance) for part in parts]
        tolerance *= 2
    return [[(round(lat, 5), round(lon, 5)) for lon, lat in part.tolist()] for part in thinned]


def _thinned(part: np.ndarray, tolerance: float) -> np.ndarray:
    if len(part) < 3:
        return part
    return shapely.get_coordinates(shapely.simplify(shapely.linestrings(part), tolerance))
