"""Row types of the pattern-based cue tables: postcodes, plates, domains, roads, habits. Read by `facts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from geoagent.places.gazetteer.fact_types import Shares, compiled

WHITE: Shares = MappingProxyType({"white": 0.92, "yellow": 0.03})
"""Default colours of number plates."""


@dataclass(frozen=True, slots=True)
class PostcodeFacts:
    """Postcodes of one country.

    Attributes:
        pattern: regular expression of a whole code, "" if the country has no postcodes.
        shared: share of the other countries with postcodes whose pattern the country's example codes also match;
            0 means that the format alone identifies the country.
        prefixes: country prefixes written before a code ("D-", "CH-").
        labels: words written before a code ("CEP", "PSČ").
        areas: first characters of a code -> (city or "", GeoNames admin-1 code or "", name of the area).
    """

    pattern: str
    shared: float = 1.0
    prefixes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    areas: Mapping[str, tuple[str, str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def matches(self, code: str) -> bool:
        """Return whether `code` has the format of this country's postcodes."""
        return bool(self.pattern) and compiled(self.pattern, re.IGNORECASE).fullmatch(code.strip()) is not None

    def area(self, code: str) -> tuple[str, str, str] | None:
        """Return (city, admin-1 code, name) of the longest known prefix of `code`, else None."""
        compact = re.sub(r"[\s-]", "", code).upper()
        for size in range(min(len(compact), 6), 0, -1):
            found = self.areas.get(compact[:size])
            if found is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class PlateFacts:
    """Number plates of one country.

    Attributes:
        patterns: (strict, loose, weight): regular expressions of a whole plate with and without separators.
        regions: region code -> city, or "@" followed by the name of an admin-1 unit.
        bands: text on the side band -> place, in the same notation (French departments).
        colours: colour of the plate -> share of the country's plates.
    """

    patterns: tuple[tuple[str, str, float], ...]
    regions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    bands: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    colours: Shares = field(default_factory=lambda: WHITE)


@dataclass(frozen=True, slots=True)
class TldFact:
    """A top-level domain, or a second level such as "co.uk".

    Attributes:
        countries: country -> weight, sum 1.
        strength: reliability, (0, 1]; low for ".io", ".tv", ".co".
        place: city or region that it belongs to ("Berlin"), "" if none.
    """

    countries: Shares
    strength: float = 1.0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Habit:
    """A formatting convention for numbers, hours, prices or addresses.

    Attributes:
        pattern: regular expression to search for in a line.
        countries: country -> weight, sum 1.
        strength: reliability, (0, 1].
        note: description.
    """

    pattern: str
    countries: Shares
    strength: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class RoadForm:
    """A format of road numbers.

    Attributes:
        pattern: regular expression of a whole number.
        countries: country -> weight, sum 1.
        strength: reliability, (0, 1].
        colours: colour of the number's panel -> countries that use it.
    """

    pattern: str
    countries: Shares
    strength: float = 1.0
    colours: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
