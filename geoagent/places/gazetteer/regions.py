"""Names of large areas: countries by code or common name, and macro-regions of several countries.

Macro-regions are in `tables/macroregions.json`, each row with its source: those of UN M49, and those in common use
whose members are listed by a source ("Balkans", "Maghreb").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoagent.errors import ResourceError
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
