"""Hints: parsing what the user believes about the place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from geoagent.errors import ConfigError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.borders import borders
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.readings import PLAUSIBLE, Reading, readings_of
from geoagent.places.gazetteer.regions import COUNTRY_WORDS, UNIT_WORDS, macro_regions
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
        weights: how likely a place is meant where its name is that of several, relative to the likeliest; 1 elsewhere.
    """

    said: str
    places: tuple[tuple[Place, bool], ...]
    against: tuple[Place, ...]
    reliability: float
    parts: Mapping[str, str]
    weights: Mapping[Place, float] = field(default_factory=dict)


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
    weights: dict[Place, float] = {}
    marked, addresses = _addressed(text, gazetteer)
    negated, shouted = False, text.isupper() and any(len(word) > 3 for word in text.split())
    for stop, words in _clauses(marked):
        # "not Spain or Portugal" rules out both; a comma ends it, and "but" does.
        negated = bool(_NOT.search(words)) or (negated and not _ENDS_NOT.fullmatch(stop))
        near = bool(_NEAR.search(words))
        for place, before, weight in _named(words, gazetteer, addresses, codes=not shouted):
            if negated:
                against += [place] if weight == 1.0 else []
                continue
            places.append((place, near))
            weights[place] = max(weight, weights.get(place, 0.0))
            part = _PART.search(before)
            if part and place.level == "country":
                parts[place.country] = "".join(filter(None, part.groups())).lower()
    if not places and not against:
        raise ConfigError(f"hint {text!r}: no place in it that the gazetteer knows; name a country, region or city")
    sure = UNSURE if _UNSURE.search(text) else SURE if _SURE.search(text) else HINT
    return Hint(
        " ".join(text.split()), tuple(dict.fromkeys(places)), tuple(dict.fromkeys(against)), sure, parts, weights
    )


def _clauses(text: str) -> list[tuple[str, str]]:
    """Clauses of a hint, each with what divides it from the one before."""
    edges = [("", 0, 0), *((m.group(), m.start(), m.end()) for m in _CLAUSE.finditer(text)), ("", len(text), len(text))]
    return [(stop, text[end:following]) for (stop, _, end), (_, following, _) in itertools.pairwise(edges)]


def _addressed(text: str, gazetteer: Gazetteer) -> tuple[str, list[tuple[Reading, ...]]]:
    """Put a mark for each "Bethlehem, PA" or "Lyon, France", whose comma divides no clauses; return what each means."""
    found: list[tuple[Reading, ...]] = []
    pieces, end = [], 0
    for comma in re.finditer(r",\s*", text):
        after = re.match(r"(?:[^\W\d_][\w.'’-]*\s+){0,2}[^\W\d_][\w.'’-]*(?:\s+\d{4,6}\b)?", text[comma.end() :])
        if after is None or not after[0][0].isupper() or comma.start() < end:
            continue
        before = text[end : comma.start()].split()
        stops = [comma.end() + m.end() for m in re.finditer(r"\S+", after[0])]
        # The longest name that is known in the longest text after the comma.
        for count, stop in itertools.product(range(min(4, len(before)), 0, -1), reversed(stops)):
            name = " ".join(before[-count:])
            readings = _plausible(f"{name}, {text[comma.end() : stop]}", gazetteer) if name[0].isupper() else ()
            if readings:
                start = _start_of(text, before[-count:], end, comma.start())
                pieces.append(f"{text[end:start]}ǁ{len(found)}ǁ")
                found.append(readings)
                end = stop
                break
    return "".join((*pieces, text[end:])), found


def _start_of(text: str, words: Sequence[str], low: int, high: int) -> int:
    """Where the last words before `high` begin."""
    start = high
    for word in reversed(words):
        start = text.rindex(word, low, start)
    return start


def _plausible(stated: str, gazetteer: Gazetteer) -> tuple[Reading, ...]:
    return tuple(r for r in readings_of(gazetteer, stated) if r.weight >= PLAUSIBLE)


def _named(
    clause: str, gazetteer: Gazetteer, addresses: Sequence[tuple[Reading, ...]], *, codes: bool
) -> list[tuple[Place, str, float]]:
    """Places of one clause with the words before each and its weight; macro-regions as their countries.

    Longest names come first. Two capitals are a country's code, save in a hint all in capitals: "SOMEWHERE IN GERMANY"
    is not about India.
    """
    found: list[tuple[Place, str, float]] = []
    words = [(m.start(), m.end()) for m in re.finditer(r"[\w'’.-]+", clause)]
    regions, taken = macro_regions(), [False] * len(words)
    for length in range(min(6, len(words)), 0, -1):
        for i in range(len(words) - length + 1):
            start, end = words[i][0], words[i + length - 1][1]
            raw = clause[start:end].strip(".-")
            if any(taken[i : i + length]) or not raw:
                continue
            meant = _meant(raw, gazetteer, addresses, codes=codes)
            if meant:
                taken[i : i + length] = [True] * length
                region = normalise(raw) in regions
                found += [(place, "" if region else clause[:start], weight) for place, weight in meant]
    left = list(clause)
    for (start, end), used in zip(words, taken, strict=True):
        if used:
            left[start:end] = " " * (end - start)
    rest = "".join(left)
    for mention in gazetteer.scan(rest):
        readings = _plausible(rest[mention.start : mention.end], gazetteer)
        places = [(place, r.weight) for r in readings for place in r.places] or [(mention.matches[0].place, 1.0)]
        found += [(place, rest[: mention.start], weight) for place, weight in places]
    return found


def _meant(
    raw: str, gazetteer: Gazetteer, addresses: Sequence[tuple[Reading, ...]], *, codes: bool
) -> list[tuple[Place, float]]:
    """Places of words that are an address, a macro-region, a country's code or name, or a disputed or former area."""
    marked = re.fullmatch(r"ǁ(\d+)ǁ", raw)
    if marked:
        return [(place, r.weight) for r in addresses[int(marked[1])] for place in r.places]
    key = normalise(raw)
    code = codes and len(raw) == 2 and raw.isupper()
    if key in macro_regions() or key in UNIT_WORDS or code or key in COUNTRY_WORDS or key in borders().by_name:
        return [(place, r.weight) for r in readings_of(gazetteer, raw)[:1] for place in r.places]
    return []
