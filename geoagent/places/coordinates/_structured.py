"""Coordinates in formats with a grammar: ISO 6709, WKT and GeoJSON. The last two put longitude first."""

from __future__ import annotations

import json
import re
from typing import Any

from geoagent.errors import CoordinateError
from geoagent.places.coordinates._text import from_text
from geoagent.places.coordinates._value import Coordinates, checked

LON_FIRST = "read as longitude, then latitude, as {} is"
_ISO = re.compile(
    r"([+-])(\d{1,2}|\d{4}|\d{6})([.,]\d+)?([+-])(\d{1,3}|\d{5}|\d{7})([.,]\d+)?(?:[+-]\d+(?:\.\d+)?)?(?:CRS([\w:]+))?/?",
    re.I,
)
_WKT = re.compile(
    r"(?:SRID\s*=\s*(\d+)\s*;\s*)?(POINT|LINESTRING|POLYGON|MULTI\w+|GEOMETRYCOLLECTION)\s*(?:Z|M|ZM)?\s*(\(.*\)|EMPTY)",
    re.I | re.S,
)
_FLOAT = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_SAME_DATUM = frozenset({"wgs84", "wgs_84", "epsg:4326", "4326", "wgs", "crs84", "ogc:crs84"})


def from_structure(text: str) -> Coordinates | None:
    """Read ISO 6709, a WKT point, or a GeoJSON point or another JSON object with a latitude and a longitude.

    Raises:
        CoordinateError: such a format without a single point in degrees of WGS 84.
    """
    said = text.strip().replace("\u2212", "-")
    if found := _ISO.fullmatch(said):
        return _iso(said, found)
    if found := _WKT.fullmatch(said):
        return _wkt(said, found)
    return _json(said) if said.startswith("{") else None


def same_datum(name: str) -> bool:
    """Whether the name of a reference system means degrees of WGS 84."""
    return name.strip().casefold() in _SAME_DATUM


def _iso(said: str, found: re.Match[str]) -> Coordinates | None:
    lat_sign, lat, lat_rest, lon_sign, lon, lon_rest, crs = found.groups()
    widths = {1: 0, 2: 0, 4: 1, 6: 2}[len(lat)], {1: 0, 2: 0, 3: 0, 5: 1, 7: 2}[len(lon)]
    if widths[0] != widths[1]:
        raise CoordinateError(
            f"{said}: by ISO 6709 latitude and longitude have the same units; give both as ±DD.D±DDD.D"
        )
    if crs and not same_datum(crs):
        raise CoordinateError(f"{said}: the reference system {crs} is not supported; convert it to WGS 84")
    values = [
        _sexagesimal(digits, rest or "", widths[0]) * (-1 if sign == "-" else 1)
        for sign, digits, rest in ((lat_sign, lat, lat_rest), (lon_sign, lon, lon_rest))
    ]
    return checked(values[0], values[1])


def _sexagesimal(digits: str, fraction: str, level: int) -> float:
    """Degrees from DD, DDMM or DDMMSS, the last with a fraction."""
    parts: list[str] = []
    rest = digits
    for _ in range(level):
        rest, part = rest[:-2], rest[-2:]
        parts.insert(0, part)
    parts.insert(0, rest)
    values = [float(part) for part in parts]
    values[-1] += float("0" + fraction.replace(",", ".")) if fraction else 0.0
    if any(value >= 60 for value in values[1:]):
        raise CoordinateError(f"{digits}{fraction}: minutes and seconds end at 60")
    degrees, minutes, seconds = (*values, 0.0, 0.0)[:3]
    return degrees + minutes / 60 + seconds / 3600


def _wkt(said: str, found: re.Match[str]) -> Coordinates:
    numbers = re.fullmatch(rf"\(\s*({_FLOAT})\s+({_FLOAT})(?:\s+{_FLOAT}){{0,2}}\s*\)", found[3], re.I)
    if found[2].upper() != "POINT" or numbers is None:
        raise CoordinateError(f"{said[:60]}: expected one point, POINT(LON LAT)")
    if found[1] not in (None, "4326"):
        raise CoordinateError(f"{said[:60]}: SRID {found[1]} is not supported; convert it to WGS 84, SRID 4326")
    return checked(float(numbers[2]), float(numbers[1]), None, LON_FIRST.format("WKT"))


def _json(said: str) -> Coordinates | None:
    try:
        data: Any = json.loads(said)
    except (ValueError, RecursionError):
        return None
    shape = data.get("geometry") if data.get("type") == "Feature" else data
    if isinstance(shape, dict) and "coordinates" in shape:
        pair = shape["coordinates"]
        if shape.get("type") != "Point" or not _numbers(pair, 2, 3):
            raise CoordinateError("GeoJSON: expected one Point with coordinates [LON, LAT]")
        return checked(float(pair[1]), float(pair[0]), None, LON_FIRST.format("GeoJSON"))
    keys = {str(key).casefold(): value for key, value in data.items()}
    lat = [keys[key] for key in ("lat", "latitude", "gpslatitude") if key in keys]
    lon = [keys[key] for key in ("lon", "lng", "long", "longitude", "gpslongitude") if key in keys]
    if len(lat) == len(lon) == 1 and _numbers([*lat, *lon], 2, 2):
        return checked(float(lat[0]), float(lon[0]))
    if len(lat) == len(lon) == 1 and isinstance(lat[0], str) and isinstance(lon[0], str):
        return from_text(f"lat {lat[0]}, lon {lon[0]}")  # "36 deg 48' 14.54\" S", as ExifTool writes it
    raise CoordinateError("JSON without one latitude and one longitude, or a GeoJSON Point")


def _numbers(values: Any, least: int, most: int) -> bool:
    return (
        isinstance(values, list)
        and least <= len(values) <= most
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    )
