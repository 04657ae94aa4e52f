"""What stands after the comma: "TX 75460", "Ontario", "Russia", "Yugoslavia" as areas that restrict a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geoagent.places.gazetteer.borders import Border, Status, borders, code_key, unit_codes
from geoagent.places.gazetteer.extents import finer_units, is_finer, nearest_unit
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.regions import UNIT_WORDS, country_of, macro_regions
from geoagent.places.gazetteer.table import city_radius_km
from geoagent.types import Place

if TYPE_CHECKING:
    from geoagent.places.gazetteer.gazetteer import Gazetteer

_CODES = {"US": 1.0, "CA": 0.5, "AU": 0.5, "GB": 0.5}
"""How usual "city, code of the unit" is in a country, relative to the United States; 0.2 elsewhere."""
_COUNTRY_CODE = 0.3  # "Dover, DE": a country's code after a city, relative to a state's
_CITY, _REGION = 0.3, 0.5  # a larger city, and a region of several countries, after the comma
_LARGE = 100_000  # population of a city that stands after a comma
_REACH_KM = 20.0  # how far outside the larger city the place may lie
_SAID: dict[Status, float] = {"territory": 0.5, "disputed": 0.3, "former state": 0.3, "former territory": 0.02}
"""Weight of an area that people also say to be in a country, relative to the country."""


@dataclass(frozen=True, slots=True)
class Context:
    """One reading of what stands after a comma.

    Attributes:
        name: as it is called in messages.
        areas: ISO country codes and GeoNames admin-1 codes of which a place must have one.
        weight: how likely it is meant, relative to a name in full.
        coded: whether it was an abbreviation.
        inside: a finer unit or a city that the place must lie in; None for none.
        border: the row of `borders` that it comes from; None for none.
    """

    name: str
    areas: frozenset[str]
    weight: float
    coded: bool = False
    inside: Place | None = None
    border: Border | None = None

    @property
    def countries(self) -> frozenset[str]:
        """ISO codes of the countries that the areas lie in."""
        return frozenset(code.partition(".")[0] for code in self.areas)

    def holds(self, place: Place, gazetteer: Gazetteer) -> bool:
        """Whether a place lies in it; the area itself does not."""
        if place.country not in self.areas and place.admin1 not in self.areas:
            return False
        itself = place.admin1 in self.areas and place == gazetteer.admin1(place.admin1)
        if place.level == "country" or (itself and self.border is None):
            return False
        area = self.inside
        if area is None:
            return True
        if place == area or place.level == "admin1":
            return False
        if area.level == "city":
            reach = float(city_radius_km(area.population)) + _REACH_KM
            return place.population < area.population and place.latlon.distance_km(area.latlon) <= reach
        units = finer_units(gazetteer, area.country, area.admin1)
        at = np.array([(place.latlon.lat, place.latlon.lon)])
        return place.admin1 == area.admin1 and units[int(nearest_unit(units, at)[0])] == area


def contexts_of(text: str, gazetteer: Gazetteer) -> tuple[Context, ...]:
    """Return what may be meant by the text after a comma: units by code or name, countries, cities, regions.

    A postcode beside it is left out ("FL 34102").
    """
    text = without_postcode(text)
    if not text:
        return ()
    found = [*_by_code(text, gazetteer), *_by_name(text, gazetteer)]
    border = borders().by_name.get(normalise(text))
    if border is not None:
        found.append(Context(border.name, border.inside, 1.0, border=border))
    return tuple(dict.fromkeys(found))


def said_contexts(contexts: Sequence[Context]) -> tuple[Context, ...]:
    """Return areas outside the countries of some contexts that people also say to be in these."""
    found = []
    for context in contexts:
        for code in context.areas:
            for border in borders().by_country.get(code, ()):
                found.append(Context(context.name, border.inside, context.weight * _SAID[border.status], border=border))
    return tuple(dict.fromkeys(found))


def without_postcode(text: str) -> str:
    """Return a part of an address without its words that hold digits: "FL 34102" as "FL"."""
    return " ".join(word for word in text.split() if not any(c.isdigit() for c in word)).strip(" ,;")


def _by_code(text: str, gazetteer: Gazetteer) -> list[Context]:
    key = code_key(text)
    if not key.isascii() or len(key) > 6:
        return []
    units = [unit for code in unit_codes().get(key, ()) if (unit := gazetteer.admin1(code)) is not None]
    matches = gazetteer.lookup(key.upper(), k=40)
    units += [m.place for m in matches if m.exactness == "code" and m.place.level == "admin1"]
    own = gazetteer.admin1(f"US.{key.upper()}") or gazetteer.admin1(f"CH.{key.upper()}")
    units += [own] if own is not None else []
    found = []
    for unit in dict.fromkeys(units):
        finer = unit if is_finer(unit, gazetteer) else None
        weight = _CODES.get(unit.country, 0.2)
        found.append(Context(str(unit), frozenset({unit.admin1}), weight, True, finer))
    return found


def _by_name(text: str, gazetteer: Gazetteer) -> list[Context]:
    key, found = normalise(text), []
    unit = gazetteer.admin1(UNIT_WORDS.get(key, ""))
    if unit is not None:
        return [Context(unit.name, frozenset({unit.admin1}), 1.0)]
    country = country_of(gazetteer, text)
    if country is not None:
        coded = len(text) == 2
        found.append(Context(country.name, frozenset({country.country}), _COUNTRY_CODE if coded else 1.0, coded))
    region = macro_regions().get(key.removeprefix("the "))
    if region is not None:
        found.append(Context(region.name, frozenset(region.countries), _REGION))
    for match in gazetteer.lookup(text, k=40):
        place = match.place
        if match.exactness == "code" or (country is not None and place.level == "country"):
            continue
        if place.level == "admin1" and place.admin1:
            inside = place if is_finer(place, gazetteer) else None
            found.append(Context(gazetteer.full_name(place), frozenset({place.admin1}), 1.0, inside=inside))
        elif place.level == "city" and place.population >= _LARGE:
            areas = frozenset({place.admin1 or place.country})
            found.append(Context(gazetteer.full_name(place), areas, _CITY, inside=place))
    return found
