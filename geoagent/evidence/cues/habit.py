"""Formatting conventions: prices ("12.–", "25:-"), hours ("14h30"), dates, addresses ("# 7-50", "RT 03/RW 05")."""

from __future__ import annotations

import re
from functools import lru_cache

from geoagent.evidence.cues.reading import Reading, listed, overlaps, taken
from geoagent.places.gazetteer.facts import Facts, Habit
from geoagent.types import Cue, Span

_NUMBERS = re.compile(r"(?:\d{1,2}(?:[.:]\d\d)?\s?[-–—]\s?)?\d[\d.,:'’]*$|\d{1,2}(?:[.:]\d\d)?\s?[-–—]\s?$")
"""Numbers, or a range of hours, that a match may have cut in the middle."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue of kind "habit" for each convention that few countries use, however often it occurs."""
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "road"))
    seen: dict[int, list[Span]] = {}
    shown: dict[int, str] = {}
    habits = _compiled(reading.facts)
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for number, (pattern, _) in enumerate(habits):
            for match in pattern.finditer(line.text):
                start, end = _whole(line.text, *match.span())
                if overlaps(busy, line.region, start, end) or any(start < b and a < end for a, b in used):
                    continue
                used.append((start, end))
                seen.setdefault(number, []).append(line.span(start, end))
                shown.setdefault(number, line.text[start:end])
    cues = []
    for number, spans in seen.items():
        habit = habits[number][1]
        cues.append(
            Cue(
                kind="habit",
                value=shown[number],
                says=f"“{shown[number]}”: {habit.note}, as usual in {listed(reading, habit.countries)}.",
                spans=tuple(spans),
                countries=dict(habit.countries),
                elsewhere=2e-3,
                strength=habit.strength,
            )
        )
    return cues


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend a match to whole numbers and words: "6–18 Uhr", not "8 Uhr"."""
    if text[start].isdigit():
        before = _NUMBERS.search(text[:start])
        start = before.start() if before else start
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


@lru_cache(maxsize=2)
def _compiled(facts: Facts) -> tuple[tuple[re.Pattern[str], Habit], ...]:
    return tuple((re.compile(habit.pattern), habit) for habit in facts.habits)
