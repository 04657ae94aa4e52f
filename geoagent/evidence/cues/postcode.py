"""Postcodes: some formats are unique to one country, and many codes identify a part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from geoagent.evidence.cues.plate_lines import LABELS
from geoagent.evidence.cues.postcode_places import Fit, place_of
from geoagent.evidence.cues.reading import Line, Reading, country_name, listed, overlaps, taken
from geoagent.places.gazetteer.borders import borders
from geoagent.places.gazetteer.facts import Facts, PostcodeFacts
from geoagent.types import Cue, Place

_CODE = re.compile(r"(?<![\w.,:/+€$£-])[A-Z0-9]{1,7}(?:[ -][A-Z0-9]{2,5})?(?![\w:/%€$£]|[.,]\d|-\w)")
_GROUP = re.compile(r"(?=.*\d)[A-Z\d/·-]{1,6}")
_MONTH = re.compile(r"(?:JAN|FEB|MAR|APR|MAY|JUNE?|JULY?|AUG|SEPT?|OCT|NOV|DEC|MON|TUE|WED|THU|FRI|SAT|SUN) ?\d{1,2}$")
_RUN = re.compile(r"\d+(?:[ .\-]\d+){2,}")
_LONG_RUN = 11
"""Number of digits, in three or more groups, from which a run counts as an account, book or telephone number."""
_FIRST_HALF = {
    "GB": re.compile(r"(?:[BEGLMNSW]|[A-PR-UWYZ][A-HK-Y])(?:\d\d?|\d[A-Z])"),
    "CA": re.compile(r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]"),
}
_AS_DIGIT = str.maketrans("OQIlSBZ", "0011582")
_MISREAD = (
    (re.compile(r"(?<!\w)[ABCEGHJ-NPRSTVXY][0-9OIlSBZ][A-Z] [0-9OIlSBZ][A-Z][0-9OIlSBZ](?!\w)"), "CA"),
    (re.compile(r"(?<!\w)[A-PR-UWYZ][A-HK-Y]?\d[A-Z0-9]? [OIlSBZ][A-Z]{2}(?!\w)"), "GB"),
)
"""Codes of Canada and of the United Kingdom in which digits may have been read as letters."""
_REPAIRED = 0.85  # factor on the strength for each of these
_ZIP = re.compile(r"[A-Z]{2} \d{5}(?:-\d{4})?")
_STATED = re.compile(r"(?:NSW|VIC|QLD|WA|TAS|ACT|NT) \d{4}")
_SURE_ROAD = 0.9
_BARE = 0.2
"""Strength of a code of letters followed by digits with nothing beside it: "ARA 008"."""
_DIGITS = 0.4
"""Strength of digits in groups that were read in a photo with neither a place nor a label beside them: "98-100"."""
_HALF = 0.45
"""Strength of the first half of a code without a place of its country on the line."""
_DISTINCT = 0.12
"""Maximum share of other countries' codes that a format may match and still count without a label or adjacent place."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each postcode that is distinctive, labelled, or next to a place in its country."""
    cues = []
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "currency"))
    for region, spans in taken([cue for cue in earlier if cue.kind == "road" and cue.strength >= _SURE_ROAD]).items():
        busy.setdefault(region, []).extend(spans)
    named = _named(earlier)
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        # Letters in a code may be genuine ("K1A 0B1") or misread digits ("3O11 AB"): try it as read, then corrected.
        longer = [run.span() for run in _RUN.finditer(line.digits) if sum(c.isdigit() for c in run[0]) >= _LONG_RUN]
        mended = _mended(line.text)
        for match in (*(_codes(mended) if mended != line.text else ()), *_codes(line.text), *_codes(line.digits)):
            start, end = match.span()
            if (
                not any(c.isdigit() for c in match.group())
                or _MONTH.match(match.group())
                or any(a <= start < b for a, b in longer)
            ):
                continue
            if overlaps(busy, line.region, start, end) or any(start < b and a < end for a, b in used):
                continue
            if _in_a_row(line.text, start, end):
                continue
            fits = _fits(match.group(), line, start, reading, named)
            if not fits:
                continue
            used.append((start, end))
            countries: dict[str, float] = {}
            inside: dict[str, tuple[tuple[Place, float], ...]] = {}
            for fit in fits:
                if fit.weight > countries.get(fit.country, 0.0):
                    countries[fit.country] = fit.weight
                    place = place_of(fit, line, start, end, reading)
                    if place is not None:
                        inside[fit.country] = ((place, 0.8),)
            best = max(countries, key=lambda c: countries[c])
            where = (
                f", in {country_name(reading.facts, best)} that of {inside[best][0][0].name}" if best in inside else ""
            )
            cues.append(
                Cue(
                    kind="postcode",
                    value=fits[0].code,
                    says=f"“{fits[0].code}” has the form of a postcode of {listed(reading, countries)}{where}.",
                    spans=(line.span(start, end),),
                    countries=countries,
                    inside=inside,
                    elsewhere=1e-3,
                    strength=_strength(line, match.group(), fits, named) * _REPAIRED ** _repairs(line, match),
                )
            )
    return cues


