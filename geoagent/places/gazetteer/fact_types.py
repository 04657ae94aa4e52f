"""The rows of the cue tables: what is known of a country, a word, a form, a brand. `facts` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal

Shares = Mapping[str, float]
"""Country to weight, or language or script to share."""


@cache
def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern of the tables, once: they are more than `re` keeps."""
    return re.compile(pattern, flags)


Position = Literal["before", "after", "glued", "either"]
NONE: Shares = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows of a table that was written by hand are from.

    Attributes:
        file: of `gazetteer/build/hand`.
        source: who wrote them, and from what.
        check: where a reader can check them; {country} and {first} stand for a row's country and first word.
        rows: how many there are.
    """

    file: str
    source: str
    check: str
    rows: int

    def check_of(self, country: str = "", first: str = "") -> str:
        """Where one row can be checked.

        Args:
            country: English name of the row's country.
            first: its first word.
        """
        return self.check.replace("{country}", country.replace(" ", "_")).replace("{first}", first.replace(" ", "_"))


@dataclass(frozen=True, slots=True)
class CountryFacts:
    """One country or territory.

    Attributes:
        code: ISO 3166-1 alpha-2 code ("XK" for Kosovo).
        name: English name.
        population: people.
        area_km2: land and inland water.
        languages: language -> share of the text on public signs; sums to 1.
        scripts: script -> share of the text on public signs; sums to 1.
        han: "Hans" or "Hant" where Chinese characters of one kind are usual, else "".
        tlds: its country-code domains, without dots.
        calling_codes: international calling codes, digits only.
        currencies: ISO 4217 codes in use.
        drives_left: whether traffic keeps left.
        mph: whether road signs give miles per hour.
        postcode: regular expression of a whole postcode, "" where there are none.
    """

    code: str
    name: str
    population: int
    area_km2: float
    languages: Shares
    scripts: Shares
    han: str = ""
    tlds: tuple[str, ...] = ()
    calling_codes: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    drives_left: bool = False
    mph: bool = False
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class StreetWord:
    """A word for a street.

    Attributes:
        languages: languages that use it.
        countries: country -> weight where its use is national; empty where only the languages speak.
        position: "before" the name, "after" it as a word, "glued" to its end, or "either" before or after.
    """

    languages: tuple[str, ...]
    countries: Shares = field(default_factory=lambda: NONE)
    position: Position = "either"


@dataclass(frozen=True, slots=True)
class PlacedForm:
    """A company form.

    Attributes:
        written: usual spellings.
        countries: country -> weight, sum 1.
        strength: how far the form is to be believed, (0, 1].
        case: whether it counts only in a spelling of `written` ("AS", "AB": letters that are words otherwise).
        variants: spelling -> country -> weight, where points and brackets tell countries apart ("A/S", "a.s.").
    """

    written: tuple[str, ...]
    countries: Shares
    strength: float = 1.0
    case: bool = False
    variants: Mapping[str, Shares] = field(default_factory=lambda: MappingProxyType({}))

    def countries_as(self, written: str) -> Shares:
        """Return country -> weight of the form in this very spelling, else of the form however spelt."""
        return self.variants.get(written, self.countries)


@dataclass(frozen=True, slots=True)
class RegistrationLabel:
    """The label before a tax or register number.

    Attributes:
        written: usual spellings.
        countries: country -> weight, sum 1.
        strength: how far the label alone is to be believed, (0, 1].
        pattern: regular expression of the number after it, "" where it has no fixed form.
        checksum: module of python-stdnum that knows the number ("it.iva"), "" where none does.
        case: whether it counts only in a spelling of `written`.
        numbers: (country, regular expression of the number without separators, what its group is a code of); a label of
            several countries ("RUC") is told apart by the number.
    """

    written: tuple[str, ...]
    countries: Shares
    strength: float = 1.0
    pattern: str = ""
    checksum: str = ""
    case: bool = False
    numbers: tuple[tuple[str, str, Mapping[str, str] | str], ...] = ()

    def fits(self, number: str) -> bool | None:
        """Say whether `number` has the form that goes with the label; None where the label has no fixed form."""
        return bool(compiled(self.pattern, re.IGNORECASE).fullmatch(number.strip())) if self.pattern else None


@dataclass(frozen=True, slots=True)
class NumberForm:
    """A tax or register number that needs no label: "ATU12345678".

    Attributes:
        country: that gives such numbers out.
        pattern: regular expression of a whole number.
        checksum: module of python-stdnum that checks it, "" where none does.
        needs_checksum: whether the form alone is too common to speak.
        source: who says so.
    """

    country: str
    pattern: str
    checksum: str = ""
    needs_checksum: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class CurrencyForm:
    """A way of writing a currency.

    Attributes:
        countries: country -> weight, sum 1.
        strength: how far the form is to be believed, (0, 1]; below 0.5 it is ambiguous.
        currency: ISO 4217 code, "" where the form stands for several.
        position: "before" or "after" the amount, or "either".
        case: whether capitals matter.
    """

    countries: Shares
    strength: float = 1.0
    currency: str = ""
    position: Position = "either"
    case: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether the form stands for several currencies or is often no currency at all."""
        return self.strength < 0.5


@dataclass(frozen=True, slots=True)
class BrandFact:
    """A brand, operator or institution.

    Attributes:
        countries: country -> weight, sum 1.
        place: the city that it belongs to, "" where it is not local.
        kind: "brand", "operator", "transit", or a kind from the hand table ("bank", "police", …).
        strength: how far the name is to be believed, (0, 1].
        parts: country -> where in it: cities by name, admin-1 units by GeoNames code ("DE.05").
        chosen: whether it was put into the table by hand, as a name that tells, and not with all others of an index.
    """

    countries: Shares
    place: str = ""
    kind: str = "brand"
    strength: float = 1.0
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class SignWord:
    """A word that stands on signs.

    Attributes:
        languages: languages that write it so.
        concept: what it means, in English ("pharmacy").
    """

    languages: tuple[str, ...]
    concept: str


@dataclass(frozen=True, slots=True)
class Regionalism:
    """A word whose use on signs is national or regional.

    Attributes:
        countries: country -> weight, sum 1.
        strength: how far the word is to be believed, (0, 1].
        admin1: GeoNames admin-1 code ("CA.10") where it is regional.
        city: city where it is local.
        note: what it means.
    """

    countries: Shares
    strength: float = 1.0
    admin1: str = ""
    city: str = ""
    note: str = ""
