"""Directions: "Lyon 45 km" means that the sign is not in Lyon but about that far away.

A name with a distance is a direction cue. Its weight goes to the towns in the same country that are about that far from
the named place; if a sign gives several distances, to the towns that match all of them.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from geoagent.evidence.cues.reading import Line, Reading, country_name
from geoagent.places.gazetteer.tally import Tally
from geoagent.places.geo import haversine_km
from geoagent.types import Cue, Place, Span

_UNIT = (
    r"(km|KM|Km|км|КМ|χλμ|χλμ\.|كم|کم|کیلومتر|ק\"מ|ק״מ|公里|キロ|킬로미터|กม\.?|किमी|कि\.मी\.?|কিমি|కి\.మీ|கி\.மீ|"
    r"კმ|կմ|ኪሜ|mi|miles|MILES|MI)"
)
_NUMBER = r"(\d{1,4}(?:[.,]\d)?) ?"
_AFTER = re.compile(rf"^[\s.:|–—-]{{0,4}}{_NUMBER}{_UNIT}?(?!\w)")
_BEFORE = re.compile(rf"{_NUMBER}{_UNIT}(?!\w)[^\d]{{0,14}}$")
_ALONE = re.compile(rf"^\W*{_NUMBER}{_UNIT}\W*$")
_KM_OF_MILE = 1.609344
_STRAIGHT = 0.8  # straight-line distance / road distance (typical circuity 1.2 to 1.3)
_SPREAD = 0.15  # spread of the logarithm of that ratio
_TOWNS = 12
_TOWNS_SHARE, _ADMIN1_SHARE = 0.45, 0.2  # shares of the weight; the rest goes to the country
_NEAR_KM = 8.0  # a sign this close counts as being in the place, given the resolution of answers


def distances(reading: Reading, cues: list[Cue]) -> list[tuple[Cue, float]]:
    """Return the cues of kind "name" that have a distance next to them, with the distance in km.

    A number without a unit counts only if another name in the photo has a distance, too: "Graz 120" alone may be a
    street and house number.
    """
    lines = {line.region: line for line in reading.lines}
    found: list[tuple[Cue, float, bool]] = []
    for cue in cues:
        span = cue.spans[0]
        given = _beside(lines[span.region], span)
        if given is not None:
            found.append((cue, *given))
    if not found:
        found = [(cue, km, True) for cue, km in _below(reading, cues)]
    bare = sum(not unit for _, _, unit in found)
    sure = any(unit for _, _, unit in found)
    return [(cue, km) for cue, km, unit in found if unit or sure or bare >= 2]


def _below(reading: Reading, cues: list[Cue]) -> list[tuple[Cue, float]]:
    """Return names whose distance is on a separate line: below the name if positions are known, else in order."""
    alone = [
        (line, float(m[1].replace(",", ".")) * _km(m[2])) for line in reading.lines if (m := _ALONE.match(line.digits))
    ]
    lines = {line.region: line for line in reading.lines}
    found: list[tuple[Cue, float]] = []
    for line, km in alone:
        over = [(gap, i) for i, cue in enumerate(cues) if (gap := _over(lines, cue, line)) is not None]
        if over:
            found.append((cues[min(over)[1]], km))
    if alone and not found and all(line.box is None for line, _ in alone) and len(alone) == len(cues):
        in_order = sorted(cues, key=lambda cue: (cue.spans[0].region, cue.spans[0].start))
        found = [(cue, km) for cue, (_, km) in zip(in_order, alone, strict=True)]
    return found


def _over(lines: dict[int, Line], cue: Cue, below: Line) -> float | None:
    """Return the gap in pixels between a name and a line below it, or None if the line is not below the name."""
    gaps = []
    for span in cue.spans:
        name, under = lines[span.region].box, below.box
        if name is None or under is None:
            continue
        width = max(len(lines[span.region].text), 1)
        left = name[0] + (name[2] - name[0]) * span.start / width
        right = name[0] + (name[2] - name[0]) * span.end / width
        shared = min(right, under[2]) - max(left, under[0])
        gap = under[1] - name[3]
        tall = under[3] - under[1]
        if shared >= 0.5 * min(right - left, under[2] - under[0]) and -tall <= gap <= 3 * tall:
            gaps.append(gap)
    return min(gaps, default=None)


def _km(unit: str) -> float:
    return _KM_OF_MILE if unit.lower().startswith("mi") else 1.0


def _beside(line: Line, span: Span) -> tuple[float, bool] | None:
    """Return the distance in km next to a name, and whether its unit is written."""
    after, before = _AFTER.match(line.digits[span.end :]), _BEFORE.search(line.digits[: span.start])
    match = after or before
    if match is None or (after is not None and not after[2] and line.digits[span.end :].strip() != after[0].strip()):
        return None
    number = float(match[1].replace(",", "."))
    return (number * _km(match[2] or ""), bool(match[2])) if 0 < number <= 2500 else None


def turned(reading: Reading, cues: list[Cue]) -> list[Cue]:
    """Return the name cues, with those that have a distance converted to cues of kind "direction"."""
    away = distances(reading, cues)
    if not away:
        return cues
    by_id = {id(cue): km for cue, km in away}
    nearest, home = min((km, cue.places[0][0].country) for cue, km in away)
    out = []
    for cue in cues:
        km = by_id.get(id(cue))
        if km is None or km < _NEAR_KM:
            out.append(cue)
            continue
        bearing = _bearing(reading, cue, km, away)
        # A sign is in the country of its nearest destination; farther ones may be abroad ("Seoul 56", "평양 205").
        abroad = cue.places[0][0].country != home
        out.append(replace(bearing, strength=bearing.strength * nearest / km) if abroad else bearing)
    return out


def _bearing(reading: Reading, cue: Cue, km: float, away: list[tuple[Cue, float]]) -> Cue:
    countries: dict[str, float] = {}
    for place, weight in cue.places:
        countries[place.country] = countries.get(place.country, 0.0) + weight
    goals = [
        (place, weight) for place, weight in cue.places if place.level == "city" and weight >= 0.1 * cue.places[0][1]
    ]
    tally = Tally()
    add = tally.add
    total = sum(weight for _, weight in goals) or 1.0
    for goal, weight in goals[:3]:
        share = weight / total
        others = [
            (p.latlon.lat, p.latlon.lon, d)
            for other, d in away
            if other is not cue
            for p, _ in other.places[:1]
            if p.level == "city" and p.country == goal.country
        ]
        towns = _towns(reading, goal, km, others)
        for town, part in towns:
            add(town, share * part * _TOWNS_SHARE)
        if km <= 120:
            add(reading.gazetteer.admin1(goal.admin1) if goal.admin1 else None, share * _ADMIN1_SHARE)
        rest = 1.0 - (_TOWNS_SHARE if towns else 0.0) - (_ADMIN1_SHARE if km <= 120 and goal.admin1 else 0.0)
        add(reading.gazetteer.country(goal.country), share * rest)
    if not tally.ranked():
        for code, weight in countries.items():
            add(reading.gazetteer.country(code), weight)
    named = cue.places[0][0]
    return replace(
        cue,
        kind="direction",
        value=f"{cue.value} {km:.0f} km",
        says=f"“{cue.value}” with {km:.0f} km beside it points to {named.name} in "
        f"{country_name(reading.facts, named.country)}: the sign stands about so far away.",
        places=tally.ranked(),
    )


def _towns(
    reading: Reading, goal: Place, km: float, others: list[tuple[float, float, float]]
) -> list[tuple[Place, float]]:
    """Return towns in the destination's country at the stated distances from all destinations; weights sum to 1."""
    table = reading.gazetteer.table
    rows = table.cities_of(goal.country)
    if not len(rows):
        return []
    at = table.latlon[rows]
    score = 0.25 * np.log(np.maximum(table.population[rows], 1).astype(np.float64))
    for lat, lon, far in ((goal.latlon.lat, goal.latlon.lon, km), *others):
        off = np.maximum(haversine_km((lat, lon), at), 0.5)
        score = score - 0.5 * (np.log(off / (far * _STRAIGHT)) / _SPREAD) ** 2
    best = np.argsort(-score, kind="stable")[:_TOWNS]
    if score[best[0]] < -12.0:
        return []  # no town fits: the distances were misread, or the destinations are in different countries
    weights = np.exp(score[best] - score[best[0]])
    weights /= weights.sum()
    return [(table.place(int(rows[i])), float(w)) for i, w in zip(best, weights, strict=True)]
