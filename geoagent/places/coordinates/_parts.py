"""The pieces of coordinates in a text: tokens, and one latitude or longitude."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from geoagent.errors import CoordinateError
from geoagent.places.coordinates._words import AXES, GERMAN, HEMISPHERES, JOINING, LABELS, MARKS, NOISE, ROMANCE

Kind = Literal["number", "mark", "letter", "label", "separator", "joint", "word"]

_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<mark>°|''|['\"])|(?P<separator>[,;/|\n&])|(?P<sign>[+-])"
    r"|(?P<colon>[:=])|(?P<word>[^\W\d_]+\.?)|(?P<space>[\s_]+)|(?P<other>.)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of text.

    Attributes:
        kind: number, mark (degrees, minutes, seconds), letter of a hemisphere, label of an axis, separator, joint
            between numbers ("48-12-30"), or another word that is known.
        text: as written.
        value: of a number, signed; of a mark its level, 0 to 2.
        negative: whether a minus sign stands before a number, also before 0.
    """

    kind: Kind
    text: str
    value: float = 0.0
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One latitude or longitude.

    Attributes:
        value: degrees, signed.
        axis: "lat", "lon", or None where nothing tells.
        open: whether the letter is O, whose side is not known yet.
        told: whether a letter or sign tells the hemisphere.
        marked: whether it has signs of minutes, so that a hemisphere is usually written too.
        notes: what was odd.
    """

    value: float
    axis: str | None = None
    open: bool = False
    told: bool = False
    marked: bool = False
    notes: tuple[str, ...] = ()


def tokens_of(said: str) -> list[Token] | None:
    """Tokens of a text; None if it has a word or a sign that does not occur in coordinates.

    Raises:
        CoordinateError: a dash that may be a minus or not.
    """
    found: list[Token] = []
    sign, spaced, after_space = "", False, True  # a sign that waits for its number
    for match in _TOKEN.finditer(said):
        kind, text = str(match.lastgroup), match[0]
        if kind == "space":
            spaced, after_space = bool(sign), True
            continue
        if sign and kind != "number":
            return None
        if kind == "sign":
            behind = bool(found) and found[-1].kind in ("number", "mark") and not after_space
            if behind and found[-1].kind == "number" and text == "-":
                found.append(Token("joint", text))
            elif behind:
                return None
            else:
                sign, spaced = text, False
        elif kind == "number":
            if sign == "-" and spaced and found and found[-1].kind in ("number", "mark"):
                raise CoordinateError(f"{said!r}: a dash may be a minus or stand between the numbers; write LAT,LON")
            found.append(Token("number", text, float(sign + text), sign == "-"))
            sign = ""
        elif kind == "colon":
            if not (found and found[-1].kind in ("number", "label", "word", "mark", "letter")):
                return None
        elif kind == "word":
            token = _word(text, found)
            if token is None:
                return None
            found.append(token)
        elif kind == "mark":
            found.append(Token("mark", text, MARKS[text]))
        elif kind == "separator":
            found.append(Token("separator", text))
        else:
            return None
        after_space = False
    return None if sign else found


_MINUTES = (Token("mark", "m", 1), Token("mark", "min", 1))


def _word(text: str, before: Sequence[Token]) -> Token | None:
    word = text.rstrip(".").casefold()
    previous = before[-1] if before else None
    after_number = previous is not None and previous.kind == "number"
    if text == "s" and after_number and len(before) > 1 and before[-2] in _MINUTES:
        return Token("mark", text, 2)
    if word in MARKS and after_number:
        return Token("mark", text, MARKS[word])
    if word == "o" or word in HEMISPHERES:
        return Token("letter", text, 0)
    if word in LABELS:
        return Token("label", text)
    if word in JOINING:
        return Token("separator", "and")
    return Token("word", text) if word in NOISE else None


def parts_of(tokens: Sequence[Token]) -> list[Part]:
    """Latitudes and longitudes in tokens without separators.

    Raises:
        CoordinateError: tokens that do not go together.
    """
    return [_part(group) for group in _groups(tokens)]


def _groups(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Tokens shared out over coordinates: by labels, else by letters, else by degree signs."""
    known = [t for t in tokens if t.kind != "word"]
    for kind in ("label", "letter"):
        places = [i for i, t in enumerate(known) if t.kind == kind]
        if not places:
            continue
        if places[0] == 0:
            cuts = places[1:]
        elif len(places) == 1 and kind == "letter" and any(t.kind == "number" for t in known[places[0] :]):
            letter = known[places[0]].text
            raise CoordinateError(
                f"{_said(tokens)!r}: {letter} may belong to the number before or after it; set a comma"
            )
        else:
            cuts = [place + 1 for place in places if place + 1 < len(known)]
        break
    else:
        starts = [i for i, (_, b) in enumerate(pairwise(known)) if b.kind == "mark" and b.value == 0]
        cuts = [i for i in starts if known[i].kind == "number" and i > 0]
    for a, b in zip([0, *cuts], [*cuts, len(known)], strict=True):
        if known[a:b]:
            yield known[a:b]


