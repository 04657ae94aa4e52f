"""What the gazetteer answers: a place that a name may mean, and a name found in a text."""

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
        name: the key under which it was found (normalised).
        exactness: "primary" (its usual name), "alternate" (another name of it, or in another language), "code" (an
            abbreviation: "TX"), "stem" (a declined form, or the name with a generic word), "translit" (transliterated),
            "fuzzy" (misread or misspelt).
        edits: letters that differ; 0 unless fuzzy or transliterated.
        score: nats; a softmax over the matches of one name is P(place | name).
    """

    place: Place
    name: str
    exactness: Exactness
    edits: int
    score: float


@dataclass(frozen=True, slots=True)
class Mention:
    """A name found in a text.

    Attributes:
        start: offset of its first character in the text as given.
        end: offset behind its last character.
        text: the characters between.
        matches: places that it may mean, best first; at least one.
        capitalised: whether it begins with a capital, or its script has none.
    """

    start: int
    end: int
    text: str
    matches: tuple[Match, ...]
    capitalised: bool
