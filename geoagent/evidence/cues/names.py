"""Place names. The most misleading kind of cue: "Pizzeria Napoli" is rarely in Naples."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from geoagent.evidence.cues.address import restricted
from geoagent.evidence.cues.context import MADE_IN
from geoagent.evidence.cues.direction import turned
from geoagent.evidence.cues.name_lines import (
    edited_factor,
    length_factor,
    line_factor,
    little_known,
    numbered,
    street_of,
    written_small,
)
from geoagent.evidence.cues.name_sense import place_sense
from geoagent.evidence.cues.reading import UNSPACED, Line, Reading, country_name, overlaps, taken
from geoagent.places.gazetteer import Match, Mention
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.tally import Tally
from geoagent.types import Cue

_CITY_SHARE, _ADMIN1_SHARE = 0.72, 0.1
"""Shares of a city's weight: the city itself and its admin-1 unit; the rest goes to its country.

A sign that names a city is often elsewhere in the same country: road signs, head offices, street names.
"""
_ALONE = 0.25
"""Minimum strength of a name if the language is the only other cue."""
_ALSO_WORD = 0.25
_LEADING = 4  # top matches of a name that are considered as the larger place of the name that follows
_DEEP = 60  # matches among which a town in a named region is searched
_SUPPORTED = 40.0
"""Likelihood ratio for a place whose region or country is written next to its name."""
_MEANT = 0.3  # least weight of a place that a name usually means
_KEPT = 12  # matches of one name that are kept
_EXACT = {"primary": 1.0, "alternate": 0.85, "code": 0.55, "stem": 0.7, "translit": 0.6, "fuzzy": 0.55}
_FAR_PLACES, _LISTED, _OF_A_LIST = 3, 0.2, 0.2
"""Countries of named cities from which they are a list of far places; least strength of a name that counts as one; the
factor on their strength then, which falls with the number of countries."""
_BY_ANOTHER_NAME = 0.6
_STATED, _STATED_SHARE = 0.95, 0.88
"""Least strength of a town whose state is written after it, and the town's own share of the weight."""
_STREET_AT_HOME, _STREET = 0.12, 0.012
"""Factor on a name in that of a street, if the street is of a country of the place, and most strength if not: streets
are named after towns elsewhere in the country, and after people."""
_TOWN_OF_STREET = 0.03
"""Share of such a name's weight that stays with the town, the rest being its country's."""
_KNOWN_TOWN, _EXONYM, _EXONYM_OF_CITY = 20_000, 0.1, 0.3
_OPENING = re.compile(r"[.:,]?\s*\d{1,2}(?:[.:h]\d\d)?\s?[-–—]\s?\d{1,2}")


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each mention of a place, weighted by how much the line is about the place."""
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "company", "road", "landmark"))
    streets = [cue for cue in earlier if cue.kind == "street"]
    brands = taken([cue for cue in earlier if cue.kind == "brand" and cue.strength >= 0.5])
    institutions = taken(earlier, ("institution",))
    words = _words(reading, earlier)
    found: list[tuple[Line, Mention]] = []
    for line in reading.lines:
        everywhere = _everywhere(reading, line)
        for mention in reading.gazetteer.scan(line.letters, fuzzy=True):
            if overlaps(busy, line.region, mention.start, mention.end):
                continue
            if any(a <= mention.start and mention.end <= b for a, b in everywhere):
                continue
            found.append((line, mention))
    states = restricted(reading, found)
    cues: list[Cue] = []
    for line, named in found:
        meant = states.get(normalise(named.text))
        part: Mention | None = named if meant is None else replace(named, matches=meant)
        whole = next((m for other, m in found if other is line and m.end == named.start), None)
        if whole is not None and line.script in UNSPACED and meant is None:
            part = _part_of(whole, named)
        if part is None:
            continue
        others = [m for other, m in found if m is not named and (other is line or abs(other.region - line.region) <= 3)]
        cue = _cue(reading, line, part, others, streets, brands, institutions, words, stated=meant is not None)
        if cue is not None:
            cues.append(cue)
    merged = _merged(_less_of_a_list(cues))
    latin = all(line.script in ("Latn", "Zyyy") or not line.script_is_evidence for line in reading.lines)
    if latin and not earlier and all(cue.strength < _ALONE for cue in merged):
        return []  # "HOTEL PARIS": an unreliable name and no other evidence
    return turned(reading, merged)


def _part_of(whole: Mention, part: Mention) -> Mention | None:
    """Restrict a name that directly follows a larger place, as in East Asian addresses.

    The 東山区 after 京都市 is Kyoto's, not the one in China.

    Returns:
        The mention with only the places in the larger place's countries, or None if there are none (a district that is
        missing from the gazetteer).
    """
    countries = {match.place.country for match in whole.matches[:_LEADING]}
    inside = tuple(match for match in part.matches if match.place.country in countries)
    return replace(part, matches=inside) if inside else None


def _words(reading: Reading, earlier: tuple[Cue, ...]) -> dict[int, list[tuple[int, int]]]:
    """Return the ranges of words with a meaning on signs: regional words, road sign words and general sign words."""
    out = taken([cue for cue in earlier if cue.kind in ("regional", "signword") and not cue.inside])
    for line in reading.lines:
        for word in line.words:
            if word.key in reading.facts.signwords or word.key in reading.facts.international:
                out.setdefault(line.region, []).append((word.start, word.end))
    return out


def _only_words(line: Line, mention: Mention, ranges: list[tuple[int, int]]) -> bool:
    """Whether every word of a name has another meaning on signs: "Metro" has, "New York" has not."""
    inside = [w for w in line.words if w.start < mention.end and mention.start < w.end]
    if not inside:  # script without spaces: the name is part of a word
        return any(a < mention.end and mention.start < b for a, b in ranges)
    return all(any(a < w.end and w.start < b for a, b in ranges) for w in inside)


def _everywhere(reading: Reading, line: Line) -> list[tuple[int, int]]:
    """Return the ranges of a line that occur on signs everywhere, and of what follows "made in"."""
    found = [(a, b) for key, a, b in reading.phrases(line) if " " in key and key in reading.facts.international]
    made = MADE_IN.search(line.letters)
    return [*found, (made.end(), len(line.text))] if made else found


def _less_of_a_list(cues: list[Cue]) -> list[Cue]:
    """Weaken names that are a list of places: a departure board and a travel agency name cities of many countries."""
    countries = {
        cue.places[0][0].country for cue in cues if cue.places[0][0].level == "city" and cue.strength >= _LISTED
    }
    if len(countries) < _FAR_PLACES:
        return cues
    factor = _OF_A_LIST * _FAR_PLACES / len(countries)
    return [replace(cue, strength=cue.strength * factor) for cue in cues]


def _merged(cues: list[Cue]) -> list[Cue]:
    """Merge mentions of one place on several lines: a repeated name is not independent evidence."""
    by_name: dict[tuple[str, str], list[Cue]] = {}
    for cue in cues:
        first = cue.places[0][0]
        by_name.setdefault((first.name, first.country), []).append(cue)
    merged = []
    for same in by_name.values():
        best = max(same, key=lambda cue: cue.strength)
        merged.append(replace(best, spans=tuple(span for cue in same for span in cue.spans)))
    return merged


def _cue(
    reading: Reading,
    line: Line,
    mention: Mention,
    others: list[Mention],
    streets: list[Cue],
    brands: dict[int, list[tuple[int, int]]],
    institutions: dict[int, list[tuple[int, int]]],
    words: dict[int, list[tuple[int, int]]],
    *,
    stated: bool,
) -> Cue | None:
    matches = mention.matches[:_KEPT] if stated else _with_small(reading, mention, others)
    code_like = all(m.exactness == "code" for m in matches)
    if code_like and not _beside(mention, others, matches):
        return None
    several = sum(match.place.level == "country" for match in matches) > 1
    weights = _weights(matches, others, reading.prior if several else {})
    best = matches[max(range(len(matches)), key=lambda i: weights[i])]
    strength = _EXACT.get(best.exactness, 0.5) * (_BY_ANOTHER_NAME if little_known(best) else 1.0)
    strength *= length_factor(mention, line) * line_factor(line, mention, reading)
    supported = stated or _supported(best, others)
    strength *= place_sense(reading, line, mention, _best_known(best, matches, weights), supported=supported)
    if not mention.capitalised and not written_small(line, mention, reading):
        # An ordinary word of some language, all the more where the line begins with a capital: "Murakaza neza".
        strength *= 0.03 if line.text[:1].isupper() and mention.start else 0.12
    street = street_of(line, mention, streets)
    in_street = street is not None or numbered(line, mention, best)
    at_home = street is not None and street.countries.get(best.place.country, 0.0) > 0.0
    if overlaps(institutions, line.region, mention.start, mention.end):
        strength = min(1.0, strength * 1.3)
    elif overlaps(brands, line.region, mention.start, mention.end):
        strength *= 0.35
    elif in_street:
        strength = strength * _STREET_AT_HOME if at_home else min(strength, _STREET)
    if _only_words(line, mention, words.get(line.region, [])):
        strength *= _ALSO_WORD  # "Estanco", "Hapur": the word's meaning is likelier than the place of that name
    if best.edits:
        strength *= edited_factor(mention, best, reading)
    if any(c.isdigit() for c in line.text[mention.start : mention.end]) and not best.edits:
        strength *= 0.15  # "3e arrondissement" exists in more than one city
    if _OPENING.match(line.text, mention.end) and len(mention.text) <= 7:
        return None  # "Ma-La 7-22": weekdays, not a place
    if supported and not in_street:
        strength = max(1.0 - (1.0 - strength) * 0.5, _STATED if stated else 0.0)
    if strength < (0.001 if in_street else 0.02):
        return None
    tally = Tally()
    add = tally.add
    for match, weight in zip(matches, weights, strict=True):
        place = match.place
        if in_street and place.level != "country":
            add(place, weight * _TOWN_OF_STREET)
            add(reading.gazetteer.country(place.country), weight * (1 - _TOWN_OF_STREET))
        elif place.level == "city":
            own, unit = (_STATED_SHARE if stated else _CITY_SHARE), _ADMIN1_SHARE / (2 if stated else 1)
            add(place, weight * own)
            add(reading.gazetteer.admin1(place.admin1) if place.admin1 else None, weight * unit)
            add(reading.gazetteer.country(place.country), weight * (1 - own - unit))
        elif place.level == "admin1":
            add(place, weight * 0.85)
            add(reading.gazetteer.country(place.country), weight * 0.15)
        else:
            add(place, weight)
    kind = {"city": "the city", "admin1": "the region", "country": "the country"}[best.place.level]
    kind = f"a street, after {kind}" if in_street else "a place in" if stated and best.place.level != "city" else kind
    spelled = "" if normalise(mention.text) == normalise(best.place.name) else f" ({best.place.name})"
    rest = len(matches) - 1
    more = f", or {'one of ' * (rest > 1)}{rest} other place{'s' * (rest > 1)} of that name" if rest else ""
    return Cue(
        kind="name",
        value=mention.text,
        says=f"“{mention.text}” names {kind}{spelled} in "
        f"{best.place.admin1_name + ', ' if best.place.admin1_name and best.place.level == 'city' else ''}"
        f"{country_name(reading.facts, best.place.country)}{more}.",
        spans=(line.span(mention.start, mention.end),),
        places=tally.ranked(),
        strength=min(1.0, strength),
    )


def _best_known(best: Match, matches: tuple[Match, ...], weights: list[float]) -> Match:
    """Return the place of a name of which most is written: Florence, not its province, of unknown population."""
    alike = [match for match, weight in zip(matches, weights, strict=True) if weight >= _MEANT]
    return max((best, *alike), key=lambda match: match.place.population)


def _with_small(reading: Reading, mention: Mention, others: list[Mention]) -> tuple[Match, ...]:
    """Return the best matches of a name, plus the small town in a region that is named next to it.

    "WOODSTOCK" over "VERMONT" is the twelfth largest place of its name.
    """
    matches = mention.matches[:_KEPT]
    units = {m.matches[0].place.admin1 for m in others if m.matches[0].place.level == "admin1"}
    if not units or matches[0].place.level != "city" or any(m.place.admin1 in units for m in matches):
        return matches
    deep = reading.gazetteer.lookup(mention.text, k=_DEEP)
    return (*matches, *[m for m in deep if m.place.level == "city" and m.place.admin1 in units][:1])


def _weights(matches: tuple[Match, ...], others: list[Mention], prior: Mapping[str, float]) -> list[float]:
    """Return P(place | name): softmax of the gazetteer's scores, raised for places supported by another mention."""
    top = max(m.score for m in matches)
    towns = [
        math.exp(m.score - top)
        for m in matches
        if m.exactness == "primary" and m.place.level == "city" and m.place.population >= _KNOWN_TOWN
    ]
    raw = []
    for match in matches:
        weight = math.exp(match.score - top)
        if towns and match.exactness == "alternate":
            # Poole is a town; few signs call Poland so, and few call Belém Bethlehem.
            weight = min(weight, (_EXONYM_OF_CITY if match.place.level == "city" else _EXONYM) * max(towns))
        if match.place.level == "country" and prior:
            weight *= (
                prior.get(match.place.country, 0.0) + 1e-5
            )  # "Korea" on a sign is the South, where photos are taken
        if _supported(match, others):
            weight *= _SUPPORTED
        raw.append(weight)
    total = sum(raw)
    return [w / total for w in raw]


def _supported(match: Match, others: list[Mention]) -> bool:
    """Whether another mention names the region or country of this place."""
    place = match.place
    for other in others:
        for rival in other.matches[:4]:
            its = rival.place
            if its.country != place.country:
                continue
            if its.level == "admin1" and place.level == "city" and its.admin1 == place.admin1:
                return True
            if its.level == "country" and place.level != "country" and its.name != place.name:
                return True
    return False


def _beside(mention: Mention, others: list[Mention], matches: tuple[Match, ...]) -> bool:
    """Whether a code ("TX") is next to a place in the region or country that it stands for."""
    regions = {m.place.admin1 for m in matches if m.place.admin1}
    countries = {m.place.country for m in matches if m.place.level == "country"}
    return any(
        m.place.admin1 in regions or m.place.country in countries
        for other in others
        for m in other.matches
        if m.exactness != "code"
    )