def _part(tokens: Sequence[Token]) -> Part:
    values: list[float | None] = [None, None, None]
    level, negative, marked = -1, False, False
    letters = [t.text for t in tokens if t.kind == "letter"]
    labels = {LABELS[t.text.rstrip(".").casefold()] for t in tokens if t.kind == "label"}
    numbers = [(i, t) for i, t in enumerate(tokens) if t.kind == "number"]
    for count, (i, number) in enumerate(numbers):
        mark = tokens[i + 1] if i + 1 < len(tokens) and tokens[i + 1].kind == "mark" else None
        at = level + 1 if mark is None else int(mark.value)
        if at <= level or at > 2 or (level < 0 and at > 0):
            raise CoordinateError(f"{_said(tokens)!r}: degrees, minutes and seconds do not stand in this order")
        if count and (number.negative or number.text[0] in "+-"):
            raise CoordinateError(f"{_said(tokens)!r}: only degrees take a sign")
        if count < len(numbers) - 1 and not float(number.value).is_integer():
            raise CoordinateError(f"{_said(tokens)!r}: only the last of degrees, minutes and seconds has a fraction")
        values[at], level = abs(number.value), at
        negative, marked = negative or number.negative, marked or (mark is not None and at > 0)
    if not numbers:
        raise CoordinateError(f"{_said(tokens)!r} has no number")
    if len(letters) > 1 or len(labels) > 1:
        raise CoordinateError(f"{_said(tokens)!r} has two letters or labels for one number")
    letter = letters[0].rstrip(".").casefold() if letters else ""
    found = part_of([value or 0.0 for value in values], HEMISPHERES.get(letter, letter.upper()), negative)
    axis = found.axis or next(iter(labels), None)
    if labels and axis not in labels:
        raise CoordinateError(f"{_said(tokens)!r}: {letters[0]} is no {'latitude' if 'lat' in labels else 'longitude'}")
    return Part(found.value, axis, found.open, found.told or negative, marked, found.notes)


def part_of(values: Sequence[float], letter: str = "", negative: bool = False) -> Part:
    """One coordinate from degrees, minutes and seconds.

    Args:
        values: degrees, minutes, seconds, not negative.
        letter: N, S, E, W, "O" for one of the last two, or "".
        negative: whether a minus sign stands before the degrees.

    Raises:
        CoordinateError: minutes or seconds beyond 60, or a minus sign against the letter.
    """
    degrees, minutes, seconds = values
    if minutes > 60 or seconds > 60:
        raise CoordinateError(f"{degrees:g}° {minutes:g}′ {seconds:g}″: minutes and seconds end at 60")
    value = degrees + minutes / 60 + seconds / 3600
    if letter == "O":
        if negative:
            raise CoordinateError(f"-{value:g} O: write E or W, or a minus sign, not both")
        return Part(value, "lon", open=True, told=True)
    if not letter:
        return Part(-value if negative else value)
    axis, sign = AXES[letter]
    if negative and sign > 0:
        raise CoordinateError(f"-{value:g} {letter}: the minus sign and the letter disagree")
    notes = (f"-{value:g} {letter} was read as {value:g} {letter}: the minus sign says the same",) if negative else ()
    return Part(sign * value, axis, told=True, notes=notes)


def paired(first: Part, second: Part, words: Sequence[str]) -> tuple[float, float, list[str]]:
    """Latitude, longitude and notes from two parts in either order.

    Args:
        first: as written first; the latitude where no letter or label says which is which.
        second: the other.
        words: everything that was written, for the language of an "O".

    Raises:
        CoordinateError: two latitudes or two longitudes, or an "O" that may be east or west.
    """
    if first.axis is not None and first.axis == second.axis:
        axis = "latitudes" if first.axis == "lat" else "longitudes"
        raise CoordinateError(f"these are two {axis}: {first.value:g} and {second.value:g}")
    lat, lon = (second, first) if first.axis == "lon" or second.axis == "lat" else (first, second)
    notes = [*lat.notes, *lon.notes]
    value = lon.value
    if lon.open:
        known = {word.rstrip(".").casefold() for word in words}
        german, romance = bool(known & GERMAN), bool(known & ROMANCE) or "L" in words
        if german == romance:
            raise CoordinateError(
                f"{value:g} O is east in German and west in French, Spanish and Italian; write E or W"
            )
        value = value if german else -value
        notes.append(f"O was read as {'east, as in German' if german else 'west, as in French and Spanish'}")
    if lat.marked and lon.marked and not (lat.told or lon.told):
        notes.append("no hemisphere is written: read as north and east")
    elif lat.told != lon.told and not lon.open and (lat.axis is None or lon.axis is None):
        silent, side = (lon, "east") if lat.told else (lat, "north")
        if silent.value > 0 and (lat.axis or lon.axis):
            notes.append(f"{silent.value:g} has no letter: read as {side}")
    return lat.value, value, notes


def _said(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)
