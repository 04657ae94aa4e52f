"""Time zones of places, by the IANA time zone database: the zone of the same country whose city is nearest.

The database names a city for every zone of a country and no borders, so near a border between two zones of one country
the other one may be taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np

from geoagent.places.geo import LatLon, haversine_km

_POSITION = re.compile(r"([+-])(\d{2,3})(\d{2})(\d{2})?([+-])(\d{2,3})(\d{2})(\d{2})?")
_HOUR_DEG = 15.0


def zone_at(place: LatLon, country: str) -> str:
    """Return the name of the zone at a place of a country (ISO 3166-1 alpha-2), "" where the country has none."""
    known = _zones().get(country, ())
    if not known:
        return ""
    away = haversine_km((place.lat, place.lon), np.array([at for _, at in known]))
    return known[int(np.argmin(away))][0]


def utc_offset_hours(place: LatLon, country: str, when: datetime) -> tuple[float, str]:
    """Return the hours that clocks at a place are ahead of UTC, summer time included, and the zone's name.

    Args:
        place: where.
        country: its ISO 3166-1 alpha-2 code; of a place in none, such as the sea, the offset follows its longitude.
        when: in UTC.
    """
    name = zone_at(place, country)
    if not name:
        return float(round(place.lon / _HOUR_DEG)), ""
    offset = when.astimezone(UTC).astimezone(ZoneInfo(name)).utcoffset()
    assert offset is not None
    return offset.total_seconds() / 3600.0, name


@cache
def _zones() -> Mapping[str, tuple[tuple[str, tuple[float, float]], ...]]:
    """By country, its zones with the position of their city: lat, lon in degrees.

    Zones that a country shares with another one, whose they are (Büsingen in Germany has the time of Zürich), are left
    out where it has one of its own.
    """
    own = {(row[0].split(",")[0], row[2]) for row in _rows("zone1970.tab")}
    found: dict[str, list[tuple[str, tuple[float, float]]]] = {}
    for code, position, name, *_ in _rows("zone.tab"):
        match = _POSITION.fullmatch(position)
        assert match is not None
        found.setdefault(code, []).append((name, (_degrees(match.groups()[:4]), _degrees(match.groups()[4:]))))
    return {
        code: tuple(zone for zone in zones if (code, zone[0]) in own) or tuple(zones) for code, zones in found.items()
    }


def _rows(name: str) -> list[list[str]]:
    text = resources.files("tzdata.zoneinfo").joinpath(name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def _degrees(parts: tuple[str, ...]) -> float:
    sign, whole, minutes, seconds = parts
    size = int(whole) + int(minutes) / 60.0 + int(seconds or 0) / 3600.0
    return -size if sign == "-" else size
