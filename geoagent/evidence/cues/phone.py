"""Telephone numbers: a calling code identifies the country, an area code often the city."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from geoagent.evidence.cues.phone_areas import area_of, described, formatted
from geoagent.evidence.cues.postcode import is_labelled
from geoagent.evidence.cues.reading import Line, Reading, country_name, listed, overlaps, size, taken
from geoagent.places.gazetteer.borders import Border, borders
from geoagent.types import Cue, Place

_CANDIDATE = re.compile(r"(?<![\w@])(?:\+|00)?\(?\d(?:[\d() .\-/–·]{4,22})\d(?!\w)")
_LABEL = re.compile(
    r"(?:\b(?:te[l1I|](?! ?aviv)|tél|telef|telefon|telefono|teléfono|telefone|tlf|ph|phone|call|fon|fax|mob|"
    r"mobile|ce[l1I|]|cell|gsm|тел|моб|факс|τηλ|đt|sđt|hp|telp|puh|sími|tālr|whatsapp|wa)\b|"
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
_POSTCODE = re.compile(r"\d{5}-\d{3,4}")  # ZIP+4, CEP: digits in these groups are a telephone number only with a label
_TWO = re.compile(r"\d{8,11}[-–/]\d{8,11}")
_DIGITS = re.compile(r"\d+")
_CHAINED = re.compile(r"\d[-–.·]$")
_ROW, _ROWS = re.compile(r"(?=(?:\D*\d){6})[^A-Za-z]*"), 8
"""A line of figures without a word, and how many make a table: nothing unlabelled in it is a number to call."""
_FIGURES = re.compile(r"[-–.·/]{2}|(\d)\1{5}")
"""Two separators in a row, or one digit six times: figures of a table, not a number to call."""
_FREEPHONE = re.compile(r"(?:\+|00 ?)800(?!\d{9})")
"""International freephone numbers (ITU-T E.169.1): 00800 and eight digits, of no country."""
_VANITY = re.compile(
    r"(?<![\w+])(?:\+?1[ .-]?)?\(?8(?:00|88|77|66|55|44|33)\)?[ .-]+(?=(?:[\d-]*[A-Z]){3})[A-Z\d]+(?:-[A-Z\d]+)*(?!\w)"
)
"""Freephone numbers in letters (1-800-FLOWERS), as they are advertised under the North American Numbering Plan."""
_PLAN = {"US": 1.0, "CA": 0.3}
_PLAN_1800 = {"US": 1.0, "CA": 0.3, "AU": 0.5, "SG": 1.0, "MY": 0.5, "PH": 0.5, "IN": 0.3, "IE": 0.3}
"""The same if 1800 was written in one, which is also the freephone code of other countries."""
_SOVIET = frozenset({(3, 3, 2, 2), (4, 2, 2, 2), (5, 1, 2, 2), (1, 3, 3, 2, 2), (1, 4, 2, 2, 2), (1, 5, 1, 2, 2)})
_ALSO_USUAL = {region: _SOVIET for region in ("RU", "KZ", "UA", "BY", "KG", "TJ", "UZ", "TM")}
"""Groups in which countries write numbers besides the format of libphonenumber: area codes of 3 to 5 digits."""
_JOINED = frozenset({"AT", "BE", "DE", "GB", "HU", "IE", "IT", "NL"})
"""Countries that write the digits after the area code in one group as often as in several."""
_REPAIRED = 0.85
"""Factor on the strength for each digit that was read as a letter."""

# A number is tried for 240 regions. Their patterns exceed the cache of `re`, and recompiling took most of the run time.
phonenumbers.enable_pattern_cache()


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each telephone number, with or without a calling code."""
    cues: list[Cue] = []
    busy = taken([cue for cue in earlier if any(c.isdigit() for c in cue.value)])
    labels = taken(earlier, ("registration",))
    numbers: dict[str, int] = {}
    table = sum(bool(_ROW.fullmatch(line.digits)) for line in reading.lines) >= _ROWS
    for line in reading.lines:
        vanity = list(_VANITY.finditer(line.text))
        cues += [_vanity(line, match, reading) for match in vanity]
        for match, begin in (
            (part, found.start()) for found in _CANDIDATE.finditer(line.digits) for part in _apart(found)
        ):
            if any(match.start() < other.end() and other.start() < match.end() for other in vanity):
                continue
            if overlaps(busy, line.region, *match.span()) or overlaps(labels, line.region, *match.span()):
                continue
            raw = match.group().strip(" .-–/·")
            count = sum(c.isdigit() for c in raw)
            if not 6 <= count <= 15 or _NOT_A_NUMBER.match(raw):
                continue
            if is_labelled(raw, line.text[: match.start()], reading.facts):
                continue  # "CEP 01310-100"
            labelled = bool(_LABEL.search(line.text[:begin][-14:]))
            if not labelled and (table or _CHAINED.search(line.digits[: match.start()]) or _FIGURES.search(raw)):
                continue  # one of a row of figures
            if _FREEPHONE.match(raw) or (_POSTCODE.fullmatch(raw) and not labelled):
                continue
            cue = _international(raw, line, match, reading)
            if cue is None and not raw.startswith("+"):
                cue = _national(raw, labelled, line, match, reading)
            if cue is None:
                continue
            cue = replace(cue, strength=cue.strength * _REPAIRED ** line.repairs(*match.span()))
            dialled = re.sub(r"\D", "", raw)
            if dialled in numbers:  # a number that is repeated is one number
                first = cues[numbers[dialled]]
                cues[numbers[dialled]] = replace(first, spans=(*first.spans, *cue.spans))
            else:
                numbers[dialled] = len(cues)
                cues.append(cue)
    return cues


