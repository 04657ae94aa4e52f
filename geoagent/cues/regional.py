"""Words whose use on signs is national or regional: "Gipfeli", "bottle store", "depanneur", 檳榔."""

from __future__ import annotations

from collections.abc import Iterator

from geoagent.cues.reading import Line, Reading, listed, overlaps, taken
from geoagent.cues.script import han_fit
from geoagent.types import Cue


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """One cue for each regional word or phrase."""
    cues = []
    busy = taken(earlier, ("plate", "phone", "domain", "registration"))
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for key, start, end in _entries(reading, line):
            known = reading.facts.regionalisms.get(key)
            if known is None or any(start < b and a < end for a, b in used) or overlaps(busy, line.region, start, end):
                continue
            used.append((start, end))
            written = line.text[start:end]
            countries = {c: weight * han_fit(written, c, reading.facts) for c, weight in known.countries.items()}
            inside = {}
            for code in countries:
                place = reading.gazetteer.admin1(known.admin1) if known.admin1.startswith(code + ".") else None
                if known.city:
                    match = reading.gazetteer.lookup(known.city, k=1, countries={code: 1.0})
                    place = match[0].place if match and match[0].place.country == code else place
                if place is not None:
                    inside[code] = ((place, 0.7),)
            note = f" ({known.note})" if known.note else ""
            cues.append(
                Cue(
                    kind="regional",
                    value=written,
                    says=f"“{written}”{note} is said on signs in {listed(reading, countries)}.",
                    spans=(line.span(start, end),),
                    countries=countries,
                    inside=inside,
                    elsewhere=2e-3,
                    strength=known.strength,
                )
            )
    return cues


def _entries(reading: Reading, line: Line) -> Iterator[tuple[str, int, int]]:
    """Phrases of the line that may be in the table; for scripts without spaces, every stretch of 2 to 8 characters."""
    yield from reading.phrases(line, 5)
    if line.script in ("Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"):
        text = line.text
        for size in range(min(8, len(text)), 1, -1):
            for i in range(len(text) - size + 1):
                yield text[i : i + size], i, i + size