def _mended(text: str) -> str:
    """The text with British and Canadian postcodes whose digits were read as letters: "K1A 0B1" for "KlA OB1"."""
    for form, places in _MISREAD:
        for match in form.finditer(text):
            code = list(match.group())
            gap = len(code) - 3
            for i in (1, gap, len(code) - 1) if places == "CA" else (gap,):
                code[i] = code[i].translate(_AS_DIGIT)
            text = text[: match.start()] + "".join(code) + text[match.end() :]
    return text


def _repairs(line: Line, match: re.Match[str]) -> int:
    """Return how many characters of a code were read as others."""
    read = line.text[match.start() : match.end()]
    return sum(a != b for a, b in zip(read, match.group(), strict=False) if a.isascii())


def _strength(line: Line, code: str, fits: list[Fit], named: dict[int, dict[str, float]]) -> float:
    """Return how surely a code is a postcode; without a place beside it, letters and then digits may be anything."""
    if named.get(line.region):
        return 1.0
    if all(fit.country in _FIRST_HALF and _FIRST_HALF[fit.country].fullmatch(code) for fit in fits):
        return _HALF
    if _mixed(code) or any(fit.code != code for fit in fits):
        return 1.0
    if code.replace(" ", "").replace("-", "").isdigit():
        return 1.0 if line.box is None else _DIGITS
    return _BARE


def _codes(text: str) -> Iterator[re.Match[str]]:
    """Yield candidate codes: each word and pair of words, pairs before their words ("ON M5V 2T6" has two pairs)."""
    at = 0
    found = []
    while (match := _CODE.search(text, at)) is not None:
        found.append(match)
        gap = re.search(r"[ -]", match[0])
        at = match.start() + gap.end() if gap else match.end()
    return iter(sorted(found, key=lambda match: -sum(c in " -" for c in match[0])))


def spells_code(reading: Reading, line: Line, start: int, end: int) -> bool:
    """Whether characters belong to a longer postcode of letters and digits: the "LE1" of "LE1 5YA"."""
    spans = (*_spelt(line.text, reading.facts), *_spelt(line.digits, reading.facts))
    return any(a <= start and end <= b and b - a > end - start for a, b in spans)


@lru_cache(maxsize=64)
def _spelt(text: str, facts: Facts) -> tuple[tuple[int, int], ...]:
    """Where postcodes of letters and digits stand; kept, since every name and price on a line asks."""
    formats = [known for known in facts.postcodes.values() if known.shared <= _DISTINCT]
    mixed = (match for match in _codes(text) if _mixed(match[0]))
    return tuple(match.span() for match in mixed if any(known.matches(match[0]) for known in formats))


def _in_a_row(text: str, start: int, end: int) -> bool:
    """Whether a code stands between other short groups of capitals and digits: the "CC 1A" of "01 CC 1A 0001"."""
    before, after = text[:start].split()[-1:], text[end:].split()[:1]
    return bool(before and after and _GROUP.fullmatch(before[0]) and _GROUP.fullmatch(after[0]))


def _mixed(code: str) -> bool:
    """Whether letters and digits alternate more than once, as in "LE1 5YA" and unlike "ARA 008"."""
    kinds = [c.isdigit() for c in code if c.isalnum()]
    return sum(a != b for a, b in pairwise(kinds)) >= 2


def _named(earlier: tuple[Cue, ...]) -> dict[int, dict[str, float]]:
    """Return the countries of the places named on each line, with their share of the weight."""
    out: dict[int, dict[str, float]] = {}
    abroad = borders().with_conventions
    for cue in earlier:
        if cue.kind != "name":
            continue
        total = sum(w for _, w in cue.places) or 1.0
        for place, weight in cue.places:
            for region in cue.regions:
                shares = out.setdefault(region, {})
                like = {border.conventions for border in abroad if border.holds(place.country, place.admin1)}
                for country in (place.country, *like):
                    shares[country] = max(shares.get(country, 0.0), weight / total)
    return out