def _apart(match: re.Match[str]) -> list[re.Match[str]]:
    """Return the two numbers that stand joined in a text, each as a match: "3208191065-3125080602"."""
    if _TWO.fullmatch(match.group()) is None:
        return [match]
    return list(_DIGITS.finditer(match.string, *match.span()))


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
    inside = {code: places for code in countries if (places := area_of(number, code, reading.gazetteer))}
    used = borders().of_phone(f"{number.country_code}{number.national_number}")
    abroad = any(place.country not in countries for places in inside.values() for place, _ in places)
    if used is not None and not abroad:
        countries, inside = _used_in(*used, countries, reading)
    area = f", area of {next(iter(inside.values()))[0][0].name}" if inside else ""
    return Cue(
        kind="phone",
        value=f"+{number.country_code}",
        says=f"The telephone number “{raw}” has the calling code of {listed(reading, countries)}{area}.",
        spans=(line.span(match.start(), match.end()),),
        countries=countries,
        inside=inside,
    )


def _used_in(
    border: Border, share: float, plan: dict[str, float], reading: Reading
) -> tuple[dict[str, float], dict[str, tuple[tuple[Place, float], ...]]]:
    """Countries of a number that an area uses whose country is another one than that of the numbering plan.

    Args:
        border: the area.
        share: of the numbers that are used there.
        plan: countries of the numbering plan.
        reading: its prior is divided out, since the shares are those of the numbers.
    """
    countries = {code: (1.0 - share) / max(reading.prior.get(code, 1.0), 1e-5) for code in plan}
    units = [place for code in border.inside if (place := reading.gazetteer.admin1(code)) is not None]
    filed = border.countries
    for code in filed:
        countries[code] = share / len(filed) / max(reading.prior.get(code, 1.0), 1e-5)
    inside = {
        code: tuple((unit, 0.85 / len(own)) for unit in own)
        for code in filed
        if (own := [unit for unit in units if unit.country == code])
    }
    top = max(countries.values())
    return {code: weight / top for code, weight in countries.items()}, inside


def _vanity(line: Line, match: re.Match[str], reading: Reading) -> Cue:
    """Make a cue of a number in letters: mostly of the North American Numbering Plan, and no place in it."""
    plan = _PLAN_1800 if match.group().startswith("1800") else _PLAN
    return Cue(
        kind="phone",
        value=match.group(),
        says=f"“{match.group()}” is a telephone number in letters, as usual in {listed(reading, plan)}.",
        spans=(line.span(match.start(), match.end()),),
        countries=plan,
        elsewhere=0.05,
        strength=0.8,
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
        weight = 1.0 if valid else 0.2 if described(number) else 0.02
        fit, usual = _grouping(raw, groups, digits, region, formatted(number))
        weight *= fit
        if usual:
            written_so.add(region)
        fits[region] = (weight, number)
    if not fits:
        return None
    top = max(weight for weight, _ in fits.values())
    countries = {region: weight / top for region, (weight, _) in fits.items() if weight > 0.02 * top}
    inside = {}
    for region in countries:
        places = area_of(fits[region][1], region, reading.gazetteer)
        if places:
            inside[region] = places
    for region in tuple(countries):  # (0392) of the Turkish plan is Northern Cyprus
        number = fits[region][1]
        used = borders().of_phone(f"{number.country_code}{number.national_number}")
        if used is None or region in inside:
            continue
        border, share = used
        for code in border.countries:
            countries[code] = max(countries.get(code, 0.0), countries[region] * share)
        countries[region] *= 1.0 - share
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


def _grouping(raw: str, groups: tuple[int, ...], digits: str, region: str, written: str) -> tuple[float, bool]:
    """Return how well a number's groups fit the way a country writes it, and whether they are its usual ones.

    Args:
        raw: as written.
        groups: numbers of digits.
        digits: of the number.
        region: the country.
        written: in the country's national format.
    """
    usual = tuple(len(group) for group in re.findall(r"\d+", written))
    plain = re.sub(r"\D", "", written)
    if len(plain) > len(digits) and plain.endswith(digits):  # dialled without the trunk prefix: (495) for 8 (495)
        usual = usual[1:] if usual[0] == len(plain) - len(digits) else (usual[0] - len(plain) + len(digits), *usual[1:])
    fit = 0.1 if not digits.startswith("0") and plain.startswith("0") else 1.0  # local signs do not omit a leading 0
    same = groups == usual or groups in _ALSO_USUAL.get(region, ())
    if same:
        fit *= 6.0
    elif groups[0] == usual[0]:
        fit *= 5.0 if len(groups) == 2 and region in _JOINED else 3.0
    elif raw.startswith("("):
        fit *= 0.15  # an area code of another length
    if raw.startswith("(") == written.startswith("("):
        fit *= 1.5
    return fit, same


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
        if digits.startswith("0") and not number.italian_leading_zero:
            written = re.sub(r"\D", "", formatted(number))
            if not written.startswith("0") and not written.endswith(digits):  # 8 0162 21-34-56 in Belarus
                continue
        if phonenumbers.is_valid_number_for_region(number, region):
            found.append((region, number, phonenumbers.number_type(number) != PhoneNumberType.PREMIUM_RATE))
        elif len(digits) >= 8 and digits.startswith("0") and phonenumbers.is_possible_number(number):
            found.append((region, number, False))
    return tuple(found)
