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
_LABEL_OF = {"RO": "nr reg com", "IN": "gstin"}  # labels whose rows state which part of the number encodes a region
_UNCHECKED = 0.75
"""Strength of a number with a valid form but an invalid or invented checksum."""
_MISFIT = 0.05  # weight of a country whose numbers have another form
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
    """Find cues of kinds "company" and "registration", the longest form at each position."""
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
                    strength *= 0.15  # "nuit" is not NUIT
                if kind == "company" and (
                    _may_be_word(line, written, start, end) or _of_nobody(line, written, start, end)
                ):
                    continue  # "as" is no a.s.
                if isinstance(form, RegistrationLabel):
                    checked = _number_after(form, line, end)
                    if checked is None and len(key) <= 3:
                        continue  # "AI", "IF", "RC": a label only if a number follows
                    if checked is not None:
                        fits, stop = checked
                        strength = min(1.0, strength * 1.5) if fits else strength * 0.6
                        if fits and checks(form.checksum, _bare_number(line.digits[end:stop])):
                            strength = 1.0
                    countries, inside = _told_by(form, countries, line.digits[end:stop], reading)
                elif len(line.words) == 1:
                    strength *= 0.6  # a company form alone on a line is usually something else
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


def _may_be_word(line: Line, written: str, start: int, end: int) -> bool:
    """Whether a form of up to three small letters without dots stands where a word may: not after a name at the end."""
    if len(written) > 3 or not written.isascii() or written != written.lower() or not written.isalpha():
        return False
    before = [word for word in line.words if word.end <= start]
    last = not any(word.start >= end for word in line.words)
    return not (last and before and before[-1].text[:1].isupper())


def _of_nobody(line: Line, written: str, start: int, end: int) -> bool:
    """Whether a form of up to three Latin letters has no name beside it: "SL" alone is a shop, a size or a line."""
    if len(written.strip(".,")) > 3 or not written.isascii() or not written.isalpha():
        return False
    rest = [word.text for word in line.words if word.end <= start or word.start >= end]
    return not any(len(text) > 1 and text.isalpha() for text in rest)


def _bare_number(text: str) -> str:
    """Strip the punctuation between a label and its number."""
    return text.strip(" .:№#º°-")


def _told_by(
    label: RegistrationLabel, countries: dict[str, float], number: str, reading: Reading
) -> tuple[dict[str, float], dict[str, tuple[tuple[Place, float], ...]]]:
    """Return the countries of a label given its number, and the places in them where the number was issued."""
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
            inside[country] = ((place, 0.6),)  # the company's registered office: most of its signs are near it
    return told, inside


def _issued(country: str, code: str, codes: Mapping[str, str] | str, reading: Reading) -> Place | None:
    """Return the place of the region code in a number."""
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
    """Find numbers with a country prefix, "ATU12345678", or of a form unique to a country: Japan's "T1234567890123"."""
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
    """Whether python-stdnum's module ("it.iva") accepts a number, checksum included; False if there is no such module.

    A wrong checksum means little: signs in films and examples show invented numbers, and OCR makes errors.
    """
    if not module:
        return False
    return bool(_module(module).is_valid(number))


@lru_cache(maxsize=256)
def _module(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def _forms(line: Line, table: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    """Return `(start, end, key)` of every entry of `table` in the line, longer ones first."""
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
    """Return the forms in scripts without spaces, which occur inside longer words, with their keys."""
    forms = {key: key for key in keys if len(key) >= 2 and not key.isascii() and _han_like(key)}
    forms |= {form: normalise(form) for form in _GLUED if normalise(form) in keys}
    return tuple(sorted(forms.items(), key=lambda item: -len(item[0])))


def _han_like(key: str) -> bool:
    return any("\u0e00" <= c <= "\u0eff" or "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in key)


def _spelled(text: str, written: tuple[str, ...]) -> bool:
    return text.strip(".,") in {w.strip(".,") for w in written}


def _number_after(label: Any, line: Line, end: int) -> tuple[bool, int] | None:
    """Return whether the number after a label has the label's form, and where it ends; None if there is no number."""
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
