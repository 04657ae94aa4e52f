"""Reader of the cue table files, and conversion of their rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.fact_codes import WHITE, Habit, PlateFacts, PostcodeFacts, RoadForm, TldFact
from geoagent.places.gazetteer.fact_types import (
    NONE,
    CountryFacts,
    CurrencyForm,
    PlacedForm,
    Regionalism,
    RegistrationLabel,
    Shares,
    StreetWord,
)


class Reader:
    """Reads the files of one folder, plain or gzipped."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, name: str) -> dict[str, Any]:
        """Read one table in its file format.

        Raises:
            ResourceError: the file is missing or damaged.
        """
        plain, packed = self.root / f"{name}.json", self.root / f"{name}.json.gz"
        try:
            raw = gzip.decompress(packed.read_bytes()) if packed.is_file() else plain.read_bytes()
            table = json.loads(raw)
        except FileNotFoundError as error:
            raise ResourceError(f"the cue table {plain} is missing; reinstall geoagent") from error
        except (OSError, EOFError, ValueError) as error:
            raise ResourceError(
                f"the cue table {name} in {self.root} is damaged ({error}); reinstall geoagent"
            ) from error
        if not isinstance(table, dict):
            raise ResourceError(f"the cue table {name} in {self.root} contains no JSON object; reinstall geoagent")
        return table

    def rows(self, name: str, make: Any) -> Mapping[str, Any]:
        """Read one table and convert each row with `make`."""
        return MappingProxyType({key: make(key, row) for key, row in self(name).items()})


def plate_row(_: str, r: dict[str, Any]) -> PlateFacts:
    """Parse the number plates of one country."""
    patterns = tuple((str(strict), str(loose), float(weight)) for strict, loose, weight in r["p"])
    return PlateFacts(
        patterns, MappingProxyType(r.get("r", {})), MappingProxyType(r.get("b", {})), _shares(r, "col") or WHITE
    )


def road_row(pattern: str, r: dict[str, Any]) -> RoadForm:
    """Parse a format of road numbers."""
    colours = {colour: tuple(codes) for colour, codes in r.get("col", {}).items()}
    return RoadForm(pattern, _shares(r), r.get("s", 1.0), MappingProxyType(colours))


def habit_row(pattern: str, r: dict[str, Any]) -> Habit:
    """Parse a formatting convention."""
    return Habit(pattern, _shares(r), r.get("s", 1.0), r.get("note", ""))


def _shares(row: Mapping[str, Any], name: str = "c") -> Shares:
    return MappingProxyType(row[name]) if name in row else NONE


def country_row(code: str, r: dict[str, Any]) -> CountryFacts:
    """Parse the facts of one country."""
    return CountryFacts(
        code, r["name"], r["population"], r["area_km2"], _shares(r, "languages"), _shares(r, "scripts"),
        r.get("han", ""), tuple(r["tlds"]), tuple(r["calling"]), tuple(r["currencies"]), r["left"], r["mph"],
        r["postcode"],
    )  # fmt: skip


def street_row(_: str, r: dict[str, Any]) -> StreetWord:
    """Parse a street word."""
    return StreetWord(tuple(r["l"]), _shares(r), r.get("p", "either"))


def company_row(_: str, r: dict[str, Any]) -> PlacedForm:
    """Parse a company form."""
    return PlacedForm(tuple(r["w"]), _shares(r), r.get("s", 1.0), r.get("case", False), _variants(r))


def _variants(row: Mapping[str, Any]) -> Mapping[str, Shares]:
    return MappingProxyType({written: MappingProxyType(c) for written, c in row.get("v", {}).items()})


def registration_row(_: str, r: dict[str, Any]) -> RegistrationLabel:
    """Parse the label of a register number."""
    return RegistrationLabel(
        tuple(r["w"]), _shares(r), r.get("s", 1.0), r.get("re", ""), r.get("sum", ""), r.get("case", False),
        tuple((country, pattern, codes) for country, pattern, codes in r.get("n", ())),
    )  # fmt: skip


def currency_row(_: str, r: dict[str, Any]) -> CurrencyForm:
    """Parse a currency form."""
    return CurrencyForm(_shares(r), r.get("s", 1.0), r.get("iso", ""), r.get("p", "either"), r.get("case", False))


def regionalism_row(_: str, r: dict[str, Any]) -> Regionalism:
    """Parse a national or regional word."""
    return Regionalism(_shares(r), r.get("s", 1.0), r.get("admin1", ""), r.get("city", ""), r.get("note", ""))


def postcode_row(_: str, r: dict[str, Any]) -> PostcodeFacts:
    """Parse the postcodes of one country."""
    areas = MappingProxyType({key: (a[0], a[1], a[2]) for key, a in r.get("areas", {}).items()})
    return PostcodeFacts(r["re"], r["shared"], tuple(r.get("prefixes", ())), tuple(r.get("labels", ())), areas)


def tld_row(_: str, r: dict[str, Any]) -> TldFact:
    """Parse a top-level domain."""
    return TldFact(_shares(r), r.get("s", 1.0), r.get("place", ""))
