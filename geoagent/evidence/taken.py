"""Times as files tell them: EXIF, GPS stamps and XMP. Naive times are those of the camera's clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from geoagent.types.capture import TimeSource

_EXIF_TIMES = ((0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012), (0x0132, 0x9290, 0x9010))
"""DateTimeOriginal, DateTimeDigitized and DateTime, each with its SubSecTime and OffsetTime (Exif 3.0, 4.6.5)."""
_GPS_TIME, _GPS_DATE = 7, 29
_XMP_TIMES = ("DateTimeOriginal", "DateCreated", "CreateDate", "DateTimeDigitized")
_FIRST = 1995
"""Digital cameras before are museum pieces; 1970, 1980 and the like are clocks that were never set."""
_NEVER_SET = frozenset((year, 1, 1) for year in (2000, 2001, 2005, 2008, 2010, 2012, 2015, 2018, 2020))
"""Days on which the clocks of cameras start; midnight of these is doubted."""
DISAGREE = _TOMORROW = timedelta(hours=26)
"""Clocks of two zones are at most this far apart."""
_WEEKS = timedelta(weeks=1024)
EXIF_S, GPS_S, NAME_S, DAY_S = 0.5, 10.0, 2.0, 12 * 3600.0
"""Standard deviations of the sources, seconds: a GPS stamp is that of the last fix."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One statement about when a photo was taken.

    Attributes:
        clock: the camera's clock; None where only UTC is told.
        utc: in UTC, where that is told.
        source: what tells it.
        error_s: standard deviation, seconds.
        doubt: why it may be wrong, in words.
    """

    clock: datetime | None
    utc: datetime | None
    source: TimeSource
    error_s: float
    doubt: str = ""

    @property
    def when(self) -> datetime:
        """UTC, or the clock as if it showed UTC."""
        if self.utc is not None:
            return self.utc
        assert self.clock is not None
        return self.clock.replace(tzinfo=UTC)

    @property
    def possible(self) -> bool:
        """Whether it lies between the first digital cameras and tomorrow."""
        return self.when.year >= _FIRST and self.when < datetime.now(UTC) + _TOMORROW

    @property
    def never_set(self) -> bool:
        """Whether the clock shows the first minutes of a day on which the clocks of cameras start."""
        clock = self.clock
        return clock is not None and (clock.year, clock.month, clock.day) in _NEVER_SET and clock.hour == 0


def of_exif(main: Mapping[int, Any], details: Mapping[int, Any]) -> Taken | None:
    """The time in the main and the Exif block of EXIF data."""
    for tag, fraction, offset in _EXIF_TIMES:
        value = details.get(tag, main.get(tag))
        found = re.match(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d):(\d\d)", _text(value))
        if not found:
            continue
        try:
            clock = datetime(*map(int, found.groups()))  # type: ignore[arg-type]
        except ValueError:
            continue
        part = re.match(r"\d{1,6}", _text(details.get(fraction)))
        if part:
            clock = clock.replace(microsecond=int(part[0].ljust(6, "0")))
        taken = Taken(clock, _with_offset(clock, _text(details.get(offset))), "exif", EXIF_S)
        if taken.possible:
            return taken
    return None


def of_gps(block: Mapping[int, Any]) -> datetime | None:
    """The GPS stamp, in UTC: when the position was measured."""
    day = re.match(r"(\d{4})\D(\d{1,2})\D(\d{1,2})", _text(block.get(_GPS_DATE)))
    parts = block.get(_GPS_TIME)
    if not day or not isinstance(parts, tuple | list) or len(parts) != 3:
        return None
    try:
        hours, minutes, seconds = (float(part) for part in parts)
        if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60):
            return None
        start = datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=UTC)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    found = start + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return found if Taken(None, found, "gps", GPS_S).possible else None


def unrolled(fix: datetime, near: datetime) -> datetime:
    """A GPS stamp with the weeks added that its receiver lost: it counts to 1,024 and begins again.

    Args:
        fix: the stamp.
        near: what another clock shows; the stamp is left alone unless it then comes to within 26 hours of that.
    """
    lost = round((near - fix) / _WEEKS) * _WEEKS
    return fix + lost if lost and abs(fix + lost - near) <= DISAGREE else fix


def of_xmp(packet: bytes) -> Taken | None:
    """The time in XMP data."""
    for name in _XMP_TIMES:
        found = re.search(rb":" + name.encode() + rb"""\s*(?:=\s*["']|>)\s*([\dT:.+\-Z ]{10,35})""", packet)
        if found is None:
            continue
        try:
            text = found[1].decode().strip()
            when = datetime.fromisoformat(text.replace("Z", "+00:00"))
            utc = when.astimezone(UTC) if when.tzinfo is not None else None
        except (ValueError, OverflowError):
            continue
        clock = when.replace(tzinfo=None)
        if len(text) == 10:  # a day alone, as catalogues have it
            taken = Taken(clock.replace(hour=12), None, "xmp", DAY_S)
        else:
            taken = Taken(clock, utc, "xmp", EXIF_S)
        if taken.possible:
            return taken
    return None


def of_timestamp(seconds: Any) -> Taken | None:
    """A time in seconds since 1970, as sidecars hold it."""
    try:
        utc = datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    taken = Taken(None, utc, "sidecar", NAME_S)
    return taken if taken.possible else None


def _with_offset(clock: datetime, offset: str) -> datetime | None:
    """UTC of a clock with an offset like "+02:00"; None where it is no offset."""
    found = re.fullmatch(r"\s*(?:(Z)|([+-])(\d\d):?([0-5]\d))\s*\0*", offset)
    if not found or (found[3] is not None and int(found[3]) > 14):
        return None
    size = timedelta(0) if found[1] else timedelta(hours=int(found[3]), minutes=int(found[4]))
    try:
        return clock.replace(tzinfo=timezone(-size if found[2] == "-" else size)).astimezone(UTC)
    except OverflowError:  # within hours of the years 1 and 9999
        return None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""
