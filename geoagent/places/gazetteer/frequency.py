"""How often words are written at all, and so how likely a written name is meant as the place of that name."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.fact_rows import Reader

RARE = 2.0
"""Zipf value of a word that is not listed."""
_ORDINARY = 1.2
"""Added to the Zipf value of an ordinary English word: capitals and the words around it decide that it is a name."""
_SHORT = {1: 5.0, 2: 4.5, 3: 4.0, 4: 3.5, 5: 2.8}
"""Least Zipf value by number of letters: short words are also initials, parts of words and misreadings."""
_AT_HOME = 1.0
"""Taken off the Zipf value in a language of the place's own country, which writes of the place often."""
_PER_WORD = 0.6
"""Zipf value that a phrase loses for each further word; most pairs of common words are never written together."""
_PEOPLE, _ZIPF = (3.0, 5.0, 7.0), (2.9, 4.0, 5.8)
"""Zipf value of a name that is used for a town as often as for anything else, by log10 of the town's people.

Up to 100,000 people it is the 95th percentile of town names that are no ordinary words. Above, it rises faster: the
name of a large city is frequent because of the city.
"""

_SPOKEN = {"sh": frozenset({"hr", "bs", "sr", "cnr"}), "nb": frozenset({"no"}), "fil": frozenset({"tl"})}
"""Codes of the frequencies' languages that are others in the tables of countries."""
_ANOTHER = 0.8
"""Taken off where the name is not the usual one: few write of Mikkeli as St Michel."""


@dataclass(frozen=True, eq=False)
class Frequency:
    """Frequencies of words of place names, brands and regional words; all keys are normalised.

    Attributes:
        zipf: word -> log10 of its occurrences per billion words in English, and in the other language that uses it
            most, with that language ("" if English does).
        ordinary: ordinary English words.
        first_names: first names of people.
        surnames: surnames of people that are also words of place names.
    """

    zipf: Mapping[str, tuple[float, float, str]]
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
                MappingProxyType({word: _value(row) for word, row in table["zipf_tenths"].items()}),
                frozenset(table["ordinary"]),
                frozenset(table["first_names"]),
                frozenset(table["surnames"]),
            )
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ResourceError(f"the frequencies in {folder} have an unexpected format ({error!r})") from error

    def of(self, key: str, home: Collection[str] = ()) -> float:
        """Zipf value of a word or phrase: that of its rarer words, and less for each word after the first.

        Args:
            key: normalised words.
            home: languages that use the word for a place of their own, whose frequency counts less.
        """
        values = [self._value(word, home) for word in key.split()]
        if not values:
            return RARE
        together = -math.log10(sum(10.0**-value for value in values))
        return max(RARE, together - _PER_WORD * (len(values) - 1))

    def names_place(self, key: str, population: int, home: Collection[str] = (), *, another: bool = False) -> float:
        """Probability that a written name means a place of so many people, not a word, a person or a firm.

        By the share that a place of that size usually has in the uses of its name: "Parks" is rarely the one of 1,188
        people in Arizona, "Phoenix" usually the one of 1.6 million.

        Args:
            key: normalised name.
            population: people in the place; 0 where unknown.
            home: languages of the place's country.
            another: whether it is not the place's usual name, but another, or a declined form.
        """
        usual = float(np.interp(math.log10(max(population, 1000)), _PEOPLE, _ZIPF))
        if another and not self._is_of(key, home):
            usual -= _ANOTHER
        return float(1.0 / (1.0 + 10.0 ** (self.of(key, home) - usual)))

    def _is_of(self, key: str, home: Collection[str]) -> bool:
        """Whether some language of a place's country uses a name most: "Hrvatske" is Croatia in its own language."""
        return any(_spoken(self.zipf[w][2]) & {*home} for w in key.split() if w in self.zipf)

    def _value(self, word: str, home: Collection[str]) -> float:
        english, other, language = self.zipf.get(word, (RARE, RARE, ""))
        english = max(english, _SHORT.get(len(word), RARE))
        if word in self.ordinary:
            english += _ORDINARY
        # "Samba" is no more the town in Angola for being written often in Portuguese.
        of_place = bool(_spoken(language) & {*home}) and (word not in self.ordinary or language == "en")
        return max(english, other - _AT_HOME if of_place else other, RARE)


def _spoken(language: str) -> frozenset[str]:
    return _SPOKEN.get(language, frozenset({language}))


def _value(row: Sequence[Any]) -> tuple[float, float, str]:
    english, other, language = row if len(row) == 3 else (row[0], 0, "")
    return english / 10.0, other / 10.0, str(language)
