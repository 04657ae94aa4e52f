"""Facts about countries that written signs give away: the cue tables and their reader.

The tables are frozen files in `gazetteer/tables/`, made by `python gazetteer/build/tables.py`; `gazetteer/SOURCES.md`
says from what. Countries are ISO 3166-1 alpha-2 codes, languages ISO 639-1 (else 639-3), scripts ISO 15924.

Keys are *normalised* words: NFKC, casefolded, accents of Latin, Greek and Cyrillic dropped, apostrophes dropped, other
punctuation turned into single spaces ("Sp. z o.o." is "sp z o o"). Currency forms alone keep their spelling, since
"S/", "R$" and "B/." would not survive.

Weights: `countries` of an entry says where a sign that bears it stands, given that it stands in one of them; the
weights sum to 1. `strength` in (0, 1] says how far the form itself is to be believed: 1 where nothing else is written
like that, low where it is often something else ("$", "R", "K", ".co").

==================  ===========================================================================================
table               shape
==================  ===========================================================================================
`countries`         code -> `CountryFacts`
`streets`           word -> `StreetWord(languages, countries, position)`
`companies`         form -> `PlacedForm(written, countries, strength, case, variants)`
`registrations`     label -> `RegistrationLabel(written, countries, strength, pattern, checksum, case)`
`numbers`           `NumberForm(country, pattern, checksum, needs_checksum, source)`: numbers that need no label
`currencies`        form as written -> `CurrencyForm(countries, strength, currency, position, case)`
`brand(name)`       name -> `BrandFact(countries, place, kind, strength)`; read on first use
`signwords`         word -> `SignWord(languages, concept)`
`international`     words that say nothing about a place
`regionalisms`      word -> `Regionalism(countries, strength, admin1, city, note)`
`postcodes`         code -> `PostcodeFacts(pattern, shared, prefixes, labels, areas)`
`plates`            code -> `PlateFacts(patterns, regions)`
`roadwords`         words on road signs -> `Regionalism`
`roads`             `RoadForm(pattern, countries, strength, colours)`, a row a form of road numbers
`habits`            `Habit(pattern, countries, strength, note)`: how numbers, hours and addresses are written
`sources`           table -> `Source(file, source, check, rows)`: where its rows by hand are from; read on first use
`tlds`              label without dot -> `TldFact(countries, strength, place)`, also second levels ("co.uk")
==================  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.fact_codes import Habit, PlateFacts, PostcodeFacts, RoadForm, TldFact
from geoagent.places.gazetteer.fact_rows import (
    Reader,
    company_row,
    country_row,
    currency_row,
    habit_row,
    plate_row,
    postcode_row,
    regionalism_row,
    registration_row,
    road_row,
    street_row,
    tld_row,
)
from geoagent.places.gazetteer.fact_types import (
    NONE,
    BrandFact,
    CountryFacts,
    CurrencyForm,
    NumberForm,
    PlacedForm,
    Regionalism,
    RegistrationLabel,
    Shares,
    SignWord,
    Source,
    StreetWord,
)
from geoagent.resources import data_dir

__all__ = [
    "BrandFact",
    "CountryFacts",
    "CurrencyForm",
    "Facts",
    "Habit",
    "NumberForm",
    "PlacedForm",
    "PlateFacts",
    "PostcodeFacts",
    "Regionalism",
    "RegistrationLabel",
    "RoadForm",
    "SignWord",
    "Source",
    "StreetWord",
    "TldFact",
]


@dataclass(frozen=True, eq=False)
class Facts:
    """All cue tables. Make it with `Facts.load()`; every table is read-only."""

    folder: Path
    countries: Mapping[str, CountryFacts]
    streets: Mapping[str, StreetWord]
    companies: Mapping[str, PlacedForm]
    registrations: Mapping[str, RegistrationLabel]
    numbers: tuple[NumberForm, ...]
    currencies: Mapping[str, CurrencyForm]
    signwords: Mapping[str, SignWord]
    international: frozenset[str]
    regionalisms: Mapping[str, Regionalism]
    postcodes: Mapping[str, PostcodeFacts]
    tlds: Mapping[str, TldFact]
    plates: Mapping[str, PlateFacts]
    roadwords: Mapping[str, Regionalism]
    roads: tuple[RoadForm, ...]
    habits: tuple[Habit, ...]

    @classmethod
    def load(cls, folder: Path | str | None = None) -> Facts:
        """Read the tables.

        Args:
            folder: where they lie; None takes those that ship with geoagent.

        Raises:
            ResourceError: a table is missing or damaged.
        """
        root = Path(folder) if folder is not None else data_dir("gazetteer") / "tables"
        read = Reader(root)
        words = read("signwords")
        try:
            return cls(
                folder=root,
                countries=read.rows("countries", country_row),
                streets=read.rows("streets", street_row),
                companies=read.rows("companies", company_row),
                registrations=read.rows("registration", registration_row),
                numbers=tuple(NumberForm(code, *row) for code, rows in read("taxnumbers").items() for row in rows),
                currencies=read.rows("currency", currency_row),
                signwords=MappingProxyType({k: SignWord(tuple(v[1:]), v[0]) for k, v in words["words"].items()}),
                international=frozenset(words["international"]),
                regionalisms=read.rows("regionalisms", regionalism_row),
                postcodes=read.rows("postcodes", postcode_row),
                tlds=read.rows("tlds", tld_row),
                plates=read.rows("plates", plate_row),
                roadwords=read.rows("roadwords", regionalism_row),
                roads=tuple(road_row(pattern, row) for pattern, row in read("roads").items()),
                habits=tuple(habit_row(pattern, row) for pattern, row in read("habits").items()),
            )
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ResourceError(
                f"a cue table in {root} has another shape than expected ({error!r}); reinstall geoagent"
            ) from error

    def country(self, code: str) -> CountryFacts:
        """Return the facts of one country.

        Raises:
            KeyError: there is no country of that code.
        """
        return self.countries[code]

    def language_share(self, language: str) -> Shares:
        """Return country -> share of that country's sign text that is in `language`; empty where none is."""
        return self._by_language.get(language, NONE)

    def script_share(self, script: str) -> Shares:
        """Return country -> share of that country's sign text that is in `script`; empty where none is."""
        return self._by_script.get(script, NONE)

    def brand(self, name: str) -> BrandFact | None:
        """Return what is known of the brand or institution of that normalised name, else None.

        Raises:
            ResourceError: the table of brands is missing or damaged.
        """
        row = self._brands.get(name)
        if row is None:
            return None
        if isinstance(row, str):
            kind, *places = row.split()
            strength = 0.4 if len(name) <= 3 and name.isascii() else 1.0  # initials are often something else
            codes = sorted({place[:2] for place in places})
            shares = MappingProxyType(dict.fromkeys(codes, 1 / len(codes)))
            parts = {c: tuple(_part(p) for p in places if p[:2] == c and p != c) for c in codes}
            kept = MappingProxyType({c: found for c, found in parts.items() if found})
            return BrandFact(shares, kind=_KINDS.get(kind, "brand"), strength=strength, parts=kept)
        place, countries = row.get("place", ""), MappingProxyType(row["c"])
        home = MappingProxyType(dict.fromkeys(countries, (place,)) if place else {})
        return BrandFact(countries, place, row.get("kind", "brand"), row.get("s", 1.0), home, chosen=True)

    def brand_names(self) -> frozenset[str]:
        """Return every name that `brand` knows."""
        return self._brand_names

    @cached_property
    def sources(self) -> Mapping[str, tuple[Source, ...]]:
        """Table -> where its rows that were written by hand are from, and where they can be checked.

        Raises:
            ResourceError: the list of sources is missing or damaged.
        """
        try:
            read = Reader(self.folder)("sources")
            rows = {table: tuple(Source(**block) for block in blocks) for table, blocks in read.items()}
        except TypeError as error:
            raise ResourceError(f"the sources in {self.folder} have another shape than expected ({error})") from error
        return MappingProxyType(rows)

    @cached_property
    def _brand_names(self) -> frozenset[str]:
        return frozenset(self._brands)

    @cached_property
    def _brands(self) -> dict[str, Any]:
        return Reader(self.folder)("brands")

    @cached_property
    def _by_language(self) -> dict[str, Shares]:
        return _invert({code: facts.languages for code, facts in self.countries.items()})

    @cached_property
    def _by_script(self) -> dict[str, Shares]:
        return _invert({code: facts.scripts for code, facts in self.countries.items()})


_KINDS = {"b": "brand", "o": "operator", "t": "transit"}


def _part(place: str) -> str:
    """The admin-1 code or the city's name in "DE.05" or "DE@Bad_Honnef"."""
    return place[3:].replace("_", " ") if place[2:3] == "@" else place


def _invert(table: Mapping[str, Shares]) -> dict[str, Shares]:
    """Turn country -> {key: share} into key -> {country: share}."""
    out: dict[str, dict[str, float]] = {}
    for code, shares in table.items():
        for key, share in shares.items():
            out.setdefault(key, {})[code] = share
    return {key: MappingProxyType(shares) for key, shares in out.items()}
