"""Readings of a stated place: what "Georgia", "Paris, TX" or "Sevastopol, Russia" may mean, likeliest first.

Claims, areas and hints all read places here. What stands after a comma restricts: where no such place is known in it,
there is no reading, and never a famous namesake elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoagent.places.gazetteer.borders import Border, borders
from geoagent.places.gazetteer.contexts import Context, contexts_of, said_contexts, without_postcode
from geoagent.places.gazetteer.extents import is_finer, people_of
from geoagent.places.gazetteer.match import Match
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.regions import COUNTRY_WORDS, UNIT_WORDS, country_of, macro_regions
from geoagent.places.gazetteer.score import ADMIN1_FLOOR, COUNTRY_FLOOR, LEVEL_BONUS, RAW_EQUAL_PLAIN
from geoagent.types import Place

if TYPE_CHECKING:
    from geoagent.places.gazetteer.gazetteer import Gazetteer

PLAUSIBLE = 0.05
"""Weight of a reading, relative to the likeliest, from which people may well mean it."""
_OF_NOTE = 100_000  # population of a city that is meant rather than a unit or a country with another usual name
_LARGE = 500_000  # a former or foreign name of a city this large is nearly as usual as its present one
_WORTH_NAMING = 20_000  # population of a city that is worth naming as another reading
_SHADOWED, _FORMER, _CODED_EXONYM, _UNIT_BY_CODE = -2.3, 0.8, -4.0, math.log(0.2)
_SAME = 0.35  # share of a unit's people in the city of its name from which both are one place
_LEAST, _MOST = 0.001, 6  # weight and number of readings
_DEEP = 400  # namesakes that are looked through within a context


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a stated place.

    Attributes:
        name: as understood ("Paris, Texas, United States").
        places: the places that make it up.
        weight: how likely it is meant, relative to the likeliest reading.
        note: what to say of the country under which it is filed; "" for nothing.
    """

    name: str
    places: tuple[Place, ...]
    weight: float = 1.0
    note: str = ""


def readings_of(gazetteer: Gazetteer, stated: str) -> tuple[Reading, ...]:
    """Return what a name of an area may mean, likeliest first; () if no such place is known.

    Understands codes and names of countries, macro-regions, former states and disputed areas, units, cities under
    present and former names, and any of these with what they lie in after a comma ("Springfield, Illinois",
    "Naples, FL 34102", "Hargeisa, Somaliland"). "Hungary or Romania" is one reading of both.
    """
    text = " ".join(stated.split())
    either = [part.strip() for part in re.split(r"\bor\b|/", text)]
    if len(either) > 1 and all(either):
        areas = [readings_of(gazetteer, part)[:1] for part in either]
        if not all(areas):
            return ()
        first = [reading for (reading,) in areas]
        places = dict.fromkeys(place for reading in first for place in reading.places)
        return (Reading(" or ".join(reading.name for reading in first), tuple(places)),)
    name, parts = _split(text)
    if not parts:
        return _bare(name, gazetteer) or _without_comma(name, gazetteer)
    if text.endswith(")") and (found := _bare(text, gazetteer)):  # Frankfurt (Oder) is a name
        return found
    return _within(name, parts, gazetteer) or _inverted(name, parts, gazetteer)


def places_of(gazetteer: Gazetteer, stated: str) -> tuple[str, tuple[Place, ...]]:
    """Return the usual name of a stated area and its places by its likeliest reading; ("", ()) if it is unknown."""
    first = next(iter(readings_of(gazetteer, stated)), None)
    return ("", ()) if first is None else (first.name, first.places)


def taken_as(stated: str, name: str, others: Iterable[str]) -> str:
    """Say how a stated name was taken that may mean other places as well."""
    names = list(dict.fromkeys(others))
    are = "are" if len(names) > 1 else "is"
    return f"“{stated.strip()}” was taken as {name}; there {are} also {' and '.join(names)}"


def why_unknown(gazetteer: Gazetteer, stated: str) -> str:
    """Say why a stated place has no reading: the name is unknown, or it is not known in what stands after the comma."""
    name, parts = _split(" ".join(stated.split()))
    known = _bare(name, gazetteer)
    if not parts:
        return f"the gazetteer knows no place “{name}”"
    for part in parts:
        if without_postcode(part) and not contexts_of(part, gazetteer):
            return f"the gazetteer knows no area “{part}”"
    area = next((c.name for c in contexts_of(parts[0], gazetteer)), "") if len(parts) == 1 else ", ".join(parts)
    elsewhere = f"; it knows {known[0].name}" if known else ""
    return f"the gazetteer knows no “{name}” in {area}{elsewhere}"


