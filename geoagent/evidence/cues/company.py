"""Company forms ("GmbH", "s.r.o.", 株式会社) and the labels of tax and register numbers ("P.IVA", "NIP", "ABN")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from geoagent.evidence.cues.reading import Line, Reading, listed, overlaps, placed, taken
from geoagent.places.gazetteer.fact_types import compiled
from geoagent.places.gazetteer.facts import Facts, NumberForm, PlacedForm, RegistrationLabel
from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import Cue, Place

_NUMBER = re.compile(r"[\s.:№#nNoº°-]{0,6}((?:[A-Z]{1,4}[- ]?)?\d[\dA-Z ./-]{3,24})")
_LABEL_OF = {"RO": "nr reg com", "IN": "gstin"}  # labels whose rows tell what part of the number is a region
_UNCHECKED = 0.75
"""Strength of a number whose form is right and whose checksum is not, or is made up."""
_MISFIT = 0.05  # of a country whose numbers look otherwise
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
    busy = taken(earlier, ("plate",))
    for line in reading.lines:
        numbers = _numbers(line, reading)
        cues += numbers
        used = [(span.start, span.end) for cue in numbers for span in cue.spans]
        for kind, table in (("registration", reading.facts.registrations), ("company", reading.facts.companies)):
            for start, end, key in _forms(line, table):
                if any(start < b and a < end for a, b in used) or overlaps(busy, line.region, start, end):
                    continue
                form = table[key]
                written = line.text[start:end].strip()
                if form.case and not _spelled(written, form.written):
                    continue
                countries = dict(form.countries_as(written) if isinstance(form, PlacedForm) else form.countries)
                strength, stop = form.strength, end
                inside: dict[str, tuple[tuple[Place, float], ...]] = {}
                if written != written.upper() and all(w == w.upper() and w.isalpha() for w in form.written):
                    strength *= 0.15  # "nuit" is no NUIT
                if isinstance(form, RegistrationLabel):
                    checked = _number_after(form, line, end)
                    if checked is None and len(key) <= 3:
                        continue  # "AI", "IF", "RC": letters that are a label only before a number
                    if checked is not None:
                        fits, stop = checked
                        strength = min(1.0, strength * 1.5) if fits else strength * 0.6
                        if fits and checks(form.checksum, _bare_number(line.digits[end:stop])):
                            strength = 1.0
                    countries, inside = _told_by(form, countries, line.digits[end:stop], reading)
                elif len(line.words) == 1:
                    strength *= 0.6  # a company form alone on a line is more often something else
                used.append((start, stop))
                what = "company form" if kind == "company" else "label of a tax or register number"
                where = "".join(f"; its number is of {places[0][0].name}" for places in list(inside.values())[:1])
                cues.append(
                    Cue(
                        kind=kind,
                        value=written,
                        says=f"“{written}” is a {what} of {listed(reading, countries)}{where}.",
                        spans=(line.span(start, stop),),
                        countries=countries,
                        inside=inside,
                        strength=strength,
                    )
                )
    return cues


def _bare_number(text: str) -> str:
    """A number without what joins it to its label."""
    return text.strip(" .:№#º°-")


def _told_by(
    label: RegistrationLabel, countries: dict[str, float], number: str, reading: Reading
) -> tuple[dict[str, float], dict[str, tuple[tuple[Place, float], ...]]]:
    """Countries of a label once its number has been looked at, and where in them the number was given out."""
    compact = re.sub(r"[^A-Z0-9]", "", number.upper())
    fits: dict[str, tuple[str, Mapping[str, str] | str]] = {}
    for country, pattern, codes in label.numbers:
        match = compiled(pattern).fullmatch(compact)
        if match is not None and country not in fits:
            fits[country] = (match[1] if match.lastindex and match[1] else "", codes)
    if not fits:
        return countries, {}
    told = {code: weight if code in fits else weight * _MISFIT for code, weight in countries.items()}
    told |= {code: min(countries.values(), default=1.0) for code in fits if code not in told}
    inside: dict[str, tuple[tuple[Place, float], ...]] = {}
    for country, (code, codes) in fits.items():
        place = _issued(country, code, codes, reading) if code else None
        if place is not None:
            inside[country] = ((place, 0.6),)  # where the firm has its seat: most signs are near it
    return told, inside


def _issued(country: str, code: str, codes: Mapping[str, str] | str, reading: Reading) -> Place | None:
    """The place of a region's code in a number."""
    if codes == "postcodes":
        area = reading.facts.postcodes[country].area(code)
        name = "" if area is None else area[0]
        if area is not None and not name and area[1]:
            return reading.gazetteer.admin1(area[1])
    elif codes == "plates":
        name = reading.facts.plates[country].regions.get(code, "")
    else:
        name = codes.get(code, "") if isinstance(codes, Mapping) else ""
    return placed(country, name, reading) if name else None


def _numbers(line: Line, reading: Reading) -> list[Cue]:
    """Numbers that carry their country, "ATU12345678", or that nobody else writes so: "T1234567890123" of Japan."""
    cues: list[Cue] = []
    for form, pattern in _number_forms(reading.facts):
        match = pattern.search(line.text)
        if match is None or any(
            span.start < match.end() and match.start() < span.end for c in cues for span in c.spans
        ):
            continue
        valid = checks(form.checksum, match.group())
        if form.needs_checksum and not valid:
            continue
        code = form.country
        told = reading.facts.registrations.get(_LABEL_OF.get(code, ""))
        inside = _told_by(told, {code: 1.0}, match.group(), reading)[1] if told is not None else {}
        summed = " and a right checksum" if valid else ""
        cues.append(
            Cue(
                kind="registration",
                value=match.group(),
                says=f"“{match.group()}” has the form{summed} of a tax or register number of "
                f"{listed(reading, {code: 1.0})}.",
                spans=(line.span(match.start(), match.end()),),
                countries={code: 1.0},
                inside=inside,
                strength=1.0 if valid or not form.checksum else _UNCHECKED,
            )
        )
    return cues


@lru_cache(maxsize=2)
def _number_forms(facts: Facts) -> tuple[tuple[NumberForm, re.Pattern[str]], ...]:
    return tuple((form, re.compile(rf"(?<![\w./-])(?:{form.pattern})(?![\w/-]|\.\d)")) for form in facts.numbers)


def checks(module: str, number: str) -> bool:
    """Whether python-stdnum's module ("it.iva") finds a number valid, its checksum included; False where there is none.

    Signs in films and examples bear numbers that nobody has, and OCR slips: a wrong checksum says little.
    """
    if not module:
        return False
    return bool(_module(module).is_valid(number))


@lru_cache(maxsize=256)
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


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
