"""Directions: "Lyon 45 km" means that the sign is not in Lyon but about that far away.

A name with a distance is a direction cue. Its weight goes to the towns that are about that far by road from the named
place, mostly in its country; if a sign gives several distances, to the towns where they meet (see `meeting`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from geoagent.evidence.cues.meeting import Meeting, meeting
from geoagent.evidence.cues.reading import Line, Reading, country_name
from geoagent.places.gazetteer.tally import Tally
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
_TOWNS = 40  # towns that are places of their own
_RING_SHARES = (0.5, 0.2)  # shares of the weight of towns and of their admin-1 units with one distance
_MET_SHARES = (0.7, 0.15)  # the same where several distances meet; the rest goes to their countries
_AGREEING, _LEFT = -2.5, 0.5
"""Log likelihood from which distances agree, and the share of doubt in each name that remains then."""
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
    away = [(cue, km) for cue, km in distances(reading, cues) if km >= _NEAR_KM]
    if not away:
        return cues
    named = [(cue, km, goals) for cue, km in away if (goals := _goals(cue))]
    met = (
        meeting(reading.gazetteer.table, [goals for _, _, goals in named], [km for _, km, _ in named])
        if named
        else None
    )
    nearest, home = min((km, cue.places[0][0].country) for cue, km in away)
    by_id: dict[int, Cue] = {}
    for cue, km in away:
        goals, alone = _goals(cue), met
        if goals and met is None and len(named) > 1:
            alone = meeting(reading.gazetteer.table, [goals], [km])
        together = met is not None and len(named) > 1
        strength = cue.strength
        if together and met is not None and met.fit >= _AGREEING:
            strength = 1.0 - (1.0 - strength) * _LEFT
        elif not together and cue.places[0][0].country != home:
            strength *= nearest / km  # a sign is in the country of its nearest destination; farther ones may be abroad
        by_id[id(cue)] = _bearing(reading, cue, km, strength, alone if goals else None, together=together)
    return [by_id.get(id(cue), cue) for cue in cues]


def _goals(cue: Cue) -> list[tuple[Place, float]]:
    """Return the cities that a name may mean, with their weights."""
    least = 0.1 * cue.places[0][1]
    return [(place, weight) for place, weight in cue.places if place.level == "city" and weight >= least]


def _bearing(reading: Reading, cue: Cue, km: float, strength: float, met: Meeting | None, *, together: bool) -> Cue:
    tally = Tally()
    table = reading.gazetteer.table
    if met is not None:
        shares = _MET_SHARES if together else _RING_SHARES
        apart = list(dict.fromkeys(met.stands.tolist()))[:_TOWNS]
        for row, weight, stands in zip(met.rows.tolist(), met.weights.tolist(), met.stands.tolist(), strict=True):
            rest = weight
            if stands in apart:
                tally.add(table.place(int(met.rows[stands])), weight * shares[0])
                rest -= weight * shares[0]
            unit = table.admin1_of(row)
            part = min(rest, weight * shares[1]) if unit else 0.0
            tally.add(reading.gazetteer.admin1(unit) if unit else None, part)
            tally.add(reading.gazetteer.country(table.country_of[row]), rest - part)
    else:
        for place, weight in cue.places:
            tally.add(reading.gazetteer.country(place.country), weight)
    named = cue.places[0][0]
    where = "where the distances on it meet" if together else "about so far away"
    return replace(
        cue,
        kind="direction",
        value=f"{cue.value} {km:.0f} km",
        says=f"“{cue.value}” with {km:.0f} km beside it points to {named.name} in "
        f"{country_name(reading.facts, named.country)}: the sign stands {where}.",
        places=tally.ranked(),
        strength=strength,
    )