def _split(text: str) -> tuple[str, list[str]]:
    """The name, and what stands after it: after commas, or in brackets at its end."""
    bracketed = re.fullmatch(r"(.+?)\s*\(([^()]+)\)", text)
    if bracketed:
        text = f"{bracketed[1]}, {bracketed[2]}"
    name, *parts = (part.strip() for part in re.split(r"[,;，、]", text))
    return name, [part for part in parts if without_postcode(part)]


def _bare(name: str, gazetteer: Gazetteer) -> tuple[Reading, ...]:
    key = normalise(name)
    region = macro_regions().get(key.removeprefix("the "))
    if region is not None:
        inside = (gazetteer.country(code) for code in region.countries)
        return (Reading(region.name, tuple(place for place in inside if place is not None)),)
    unit = gazetteer.admin1(UNIT_WORDS.get(key, ""))
    if unit is not None:
        return (Reading(str(unit), (unit,)),)
    scored = _scored(gazetteer.lookup(name, k=40), name, gazetteer)
    country = country_of(gazetteer, name) if len(name) == 2 or key in COUNTRY_WORDS else None
    if country is not None:
        scored = {place: score for place, score in scored.items() if place.level != "country"}
        scored[country] = math.log(country.population + COUNTRY_FLOOR) + LEVEL_BONUS["country"] + RAW_EQUAL_PLAIN
        for context in contexts_of(name, gazetteer) if len(name) == 2 else ():
            coded = next((u for code in context.areas if context.coded and (u := gazetteer.admin1(code))), None)
            if coded is not None:
                scored[coded] = scored[country] + _UNIT_BY_CODE + math.log(context.weight)
    border = borders().by_name.get(key)
    if border is not None and not any(p.level != "city" and normalise(p.name) == key for p in scored):
        return _area(border, scored, gazetteer)
    return _ranked(scored, {}, gazetteer)


def _area(border: Border, scored: dict[Place, float], gazetteer: Gazetteer) -> tuple[Reading, ...]:
    """A disputed area or a former state by its own name, before places that share it."""
    known = map(gazetteer.area, sorted(border.inside))
    places = tuple(place for place in known if place is not None)
    countries = dict.fromkeys(place.country for place in places)
    filed = _listed(country.name for code in countries if (country := gazetteer.country(code)) is not None)
    whole = all(place.level == "country" for place in places)
    roughly = f"“{border.name}” is taken as {_listed(p.name for p in places)} here"
    note = roughly if whole else f"{roughly}, filed under {filed}"
    others = [Reading(r.name, r.places, r.weight * 0.5, r.note) for r in _ranked(scored, {}, gazetteer)]
    return (Reading(border.name, places, 1.0, note), *others)


def _scored(matches: Iterable[Match], name: str, gazetteer: Gazetteer) -> dict[Place, float]:
    """Places of a name with log weights: how likely people mean each when they name a place.

    An exact name of a city of note is meant before a unit of its country that shares it, and a place by its usual name
    before a country by another one. A city and the unit that it fills are one place.
    """
    matches = [m for m in matches if m.exactness != "code"]
    exact = [m for m in matches if m.exactness in ("primary", "alternate")]
    matches = exact or matches
    every = [m.place for m in matches if m.place.level == "city"]
    cities = [city for city in every if city.population >= _OF_NOTE]
    usual_country = any(m.place.level == "country" and m.exactness == "primary" for m in matches)
    found: dict[Place, float] = {}
    for match in matches:
        place, score = match.place, match.score
        if match.exactness == "alternate":
            if place.level == "country" and usual_country:
                continue
            if place.level == "city" and place.population >= _LARGE:
                score += _FORMER
            elif place.level == "country" and any(normalise(c.name) == normalise(name) for c in cities):
                score -= 3.0
        if place.level == "admin1":
            people = place.population
            if is_finer(place, gazetteer):
                people = people_of(place, gazetteer)
                score += math.log((people + ADMIN1_FLOOR) / ADMIN1_FLOOR)
            own = [city for city in cities if city.country == place.country]
            if any(city.admin1 == place.admin1 and 0 < _SAME * people <= city.population for city in every):
                continue
            if any(city.admin1 == place.admin1 for city in own) and is_finer(place, gazetteer):
                continue
            score += _SHADOWED if own else 0.0
        found[place] = max(found.get(place, -math.inf), score)
    return found


