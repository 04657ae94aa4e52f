"""Company forms ("GmbH", "s.r.o.", 株式会社) and the labels of tax and register numbers ("P.IVA", "NIP", "ABN")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from geoagent.cues.reading import Line, Reading, listed
from geoagent.gazetteer.facts import PlacedForm
from geoagent.gazetteer.normalise import normalise
from geoagent.types import Cue

_NUMBER = re.compile(r"[\s.:№#nNoº°-]{0,6}((?:[A-Z]{1,4}[- ]?)?\d[\dA-Z ./-]{3,24})")
_GLUED = (
    "株式会社",
    "有限会社",
    "有限公司",
    "股份有限公司",
    "주식회사",
    "유한회사",
    "(주)",
    "㈜",
    "(株)",
    "㈱",
    "合同会社",
)


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Cues of kinds "company" and "registration", the longest form at each place."""
    cues = []
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for kind, table in (("registration", reading.facts.registrations), ("company", reading.facts.companies)):
            for start, end, key in _forms(line, table):
                if any(start < b and a < end for a, b in used):
                    continue
                form = table[key]
                written = line.text[start:end].strip()
                if form.case and not _spelled(written, form.written):
                    continue
                countries = dict(form.countries_as(written) if isinstance(form, PlacedForm) else form.countries)
                strength, stop = form.strength, end
                if kind == "registration":
                    checked = _number_after(form, line, end)
                    if checked is None and len(key) <= 3:
                        continue  # "AI", "IF", "RC": letters that are a label only before a number
                    if checked is not None:
                        fits, stop = checked
                        strength = min(1.0, strength * 1.5) if fits else strength * 0.6
                elif len(line.words) == 1:
                    strength *= 0.6  # a company form alone on a line is more often something else
                used.append((start, stop))
                what = "company form" if kind == "company" else "label of a tax or register number"
                cues.append(
                    Cue(
                        kind=kind,
                        value=written,
                        says=f"“{written}” is a {what} of {listed(reading, countries)}.",
                        spans=(line.span(start, stop),),
                        countries=countries,
                        strength=strength,
                    )
                )
    return cues


def _forms(line: Line, table: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """`(start, end, key)` of every entry of `table` in the line, longer ones first."""
    found = []
    words = line.words
    for size in range(min(6, len(words)), 0, -1):
        for i in range(len(words) - size + 1):
            key = normalise(line.letters[words[i].start : words[i + size - 1].end])
            for variant in (key, key.replace(" ", "")):
                if variant in table:
                    end = words[i + size - 1].end
                    while end < len(line.text) and line.text[end] in ".)":
                        end += 1
                    found.append((words[i].start, end, variant))
                    break
    if not line.text.isascii():
        for form, key in _unspaced(tuple(table)):
            at = line.text.find(form)
            if at >= 0:
                found.append((at, at + len(form), key))
    return sorted(found, key=lambda f: (f[0] - f[1], f[0]))


@lru_cache(maxsize=4)
def _unspaced(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Forms of scripts without spaces, which stand inside longer words, with their keys."""
    forms = {key: key for key in keys if len(key) >= 2 and not key.isascii() and _han_like(key)}
    forms |= {form: normalise(form) for form in _GLUED if normalise(form) in keys}
    return tuple(sorted(forms.items(), key=lambda item: -len(item[0])))


def _han_like(key: str) -> bool:
    return any("\u0e00" <= c <= "\u0eff" or "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in key)


def _spelled(text: str, written: tuple[str, ...]) -> bool:
    return text.strip(".,") in {w.strip(".,") for w in written}


def _number_after(label: Any, line: Line, end: int) -> tuple[bool, int] | None:
    """Whether the number after a label has the form that goes with it, and where it ends; None without a number."""
    match = _NUMBER.match(line.digits, end)
    if match is None:
        return None
    number = match.group(1).rstrip(" ./-")
    verdict = label.fits(re.sub(r"\s", "", number))
    if verdict is None or not verdict:
        verdict = label.fits(number) if label.pattern else None
    if verdict is None:
        return (True, match.start(1) + len(number)) if sum(c.isdigit() for c in number) >= 5 else None
    return verdict, match.start(1) + len(number)
