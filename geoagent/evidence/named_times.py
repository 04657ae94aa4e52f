"""Times in names of files, as phones, cameras, messengers and programs for screenshots write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from geoagent.evidence.taken import DAY_S, NAME_S, Taken

_DATE = r"(?P<y>(?:19|20)\d\d)[-_.]?(?P<m>0[1-9]|1[0-2])[-_.]?(?P<d>0[1-9]|[12]\d|3[01])"
_TIME = r"(?P<H>[01]\d|2[0-3])[-_.:h ]?(?P<M>[0-5]\d)[-_.:m ]?(?P<S>[0-5]\d)(?P<f>\d{3})?"
_BETWEEN = r"(?:[-_ T,]|(?<=[ _,])(?:at|um|à|a las|às|alle(?: ore)?|om|kl\.?|klo|o|в|,)(?=[ _]))+"
_HALVES = {"am": 0, "上午": 0, "오전": 0, "午前": 0, "pm": 12, "下午": 12, "오후": 12, "午後": 12}
_HALF = r"(?:(?P<before>上午|下午|오전|오후|午前|午後)[\s_]?)?"
_CLOCK_OF_12 = r"(?P<H>0?[1-9]|1[0-2])[-_.:](?P<M>[0-5]\d)[-_.:](?P<S>[0-5]\d)"
_DAY_FIRST = r"(?P<a>0[1-9]|[12]\d|3[01])(?P<sep>[-_.])(?P<b>0[1-9]|[12]\d|3[01])(?P=sep)(?P<y>(?:19|20)\d\d)"
_PHOTO = r"(?:IMG|VID|DSCN?|WP|PANO|Photo|Foto|Bild|Image|Picture|Screenshot|Bildschirmfoto)"

_UNIVERSAL = re.compile(rf"(?<!\d)PXL_{_DATE}_{_TIME}", re.ASCII)
_WITH_HALF = (
    re.compile(rf"(?<!\d){_DATE}{_BETWEEN}{_CLOCK_OF_12}[\s_]*(?P<after>[ap])\.?m\b", re.IGNORECASE),
    re.compile(rf"(?<!\d){_DATE}{_BETWEEN}{_HALF}{_CLOCK_OF_12}(?!\d)"),
)
_FULL = (
    re.compile(rf"(?<!\d){_DATE}{_BETWEEN}{_TIME}(?!\d)"),
    re.compile(rf"(?<!\d){_DATE}{_TIME}(?!\d)", re.ASCII),
)
_DAYS = (
    re.compile(rf"{_PHOTO}[-_ ]?(?:Image )?{_DATE}[-_ ]WA\d+", re.ASCII | re.IGNORECASE),
    re.compile(rf"(?:{_PHOTO}[-_ ]?|WhatsApp \w+ |^){_DATE}(?!\d)(?=[-_ .(]|$)", re.IGNORECASE),
)
_TURNED = re.compile(rf"(?:{_PHOTO}[-_ ]|@|^){_DAY_FIRST}(?!\d)(?:{_BETWEEN}{_TIME}(?!\d))?", re.IGNORECASE)
_MESSENGER = re.compile(r"[-_ ]WA\d{4}|^WhatsApp |^signal-|^photo_\d+@|^telegram", re.IGNORECASE)
_SENT = "the file is named after when a messenger sent or saved it, which may be later than when it was taken"


def of_name(name: str) -> Taken | None:
    """The time in the name of a file.

    The day stands first in "04-07-2023" as most of the world writes it. With strokes it may as well be that of the
    United States, so where both are days the error is their distance.
    """
    for taken in _readings(name.rpartition(".")[0] or name):
        if taken.possible:
            return taken
    return None


def _readings(stem: str) -> list[Taken]:
    """What a name may say, the surest first."""
    doubt = _SENT if _MESSENGER.search(stem) else ""
    found = []
    if (match := _UNIVERSAL.search(stem)) and (clock := _clock(match)):
        found.append(Taken(None, clock.replace(tzinfo=UTC), "name", NAME_S))
    for pattern in (*_WITH_HALF, *_FULL):
        if (match := pattern.search(stem)) and (clock := _clock(match)):
            found.append(Taken(clock, None, "name", NAME_S, doubt))
    for pattern in _DAYS:
        if (match := pattern.search(stem)) and (day := _day(match["y"], match["m"], match["d"])):
            found.append(Taken(_noon(day), None, "name", DAY_S, doubt))
    if match := _TURNED.search(stem):
        found += _turned(match, doubt)
    return found


def _clock(match: re.Match[str]) -> datetime | None:
    parts = match.groupdict()
    day, hour = _day(match["y"], match["m"], match["d"]), int(match["H"])
    half = (parts.get("after") or "").lower()
    half = f"{half}m" if half else parts.get("before") or ""
    if half:
        hour = hour % 12 + _HALVES[half]
    return None if day is None else _at(day, hour, match)


def _at(day: date, hour: int, match: re.Match[str]) -> datetime:
    thousandths = int(match.groupdict().get("f") or 0)
    return datetime(day.year, day.month, day.day, hour, int(match["M"]), int(match["S"]), thousandths * 1000)


def _turned(match: re.Match[str], doubt: str) -> list[Taken]:
    """Of a date with its year last."""
    first, second = _day(match["y"], match["b"], match["a"]), _day(match["y"], match["a"], match["b"])
    day = first or second
    if day is None:
        return []
    timed = match["H"] is not None
    clock, error = (_at(day, int(match["H"]), match), NAME_S) if timed else (_noon(day), DAY_S)
    if first and second and first != second and match["sep"] != "." and "@" not in match[0]:
        error = max(error, abs((first - second).total_seconds()))
        doubt = f"the date in its name is either {first} or {second}"
    return [Taken(clock, None, "name", error, doubt)]


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)
