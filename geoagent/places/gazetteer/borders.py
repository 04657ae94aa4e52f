"""Codes of admin-1 units after a comma, and areas whose country is disputed, has changed or is said differently.

The gazetteer files each place under one country, that of GeoNames. `tables/borders.json` lists where people say another
one: disputed areas ("Sevastopol, Russia"), territories with a code of their own ("San Juan, USA"), former states
("Sarajevo, Yugoslavia") and territory that once was another state's ("Breslau, Germany"). Each row names its source.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.normalise import normalise
from geoagent.resources import data_dir
from geoagent.types import Place

Status = Literal["disputed", "territory", "former state", "former territory"]


@dataclass(frozen=True, slots=True)
class Border:
    """An area of which people say another country than the gazetteer does.

    Attributes:
        name: its usual name, "" if it has none of its own.
        inside: ISO country codes and GeoNames admin-1 codes under which the gazetteer files it.
        said: ISO codes of countries that people also name for it.
        status: why.
        source: source of the row.
        conventions: ISO code of another country whose telephone numbers, postcodes, plates and money are used there.
        phones: first digits of telephone numbers with their calling code ("7 365"), each with the share of such
            numbers that belong to the area whatever the numbering plan says.
        postcodes: first digits of postcodes of the country of `conventions`, each with its town.
    """

    name: str
    inside: frozenset[str]
    said: tuple[str, ...]
    status: Status
    source: str
    conventions: str = ""
    phones: tuple[tuple[str, float], ...] = ()
    postcodes: tuple[tuple[str, str], ...] = ()

    @property
    def countries(self) -> frozenset[str]:
        """ISO codes of the countries under which the gazetteer files it."""
        return frozenset(code[:2] for code in self.inside)

    def holds(self, country: str, admin1: str) -> bool:
        """Whether a place filed under a country and an admin-1 unit may lie in the area."""
        return country in self.inside or admin1 in self.inside


@dataclass(frozen=True)
class Borders:
    """The table of borders.

    Attributes:
        by_name: areas by normalised name.
        by_country: areas by the country that people also name for them.
    """

    by_name: Mapping[str, Border]
    by_country: Mapping[str, tuple[Border, ...]]

    @cached_property
    def with_conventions(self) -> tuple[Border, ...]:
        """The areas where the telephone numbers, postcodes and money of another country are used."""
        return tuple(border for border in dict.fromkeys(self.by_name.values()) if border.conventions)

    @cached_property
    def _phones(self) -> tuple[tuple[str, float, Border], ...]:
        """First digits of telephone numbers, longest first, each with its share and area."""
        rows = [(*pair, border) for border in dict.fromkeys(self.by_name.values()) for pair in border.phones]
        return tuple(sorted(rows, key=lambda row: (len(row[0]), row[1]), reverse=True))

    def abroad(self, country: str) -> tuple[Border, ...]:
        """Return the areas of other countries that follow the conventions of a country."""
        return tuple(border for border in self.with_conventions if border.conventions == country)

    def follows(self, country: str, place: Place) -> bool:
        """Whether a place is in a country, or in an area abroad that follows the country's conventions."""
        if place.country == country:
            return True
        return any(border.holds(place.country, place.admin1) for border in self.abroad(country))

    def countries_like(self, country: str) -> dict[str, float]:
        """Return weights for `Gazetteer.lookup`: a country, those with areas that follow its conventions, no other."""
        alike = {code: 0.3 for border in self.abroad(country) for code in border.countries}
        return {**alike, country: 1.0, "": 0.0}

    def town_of(self, country: str, postcode: str) -> str:
        """Return the town abroad that a postcode of a country belongs to, "" for none."""
        known = [pair for border in self.abroad(country) for pair in border.postcodes if postcode.startswith(pair[0])]
        return max(known, default=("", ""), key=lambda pair: len(pair[0]))[1]

    def of_phone(self, dialled: str) -> tuple[Border, float] | None:
        """Return the area that an international number (digits after the plus) belongs to, with its share; or None."""
        first = next((row for row in self._phones if dialled.startswith(row[0])), None)
        return None if first is None else (first[2], first[1])


@lru_cache(maxsize=1)
def borders() -> Borders:
    """Return the areas whose country may be said differently.

    Raises:
        ResourceError: the table is missing or damaged.
    """
    names: dict[str, Border] = {}
    countries: dict[str, list[Border]] = {}
    path, rows = _table("borders.json")
    try:
        for name, row in rows.items():
            if row["status"] not in get_args(Status):
                raise ValueError(row["status"])
            nameless = name.startswith(("once ", "Territories of "))
            border = Border(
                "" if nameless else re.sub(r" \(.*\)$", "", name),
                frozenset(row["inside"]),
                tuple(row["said"]),
                row["status"],
                row["source"],
                row.get("conventions", ""),
                tuple((digits.replace(" ", ""), float(share)) for digits, share in row.get("phones", {}).items()),
                tuple(row.get("postcodes", {}).items()),
            )
            for code in border.said:
                countries.setdefault(code, []).append(border)
            for each in () if nameless else (border.name, *row["aliases"]):
                names[normalise(each)] = border
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error
    return Borders(MappingProxyType(names), MappingProxyType({code: tuple(found) for code, found in countries.items()}))


@lru_cache(maxsize=1)
def unit_codes() -> Mapping[str, tuple[str, ...]]:
    """Return GeoNames admin-1 codes by abbreviation in lower case without dots and spaces ("nsw": "AU.02").

    The table holds what the gazetteer's own names lack.

    Raises:
        ResourceError: the table is missing or damaged.
    """
    found: dict[str, list[str]] = {}
    path, rows = _table("admin1_codes.json")
    try:
        for country, codes in rows.items():
            for written, unit in codes.items():
                found.setdefault(code_key(written), []).append(f"{country}.{unit}")
    except (TypeError, AttributeError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error
    return MappingProxyType({key: tuple(units) for key, units in found.items()})


def code_key(written: str) -> str:
    """Return an abbreviation as `unit_codes` has it: "N.S.W." and "nsw" are one."""
    return re.sub(r"[^\w]", "", normalise(written))


def _table(name: str) -> tuple[Path, dict[str, Any]]:
    path = data_dir("gazetteer") / "tables" / name
    try:
        rows = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error
    if not isinstance(rows, dict):
        raise ResourceError(f"{path} is damaged: it holds no object; reinstall geoagent")
    return path, rows
