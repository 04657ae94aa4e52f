"""Telephone numbers: a calling code identifies the country, an area code often the city."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from geoagent.evidence.cues.postcode import is_labelled
from geoagent.evidence.cues.reading import Line, Reading, country_name, listed, overlaps, size, taken
from geoagent.places.gazetteer import Gazetteer
from geoagent.types import Cue, Place

_CANDIDATE = re.compile(r"(?<![\w@])(?:\+|00)?\(?\d(?:[\d() .\-/–·]{4,22})\d(?!\w)")
_LABEL = re.compile(
    r"(?:\b(?:tel(?! ?aviv)|tél|telef|telefon|telefono|teléfono|telefone|tlf|ph|phone|call|fon|fax|mob|mobile|cel|cell|"
    r"gsm|тел|моб|факс|τηλ|đt|sđt|hp|telp|puh|sími|tālr|whatsapp|wa)\b|"
    r"☎|📞|โทร|電話|电话|전화|هاتف|تلفن|ت:|טל|फ़ोन|फोन|ফোন)",
    re.IGNORECASE,
)
_LOCAL = 8  # most digits of a number without its area code
_NOT_A_NUMBER = re.compile(
    r"^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$|^\d{1,2}[ .:h]\d{2} ?[-–] ?\d{1,2}[ .:h]\d{2}$"
    r"|^(?:19|20)\d\d ?[-–] ?(?:19|20)\d\d$"
    r"|^(?:19|20)\d\d[ ./-]?(?:0[1-9]|1[0-2])[ ./-]?(?:0[1-9]|[12]\d|3[01])(?:\D+\d{1,2})*$"
    r"|^(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|[12]\d|3[01])[./-](?:19|20)\d\d(?:\D+\d{1,2})*$"
)

# A number is tried for 240 regions. Their patterns exceed the cache of `re`, and recompiling took most of the run time.
phonenumbers.enable_pattern_cache()


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each telephone number, with or without a calling code."""
    cues: list[Cue] = []
    busy = taken([cue for cue in earlier if any(c.isdigit() for c in cue.value)])
    labels = taken(earlier, ("registration",))
    numbers: dict[str, int] = {}
    for line in reading.lines:
        for match in _CANDIDATE.finditer(line.digits):
            if overlaps(busy, line.region, *match.span()) or overlaps(labels, line.region, *match.span()):
                continue
            raw = match.group().strip(" .-–/·")
            count = sum(c.isdigit() for c in raw)
            if not 6 <= count <= 15 or _NOT_A_NUMBER.match(raw):
                continue
            if is_labelled(raw, line.text[: match.start()], reading.facts):
                continue  # "CEP 01310-100"
            labelled = bool(_LABEL.search(line.text[: match.start()][-14:]))
            cue = _international(raw, line, match, reading) or _national(raw, labelled, line, match, reading)
            if cue is None:
                continue
            dialled = re.sub(r"\D", "", raw)
            if dialled in numbers:  # a number that is repeated is one number
                first = cues[numbers[dialled]]
                cues[numbers[dialled]] = replace(first, spans=(*first.spans, *cue.spans))
            else:
                numbers[dialled] = len(cues)
                cues.append(cue)
    return cues


def _international(raw: str, line: Line, match: re.Match[str], reading: Reading) -> Cue | None:
    if not raw.startswith(("+", "00")) or (raw.startswith("00") and sum(c.isdigit() for c in raw) < 11):
        return None
    try:
        number = phonenumbers.parse("+" + raw.lstrip("+0"), None)
    except phonenumbers.NumberParseException:
        return None
    codes = [c for c in phonenumbers.region_codes_for_country_code(number.country_code or 0) if c != "001"]
    if not codes or not phonenumbers.is_possible_number(number):
        return None
    exact = phonenumbers.region_code_for_number(number)
    countries = {exact: 1.0} if exact in codes else dict.fromkeys(codes, 1.0)
    inside = {code: places for code in countries if (places := _area(number, code, reading.gazetteer))}
    area = f", area of {next(iter(inside.values()))[0][0].name}" if inside else ""
    return Cue(
        kind="phone",
        value=f"+{number.country_code}",
        says=f"The telephone number “{raw}” has the calling code of {listed(reading, countries)}{area}.",
        spans=(line.span(match.start(), match.end()),),
        countries=countries,
        inside=inside,
    )


