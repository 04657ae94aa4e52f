"""Coordinates in running text: decimal, degrees with minutes and seconds, with letters, labels or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from geoagent.errors import CoordinateError
from geoagent.places.coordinates._parts import Part, Token, paired, part_of, parts_of, tokens_of
from geoagent.places.coordinates._value import Coordinates, checked
from geoagent.places.coordinates._words import plain_signs

_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|nan|inf))"
_PLAIN = re.compile(rf"{_NUMBER}\s*,\s*{_NUMBER}(?:\s*,\s*{_NUMBER}\s*(?:km)?)?", re.IGNORECASE)
_UNITS_KM = {"km": 1.0, "kilometres": 1.0, "kilometers": 1.0, "mi": 1.609344, "miles": 1.609344} | dict.fromkeys(
    ("m", "metres", "meters", "metre", "meter"), 0.001
)
_RADIUS = re.compile(
    r"(?:\s*(?P<sep>[,;|])\s*(?P<plain>\d+(?:\.\d+)?)|(?:\s*(?P<word>±|\+/-|within|radius|accuracy|r\s*=|u\s*=)[\s:=]*|\s+)"
    rf"(?P<number>\d+(?:[.,]\d+)?))\s*(?P<unit>{'|'.join(sorted(_UNITS_KM, key=len, reverse=True))})\.?$",
    re.IGNORECASE,
)
"""A radius at the end. After a comma it has no decimal comma, or "16,5 mi" would be one number."""
_NMEA = re.compile(r"(\d{2})(\d{2}(?:\.\d+)?)\s*,?\s*([NS])\s*,?\s*(\d{3})(\d{2}(?:\.\d+)?)\s*,?\s*([EW])", re.I)
_COMPACT = re.compile(
    r"(?:([NS])\s*)?(\d{2})(\d{2})(\d{2}(?:\.\d+)?)\s*([NS])?[\s,/]*(?:([EW])\s*)?(\d{3})(\d{2})(\d{2}(?:\.\d+)?)\s*([EW])?",
    re.I,
)
_XMP_ONE = r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([%s])"
_XMP = re.compile(rf"{_XMP_ONE % 'NS'}[\s,;]+{_XMP_ONE % 'EW'}", re.I)
_DECIMAL_COMMA = re.compile(r"(?<![\d.])(\d+),(\d+)")
_LOOKS = re.compile(r"\d\s*°|\d\.\d{3,}\D+\d+\.\d{3,}")
_LONGEST = 300


def from_text(text: str) -> Coordinates | None:
    """Read coordinates that are no link, structure or code; None for what is none, as a name is.

    Raises:
        CoordinateError: see `read_coordinates`.
    """
    said = plain_signs(text) if len(text) <= _LONGEST else ""
    if sum(c.isdigit() for c in said) < 2 and not _PLAIN.fullmatch(said):
        return None
    said = re.sub(r"\bWGS[\s_-]?(?:19)?84\b|\bEPSG:4326\b", " ", said, flags=re.I).strip(" ,;")
    if len(said) > 2 and said[0] == said[-1] and said[0] in "\"'":
        said = said[1:-1].strip()
    said = re.sub(r"[\"']\s*([A-Za-z]+)\s*[\"']\s*:", r" \1 ", said)  # "lat": as in JSON
    said = re.sub(r"[()\[\]{}<>]", " ", said).strip(" ,;")
    if plain := _PLAIN.fullmatch(said):
        lat, lon, radius = (None if part is None else float(part) for part in plain.groups())
        assert lat is not None
        assert lon is not None
        return checked(lat, lon, radius)
    said, radius_km = _without_radius(said)
    if fixed := _of_fixed_width(said):
        return checked(*fixed, radius_km)
    found = _with_either_comma(said)
    if found is None:
        if _LOOKS.search(said):
            raise CoordinateError(f"{text.strip()!r}: write these coordinates alone, as 48.2082, 16.3738")
        return None
    if radius_km is not None:
        if found.radius_km is not None:
            raise CoordinateError(f"{text.strip()!r} states two radii")
        return Coordinates(found.position, radius_km, found.notes)
    return found


def _without_radius(said: str) -> tuple[str, float | None]:
    """The text before a radius with a unit, and that radius in km."""
    found = _RADIUS.search(said)
    if found is None or not re.search(r"\d", said[: found.start()]):
        return said, None
    unit, word, number = found["unit"].lower(), found["word"], found["number"] or found["plain"]
    if unit == "m" and word is None and found["sep"] is None:
        return said, None  # minutes
    if _UNITS_KM[unit] == 0.001 and word is None:
        told = f"{number} {found['unit']}"
        raise CoordinateError(f"{told} may be a radius or a height; write ± {told} for a radius, or leave it out")
    return said[: found.start()].rstrip(" ,;"), float(number.replace(",", ".")) * _UNITS_KM[unit]


def _of_fixed_width(said: str) -> tuple[float, float] | None:
    """Degrees, minutes and seconds told apart by their width alone (NMEA 0183, aviation), and those of XMP."""
    if found := _NMEA.fullmatch(said):
        parts = [(found[1], found[2], "0", found[3]), (found[4], found[5], "0", found[6])]
    elif (found := _COMPACT.fullmatch(said)) and all((found[i] is None) != (found[i + 4] is None) for i in (1, 6)):
        parts = [(found[i + 1], found[i + 2], found[i + 3], found[i] or found[i + 4]) for i in (1, 6)]
    elif (found := _XMP.fullmatch(said)) and all("." in found[i + 1] or found[i + 2] for i in (1, 5)):
        parts = [(found[i], found[i + 1], found[i + 2] or "0", found[i + 3]) for i in (1, 5)]
    else:
        return None
    lat, lon = (part_of([float(d), float(m), float(s)], letter.upper()).value for d, m, s, letter in parts)
    return lat, lon


def _with_either_comma(said: str) -> Coordinates | None:
    """Read a text whose commas separate numbers, or are decimal; refuse it if both make sense."""
    as_decimal = _DECIMAL_COMMA.sub(r"\1.\2", said)
    if as_decimal == said or re.search(r"\d\.\d", said):
        return _read(said)
    found: list[Coordinates] = []
    refused: list[CoordinateError] = []
    spaced = re.search(r"\d,\s", said) is not None  # then the commas without a space are another thing
    for reading, uniform in ((as_decimal, False), (said, True))[: 1 if spaced else 2]:
        try:
            one = _read(reading, uniform=uniform)
        except CoordinateError as error:
            refused.append(error)
            continue
        if one is not None:
            found.append(one)
    if len(found) == 2 and found[0].position != found[1].position:
        raise CoordinateError(
            f"{said!r} may mean {found[0].position} or {found[1].position}; write decimal points, and a comma between"
        )
    if found:
        return found[0]
    if refused:
        raise refused[0]
    return None


def _read(said: str, *, uniform: bool = False) -> Coordinates | None:
    """Read a text whose commas have one meaning.

    Args:
        said: the text, after `plain_signs`.
        uniform: accept it only if all separators are the same.
    """
    tokens = tokens_of(said)
    if tokens is None:
        return None
    segments, separators = _segments(tokens)
    bare = all(token.kind in ("number", "joint") for segment in segments for token in segment)
    if bare and any(token.kind == "joint" for segment in segments for token in segment):
        raise CoordinateError(f"{said!r}: a dash may be a minus or stand between the numbers; write LAT,LON")
    if uniform and len(separators) > 1:
        return None
    if bare:
        return _of_bare([[t for t in segment if t.kind == "number"] for segment in segments], said)
    parts: list[Part] = []
    radius: float | None = None
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if last and len(parts) == 2 and len(segment) == 1 and segment[0].kind == "number":
            radius = segment[0].value
            continue
        parts += parts_of(segment)
    if len(parts) == 1:
        if not any(token.kind == "mark" or "." in token.text for segment in segments for token in segment):
            return None  # a road, as E 18
        raise CoordinateError(f"{said!r} is one coordinate; latitude and longitude are needed")
    if len(parts) != 2:
        raise CoordinateError(f"{said!r} holds {len(parts)} coordinates, not one latitude and one longitude")
    lat, lon, notes = paired(parts[0], parts[1], [t.text for segment in segments for t in segment])
    return checked(lat, lon, radius, *notes)


def _segments(tokens: Sequence[Token]) -> tuple[list[list[Token]], set[str]]:
    """Tokens between separators, without empty ones, and the separators that stand there."""
    segments: list[list[Token]] = [[]]
    separators: set[str] = set()
    for token in tokens:
        if token.kind == "separator":
            if segments[-1]:
                segments.append([])
                separators.add(token.text)
        else:
            segments[-1].append(token)
    return [segment for segment in segments if segment], separators


@dataclass(frozen=True, slots=True)
class _Shape:
    """How numbers without signs are shared out: those of latitude, of longitude, and the radius."""

    lat: Sequence[Token]
    lon: Sequence[Token]
    radius: Token | None = None


def _of_bare(segments: Sequence[Sequence[Token]], said: str) -> Coordinates | None:
    """Numbers alone, in segments between separators.

    Raises:
        CoordinateError: more than one way to share them out.
    """
    counts = [len(segment) for segment in segments]
    flat = [number for segment in segments for number in segment]
    if len(flat) < 2:
        return None
    if counts == [2] and ":" in said:
        return None  # a time of day, or half of a position
    if counts in ([1, 1], [2]):
        shape = _Shape(flat[:1], flat[1:])
    elif counts == [1, 1, 1]:
        shape = _Shape(flat[:1], flat[1:2], flat[2])
    elif counts in ([2, 2], [3, 3], [2, 2, 1], [3, 3, 1]):
        shape = _Shape(segments[0], segments[1], flat[-1] if len(counts) == 3 else None)
    elif counts in ([4], [6]):
        shape = _Shape(flat[: len(flat) // 2], flat[len(flat) // 2 :])
    elif counts == [2, 1] and "." in flat[0].text:
        shape = _Shape(flat[:1], flat[1:2], flat[2])
    elif counts in ([1, 1, 1, 1], [1] * 6) and all(0 <= n.value < 60 and "." not in n.text for n in flat):
        shape = _Shape(flat[: len(flat) // 2], flat[len(flat) // 2 :])
    elif len(flat) == 3:
        raise CoordinateError(f"{said!r}: what is the third number? A radius is written LAT,LON,RADIUS_KM")
    else:
        raise CoordinateError(f"{said!r} is no pair of coordinates: it has {len(flat)} numbers without signs")
    lat, lon = parts_of(shape.lat)[0], parts_of(shape.lon)[0]
    radius = None if shape.radius is None else shape.radius.value
    return checked(lat.value, lon.value, radius)
