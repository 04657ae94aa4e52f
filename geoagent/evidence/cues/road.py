"""Road numbers: "BR-101", "NH 44", 国道1号; the panel's colour distinguishes the "A 7" of Italy from that of France."""

from __future__ import annotations

import re
from functools import lru_cache

from geoagent.evidence.cues.context import ROAD
from geoagent.evidence.cues.reading import Line, Reading, listed, overlaps, placed, taken
from geoagent.places.gazetteer.facts import Facts, RoadForm
from geoagent.types import Cue, Place

_TOKEN = re.compile(
    r"[^\W\d_]{1,10}[. -]{0,2}\d{1,4}[A-Z]?(?![\w:.,]\d)|[台縣省國国県都府고국]\S{0,4}\d+\S{0,2}", re.UNICODE
)
_LINE = re.compile(r"\S.{1,18}\S")
_RIGHT_COLOUR, _WRONG_COLOUR = 3.0, 0.3
_NO_PANEL = 0.6
_INSIDE = 0.45  # factor for a number among other words instead of alone on its panel
_ARROWS = frozenset("→←↑↓↗↖↘↙➔⇒⇐⇑➡⬅⬆")
_OF_ROADS = frozenset({"green", "blue", "red"})
"""Background colours of road numbers that are rare for plates and prices."""
_STATES = {
    "SP": "São Paulo", "MG": "Minas Gerais", "RJ": "Rio de Janeiro", "RS": "Rio Grande do Sul", "SC": "Santa Catarina",
    "BA": "Bahia", "PE": "Pernambuco", "CE": "Ceará", "GO": "Goiás", "MT": "Mato Grosso", "MS": "Mato Grosso do Sul",
    "ES": "Espírito Santo", "PB": "Paraíba", "RN": "Rio Grande do Norte", "AL": "Alagoas", "MA": "Maranhão", "PI":
    "Piauí", "PA": "Pará", "TO": "Tocantins", "PR": "Paraná",
}  # fmt: skip
"""Prefixes of Brazilian state roads."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue of kind "road" for each road number alone on its line, or on a sign with roads and places."""
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "currency"))
    cues = []
    for line in reading.lines:
        for match in _whole(line) + list(_TOKEN.finditer(line.text)):
            start, end = match.span()
            text = match.group().strip()
            if overlaps(busy, line.region, start, end):
                continue
            alone = len(line.text.strip(" ()[]" + "".join(_ARROWS))) <= len(text) + 1
            if not alone and not _of_roads(line, text):
                continue
            forms = [form for pattern, form in _compiled(reading.facts) if pattern.fullmatch(text)]
            if not forms:
                continue
            countries, strength = _weighed(forms, line.panel)
            colour = f" on {line.panel}" if line.panel and any(form.colours for form in forms) else ""
            inside: dict[str, tuple[tuple[Place, float], ...]] = {}
            state = _STATES.get(text.split("-")[0]) if "BR" in countries else None
            place = placed("BR", "@" + state, reading) if state else None
            if place is not None:
                inside["BR"] = ((place, 0.85),)
            cues.append(
                Cue(
                    kind="road",
                    value=text,
                    says=f"“{text}”{colour} has the form of a road number of {listed(reading, countries)}.",
                    spans=(line.span(start, end),),
                    countries=countries,
                    inside=inside,
                    elsewhere=4e-3,
                    strength=strength * (1.0 if alone else _INSIDE) * _plausible(line, forms),
                )
            )
            busy.setdefault(line.region, []).append((start, end))
    return cues


def _plausible(line: Line, forms: list[RoadForm]) -> float:
    """Return a factor for a number read in a photo: without the colour of its panel it may number anything."""
    if line.box is None or (line.panel and any(form.colours.get(line.panel) for form in forms)):
        return 1.0
    return _NO_PANEL


def on_its_panel(reading: Reading, line: Line) -> bool:
    """Whether a line is only a road number, on a panel of a colour that some country uses for such numbers."""
    return line.panel in _OF_ROADS and any(
        form.colours.get(line.panel) and pattern.fullmatch(line.text.strip())
        for pattern, form in _compiled(reading.facts)
    )


def _whole(line: Line) -> list[re.Match[str]]:
    found = _LINE.fullmatch(line.text)
    return [found] if found else []


def _of_roads(line: Line, text: str) -> bool:
    """Whether a line is about roads: it has an arrow, a road sign word, or a distance."""
    rest = line.text.replace(text, " ", 1)
    return bool(_ARROWS & set(rest)) or any(word.key in ROAD for word in line.words)


def _weighed(forms: list[RoadForm], panel: str) -> tuple[dict[str, float], float]:
    """Return the countries of the forms that a number matches, weighted by the panel's colour, and a strength."""
    countries: dict[str, float] = {}
    for form in forms:
        known = {code for codes in form.colours.values() for code in codes}
        for code, weight in form.countries.items():
            factor = 1.0
            if panel and code in known:
                factor = _RIGHT_COLOUR if code in form.colours.get(panel, ()) else _WRONG_COLOUR
            countries[code] = countries.get(code, 0.0) + weight * form.strength * factor
    return countries, max(form.strength for form in forms)


@lru_cache(maxsize=2)
def _compiled(facts: Facts) -> tuple[tuple[re.Pattern[str], RoadForm], ...]:
    return tuple((re.compile(form.pattern), form) for form in facts.roads)