def _national(raw: str, labelled: bool, line: Line, match: re.Match[str], reading: Reading) -> Cue | None:
    """Make a cue of a number in national format: all countries where it is valid, weighted by its usual grouping."""
    groups = tuple(len(g) for g in re.findall(r"\d+", raw))
    digits = re.sub(r"\D", "", raw)
    usual_start = raw.startswith(("0", "("))
    if not labelled and (len(groups) < 2 or len(digits) < (8 if usual_start else 9)):
        return None
    if digits.startswith("000"):
        return None
    fits = {}
    written_so: set[str] = set()
    for region, number, valid in _readings(digits):
        # Signs in films, tests and old photos show unassigned numbers; an existing area code is still informative.
        weight = 1.0 if valid else 0.2 if _described(number) else 0.02
        written = _formatted(number)
        if not digits.startswith("0") and written.lstrip("(").startswith("0"):
            weight *= 0.1  # local signs do not omit the trunk prefix
        usual = tuple(len(g) for g in re.findall(r"\d+", written))
        if groups == usual:
            weight *= 6.0
            written_so.add(region)
        elif groups[0] == usual[0]:
            weight *= 3.0
        if raw.startswith("(") == written.startswith("("):
            weight *= 1.5
        fits[region] = (weight, number)
    if not fits:
        return None
    top = max(weight for weight, _ in fits.values())
    countries = {region: weight / top for region, (weight, _) in fits.items() if weight > 0.02 * top}
    inside = {}
    for region in countries:
        places = _area(fits[region][1], region, reading.gazetteer)
        if places:
            inside[region] = places
    area = ""
    if inside:
        code = max(inside, key=lambda c: countries[c] * size(reading, c))
        area = f"; in {country_name(reading.facts, code)} it is of the area of {inside[code][0][0].name}"
    return Cue(
        kind="phone",
        value=raw,
        says=f"“{raw}” has the form of a telephone number of {listed(reading, countries)}{area}.",
        spans=(line.span(match.start(), match.end()),),
        countries=countries,
        inside=inside,
        elsewhere=_elsewhere(digits, usual=any(countries.get(region, 0.0) >= 0.5 for region in written_so)),
        strength=0.95 if labelled else 0.8,
    )


def _elsewhere(digits: str, *, usual: bool) -> float:
    """Return the weight of all other countries: greater for numbers without an area code, and for unusual groups.

    A number that is dialled inside one town has the form of a whole number of a small country.

    Args:
        digits: of the number.
        usual: whether a likely country writes its numbers in these groups.
    """
    if len(digits) <= _LOCAL and not digits.startswith("0"):
        return 0.3 if len(digits) < _LOCAL else 0.06
    return 1e-3 if usual or digits.startswith("0") else 0.03


@lru_cache(maxsize=256)
def _readings(digits: str) -> tuple[tuple[str, Any, bool], ...]:
    """Return `(region, number, valid)` for every region in which the digits are a number.

    If the number is valid in some region, regions in which only its length is possible are dropped.
    """
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        # A leading zero that is not the region's trunk prefix means that the number is of another country.
        if (
            digits.startswith("0")
            and not number.italian_leading_zero
            and not _formatted(number).lstrip("(").startswith("0")
        ):
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            found.append((region, number, phonenumbers.number_type(number) != PhoneNumberType.PREMIUM_RATE))
        elif len(digits) >= 8 and digits.startswith("0") and phonenumbers.is_possible_number(number):
            found.append((region, number, False))
    return tuple(found)


@lru_cache(maxsize=2048)
def _formatted_cached(country_code: int, national: int, zeros: int) -> str:
    return str(phonenumbers.format_number(_number(country_code, national, zeros), PhoneNumberFormat.NATIONAL))


def _formatted(number: Any) -> str:
    zeros = (number.number_of_leading_zeros or 1) if number.italian_leading_zero else 0
    return _formatted_cached(number.country_code, number.national_number, zeros)


@lru_cache(maxsize=2048)
def _described_cached(country_code: int, national: int, zeros: int) -> str:
    from phonenumbers import geocoder

    return str(geocoder.description_for_valid_number(_number(country_code, national, zeros), "en"))


def _described(number: Any) -> str:
    """Return the English name of a number's area by its first digits, "" if unknown."""
    zeros = (number.number_of_leading_zeros or 1) if number.italian_leading_zero else 0
    return _described_cached(number.country_code, number.national_number, zeros)


def _number(country_code: int, national: int, zeros: int) -> Any:
    return phonenumbers.PhoneNumber(
        country_code=country_code,
        national_number=national,
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def _area(number: Any, region: str, gazetteer: Gazetteer) -> tuple[tuple[Place, float], ...]:
    """Return the places of the number's area code, with weights that sum to at most 0.85."""
    described = _described(number)
    if not described or phonenumbers.region_code_for_number(number) not in (region, None):
        return ()
    places: list[Place] = []
    for part in re.split(r"[,/]| and ", described):
        name = part.strip()
        if len(name) < 3:
            continue
        matches = gazetteer.lookup(name, k=1, countries={region: 1.0})
        if matches and matches[0].place.country == region and matches[0].place.level != "country":
            places.append(matches[0].place)
            if part == described.split(",")[0]:
                break  # "Guadalajara, Jalisco": the rest is the region of the city
    if not places:
        return ()
    return tuple((place, 0.85 / len(places)) for place in places[:6])
