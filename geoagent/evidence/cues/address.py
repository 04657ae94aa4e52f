"""Towns with their state on signs: "Genoa, NY 13071", "Salvador - BA", "Lucca (LU)".

What stands after the comma restricts the name, on its line and wherever else it is written on the photo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from geoagent.evidence.cues.reading import Line, Reading
from geoagent.places.gazetteer import Gazetteer, Match, Mention
from geoagent.places.gazetteer.contexts import Context, contexts_of
from geoagent.places.gazetteer.normalise import normalise

_CODE = r"(?P<code>[A-Z]{2,3}|[A-Z][a-z]{1,4}\.|(?:[A-Z]\.){2,3})"
_ZIP = r"(?P<zip>\d{5}-\d{3}|\d{4,6}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)"
_AFTER = re.compile(rf"\s*(?:[,/]\s*|\s[–-]\s|-(?=[A-Z]{{2}}\b)|\()\s*{_CODE}\)?(?:,?\s+{_ZIP})?(?![\w&])")
_BEFORE_ZIP = re.compile(rf",?\s+{_CODE},?\s+{_ZIP}(?!\w)")
_DEEP = 200  # namesakes that are looked through
_LOST = 1e-12
_IN_FULL = {"mt": "Mount", "ft": "Fort", "st": "Saint", "ste": "Sainte", "pt": "Point"}


def restricted(reading: Reading, found: Sequence[tuple[Line, Mention]]) -> dict[str, tuple[Match, ...]]:
    """Return the places that names may mean by what stands after them, by the names' keys.

    A town that the gazetteer lacks is somewhere in its state, if a ZIP code or the end of the line shows that a state
    is meant.
    """
    out: dict[str, tuple[Match, ...]] = {}
    for line, mention in found:
        after = line.text[mention.end :]
        match = _AFTER.match(after) or _BEFORE_ZIP.match(after)
        if match is None or any(m.exactness == "code" for m in mention.matches):
            continue
        contexts = _contexts(match["code"], reading.gazetteer)
        inside = _inside(mention, contexts, reading.gazetteer)
        if not inside and (match["zip"] or not after[match.end() :].strip()):
            inside = _state(mention, contexts, reading.gazetteer)
        if inside:
            out[normalise(mention.text)] = inside
    return out


@lru_cache(maxsize=512)
def _contexts(code: str, gazetteer: Gazetteer) -> tuple[Context, ...]:
    return tuple(context for context in contexts_of(code, gazetteer) if context.coded)


def _inside(mention: Mention, contexts: Sequence[Context], gazetteer: Gazetteer) -> tuple[Match, ...]:
    countries = {country: 1.0 for context in contexts for country in context.countries}
    if not countries:
        return ()
    first, _, rest = mention.text.partition(" ")
    in_full = _IN_FULL.get(first.rstrip(".").casefold())
    full = f"{in_full} {rest}" if in_full else mention.text
    deeper = gazetteer.lookup(full, k=_DEEP, countries={**countries, "": _LOST})
    kept: list[tuple[float, Match]] = []
    for matches in (deeper, mention.matches):
        kept = kept or [
            (max(c.weight for c in holding), m)
            for m in matches
            if m.place.level == "city"
            and m.exactness in ("primary", "alternate")
            and (holding := [c for c in contexts if c.holds(m.place, gazetteer)])
        ]
    # A name in another language beside a state's code is unlikely: Bethlehem, PA is not Belém in Pará.
    primary = [pair for pair in kept if pair[1].exactness == "primary"] or kept
    most = max((weight for weight, _ in primary), default=0.0)
    return tuple(m for weight, m in primary if weight == most)


def _state(mention: Mention, contexts: Sequence[Context], gazetteer: Gazetteer) -> tuple[Match, ...]:
    """The state of the United States that is written after a town that is not known there."""
    codes = [code for context in contexts for code in context.areas if code.startswith("US.")]
    unit = gazetteer.admin1(codes[0]) if codes else None
    return () if unit is None else (Match(unit, normalise(mention.text), "primary", 0, 0.0),)
