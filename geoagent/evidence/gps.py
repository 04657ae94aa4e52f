"""The GPS block of EXIF data: a position, a part of one, or none, and reasons to doubt it. Never evidence.

Tags are those of CIPA DC-008 (Exif 3.0), section 4.6.6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from geoagent.places.geo import LatLon

_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_STATUS, _DOP, _DATE, _ERROR_M = 9, 11, 29, 31
_FIRST_YEAR = 1990
"""GPS was not usable by cameras before; 1980 is what receivers tell that have no date yet."""
_WORST_DOP, _WORST_ERROR_M = 20.0, 1000.0
_NULL_DEGREES = 1e-4


@dataclass(frozen=True, slots=True)
class Gps:
    """What a GPS block says about the place.

    Attributes:
        position: the position, where it is whole and possible, and not 0, 0.
        lacks: what is wrong with a position that is not whole ("a position without hemisphere"); "" for others.
        shown: its numbers, as far as they go ("50.9351, 6.9531").
        doubts: why the position may be wrong, in words.
    """

    position: LatLon | None = None
    lacks: str = ""
    shown: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def partial(self) -> str:
        """The incomplete position in words; "" where it is whole or there is none."""
        return f"{self.lacks}: {self.shown}" if self.lacks and self.shown else self.lacks


@dataclass(frozen=True, slots=True)
class _Half:
    """A latitude or longitude as far as it goes.

    Attributes:
        value: signed degrees; None unless whole.
        shown: in words.
        lacks: "", "value", "hemisphere", "seconds" or "sense".
    """

    value: float | None
    shown: str
    lacks: str


def read_gps(block: Mapping[int, Any], today: date | None = None) -> Gps:
    """Read a GPS block; an altitude, a time or letters of hemispheres alone are no part of a position.

    Args:
        block: values by tag, as Pillow gives them.
        today: the day that other days are in the future of.
    """
    lat, lon = (
        _half(block.get(_LAT), block.get(_LAT_REF), "NS", 90),
        _half(block.get(_LON), block.get(_LON_REF), "EW", 180),
    )
    if lat.lacks == lon.lacks == "value":
        return Gps()
    shown = ", ".join(half.shown for half in (lat, lon) if half.shown)
    if lacks := _lacks(lat, lon):
        return Gps(lacks=lacks, shown=shown)
    if _text(block.get(_STATUS)).upper() == "V":
        return Gps(lacks="a position that the receiver marked as void (status V)", shown=shown)
    assert lat.value is not None
    assert lon.value is not None
    doubts = _doubts(block, today or date.today())
    if max(abs(lat.value), abs(lon.value)) < _NULL_DEGREES:
        return Gps(doubts=("it is 0, 0, which devices write that have no position", *doubts))
    return Gps(LatLon(lat.value, lon.value), doubts=doubts)


def _lacks(lat: _Half, lon: _Half) -> str:
    kinds = {lat.lacks, lon.lacks}
    if "value" in kinds:
        return "a latitude without longitude" if lon.lacks == "value" else "a longitude without latitude"
    if "sense" in kinds:
        return "an impossible position"
    if "hemisphere" in kinds:
        return "a position without hemisphere"
    return "a position without seconds" if "seconds" in kinds else ""


def _half(parts: Any, ref: Any, signs: str, most: float) -> _Half:
    """One coordinate from degrees, minutes, seconds and the letter of a hemisphere."""
    letter = _text(ref).upper()[:1]
    letter = letter if letter and letter in signs else ""
    if parts is None or isinstance(parts, str | bytes):
        parts = ()
    try:
        values = [float(part) for part in (parts if isinstance(parts, Iterable) else (parts,))]
    except (TypeError, ValueError):
        values = [math.nan]
    if not values or math.isnan(values[0]):
        return _Half(None, "", "value")
    after = f" {letter}" if letter else ""
    known = [value for value in values[:3] if not math.isnan(value)]
    minutes, seconds = (*known[1:], 0.0, 0.0)[:2]
    degrees = known[0] + minutes / 60 + seconds / 3600
    if not (0 <= minutes < 60 and 0 <= seconds <= 60 and 0 <= degrees <= most):
        as_written = " ".join(f"{value:g}{mark}" for value, mark in zip(known, "°′″", strict=False))
        return _Half(None, as_written + after, "sense")
    if len(values) < 3 or len(known) < 3:
        as_written = " ".join(f"{value:.7g}{mark}" for value, mark in zip(known, "°′", strict=False))
        return _Half(None, as_written + after, "seconds" if letter else "hemisphere")
    if not letter:
        return _Half(None, f"{degrees:.4f}", "hemisphere")
    return _Half(-degrees if letter == signs[1] else degrees, f"{degrees:.4f}{after}", "")


def _doubts(block: Mapping[int, Any], today: date) -> tuple[str, ...]:
    found = []
    stamp = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)", _text(block.get(_DATE)))
    if stamp:
        said = "-".join(stamp.groups())
        year, month, day = map(int, stamp.groups())
        if (year, month, day) > _tuple(today + timedelta(days=1)):
            found.append(f"its date, {said}, lies in the future")
        elif year < _FIRST_YEAR:
            found.append(f"its date, {said}, is that of a receiver without a date")
    dop, error_m = _number(block.get(_DOP)), _number(block.get(_ERROR_M))
    if dop is not None and dop > _WORST_DOP:
        found.append(f"its dilution of precision is {dop:g}, and above {_WORST_DOP:g} a position is worthless")
    if error_m is not None and error_m > _WORST_ERROR_M:
        found.append(f"its stated error is {error_m / 1000:.3g} km")
    return tuple(found)


def _tuple(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    said = value.decode("ascii", "replace") if isinstance(value, bytes) else "" if value is None else str(value)
    return said.strip("\0 ")
