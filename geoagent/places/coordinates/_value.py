"""The value that every reader of coordinates returns."""

from __future__ import annotations

from dataclasses import dataclass

from geoagent.errors import CoordinateError
from geoagent.places.geo import LatLon


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A position as it was written.

    Attributes:
        position: the point.
        radius_km: radius that the text states; None if it states none.
        notes: how the text was understood, where that is not plain from the text.
    """

    position: LatLon
    radius_km: float | None = None
    notes: tuple[str, ...] = ()


def checked(lat: float, lon: float, radius_km: float | None = None, *notes: str) -> Coordinates:
    """Return coordinates.

    Raises:
        CoordinateError: not finite, a latitude beyond ±90° or a longitude beyond ±180°. `LatLon` wraps longitudes,
            which is right for computing and hides slips of those who type.
    """
    position = LatLon(lat, lon)
    if abs(lon) > 180:
        raise CoordinateError(f"longitude {lon:g} is beyond ±180°")
    return Coordinates(position, radius_km, notes)
