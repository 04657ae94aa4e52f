"""Names of large areas: countries by code or common name, and macro-regions of several countries.

Macro-regions are in `tables/macroregions.json`, each row with its source: those of UN M49, and those in common use
whose members are listed by a source ("Balkans", "Maghreb").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.extents import is_finer, people_of
from geoagent.places.gazetteer.normalise import normalise
from geoagent.resources import data_dir
from geoagent.types import Place

if TYPE_CHECKING:
    from geoagent.places.gazetteer.gazetteer import Gazetteer

COUNTRY_WORDS = {
    "usa": "US", "u s a": "US", "america": "US", "england": "GB", "scotland": "GB", "wales": "GB", "uk": "GB",
    "great britain": "GB", "northern ireland": "GB", "holland": "NL", "czechia": "CZ", "czech republic": "CZ",
    "uae": "AE", "turkiye": "TR", "turkey": "TR", "macedonia": "MK", "swaziland": "SZ", "burma": "MM",
    "ivory coast": "CI", "cape verde": "CV", "south korea": "KR", "north korea": "KP", "russia": "RU",
    "republic of korea": "KR", "korea": "KR", "palestine": "PS", "bosnia": "BA", "congo": "CD", "taiwan": "TW",
    "hong kong": "HK", "macau": "MO", "vatican": "VA", "uk england": "GB",
}  # fmt: skip
"""Common names that the gazetteer lacks, or that mean something else there."""


UNIT_WORDS = {"england": "GB.ENG", "scotland": "GB.SCT", "wales": "GB.WLS", "northern ireland": "GB.NIR"}
"""Countries within a country: as areas they are admin-1 units, but as an answer to "which country" they mean the whole.
"""


@dataclass(frozen=True, slots=True)
class MacroRegion:
    """An area of several countries.

    Attributes:
        name: its usual name.
        countries: ISO 3166-1 alpha-2 codes.
        source: source of the list of members.
    """

    name: str
    countries: tuple[str, ...]
    source: str


@lru_cache(maxsize=1)
def macro_regions() -> Mapping[str, MacroRegion]:
    """Return the macro-regions by normalised name; each under all of its names.

    Raises:
        ResourceError: the table is missing or damaged.
    """
    path = data_dir("gazetteer") / "tables" / "macroregions.json"
    try:
        found: dict[str, MacroRegion] = {}
        for name, row in json.loads(path.read_bytes()).items():
            region = MacroRegion(name, tuple(row["countries"]), row["source"])
            for each in (name, *row["aliases"]):
                key = normalise(each)
                found[key] = region
                found[key.removeprefix("the ")] = region
        return MappingProxyType(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error


def country_of(gazetteer: Gazetteer, stated: str) -> Place | None:
    """Return the country with a code or a name, or None."""
    text = stated.strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        code = {"UK": "GB", "EL": "GR"}.get(text.upper(), text.upper())
        found = gazetteer.country(code)
        if found is not None:
            return found
    plain = " ".join(re.sub(r"[^\w]+", " ", text.casefold()).split())
    if plain in COUNTRY_WORDS:
        return gazetteer.country(COUNTRY_WORDS[plain])
    matches = [m for m in gazetteer.lookup(text, k=8) if m.place.level == "country"]
    if matches:
        return matches[0].place
    parts = [part.strip() for part in re.split(r"[,/(]|\bor\b", text) if part.strip()]
    if len(parts) > 1:
        return next((found for part in reversed(parts) if (found := country_of(gazetteer, part.strip(") ")))), None)
    return None


def places_of(gazetteer: Gazetteer, stated: str) -> tuple[str, tuple[Place, ...]]:
    """Resolve the name of an area to its places: ("Balkans", (Albania, …)), ("Bavaria", (Bavaria,)).

    Tries a country code or name first, then a macro-region, then the gazetteer's likeliest place. Text after a comma is
    the place's country or admin-1 unit ("Springfield, Illinois"). "Hungary or Romania" resolves to both.
    Of a county and a smaller town of one name, it is the county.

    Returns:
        The area's usual name and its places; ("", ()) if a name is unknown.
    """
    text = " ".join(stated.split())
    either = [part.strip() for part in re.split(r"\bor\b|/", text)]
    if len(either) > 1 and all(either):
        areas = [places_of(gazetteer, part) for part in either]
        if not all(places for _, places in areas):
            return "", ()
        return " or ".join(name for name, _ in areas), tuple(dict.fromkeys(p for _, places in areas for p in places))
    region = macro_regions().get(normalise(text).removeprefix("the "))
    if region is not None:
        inside = (gazetteer.country(code) for code in region.countries)
        return region.name, tuple(place for place in inside if place is not None)
    name, _, context = (part.strip() for part in text.partition(","))
    unit = gazetteer.admin1(UNIT_WORDS.get(normalise(text), ""))
    if unit is not None:
        return str(unit), (unit,)
    if not context:
        country = country_of(gazetteer, text)
        if country is not None:
            return country.name, (country,)
    found = [match.place for match in gazetteer.lookup(name, k=40)]
    if context:
        state = country_of(gazetteer, context.rpartition(",")[2].strip())
        meant = [match.place for match in gazetteer.lookup(context.partition(",")[0], k=8)]
        within = UNIT_WORDS.get(normalise(context.rpartition(",")[2]), "")
        units = {within} if within else {place.admin1 for place in meant if place.level == "admin1"}
        exact = [p for p in found if p.admin1 and p.admin1 in units and (p.level != "admin1" or is_finer(p, gazetteer))]
        if exact or within or (state is None and not meant):
            found = exact  # the text after the comma is unknown, or the place is not in it
        elif state is not None:
            found = [p for p in found if p.country == state.country]
    chosen = _meant(found, name, gazetteer)
    return ("", ()) if chosen is None else (str(chosen), (chosen,))


def _meant(found: Sequence[Place], name: str, gazetteer: Gazetteer) -> Place | None:
    """The place that is meant of those that have a name, likeliest first.

    The population of a finer unit is not known, so that a town of its name comes before it; where more people live in
    the unit than in the town, the unit is meant: Cornwall is in England before it is in Ontario.
    """
    first = next(iter(found), None)
    if first is None or first.level != "city":
        return first
    # Paris and its department are one name for one place; only a unit elsewhere is another reading.
    same = [p for p in found if normalise(p.name) == normalise(name) and is_finer(p, gazetteer)]
    same = [p for p in same if p.admin1 != first.admin1]
    larger = [(people, p) for p in same if (people := people_of(p, gazetteer)) > first.population]
    return max(larger, key=lambda pair: pair[0])[1] if larger else first
