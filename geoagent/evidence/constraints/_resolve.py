"""Resolve place names stated by a model to places; all coordinates come from the gazetteer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from geoagent.places.gazetteer import Gazetteer, Match
from geoagent.places.gazetteer.regions import country_of
from geoagent.types import Place

_KEPT = 4
_NEAR_MISS = -4.0
"""Penalty in nats for a country other than the stated one: less would let a namesake win, more would rule out slips."""
_UNKNOWN = re.compile(
    r"^\W*(?:unknown|not specified|not applicable|n/?a|none|null|unspecified|undetermined|unable.*|cannot.*|"
    r"various|any|city|country|town|somewhere.*|unclear|indeterminate|not (?:known|clear|available|provided).*)?\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Places that a stated name may mean.

    Attributes:
        places: places with weights that sum to 1; () if the name is unknown.
        level: level to which the statement could be resolved: "country", "admin1" or "city".
        note: message on what could not be resolved; "" if everything was.
    """

    places: tuple[tuple[Place, float], ...]
    level: str
    note: str = ""


def resolve(gazetteer: Gazetteer, name: str, level: str, country: str) -> Resolved:
    """Find the places that a model means.

    Args:
        gazetteer: the gazetteer.
        name: stated name; may contain its own context ("Springfield, Illinois").
        level: stated level.
        country: stated country code or name; "" for none.
    """
    state = country_of(gazetteer, country) if country.strip() else None
    if stated_nothing(name):
        return _area(state, f"no place is named “{name}”" if name.strip() else "")
    if level == "country":
        return _area(state or country_of(gazetteer, name), f"“{name}” is no country that the gazetteer knows")
    code = state.country if state is not None else None
    parts = [part.strip() for part in re.split(r"[,(/]|\s-\s", name.replace(")", "")) if part.strip()]
    for part in parts or [name]:
        matches = _matches(gazetteer, part, code)
        if level == "admin1":
            # The name means the unit, unless there is only a town of that name.
            matches = [m for m in matches if m.place.level == "admin1"] or matches
        elif level in ("city", "street", "institution"):
            matches = [m for m in matches if m.place.level == "city"] or matches
        if not matches:
            continue
        if len(parts) > 1:
            matches = _agreeing(gazetteer, matches, [p for p in parts if p != part], code)
        if code is not None and all(m.place.country != code for m in matches):
            continue
        if code is not None:
            matches = [m for m in matches if m.place.country == code]
        top = max(m.score for m in matches)
        weights = [math.exp(m.score - top) for m in matches]
        total = sum(weights)
        found = tuple((m.place, w / total) for m, w in zip(matches, weights, strict=True))
        note = "" if part == name or len(parts) > 1 else f"“{name}” was read as “{part}”"
        return Resolved(found, found[0][0].level, note)
    where = f" in {state.name}" if state is not None else ""
    return _area(state, f"“{name}” is no place that the gazetteer knows{where}", partly=True)


def stated_nothing(name: str) -> bool:
    """Whether a name states that no place is known ("Unknown", "not specified")."""
    return bool(_UNKNOWN.match(name.strip()))


def _matches(gazetteer: Gazetteer, name: str, code: str | None) -> list[Match]:
    weights = None if code is None else {code: 1.0, "": math.exp(_NEAR_MISS)}
    found = gazetteer.lookup(name, k=_KEPT * 3, countries=weights)
    if not found or (code is not None and all(m.place.country != code for m in found)):
        found = gazetteer.fuzzy(name, k=_KEPT * 3, countries=weights)
    if code is not None:
        own = [m for m in found if m.place.country == code]
        found = tuple(own) or found
    return list(found)[:_KEPT]


def _agreeing(gazetteer: Gazetteer, matches: list[Match], context: Sequence[str], code: str | None) -> list[Match]:
    """Filter the places of a name to those inside the areas named with it."""
    units = {m.place.admin1 for word in context for m in _matches(gazetteer, word, code) if m.place.level == "admin1"}
    inside = [m for m in matches if m.place.admin1 in units and m.place.level == "city"]
    return inside or matches


def _area(state: Place | None, note: str, *, partly: bool = False) -> Resolved:
    if state is None:
        return Resolved((), "none", note)
    return Resolved(((state, 1.0),), "country", note if partly else "")
