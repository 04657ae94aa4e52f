"""Coordinates as people and programs write them: decimal, degrees and minutes, links of maps, codes.

What has two readings is refused with the reason, never decided silently. Nothing is looked up and no link is followed.
"""

from __future__ import annotations

from geoagent.places.coordinates._codes import from_code
from geoagent.places.coordinates._links import from_link
from geoagent.places.coordinates._structured import from_structure
from geoagent.places.coordinates._text import from_text
from geoagent.places.coordinates._value import Coordinates

__all__ = ["NOTATIONS", "Coordinates", "read_coordinates"]

NOTATIONS = (
    "LAT,LON[,RADIUS_KM], degrees with minutes and seconds (36 deg 48' 14.54\" S, 174 deg 43' 35.34\" E), geo: URIs, "
    "links of maps, ISO 6709, WKT and GeoJSON points, MGRS, plus codes"
)
"""The accepted notations in one line, for help texts."""


def read_coordinates(text: str) -> Coordinates | None:
    """Read one position.

    Args:
        text: what somebody wrote or copied, such as "48.2082, 16.3738", "48°12'30″N 16°22'26″E", "geo:48.2,16.37;u=50",
            a link of a map, "+48.2082+016.3738/", "POINT(16.37 48.2)", "33UXP0486" or "8FWR695F+7G".

    Returns:
        The position, with a radius where the text states one; None if this is no notation of coordinates, so that it
        may be a name.

    Raises:
        CoordinateError: coordinates that are out of range, incomplete, or have two readings; a link or a code that
            holds no coordinates, or that cannot be read without asking a server.
        MissingDependency: an MGRS reference, and the package mgrs is not installed.
    """
    for read in (from_link, from_structure, from_code, from_text):
        found = read(text)
        if found is not None:
            return found
    return None
