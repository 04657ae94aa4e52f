"""Hints: parsing what the user believes about the place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geoagent.errors import ConfigError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.regions import COUNTRY_WORDS, UNIT_WORDS, macro_regions, places_of
from geoagent.types import Place

HINT, UNSURE, SURE = 0.9, 0.7, 0.98
"""Reliability of a hint, of one that hedges ("maybe", "I think"), of one that insists ("definitely")."""
_UNSURE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|likely|might|could|i think|i guess|i believe|not sure|looks like|seems|"
    r"vielleicht|wahrscheinlich|peut[- ]être|quizás?|talvez|forse)\b|\?",
    re.IGNORECASE,
)
_SURE = re.compile(r"\b(?:definitely|certainly|surely|i know|i am sure|i'm sure|for sure|bestimmt|sicher)\b", re.I)
_BUT = r"but|rather|aber|sondern|mais|pero|sino|mas"
_CLAUSE = re.compile(rf"[,;:.()]|\b(?:or|and|oder|und|ou|et|o|y|e|ni|{_BUT})\b", re.IGNORECASE)
_ENDS_NOT = re.compile(rf"[,;:.()]|{_BUT}", re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:never|isn['’]?t|wasn['’]?t|excluding|except|nor|neither|kein|sauf"
    # "not sure but I think Lyon", "not far from Lyon", "not only Lyon", "no doubt Lyon" speak for it.
    r"|not(?!\s+(?:sure|certain|far|only|just|necessarily|unlike))|no(?!\s+(?:doubt|idea|question))"
    r"|without(?!\s+(?:an?y?\s+)?(?:doubt|question))|nicht(?!\s+(?:sicher|weit|nur))|pas(?!\s+(?:s[uû]r|loin|seulement)))\b",
    re.IGNORECASE,
)
_NEAR = re.compile(
    r"\b(?:near|around|close to|not far|nicht weit|pas loin|outside|north of|south of|east of|west of|region of"
    r"|area)\b",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(north|south|east|west|central)(?:ern)?[- ]?(north|south|east|west)?(?:ern)?\s+(?:of\s+)?$", re.I
)


@dataclass(frozen=True, slots=True)
class Hint:
    """A parsed hint.

    Attributes:
        said: the hint as given.
        places: places it favours, each with whether the photo is only said to be near it.
        against: places it rules out.
        reliability: how far the hint is believed.
        parts: compass part ("southern") by country code.
    """

    said: str
    places: tuple[tuple[Place, bool], ...]
    against: tuple[Place, ...]
    reliability: float
    parts: Mapping[str, str]


def read_hint(text: str, gazetteer: Gazetteer) -> Hint:
    """Parse a hint: names of places, macro-regions, parts of countries, "not" and "near" before them.

    Args:
        text: "somewhere in the Balkans, not Greece", "maybe southern Germany", "near Lyon".
        gazetteer: names of places.

    Raises:
        ConfigError: it names no place that is known.
    """
    places: list[tuple[Place, bool]] = []
    against: list[Place] = []
    parts: dict[str, str] = {}
    negated, shouted = False, text.isupper() and any(len(word) > 3 for word in text.split())
    for stop, words in _clauses(text):
        # "not Spain or Portugal" rules out both; a comma ends it, and "but" does.
        negated = bool(_NOT.search(words)) or (negated and not _ENDS_NOT.fullmatch(stop))
        near = bool(_NEAR.search(words))
        for place, before in _named(words, gazetteer, codes=not shouted):
            if negated:
                against.append(place)
                continue
            places.append((place, near))
            part = _PART.search(before)
            if part and place.level == "country":
                parts[place.country] = "".join(filter(None, part.groups())).lower()
    if not places and not against:
        raise ConfigError(f"hint {text!r}: no place in it that the gazetteer knows; name a country, region or city")
    sure = UNSURE if _UNSURE.search(text) else SURE if _SURE.search(text) else HINT
    return Hint(" ".join(text.split()), tuple(dict.fromkeys(places)), tuple(dict.fromkeys(against)), sure, parts)


def _clauses(text: str) -> list[tuple[str, str]]:
    """Clauses of a hint, each with what divides it from the one before."""
    edges = [("", 0, 0), *((m.group(), m.start(), m.end()) for m in _CLAUSE.finditer(text)), ("", len(text), len(text))]
    return [(stop, text[end:following]) for (stop, _, end), (_, following, _) in itertools.pairwise(edges)]


def _named(clause: str, gazetteer: Gazetteer, *, codes: bool) -> list[tuple[Place, str]]:
    """Places of one clause with the words before each; macro-regions as their countries, longest names first.

    Two capitals are a country's code, save in a hint all in capitals: "SOMEWHERE IN GERMANY" is not about India.
    """
    found: list[tuple[Place, str]] = []
    words = [(m.start(), m.end()) for m in re.finditer(r"[\w'’.-]+", clause)]
    regions, taken = macro_regions(), [False] * len(words)
    for length in range(min(6, len(words)), 0, -1):
        for i in range(len(words) - length + 1):
            start, end = words[i][0], words[i + length - 1][1]
            raw = clause[start:end].strip(".-")
            if any(taken[i : i + length]) or not raw:
                continue
            key = normalise(raw)
            code = raw if codes and len(raw) == 2 and raw.isupper() else ""
            region = regions.get(key)
            countries: Sequence[str] = region.countries if region is not None else ()
            unit = gazetteer.admin1(UNIT_WORDS.get(key, ""))
            if unit is not None:
                taken[i : i + length] = [True] * length
                found.append((unit, clause[:start]))
                continue
            if not countries and (code or key in COUNTRY_WORDS):
                countries = [place.country for place in places_of(gazetteer, raw)[1]]
            inside = [place for place in map(gazetteer.country, countries) if place is not None]
            if inside:
                taken[i : i + length] = [True] * length
                found += [(place, clause[:start] if region is None else "") for place in inside]
    left = list(clause)
    for (start, end), used in zip(words, taken, strict=True):
        if used:
            left[start:end] = " " * (end - start)
    rest = "".join(left)
    for mention in gazetteer.scan(rest):
        found.append((mention.matches[0].place, rest[: mention.start]))
    return found
