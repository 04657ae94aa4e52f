"""Landmarks: "Palais du Louvre", "Golden Gate Bridge", King's Cross; each stands in one place.

Only whole names count. The name of a landmark is carried by hotels and restaurants everywhere, so a short name, or one
beside such a word, is weak evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from geoagent.evidence.cues.boxes import gap_x, height, width
from geoagent.evidence.cues.context import DECOR, LINKS, MADE_IN, TOWARDS
from geoagent.evidence.cues.reading import UNSPACED, Line, Reading, country_name, overlaps, taken
from geoagent.places.gazetteer.landmarks import Landmark
from geoagent.places.gazetteer.normalise import fold_with_offsets, normalise
from geoagent.places.gazetteer.tally import Tally
from geoagent.types import Cue, Place, Span

_STREETS = tuple("路街道巷")
_WORDS = 7  # maximum length of a name
_SHARE, _ADMIN1_SHARE = 0.8, 0.08
"""Shares of a landmark's weight: the place itself and its admin-1 unit; the rest goes to its country."""
_SAME_KM = 15.0  # a place of the gazetteer this near to a quarter is the quarter
_WEAKEST = 0.03
_INSIDE = 3  # characters from which a name counts inside a longer text without spaces
_STREET_WORD = 3  # letters from which a word beside a name is a street word rather than initials
_FAR = re.compile(r"\d\s?(?:km|KM|Km|км|公里|キロ|mi\b|miles)")


@dataclass(frozen=True, slots=True)
class _Found:
    """A name of a landmark: its normalised form, where it stands, and the words beside it."""

    key: str
    written: str
    spans: tuple[Span, ...]
    rest: tuple[str, ...]
    joined: bool
    lower: bool


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each landmark named on one line or on two lines of one sign, longer names first."""
    busy = taken(earlier, ("plate", "phone", "domain", "registration"))
    cues: list[Cue] = []
    seen: dict[tuple[str, str], int] = {}
    found = [*_on_two_lines(reading), *(hit for line in reading.lines for hit in _on_one_line(reading, line))]
    for hit in sorted(found, key=lambda hit: -len(hit.key)):
        if any(overlaps(busy, span.region, span.start, span.end) for span in hit.spans):
            continue
        cue = _cue(reading, hit)
        if cue is None:
            continue
        for span in hit.spans:
            busy.setdefault(span.region, []).append((span.start, span.end))
        first = cue.places[0][0]
        known = seen.setdefault((first.name, first.country), len(cues))
        if known == len(cues):
            cues.append(cue)
        elif cue.strength > cues[known].strength:
            cues[known] = cue  # a repeated name is not independent evidence
    return cues


def not_streets(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Return the landmark cues that name no street: the words of a famous street also show its language."""
    table = reading.facts.landmarks
    return [
        cue
        for cue in earlier
        if cue.kind == "landmark" and not any(one.kind == "street" for one in table[normalise(cue.value)])
    ]


def _on_one_line(reading: Reading, line: Line) -> Iterator[_Found]:
    table = reading.facts.landmarks
    for key, start, end in reading.phrases(line, _WORDS):
        if key in table:
            rest = tuple(w.key for w in line.words if w.end <= start or w.start >= end)
            yield _found(line.text[start:end], key, (line.span(start, end),), rest)
    if line.script in UNSPACED:
        folded = fold_with_offsets(line.text)
        for size in range(min(table.longest_unspaced, len(folded.key)), 1, -1):
            if size < _INSIDE and size < len(folded.key):
                break  # 西门 is a gate in many names and a quarter only by itself
            for i in range(len(folded.key) - size + 1):
                if (key := folded.key[i : i + size]) in table and not key.isascii():
                    start, end = folded.span(i, i + size)
                    if line.text[end : end + 1] in _STREETS and all(one.kind == "station" for one in table[key]):
                        continue  # 北京西 is a station, 北京西路 a street in many towns
                    left = (line.text[:start], line.text[end:])
                    rest = tuple(word for word in DECOR if not word.isascii() and any(word in part for part in left))
                    yield _found(line.text[start:end], key, (line.span(start, end),), rest)


def _on_two_lines(reading: Reading) -> Iterator[_Found]:
    """Yield the names that two whole neighbouring lines form: "FURNACE CREEK" over "INN"."""
    for above, below in _neighbours(reading.lines):
        words = (*above.words, *below.words)
        if not above.words or not below.words or len(words) > _WORDS:
            continue
        key = " ".join(word.key for word in words)
        if key in reading.facts.landmarks:
            spans = tuple(line.span(line.words[0].start, line.words[-1].end) for line in (above, below))
            written = " ".join(line.text[line.words[0].start : line.words[-1].end] for line in (above, below))
            yield _found(written, key, spans, (), joined=True)


