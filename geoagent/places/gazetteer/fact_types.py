"""Row types of the cue tables: countries, words, forms, brands. Read by `facts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal

Shares = Mapping[str, float]
"""Country -> weight, or language or script -> share."""


@cache
def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern of the tables and cache it: there are more than the cache of `re` holds."""
    return re.compile(pattern, flags)


Position = Literal["before", "after", "glued", "either"]
NONE: Shares = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Source:
    """Provenance of the hand-written rows of a table.

    Attributes:
        file: file in `gazetteer/build/hand`.
        source: author of the rows, and what they are based on.
        check: where a reader can verify them; {country} and {first} stand for a row's country and first word.
        rows: number of rows.
    """

    file: str
    source: str
    check: str
    rows: int

    def check_of(self, country: str = "", first: str = "") -> str:
        """Return where one row can be verified.

        Args:
            country: English name of the row's country.
            first: first word of the row.
        """
        return self.check.replace("{country}", country.replace(" ", "_")).replace("{first}", first.replace(" ", "_"))


@dataclass(frozen=True, slots=True)
class CountryFacts:
    """One country or territory.

    Attributes:
        code: ISO 3166-1 alpha-2 code ("XK" for Kosovo).
        name: English name.
        population: number of people.
        area_km2: land and inland water area.
        languages: language -> share of the text on public signs; sums to 1.
        scripts: script -> share of the text on public signs; sums to 1.
        han: "Hans" or "Hant" if one kind of Chinese characters is usual, else "".
        tlds: its country-code domains, without dots.
        calling_codes: international calling codes, digits only.
        currencies: ISO 4217 codes in use.
        drives_left: whether traffic keeps left.
        mph: whether road signs use miles per hour.
        postcode: regular expression of a whole postcode, "" if the country has no postcodes.
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
        countries: country -> weight if its use is national; empty if only the languages are informative.
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
        strength: reliability of the form, (0, 1].
        case: whether only the exact spellings in `written` count ("AS", "AB" are words in other spellings).
        variants: spelling -> country -> weight, if punctuation distinguishes countries ("A/S", "a.s.").
    """

    written: tuple[str, ...]
    countries: Shares
    strength: float = 1.0
    case: bool = False
    variants: Mapping[str, Shares] = field(default_factory=lambda: MappingProxyType({}))

    def countries_as(self, written: str) -> Shares:
        """Return country -> weight of the form in this exact spelling, else of the form in any spelling."""
        return self.variants.get(written, self.countries)


@dataclass(frozen=True, slots=True)
class RegistrationLabel:
    """The label before a tax or register number.

    Attributes:
        written: usual spellings.
        countries: country -> weight, sum 1.
        strength: reliability of the label alone, (0, 1].
        pattern: regular expression of the number after it, "" if it has no fixed format.
        checksum: module of python-stdnum that validates the number ("it.iva"), "" if there is none.
        case: whether only the exact spellings in `written` count.
        numbers: (country, regular expression of the number without separators, what its group is a code of); the number
            identifies the country of a label that several countries use ("RUC").
    """

    written: tuple[str, ...]
    countries: Shares
    strength: float = 1.0
    pattern: str = ""
    checksum: str = ""
    case: bool = False
    numbers: tuple[tuple[str, str, Mapping[str, str] | str], ...] = ()

    def fits(self, number: str) -> bool | None:
        """Return whether `number` has the label's format; None if the label has no fixed format."""
        return bool(compiled(self.pattern, re.IGNORECASE).fullmatch(number.strip())) if self.pattern else None


@dataclass(frozen=True, slots=True)
class NumberForm:
    """A tax or register number that is recognisable without a label: "ATU12345678".

    Attributes:
        country: country that issues such numbers.
        pattern: regular expression of a whole number.
        checksum: module of python-stdnum that validates it, "" if there is none.
        needs_checksum: whether the format alone is too common to be evidence.
        source: source of the format.
    """

    country: str
    pattern: str
    checksum: str = ""
    needs_checksum: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class CurrencyForm:
    """A written form of a currency.

    Attributes:
        countries: country -> weight, sum 1.
        strength: reliability of the form, (0, 1]; below 0.5 it is ambiguous.
        currency: ISO 4217 code, "" if the form stands for several currencies.
        position: "before" or "after" the amount, or "either".
        case: whether it is case-sensitive.
    """

    countries: Shares
    strength: float = 1.0
    currency: str = ""
    position: Position = "either"
    case: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether the form stands for several currencies or is often not a currency."""
        return self.strength < 0.5


@dataclass(frozen=True, slots=True)
class BrandFact:
    """A brand, operator or institution.

    Attributes:
        countries: country -> weight, sum 1.
        place: the city that it belongs to, "" if it is not local.
        kind: "brand", "operator", "transit", or a kind from the hand table ("bank", "police", …).
        strength: reliability of the name, (0, 1].
        parts: country -> locations in it: cities by name, admin-1 units by GeoNames code ("DE.05").
        chosen: whether it was added by hand as a distinctive name, not in bulk from an index.
    """

    countries: Shares
    place: str = ""
    kind: str = "brand"
    strength: float = 1.0
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class SignWord:
    """A word on signs.

    Attributes:
        languages: languages with this spelling.
        concept: meaning in English ("pharmacy").
    """

    languages: tuple[str, ...]
    concept: str


@dataclass(frozen=True, slots=True)
class Regionalism:
    """A word that is used on signs nationally or regionally.

    Attributes:
        countries: country -> weight, sum 1.
        strength: reliability of the word, (0, 1].
        admin1: GeoNames admin-1 code ("CA.10") if it is regional.
        city: city if it is local.
        note: meaning.
    """

    countries: Shares
    strength: float = 1.0
    admin1: str = ""
    city: str = ""
    note: str = ""
