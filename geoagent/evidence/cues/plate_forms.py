"""Formats of number plates: which countries' plates a text may be, and how likely each is."""

from __future__ import annotations

import re
from functools import lru_cache

from geoagent.places.gazetteer.facts import Facts, PlateFacts

SIGNS = {
    "A": "AT", "AND": "AD", "AUS": "AU", "B": "BE", "BDS": "BB", "BIH": "BA", "BRN": "BH", "CDN": "CA", "CH": "CH",
    "D": "DE", "DK": "DK", "E": "ES", "EAK": "KE", "EAT": "TZ", "EAU": "UG", "EST": "EE", "ET": "EG", "F": "FR",
    "FIN": "FI", "FL": "LI", "FO": "FO", "GBM": "IM", "GBZ": "GI", "GCA": "GT", "H": "HU", "HKJ": "JO", "I": "IT",
    "IND": "IN", "IRL": "IE", "IRQ": "IQ", "J": "JP", "K": "KH", "KS": "KG", "KSA": "SA", "KWT": "KW", "L": "LU",
    "LAO": "LA", "LAR": "LY", "M": "MT", "MAL": "MY", "MEX": "MX", "MGL": "MN", "MNE": "ME", "MYA": "MM", "N": "NO",
    "NAM": "NA", "NMK": "MK", "P": "PT", "Q": "QA", "RA": "AR", "RC": "TW", "RCH": "CL", "RH": "HT", "RI": "ID",
    "RIM": "MR", "RKS": "XK", "RL": "LB", "ROK": "KR", "ROU": "UY", "RP": "PH", "RSM": "SM", "RUS": "RU", "RWA": "RW",
    "S": "SE", "SGP": "SG", "SLO": "SI", "SRB": "RS", "SUD": "SD", "SYR": "SY", "T": "TH", "UAE": "AE", "UK": "GB",
    "USA": "US", "V": "VA", "WAN": "NG", "YAR": "YE", "YV": "VE", "Z": "ZM",
}  # fmt: skip
"""Distinguishing signs of vehicles (UN Convention on Road Traffic 1968) that differ from the country's ISO code."""
_BAND_OWNERS = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
    AL AM BA GB GE IL IN MA MD ME MK NO RS TR UA XK
"""
BLUE_BAND = frozenset(_BAND_OWNERS.split())
_LOOSE = 0.35
"""Weight of a plate with misplaced separators: OCR joins parts that are separated by screws and seals."""
_NO_GAPS = 0.6
"""The same, if no separator was read at all, which is the most frequent loss."""
_SIGNED, _SIGNED_GLUED = 8.0, 2.0
"""Weight of a plate whose country's distinguishing sign was read before it, apart from it or joined to it."""
_OTHER_SIGN = 0.1
"""Factor on that weight if a hyphen was read that the country's plates do not have."""
_TAKEN_FOR = {"0": "O", "O": "0", "1": "I", "I": "1", "8": "B", "B": "8", "5": "S", "S": "5"}
_MISTAKEN = 0.5
"""Weight of a plate that fits only after a letter is replaced by a look-alike digit, or the reverse."""
_PER_PLATE = 1e6
_OPTIONAL_DIGIT, _OPTIONAL_LETTER = re.compile(r"\\d\?"), re.compile(r"\[[A-ZÄ-Ž]-[^\]]*\]\?")
_LETTERS_OF_26, _DIGITS_OF_10 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_RUN = re.compile(r"(.)\1*")
BY_PREFIX = frozenset({"GB", "CN", "IN", "CL", "MY", "GR"})
"""Countries whose region codes are less informative the fewer of their characters are known."""
DIGITS = {ord(base) + i: str(i) for base in "٠۰০०" for i in range(10)}


def fits(text: str, facts: Facts) -> dict[str, tuple[float, str]]:
    """Return the countries whose plates match: weight, and the region code or ""."""
    found = _fits_as_read(text, facts)
    for code, (weight, region, _) in behind_sign(text, facts).items():
        if weight > found.get(code, (0.0, "", False))[0]:
            found[code] = (weight, region, True)
    if not any(strict for _, _, strict in found.values()):
        for other in _misread(text):
            for code, (weight, region, strict) in _fits_as_read(other, facts).items():
                if strict and weight * _MISTAKEN > found.get(code, (0.0, "", False))[0]:
                    found[code] = (weight * _MISTAKEN, region, False)
    return {code: (weight, region) for code, (weight, region, _) in found.items()}


