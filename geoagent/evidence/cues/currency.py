"""Prices: a currency's symbol, code or word next to an amount."""

from __future__ import annotations

import re
from functools import lru_cache

from geoagent.evidence.cues.plate_lines import LABELS
from geoagent.evidence.cues.postcode import spells_code
from geoagent.evidence.cues.reading import Line, Reading, evened, listed, overlaps, taken
from geoagent.evidence.cues.road import on_its_panel
from geoagent.places.gazetteer.facts import Facts
from geoagent.types import Cue, Span

_PRICED = re.compile(r"\d[.,’' ]\d{2,3}\b|\d{4,}|[a-z] \d", re.IGNORECASE)
"""An amount with decimals, thousands, or a space after the letter."""
_BARE = 0.2
_OF_HUNDREDS = frozenset("N")
"""Letters of currencies in which nothing costs less than a hundred: "N 30" is a number."""
_AMOUNT = r"\d{1,3}(?:[ .,’']\d{3})*(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each currency form, however many prices use it."""
    places: dict[str, list[Span]] = {}
    busy = taken(earlier, ("plate", "registration", "domain"))
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        if on_its_panel(reading, line):
            continue  # "N7" and "R1" on red or blue are road numbers, not prices in naira and rand
        for form, start, end in _prices(line, reading):
            if overlaps(busy, line.region, start, end) or spells_code(reading, line, start, end):
                continue
            if _counted(reading, line, start):
                continue
            if not any(start < b and a < end for a, b in used):
                used.append((start, end))
                places.setdefault(form, []).append(line.span(start, end))
    cues = []
    for form, spans in places.items():
        known = reading.facts.currencies[form]
        cues.append(
            Cue(
                kind="currency",
                value=form,
                says=f"Prices in “{form}”: money of {listed(reading, dict(known.countries))}.",
                spans=tuple(spans),
                countries=evened(reading, known.countries),
                elsewhere=1e-4,
                strength=known.strength * _written(form, spans, reading),
            )
        )
    return cues


def is_price(line: Line, reading: Reading) -> bool:
    """Whether a line is nothing but an amount in a currency whose form is no letters alone: "ل.ل 5000", "B/. 12"."""
    whole = line.digits.strip()
    forms = (form for form, _, _ in _prices(line, reading) if not form.isalpha())
    return any(
        re.fullmatch(rf"\W*(?:{re.escape(form)})?\W*(?:{_AMOUNT})\W*(?:{re.escape(form)})?\W*", whole) for form in forms
    )


def _counted(reading: Reading, line: Line, start: int) -> bool:
    """Whether the word before an amount says what is numbered: "Level L2", "Room K3"."""
    before = [word for word in line.words if word.end <= start]
    return bool(before) and before[-1].text.upper() in LABELS


def _written(form: str, spans: list[Span], reading: Reading) -> float:
    """Return how surely a form is money: one letter before a small number, once, may number anything ("L2", "K9")."""
    if len(form) > 1 or not form.isalpha() or not form.isascii():
        return 1.0
    texts = {line.region: line.text for line in reading.lines}
    amounts = {texts[span.region][span.start : span.end] for span in spans}
    if form in _OF_HUNDREDS:
        return 1.0 if any(re.search(r"\d{3}", amount) for amount in amounts) else _BARE
    return 1.0 if len(amounts) > 1 or any(_PRICED.search(amount) for amount in amounts) else _BARE


def _prices(line: Line, reading: Reading) -> list[tuple[str, int, int]]:
    """Return `(form, start, end)` of each currency form next to an amount, longest form first."""
    found = []
    text = line.digits
    if not any(c.isdigit() for c in text):
        # A symbol that is only used for a currency needs no amount ("₾", "₴").
        return [
            (c, i, i + 1)
            for i, c in enumerate(line.text)
            if c in reading.facts.currencies and not c.isalnum() and c not in "$£€¥"
        ]
    letters = _letters(text)
    for form, its_letters in _forms(reading.facts):
        if not its_letters <= letters:
            continue
        known = reading.facts.currencies[form]
        for match in _pattern(form, known.position, known.case).finditer(text):
            start, end = match.start(), match.end()
            inner = match.group().strip()
            if known.case and form not in inner and form not in inner.replace(" ", ""):
                continue
            found.append((form, start, end))
    return sorted(found, key=lambda f: (-len(f[0]), f[1]))


@lru_cache(maxsize=2)
def _forms(facts: Facts) -> tuple[tuple[str, frozenset[str]], ...]:
    """Each form with its letters: a text without them needs no pattern, and compiling all takes a second."""
    return tuple((form, _letters(form)) for form in facts.currencies)


def _letters(text: str) -> frozenset[str]:
    """The characters of a text as a pattern compares them without case, which takes "ı" for "i"."""
    return frozenset(text.casefold().replace("ı", "i"))


@lru_cache(maxsize=2048)
def _pattern(form: str, position: str, case: bool) -> re.Pattern[str]:
    """Compile the pattern of a form, on the side of the amount where it is written."""
    name = re.escape(form).replace(r"\$", r" ?\$") if len(form) > 1 else re.escape(form)
    # "C.P. 06000" is a postcode label, not a price in "P".
    left = (r"(?<![^\W\d_])" + (r"(?<![^\W\d_]\.)" if len(form) == 1 else "")) if form[:1].isalpha() else ""
    right = r"(?![^\W\d_])" if form[-1:].isalpha() and not _joins_words(form) else ""
    amount = rf"(?:{_AMOUNT})"
    before = rf"{left}{name}[ .]{{0,2}}{amount}(?![\d%:A-Za-z])"
    after = rf"(?<![\d:.,/-]){amount}(?:,-|[.,]-|,–)? ?{name}{right}"
    return re.compile(
        {"before": before, "after": after}.get(position, f"{before}|{after}"), 0 if case else re.IGNORECASE
    )


def _joins_words(form: str) -> bool:
    """Whether the form's script has no spaces between words, so that letters may follow."""
    return any("\u0e00" <= c <= "\u0eff" or "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in form)
