"""Results of the gazetteer: a place that a name may mean, and a place name found in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geoagent.types import Place

Exactness = Literal["primary", "alternate", "code", "stem", "translit", "fuzzy"]


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a name may mean.

    Attributes:
        place: the place.
        name: the normalised key under which it was found.
        exactness: "primary" (its usual name), "alternate" (another name, or the name in another language), "code" (an
            abbreviation: "TX"), "stem" (a declined form, or the name with a generic word), "translit" (transliterated),
            "fuzzy" (misread or misspelt).
        edits: number of differing letters; 0 unless fuzzy or transliterated.
        score: nats; a softmax over the matches of one name is P(place | name).
    """

    place: Place
    name: str
    exactness: Exactness
    edits: int
    score: float


@dataclass(frozen=True, slots=True)
class Mention:
    """A place name found in a text.

    Attributes:
        start: offset of its first character in the original text.
        end: offset after its last character.
        text: the characters between them.
        matches: places that it may mean, best first; at least one.
        capitalised: whether it starts with a capital, or its script has no case.
    """

    start: int
    end: int
    text: str
    matches: tuple[Match, ...]
    capitalised: bool