def behind_sign(text: str, facts: Facts) -> dict[str, tuple[float, str, bool]]:
    """Return the fits of what follows a country's distinguishing sign: the band of "D M AB 1234" was read with it."""
    found: dict[str, tuple[float, str, bool]] = {}
    for length in (1, 2, 3):
        sign, rest = text[:length], text[length:]
        apart = rest[:1] in (" ", "·")
        code = SIGNS.get(sign, sign)
        if not sign.isalpha() or code not in facts.plates or not (apart or (length == 2 and code in BLUE_BAND)):
            continue
        fits = _fits_as_read(rest.lstrip(" ·.-–"), facts)
        if code in fits:
            weight, region, strict = fits[code]
            found[code] = (weight * (_SIGNED if apart else _SIGNED_GLUED), region, strict)
    return found


def _misread(text: str) -> list[str]:
    """Return variants with one run of a character replaced by its look-alike: "00-964-GG" is OO-964-GG."""
    runs = [match for match in _RUN.finditer(text) if match[0][0] in _TAKEN_FOR]
    return [text[: run.start()] + _TAKEN_FOR[run[0][0]] * len(run[0]) + text[run.end() :] for run in runs]


def _fits_as_read(text: str, facts: Facts) -> dict[str, tuple[float, str, bool]]:
    """Like `_fits`, for the text as read, and whether the separators are in the right positions."""
    found: dict[str, tuple[float, str, bool]] = {}
    loosely = _LOOSE * (_OTHER_SIGN if re.search("[-–]", text) else 1.0) if re.search(r"\W", text) else _NO_GAPS
    for code, plates in _compiled(facts).items():
        for strict, loose, weight in plates:
            match, factor = strict.fullmatch(text), 1.0
            if match is None:
                match, factor = loose.fullmatch(text), loosely
            if match is None:
                continue
            group = next((i for i in range(1, len(match.groups()) + 1) if match[i]), 0)
            region, used = (match[group], match.span(group)) if group else ("", (0, 0))
            likely = (
                weight
                * factor
                * _PER_PLATE
                / _alternatives(
                    match.re, text, used, 0 if code in BY_PREFIX else codes_like(facts.plates[code], region)
                )
            )
            if likely > found.get(code, (0.0, "", False))[0]:
                found[code] = (likely, region, factor == 1.0)
    return found


@lru_cache(maxsize=4096)
def _alternatives(pattern: re.Pattern[str], text: str, region: tuple[int, int], codes: int) -> float:
    """Return how many plates of a format there are, with separators as read, times the lengths that it allows.

    The more a format allows, the less likely is this very plate: Ukraine uses 12 letters, Indonesia 26. Each character
    is replaced by every other of its kind to see which the format allows.

    Args:
        pattern: the format.
        text: a plate that it matches.
        region: start and end of the code of a region in it.
        codes: number of known codes like that one; 0 where none is known.
    """
    count = float(codes or 1) * _lengths(pattern.pattern)
    for i, char in enumerate(text):
        if not char.isalnum() or (codes and region[0] <= i < region[1]):
            continue
        kind = _DIGITS_OF_10 if char.isdigit() else _LETTERS_OF_26
        count *= max(1, sum(pattern.fullmatch(text[:i] + other + text[i + 1 :]) is not None for other in kind))
    return count


@lru_cache(maxsize=2048)
def _lengths(pattern: str) -> int:
    """Return how many combinations of numbers of digits and letters a format allows: each has a part of its plates."""
    digits, letters = len(_OPTIONAL_DIGIT.findall(pattern)), len(_OPTIONAL_LETTER.findall(pattern))
    return (digits + 1) * (letters + 1)


def codes_like(known: PlateFacts, region: str) -> int:
    """Return how many region codes of a country have the length and kind of this one; 0 if it has no list of them."""
    compact = re.sub(r"[\s-]", "", region.translate(DIGITS))
    return sum(len(code) == len(compact) and code.isdigit() == compact.isdigit() for code in known.regions)


@lru_cache(maxsize=2)
def _compiled(facts: Facts) -> dict[str, list[tuple[re.Pattern[str], re.Pattern[str], float]]]:
    return {
        code: [(re.compile(strict), re.compile(loose), weight) for strict, loose, weight in known.patterns]
        for code, known in facts.plates.items()
    }