def _within(name: str, parts: Sequence[str], gazetteer: Gazetteer) -> tuple[Reading, ...]:
    """Readings of a name inside what stands after it."""
    around = [contexts_of(part, gazetteer) for part in parts]
    if not all(around):
        return ()
    return _inside(name, [(*contexts, *said_contexts(contexts)) for contexts in around], gazetteer)


def _inside(name: str, around: Sequence[Sequence[Context]], gazetteer: Gazetteer) -> tuple[Reading, ...]:
    countries = {code: 1.0 for contexts in around for context in contexts for code in context.countries}
    matches = [m for m in gazetteer.lookup(name, k=_DEEP, countries={**countries, "": 0.0}) if m.score > -10.0]
    held: dict[Place, list[Context]] = {}
    for match in matches:
        fitting = [[c for c in contexts if c.holds(match.place, gazetteer)] for contexts in around]
        if all(fitting):
            held[match.place] = [max(contexts, key=lambda c: c.weight) for contexts in fitting]
    foreign = {m.place for m in matches if m.exactness == "alternate"} - {
        m.place for m in matches if m.exactness == "primary"
    }
    scored = _scored([m for m in matches if m.place in held], name, gazetteer)
    notes: dict[Place, str] = {}
    for place in scored:
        best = held[place]
        scored[place] += sum(math.log(c.weight) for c in best)
        if place in foreign and all(c.coded for c in best):
            scored[place] += _CODED_EXONYM
        border = next((c.border for c in best if c.border is not None), None)
        notes[place] = "" if border is None else _note(place, border, best, gazetteer)
    return _ranked(scored, notes, gazetteer)


def _note(place: Place, border: Border, contexts: Sequence[Context], gazetteer: Gazetteer) -> str:
    country = gazetteer.country(place.country)
    called = place.country if country is None else country.name
    filed = f"here it is filed under {called}"
    said = contexts[0].name
    if border.status == "disputed":
        area = "" if border.name in ("", place.name, said) else f" ({border.name})"
        return f"the country of {place.name}{area} is disputed; {filed}"
    if border.status == "territory":
        return f"{called} has a country code of its own and is kept apart from {said} here"
    if border.status == "former state":
        return f"“{said}” is no country of today; {place.name} is filed under {called}"
    return f"{place.name} was once in {said}; {filed}"


def _ranked(scored: dict[Place, float], notes: dict[Place, str], gazetteer: Gazetteer) -> tuple[Reading, ...]:
    ordered = sorted(scored.items(), key=lambda row: -row[1])
    if not ordered:
        return ()
    best = ordered[0][1]
    kept: list[tuple[Place, float]] = []
    for place, score in ordered:
        weight = math.exp(score - best)
        large = place.level != "city" or place.population >= _WORTH_NAMING
        if not kept or weight > PLAUSIBLE or (large and weight > _LEAST):
            kept.append((place, weight))
    kept = kept[:_MOST]
    known = [place for place, _ in kept]
    return tuple(
        Reading(_called(place, known, gazetteer), (place,), weight, notes.get(place, "")) for place, weight in kept
    )


def _called(place: Place, known: Sequence[Place], gazetteer: Gazetteer) -> str:
    """A place by name, told apart from other readings that would be called the same."""
    if place.level == "country":
        shared = any(other is not place and normalise(other.name) == normalise(place.name) for other in known)
        return f"{place.name} (the country)" if shared else place.name
    city = any(other.level == "city" and other.country == place.country for other in known)
    name = gazetteer.full_name(place)
    return f"{name} (the region)" if place.level == "admin1" and city else name


def _without_comma(text: str, gazetteer: Gazetteer) -> tuple[Reading, ...]:
    """Read "Bethlehem PA" and "Portland Oregon" as if a comma stood there; and "1010 Wien" without its postcode."""
    words = text.split()
    for i in range(len(words) - 1, 0, -1):
        name, rest = " ".join(words[:i]), " ".join(words[i:])
        if without_postcode(rest) and (found := _within(name, [rest], gazetteer)):
            return found
    plain = without_postcode(text)
    return _bare(plain, gazetteer) if plain and plain != text else ()


def _inverted(name: str, parts: Sequence[str], gazetteer: Gazetteer) -> tuple[Reading, ...]:
    """Read "75001 Paris, France": the name beside a postcode."""
    plain = without_postcode(name)
    return _within(plain, parts, gazetteer) if plain and plain != name else ()


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}" if listed else ""