def _fits(code: str, line: Line, start: int, reading: Reading, named: dict[int, dict[str, float]]) -> list[Fit]:
    """Return the countries whose postcode format the code matches."""
    before = line.text[:start]
    fits, beside = [], named.get(line.region, {})
    digits_only = code.replace(" ", "").replace("-", "").isdigit()
    if _ZIP.fullmatch(code) and reading.gazetteer.admin1(f"US.{code[:2]}") is not None:
        return [Fit("US", reading.facts.postcodes["US"], code[3:], 1.0)]  # "NY 14527"
    forms = [code]
    if " " in code or "-" in code:
        forms += re.split(r"[ -]", code)  # "75001 PARIS" may have been cut off: try the parts as well
        forms += [re.sub(r"[ -]", "", code)] if digits_only else []  # "560 001" of India
    for country, facts in reading.facts.postcodes.items():
        if country != "AU" and _STATED.fullmatch(code):
            continue  # "NSW 2010" also has the format of a code of Malta
        prefix = _prefixed(code, before, facts)
        for form in dict.fromkeys([prefix, *forms]):
            if form is None or not facts.matches(form):
                continue
            labelled = any(ends_with(before, label) for label in facts.labels)
            if form != code and form != prefix and not beside.get(country):
                continue
            if len(re.sub(r"\W", "", form)) <= 4 and not (
                beside.get(country, 0) > 0.02 or labelled or form == prefix or not digits_only
            ):
                continue
            weight = 1.0 / (0.1 + facts.shared)
            if form == prefix:
                weight *= 12.0
            if labelled:
                weight *= 8.0
            if beside.get(country):
                weight *= 1.0 + 12.0 * beside[country] ** 0.5
            labelled = labelled or (country == "US" and _after_state(before, reading))
            speaks = form == prefix or labelled or facts.shared <= _DISTINCT or beside.get(country)
            # Digits alone are an amount or some other number, unless they are grouped like a code ("01310-100").
            if speaks and (not digits_only or beside.get(country) or labelled or form == prefix or "-" in form):
                fits.append(Fit(country, facts, form, weight))
            break
    fits += _halves(code, line, start, reading, beside, {fit.country for fit in fits})
    top = max((fit.weight for fit in fits), default=0.0)
    best = sorted((fit for fit in fits if fit.weight >= 0.04 * top), key=lambda fit: -fit.weight)
    return [replace(fit, weight=fit.weight / top) for fit in best]


def _after_state(before: str, reading: Reading) -> bool:
    """Whether the text before a code ends with the code of a state of the United States: "Potter, NY"."""
    state = re.search(r"(?:^|[ ,])([A-Z]{2})[ ,]*$", before)
    return bool(state and len(before.strip()) > 3 and reading.gazetteer.admin1(f"US.{state[1]}"))


def ends_with(before: str, label: str) -> bool:
    """Whether the text before a code ends with a label; labels in capitals ("NSW", "PLZ") are case-sensitive."""
    text, label = before.rstrip(" .,:№-"), label.rstrip(" .:-")
    if not (label.isascii() and label.isupper() and len(label) <= 3):
        text, label = text.casefold(), label.casefold()
    return text.endswith(label) and not (label[0].isalpha() and label.isascii() and text[: -len(label)][-1:].isalpha())


def is_labelled(code: str, before: str, facts: Facts) -> bool:
    """Whether a number is preceded by a postcode label and matches the postcode format of the label's country."""
    return any(
        known.matches(code) and any(ends_with(before, label) for label in known.labels)
        for known in facts.postcodes.values()
        if known.labels
    )


def _halves(
    code: str, line: Line, start: int, reading: Reading, beside: dict[str, float], known: set[str]
) -> list[Fit]:
    """Match countries whose signs often show only the first half of a code ("Brick Lane E1", "Vancouver BC V6A").

    It counts only after other words on its line: alone, "M4" is a road and "E1" a bus.
    """
    before = [word for word in line.words if word.end <= start]
    if not before or before[-1].text.upper() in LABELS:
        return []  # "Level L2"
    return [
        Fit(country, reading.facts.postcodes[country], code, 2.0 * (1.0 + 12.0 * beside.get(country, 0.0) ** 0.5))
        for country, pattern in _FIRST_HALF.items()
        if country not in known and country in reading.facts.postcodes and pattern.fullmatch(code)
    ]


def _prefixed(code: str, before: str, facts: PostcodeFacts) -> str | None:
    """Return the code without its country's prefix ("CH-6900", "〒 150-0001"), or None if it has no prefix."""
    for prefix in facts.prefixes:
        bare = prefix.rstrip("- ")
        if not bare:
            continue
        if code.startswith(bare + "-") or (code.startswith(bare + " ") and len(bare) > 1):
            return code[len(bare) + 1 :]
        if before.rstrip(" -").endswith(bare) and not before.rstrip(" -")[: -len(bare)][-1:].isalnum():
            return code
    return None
