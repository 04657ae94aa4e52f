"""Number plates: their form fits some countries, and in many the code on them names a region."""

from __future__ import annotations

import re
from functools import lru_cache

from geoagent.cues.reading import Line, Reading, is_common, listed, overlaps, size, taken
from geoagent.gazetteer.facts import Facts, PlateFacts
from geoagent.types import Cue, Place, Span

ABROAD = 3e-4
"""Weight of a plate in a country that has none of its form: a foreign car, and of just that country."""
_SIGN = 8.0  # how much a distinguishing sign ("UA", "D") on another line adds to its country
_SIGNS = {
    "A": "AT", "B": "BE", "BIH": "BA", "CH": "CH", "D": "DE", "DK": "DK", "E": "ES", "EST": "EE", "F": "FR",
    "FIN": "FI", "H": "HU", "I": "IT", "IRL": "IE", "L": "LU", "M": "MT", "MNE": "ME", "N": "NO",
    "NMK": "MK", "P": "PT",
    "RKS": "XK", "RUS": "RU", "S": "SE", "SLO": "SI", "SRB": "RS", "UK": "GB",
}  # fmt: skip
"""Distinguishing signs of vehicles (UN Convention on Road Traffic 1968) that are not the country's ISO code."""
_LOOSE = 0.35
"""Weight of a plate whose separators are not where they belong: OCR joins what screws and seals hold apart."""
_SHAPE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w ·.–-]{4,13}", re.UNICODE)
_LATIN = str.maketrans("АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX")
_POSTCODE = re.compile(r"(?:[ABDEFHILP]|CH|CZ|DK|EE|FI|FL|GR|HR|LT|LV|MD|NL|NO|PL|RO|RS|SE|SI|SK)-\d{4,6}")
_DIGITS_ONLY = re.compile(r"\d{2,3}[-–]\d{2,3}[-–]\d{2,3}")


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """One cue for each line that is a number plate and nothing else."""
    cues = []
    busy = taken(earlier)
    for line in reading.lines:
        text = line.text.strip(" |•·.'")
        if not _plausible(text) or overlaps(busy, line.region, 0, len(line.text)):
            continue
        if any(len(w) >= 3 and is_common(reading, w) for word in line.words for w in word.key.split()):
            continue  # "ROOM 12", "BUS 123"
        countries: dict[str, float] = {}
        inside: dict[str, tuple[tuple[Place, float], ...]] = {}
        for code, (weight, region) in _fits(text, reading.facts).items():
            countries[code] = weight
            place = _region(code, region, reading)
            if place is not None:
                inside[code] = ((place, 0.75),)
                countries[code] *= 1.5  # the code exists
        if not countries:
            continue
        for other in reading.lines:
            sign = other.text.strip()
            code = _SIGNS.get(sign, sign)
            if other is not line and code in countries:
                countries[code] *= _SIGN
        top = max(countries.values())
        countries = {code: weight / top for code, weight in countries.items()}
        where = ""
        if inside:
            best = max(inside, key=lambda c: countries[c] * size(reading, c))
            where = f"; in {reading.facts.countries[best].name} of {inside[best][0][0].name}"
        cues.append(
            Cue(
                kind="plate",
                value=text,
                says=f"“{text}” has the form of a number plate of {listed(reading, countries)}{where}.",
                spans=(_span(line, text),),
                countries=countries,
                inside=inside,
                elsewhere=ABROAD,
            )
        )
    return cues


def _plausible(text: str) -> bool:
    """Whether a line may be a plate: capitals and digits, four to nine of them."""
    if text != text.upper() or not 4 <= sum(c.isalnum() for c in text) <= 10:
        return False
    if _POSTCODE.fullmatch(text):
        return False
    return bool(_SHAPE.fullmatch(text) or _DIGITS_ONLY.fullmatch(text))


def _fits(text: str, facts: Facts) -> dict[str, tuple[float, str]]:
    """Countries whose plates look like this: weight, and the region code or ""."""
    found: dict[str, tuple[float, str]] = {}
    for code, plates in _compiled(facts).items():
        for strict, loose, weight in plates:
            match, factor = strict.fullmatch(text), 1.0
            if match is None:
                match, factor = loose.fullmatch(text), _LOOSE
            if match is None:
                continue
            region = next((g for g in match.groups() if g), "") if match.groups() else ""
            if weight * factor > found.get(code, (0.0, ""))[0]:
                found[code] = (weight * factor, region)
    return found


@lru_cache(maxsize=2)
def _compiled(facts: Facts) -> dict[str, list[tuple[re.Pattern[str], re.Pattern[str], float]]]:
    return {
        code: [(re.compile(strict), re.compile(loose), weight) for strict, loose, weight in known.patterns]
        for code, known in facts.plates.items()
    }


def _region(code: str, region: str, reading: Reading) -> Place | None:
    """The place that a region code belongs to."""
    known: PlateFacts = reading.facts.plates[code]
    name = known.regions.get(region) or known.regions.get(region.translate(_LATIN), "")
    if code == "GB" and not name:
        name = known.regions.get(region[:1], "")
    if not name:
        return None
    for match in reading.gazetteer.lookup(name.removeprefix("@"), k=6, countries={code: 1.0, "": 0.0}):
        place = match.place
        if place.country == code and (place.level == "admin1") == name.startswith("@"):
            return place
    return None


def _span(line: Line, text: str) -> Span:
    start = line.text.index(text)
    return line.span(start, start + len(text))