def _neighbours(lines: tuple[Line, ...]) -> Iterator[tuple[Line, Line]]:
    """Yield pairs of lines of one sign, the upper one first; without positions, consecutive lines."""
    for i, one in enumerate(lines):
        for two in lines[i + 1 : i + 4]:
            if one.box is None or two.box is None:
                if two is lines[i + 1]:
                    yield one, two
                continue
            (a, above), (b, below) = sorted(((one.box, one), (two.box, two)), key=lambda pair: pair[0][1])
            tall = max(height(a), height(b))
            if -gap_x(a, b) >= 0.4 * min(width(a), width(b)) and -0.5 * tall <= b[1] - a[3] <= 1.2 * tall:
                yield above, below


def _found(written: str, key: str, spans: tuple[Span, ...], rest: tuple[str, ...], *, joined: bool = False) -> _Found:
    lower = all(word[0] != word[0].title() for word in written.split())
    return _Found(key, written, spans, rest, joined, lower)


def _cue(reading: Reading, hit: _Found) -> Cue | None:
    known = reading.facts.landmarks[hit.key]
    if all(_in_gazetteer(reading, hit.key, one) for one in known):
        return None
    total = sum(one.strength for one in known)
    strength = max(one.strength for one in known) * _factor(reading, hit)
    if strength < _WEAKEST:
        return None
    tally = Tally()
    for one in known:
        weight = one.strength / total
        near = reading.gazetteer.reverse(one.latlon)
        unit = near.admin1 if near is not None and near.country == one.country else ""
        place = Place(one.name, "city", one.country, one.latlon, unit, near.admin1_name if near and unit else "")
        tally.add(place, weight * _SHARE)
        tally.add(reading.gazetteer.admin1(unit) if unit else None, weight * _ADMIN1_SHARE)
        tally.add(reading.gazetteer.country(one.country), weight * (1 - _SHARE - (_ADMIN1_SHARE if unit else 0.0)))
    best = max(known, key=lambda one: one.strength)
    article = "an" if best.kind[:1] in "aeio" else "a"
    spelled = "" if normalise(best.name) == hit.key else f" ({best.name})"
    city = f"{best.city}, " if best.city else ""
    where = " or ".join(country_name(reading.facts, one.country) for one in known if one.name == best.name)
    others = sum(one.name != best.name for one in known)
    more = (
        ""
        if not others
        else ", or another of that name"
        if others == 1
        else f", or one of {others} others of that name"
    )
    return Cue(
        kind="landmark",
        value=hit.written,
        says=f"“{hit.written}”{spelled} is {article} {best.kind} in {city}{where}{more}.",
        spans=hit.spans,
        places=tally.ranked(),
        strength=min(1.0, strength),
    )


def _in_gazetteer(reading: Reading, key: str, one: Landmark) -> bool:
    """Whether the gazetteer has the quarter under this name; it also knows other places that are called so."""
    if one.kind != "quarter":
        return False
    return any(
        match.place.level == "city" and not match.edits and match.place.latlon.distance_km(one.latlon) <= _SAME_KM
        for match in reading.gazetteer.lookup(key, k=4)
    )


def _factor(reading: Reading, hit: _Found) -> float:
    """Return the factor on a name's strength for its form and the words beside it."""
    factor = 1.0
    words = hit.key.split()
    line = next(line for line in reading.lines if line.region == hit.spans[0].region)
    around = {part for key in hit.rest for part in key.split()}
    if len(words) == 1 and hit.key.isascii():
        factor *= 0.85 if not around else 0.7
    if hit.lower:
        factor *= 0.15
    if around & DECOR:
        factor *= 0.12
    elif any(len(word) >= _STREET_WORD and word in reading.facts.streets for word in around):
        factor *= 0.45  # "Rue du Louvre": streets elsewhere are named after landmarks, too
    elif around & TOWARDS or _FAR.search(line.digits):
        factor *= 0.6
    elif len(around - LINKS) > 4:
        factor *= 0.7  # a sentence about it
    made = MADE_IN.search(line.letters)
    if made is not None and made.end() <= hit.spans[0].start:
        factor *= 0.3
    return factor
