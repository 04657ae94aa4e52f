"""Times as files tell them: EXIF, GPS stamps, XMP, and names of files. Naive times are those of the camera's clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
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
_DATE = r"(?P<y>(?:19|20)\d\d)[-_.]?(?P<m>0[1-9]|1[0-2])[-_.]?(?P<d>0[1-9]|[12]\d|3[01])"
_TIME = r"(?P<H>[01]\d|2[0-3])[-_.:h]?(?P<M>[0-5]\d)[-_.:m]?(?P<S>[0-5]\d)(?P<f>\d{3})?"
_NAMES = (
    (re.compile(rf"(?<!\d)PXL_{_DATE}_{_TIME}", re.ASCII), True),
    (re.compile(rf"(?<!\d){_DATE}(?:[-_ T]|,? at |_?at_)+{_TIME}(?!\d)", re.ASCII), False),
    (re.compile(rf"(?<!\d){_DATE}{_TIME}(?!\d)", re.ASCII), False),
)
_DAY_NAMES = (
    re.compile(rf"(?:IMG|VID|WhatsApp|Photo)[-_ ]?(?:Image )?{_DATE}[-_ ]WA\d+", re.ASCII | re.IGNORECASE),
    re.compile(rf"(?:IMG|VID|DSC|Photo|Foto|Screenshot|WhatsApp Image)[-_ ]{_DATE}(?!\d)", re.ASCII | re.IGNORECASE),
)
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
    """

    clock: datetime | None
    utc: datetime | None
    source: TimeSource
    error_s: float

    @property
    def possible(self) -> bool:
        """Whether it lies between the first digital cameras and tomorrow."""
        when = self.utc.replace(tzinfo=None) if self.utc is not None else self.clock
        return when is not None and when.year >= _FIRST and when < datetime.now(UTC).replace(tzinfo=None) + _TOMORROW

    @property
    def never_set(self) -> bool:
        """Whether the clock shows the first minutes of a day on which the clocks of cameras start."""
        clock = self.clock
        return clock is not None and (clock.year, clock.month, clock.day) in _NEVER_SET and clock.hour == 0


_TOMORROW = timedelta(hours=26)


def of_exif(main: Mapping[int, Any], details: Mapping[int, Any]) -> Taken | None:
    """The time in the main and the Exif block of EXIF data."""
    for tag, fraction, offset in _EXIF_TIMES:
        value = details.get(tag, main.get(tag))
        found = re.match(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)", _text(value))
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


def of_xmp(packet: bytes) -> Taken | None:
    """The time in XMP data."""
    for name in _XMP_TIMES:
        found = re.search(rb":" + name.encode() + rb"""\s*(?:=\s*["']|>)\s*([\dT:.+\-Z ]{16,35})""", packet)
        if found is None:
            continue
        try:
            when = datetime.fromisoformat(found[1].decode().strip().replace("Z", "+00:00"))
        except ValueError:
            continue
        clock, utc = when.replace(tzinfo=None), when.astimezone(UTC) if when.tzinfo is not None else None
        taken = Taken(clock, utc, "xmp", EXIF_S)
        if taken.possible:
            return taken
    return None


def of_name(name: str) -> Taken | None:
    """The time in the name of a file, as phones, cameras and messengers write it."""
    for pattern, universal in _NAMES:
        found = pattern.search(name)
        if found is None:
            continue
        if not _real_day(found):
            continue
        year, month, day, hour, minute, second = (int(found[part]) for part in ("y", "m", "d", "H", "M", "S"))
        clock = datetime(year, month, day, hour, minute, second, int(found["f"] or 0) * 1000)
        taken = Taken(None if universal else clock, clock.replace(tzinfo=UTC) if universal else None, "name", NAME_S)
        if taken.possible:
            return taken
    for pattern in _DAY_NAMES:
        found = pattern.search(name)
        if found is not None and _real_day(found):
            noon = datetime(int(found["y"]), int(found["m"]), int(found["d"]), 12)
            taken = Taken(noon, None, "name", DAY_S)
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


def _real_day(found: re.Match[str]) -> bool:
    try:
        date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return False
    return True


def _with_offset(clock: datetime, offset: str) -> datetime | None:
    """UTC of a clock with an offset like "+02:00"; None where it is no offset."""
    found = re.fullmatch(r"\s*(?:(Z)|([+-])(\d\d):?([0-5]\d))\s*\0*", offset)
    if not found or (found[3] is not None and int(found[3]) > 14):
        return None
    size = timedelta(0) if found[1] else timedelta(hours=int(found[3]), minutes=int(found[4]))
    return clock.replace(tzinfo=timezone(-size if found[2] == "-" else size)).astimezone(UTC)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""
