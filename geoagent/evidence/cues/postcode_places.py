"""Where a postcode leads: the town named beside it, the centre of a ZIP code, or the area of its first digits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from geoagent.evidence.cues.reading import Line, Reading
from geoagent.places.gazetteer.borders import borders
from geoagent.places.gazetteer.facts import PostcodeFacts
from geoagent.places.gazetteer.zips import zip_centre
from geoagent.types import Place

_NAME_WORDS = 3
_AREA_KM = 60.0
_ZIP_PEOPLE, _ZIP_KM = 20_000, 20.0  # most people in the area of a ZIP code, and how far its town may be
_TOWNS = 12  # towns of one name that are considered


@dataclass(frozen=True, slots=True)
class Fit:
    """A country whose format a code has, with the code as it is written there and the weight of the reading."""

    country: str
    facts: PostcodeFacts
    code: str
    weight: float


def place_of(fit: Fit, line: Line, start: int, end: int, reading: Reading) -> Place | None:
    """Return the location of a code in its country: the town named next to it ("64-320 Buk"), else the code's area."""
    area = _area(fit, reading)
    before = [word for word in line.words if word.end <= start]
    after = [word for word in line.words if word.start >= end]
    if len(before) > 1 and 2 <= len(before[-1].text) <= 3 and before[-1].text.isupper():
        before = before[:-1]  # the state between town and code: "Beverly Hills, CA 90210"
    stretches = [after[:n] for n in range(min(_NAME_WORDS, len(after)), 0, -1)]
    stretches += [before[-n:] for n in range(min(_NAME_WORDS, len(before)), 0, -1)]
    for words in stretches:
        if len(words[0].key) >= 3 and words[0].text[0].isupper() and words[-1].key not in reading.facts.streets:
            town = _town(
                fit.country, line.letters[words[0].start : words[-1].end], area, reading, words[0].start >= end
            )
            if town is not None:
                return town
    return area


def _town(country: str, name: str, area: Place | None, reading: Reading, follows: bool) -> Place | None:
    """Return the city of a given name in a code's area: the Springfield in Illinois if the code is there."""
    matches = reading.gazetteer.lookup(name, k=_TOWNS, countries=borders().countries_like(country))
    towns = (m.place for m in matches if borders().follows(country, m.place) and m.place.level != "admin1")
    return next((town for town in towns if _within(town, area, follows=follows)), None)


def _within(town: Place, area: Place | None, *, follows: bool) -> bool:
    """Whether a town may be in a code's area; if the area is unknown, the town's name must follow the code."""
    if area is None:
        return follows
    if area.country == "US" and area.level == "city":  # the centre of a ZIP code
        return town.latlon.distance_km(area.latlon) <= _ZIP_KM
    if town.admin1 and town.admin1 == area.admin1:
        return True  # "13200 Arles": the area's largest city stands for it, and the sign names another of its towns
    return area.level != "admin1" and town.latlon.distance_km(area.latlon) <= _AREA_KM


def _area(fit: Fit, reading: Reading) -> Place | None:
    """Return the area of a postcode in its country."""
    centre = zip_centre(fit.code) if fit.country == "US" else None
    town = None if centre is None else reading.gazetteer.reverse(centre)
    if town is not None and centre is not None and town.country == "US":
        return replace(town, latlon=centre, population=min(town.population, _ZIP_PEOPLE))
    area = fit.facts.area(fit.code)
    if area is None:
        return None
    city, admin1, name = area
    abroad = borders().town_of(fit.country, fit.code)
    city, name = ("", abroad) if abroad else (city, name)
    if city:
        matches = reading.gazetteer.lookup(city, k=1, countries={fit.country: 1.0})
        if matches and matches[0].place.country == fit.country and matches[0].place.level == "city":
            return matches[0].place
    if admin1:
        return reading.gazetteer.admin1(admin1)
    matches = reading.gazetteer.lookup(name, k=4, countries=borders().countries_like(fit.country)) if name else ()
    known = [m.place for m in matches if borders().follows(fit.country, m.place) and m.place.level != "country"]
    return next((place for place in known if place.level == "admin1" or place.country != fit.country), None)
