"""Codes of places: plus codes, MGRS; what3words is recognised and refused.

Plus codes are decoded here: the format is public and takes a few lines, and Google's package on PyPI is a source
archive of 2015. MGRS needs a projection and a table of exceptions, which the package mgrs has (MIT, 0.2 MB).
"""

from __future__ import annotations

import re

from geoagent.errors import CoordinateError
from geoagent.optional import needs
from geoagent.places.coordinates._value import Coordinates, checked
from geoagent.places.geo import LatLon

_ALPHABET = "23456789CFGHJMPQRVWX"
_PLUS = re.compile(rf"([{_ALPHABET}0]{{8}})\+([{_ALPHABET}]{{2,7}})?", re.I)
_SHORT_PLUS = re.compile(rf"[{_ALPHABET}]{{2,6}}\+[{_ALPHABET}]{{2,7}}\b.*", re.I | re.S)
_MGRS = re.compile(
    r"(\d{1,2}\s*[C-HJ-NP-X]|[ABYZ](?=\s*[A-Z]{2}\s*\d{2}\s*\d{2}))\s*([A-HJ-NP-Z]{2})\s*(\d{1,5})\s*(\d{0,5})", re.I
)
_WORDS = re.compile(r"(?:///|what3words:|w3w:)\s*\S+|(?!www\.)[a-zß-ÿ]{3,}\.[a-zß-ÿ]{3,}\.[a-zß-ÿ]{4,}")
WHAT3WORDS = "what3words can only be read by asking its server; open it there and copy the coordinates"
_COARSE_KM = 5.0  # codes of larger areas state a radius


def from_code(text: str) -> Coordinates | None:
    """Read a plus code or an MGRS reference: the centre of its area, with a radius where the area is large.

    Raises:
        CoordinateError: a short plus code, a code that is none, or what3words.
        MissingDependency: an MGRS reference, and the package mgrs is not installed.
    """
    said = text.strip()
    if _WORDS.fullmatch(said):
        raise CoordinateError(f"{said}: {WHAT3WORDS}")
    if found := _PLUS.fullmatch(said):
        return _plus(said, (found[1] + (found[2] or "")).upper())
    if _SHORT_PLUS.fullmatch(said):
        raise CoordinateError(f"{said}: a short plus code is relative to a town; copy the full code, as 8FWR695F+7G")
    found = _MGRS.fullmatch(said)
    return None if found is None else _mgrs(said, found)


def _plus(said: str, digits: str) -> Coordinates:
    """Decode a full plus code (Open Location Code specification): pairs to base 20, then grids of 4 by 5."""
    code = digits.rstrip("0")
    if "0" in code or (len(code) % 2 and len(code) < 10) or not code or (len(digits) > 8 and len(code) < 9):
        raise CoordinateError(f"{said} is no plus code: zeros only fill up an area before the +")
    lat, lon, height, width = -90.0, -180.0, 400.0, 400.0
    for i in range(0, min(len(code), 10), 2):
        height, width = height / 20, width / 20
        lat += _ALPHABET.index(code[i]) * height
        lon += _ALPHABET.index(code[i + 1]) * width
    for digit in code[10:]:
        height, width = height / 5, width / 4
        row, column = divmod(_ALPHABET.index(digit), 4)
        lat, lon = lat + row * height, lon + column * width
    if lat >= 90 or lon >= 180:
        raise CoordinateError(f"{said} is no plus code: it lies beyond 90° north or 180° east")
    centre = LatLon(min(lat + height / 2, 90.0), lon + width / 2)
    return _sized(centre, LatLon(lat, lon))


def _mgrs(said: str, found: re.Match[str]) -> Coordinates:
    digits = found[3] + found[4]
    if len(digits) % 2 or (found[4] and len(found[3]) != len(found[4])):
        raise CoordinateError(f"{said}: an MGRS reference has as many digits for easting as for northing")
    half = len(digits) // 2
    zone = re.sub(r"\s", "", found[1]).upper()
    # The middle of the square: a digit 5 more, unless it is a square of a metre.
    east, north = (part + ("5" if half < 5 else "") for part in (digits[:half], digits[half:]))
    corner, middle = (
        _decoded(said, f"{zone}{found[2].upper()}{a}{b}") for a, b in ((digits[:half], digits[half:]), (east, north))
    )
    return _sized(middle, corner)


def _decoded(said: str, code: str) -> LatLon:
    with needs("coordinates", "mgrs"):
        import mgrs

    try:
        lat, lon = mgrs.MGRS().toLatLon(code)
    except Exception as error:  # of the package, or a builtin one
        raise CoordinateError(f"{said} is no MGRS reference: there is no such square") from error
    return LatLon(float(lat), float(lon))


def _sized(centre: LatLon, corner: LatLon) -> Coordinates:
    reach = centre.distance_km(corner)
    return checked(centre.lat, centre.lon, round(reach, 1) if reach > _COARSE_KM else None)
