"""How often words are written at all, and so how likely a written name is meant as the place of that name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.fact_rows import Reader

RARE = 2.0
"""Zipf value of a word that is not listed."""
_ORDINARY = 1.2
"""Added to the Zipf value of an ordinary English word: capitals and the words around it decide that it is a name."""
_PER_WORD = 0.6
"""Zipf value that a phrase loses for each further word; most pairs of common words are never written together."""
_PEOPLE, _ZIPF = (3.0, 5.0, 7.0), (2.9, 4.0, 5.8)
"""Zipf value of a name that is used for a town as often as for anything else, by log10 of the town's people.

Up to 100,000 people it is the 95th percentile of town names that are no ordinary words. Above, it rises faster: the name
of a large city is frequent because of the city.
"""


@dataclass(frozen=True, eq=False)
class Frequency:
    """Frequencies of words of place names, brands and regional words; all keys are normalised.

    Attributes:
        zipf: word -> log10 of its occurrences per billion words, in the language that uses it most.
        ordinary: ordinary English words.
        first_names: first names of people.
        surnames: surnames of people that are also words of place names.
    """

    zipf: Mapping[str, float]
    ordinary: frozenset[str]
    first_names: frozenset[str]
    surnames: frozenset[str]

    @classmethod
    def load(cls, folder: Path) -> Frequency:
        """Read the table of a folder.

        Raises:
            ResourceError: it is missing or damaged.
        """
        table = Reader(folder)("frequency")
        try:
            return cls(
                MappingProxyType({word: tenths / 10.0 for word, tenths in table["zipf_tenths"].items()}),
                frozenset(table["ordinary"]),
                frozenset(table["first_names"]),
                frozenset(table["surnames"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ResourceError(f"the frequencies in {folder} have an unexpected format ({error!r})") from error

    def of(self, key: str) -> float:
        """Zipf value of a word or phrase: that of its rarer words, and less for each word after the first."""
        values = list(self._values(key))
        if not values:
            return RARE
        together = -math.log10(sum(10.0**-value for value in values))
        return max(RARE, together - _PER_WORD * (len(values) - 1))

    def names_place(self, key: str, population: int) -> float:
        """Probability that a written name means a place of so many people, not a word, a person or a firm.

        By the share that a place of that size usually has in the uses of its name: "Parks" is rarely the one of 1,188
        people in Arizona, "Phoenix" usually the one of 1.6 million.

        Args:
            key: normalised name.
            population: people in the largest place of the name; 0 where unknown.
        """
        usual = float(np.interp(math.log10(max(population, 1000)), _PEOPLE, _ZIPF))
        return 1.0 / (1.0 + 10.0 ** (self.of(key) - usual))

    def _values(self, key: str) -> Iterator[float]:
        for word in key.split():
            value = self.zipf.get(word, RARE)
            yield value + _ORDINARY if word in self.ordinary else value
