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
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.normalise import normalise
from geoagent.resources import data_dir

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
    """

    name: str
    inside: frozenset[str]
    said: tuple[str, ...]
    status: Status
    source: str

    def holds(self, country: str, admin1: str) -> bool:
        """Whether a place filed under a country and an admin-1 unit may lie in the area."""
        return country in self.inside or admin1 in self.inside


@dataclass(frozen=True, slots=True)
class Borders:
    """The table of borders.

    Attributes:
        by_name: areas by normalised name.
        by_country: areas by the country that people also name for them.
    """

    by_name: Mapping[str, Border]
    by_country: Mapping[str, tuple[Border, ...]]


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
