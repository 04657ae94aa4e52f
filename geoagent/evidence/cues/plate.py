"""Number plates: the format matches some countries, and in many the code on the plate identifies a region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from geoagent.evidence.cues.plate_lines import candidates, span_of, state_rows, year_like
from geoagent.evidence.cues.reading import Line, Reading, listed, placed, size
from geoagent.places.gazetteer.facts import Facts, PlateFacts
from geoagent.types import Cue, Place

ABROAD = 3e-4
"""Weight of a plate in a country without plates of this format: a foreign car from a matching country."""
_SIGN = 25.0  # factor of a country whose distinguishing sign ("UA", "D") is on another line
_SIGNS = {
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
_MOST_COLOUR = 0.4
"""How well the colour must match the likeliest country for the plate to keep its full strength."""
_MISSEEN = 0.15  # probability that light, dirt or a frame distort the apparent colour of a plate
_BANDED = 6.0  # factor of a blue band at the left for countries that have one
_MERCOSUR = frozenset({"AR", "BR", "PY", "UY"})  # with the band above the number
_BAND_OWNERS = """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
    AL AM BA GB GE IL IN MA MD ME MK NO RS TR UA XK
"""
_BLUE_BAND = frozenset(_BAND_OWNERS.split())
_SPELL_OUT = frozenset({"US", "CA", "MX", "AU", "TH", "AE", "NG", "IQ", "PK", "VE", "CO", "BR"})
"""Countries with plates that spell out the state, province, emirate or city on a separate row."""
_OF_CITIES = frozenset({"AE", "CO", "BR", "IQ", "TH"})
_SPELLED = 60.0  # factor of a country with such a row
_KNOWN_CODE, _UNKNOWN_CODE = 1.5, 0.3  # factors by whether the region code is in our list, which may be incomplete
_NO_SUCH_CODE = 0.05
_ALL_CODES = frozenset({"AT", "BG", "CH", "HR", "RO", "SI", "SK", "TR", "UA"})
"""Countries whose region codes are all in our list."""
_IN_WORDS = frozenset({"JP"})
_MOST_TAKEN = 0.5
"""Share of all codes of a length that a country uses, above which a known code is no longer informative."""
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
_SHORT = {4: 0.25, 5: 0.6}
"""Strength of plates by number of characters, for short ones: much other text looks like them."""
_FORM_ALONE = 0.6
"""Strength of text that has the form of a plate, with neither band nor sign nor state to show that it is one."""
_NEXT = 0.3
"""Factor on the strength of each plate after the first: the cars of one street have plates of the same kind."""
_SURE_ROW = 0.85
"""Least confidence of the rows of a plate in two rows: digits on a wall and a house number are joined easily."""
_PER_PLATE = 1e6
_OPTIONAL_DIGIT, _OPTIONAL_LETTER = re.compile(r"\\d\?"), re.compile(r"\[[A-ZÄ-Ž]-[^\]]*\]\?")
_LETTERS_OF_26, _DIGITS_OF_10 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_RUN = re.compile(r"(.)\1*")
_LATIN = str.maketrans("АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX")
_CODE_OF_A_PLACE = re.compile(
    r"[1-9]\d{3} [A-Z]{2}|(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT) \d{4}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d"
)
"""Postcodes of the Netherlands, Australia, the United Kingdom and Canada, which are not plates when next to words."""
_FULL_CODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d")
_BY_PREFIX = frozenset({"GB", "CN", "IN", "CL", "MY", "GR"})
"""Countries whose region codes are less informative the fewer of their characters are known."""
_DIGITS = {ord(base) + i: str(i) for base in "٠۰০०" for i in range(10)}


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each plate: a line that is only a plate, or two short lines of a plate in two rows."""
    cues: list[Cue] = []
    used: set[int] = set()
    prose = any(any(c.islower() for c in line.text) and len(line.words) > 1 for line in reading.lines)
    for lines, text in candidates(reading):
        if used & {line.region for line in lines} or (prose and _CODE_OF_A_PLACE.fullmatch(text)):
            continue
        if _FULL_CODE.fullmatch(text) and lines[0].panel != "yellow" and not lines[0].band:
            continue  # a British or Canadian postcode, which has its gap elsewhere than plates
        countries: dict[str, float] = {}
        inside: dict[str, tuple[tuple[Place, float], ...]] = {}
        rows: dict[str, Line] = {}
        for code, (weight, region) in _fits(text, reading.facts).items():
            place = _region(code, region, reading)
            if len(lines) > 1 and (place is None or not region):
                continue  # two lines are one plate only if the place name on it confirms it
            countries[code] = weight
            place = place or _band(code, lines[-1], reading)
            state = _spelled_out(code, lines, reading)
            if state is not None:
                rows[code], place = state
                countries[code] *= _SPELLED
            if place is not None:
                inside[code] = ((place, 0.75),)
                countries[code] *= _known(region, reading.facts.plates[code])
            elif region and code in _IN_WORDS:
                del countries[code]  # two Han characters and a number are a plate only with a known district
            elif region:
                countries[code] *= _NO_SUCH_CODE if code in _ALL_CODES else _UNKNOWN_CODE
        if not countries:
            continue
        if len(lines) > 1 and not _alike(lines):
            continue
        band, colour, suits = lines[0].band, *_coloured(lines, countries, reading.facts)
        countries = {code: weight * suits.get(code, 1.0) for code, weight in countries.items()}
        # If even the likeliest country has no plates of this colour, the line is probably not a plate.
        likeliest = max(countries, key=lambda code: countries[code])
        strength = min(1.0, suits.get(likeliest, 1.0) / _MOST_COLOUR)
        owners = {"blue": _BLUE_BAND, "blue above": _MERCOSUR}.get(band, frozenset())
        supported = bool(rows)
        if owners and colour in ("white", "yellow"):
            countries = {code: weight * (_BANDED if code in owners else 1.0) for code, weight in countries.items()}
            supported = supported or bool(owners & set(countries))
        for code in _signs_beside(reading, lines, countries):
            countries[code] *= _SIGN
            supported = True
        district = bool(_IN_WORDS & inside.keys())  # 品川 330 can be nothing else
        supported = supported or district or bool(_behind_sign(text, reading.facts))
        strength *= 1.0 if supported else _FORM_ALONE
        top = max(countries.values())
        countries = {code: weight / top for code, weight in countries.items()}
        where = ""
        if inside:
            best = max(inside, key=lambda c: countries[c] * size(reading, c))
            where = f"; in {reading.facts.countries[best].name} of {inside[best][0][0].name}"
        if used:
            strength *= _NEXT
        used |= {line.region for line in lines}
        cues.append(
            Cue(
                kind="plate",
                value=text,
                says=f"“{text}” has the form{_looks(colour, band)} of a number plate of "
                f"{listed(reading, countries)}{where}.",
                spans=tuple(span_of(line) for line in (*lines, *([rows[likeliest]] if likeliest in rows else []))),
                countries=countries,
                inside=inside,
                elsewhere=ABROAD,
                strength=strength * year_like(text) * (1.0 if district else _SHORT.get(sum(c.isalnum() for c in text), 1.0)),
            )
        )
    return cues


def _signs_beside(reading: Reading, lines: tuple[Line, ...], countries: Mapping[str, float]) -> set[str]:
    """Return the countries whose distinguishing sign is a line of its own ("UA", "D"), near the plate if it has a place."""
    found = set()
    for other in reading.lines:
        sign = other.text.strip(" .·|()")
        code = _SIGNS.get(sign, sign)
        if other not in lines and code in countries and _near(other, lines[0]):
            found.add(code)
    return found


def _near(sign: Line, plate: Line) -> bool:
    """Whether a sign stands at a plate: at its height and within a width of it."""
    a, b = sign.box, plate.box
    if a is None or b is None:
        return True
    wide, tall = b[2] - b[0], b[3] - b[1]
    return max(a[0], b[0]) - min(a[2], b[2]) <= wide and max(a[1], b[1]) - min(a[3], b[3]) <= tall


def _alike(lines: tuple[Line, ...]) -> bool:
    """Whether two rows may be read as one plate: both surely read, and on the same ground where that is known."""
    panels = {line.panel for line in lines if line.panel}
    return min(line.confidence for line in lines) >= _SURE_ROW and len(panels) < 2


def _spelled_out(code: str, lines: tuple[Line, ...], reading: Reading) -> tuple[Line, Place] | None:
    """Return the row next to a plate that spells out its region, and that place."""
    if code not in _SPELL_OUT:
        return None
    for row in state_rows(reading, lines):
        name = row.text.strip(" .·|")
        place = placed(code, "@" + name, reading) or (placed(code, name, reading) if code in _OF_CITIES else None)
        if place is not None:
            return row, place
    return None


def _coloured(lines: tuple[Line, ...], countries: Mapping[str, float], facts: Facts) -> tuple[str, dict[str, float]]:
    """Return a plate's colour and how well it matches each country; "" and {} if no colour was detected.

    Of two rows, the one whose colour matches the countries better is used: the other one is often in the shade.
    """
    best: tuple[str, dict[str, float]] = ("", {})
    for colour in dict.fromkeys(line.panel for line in lines if line.panel):
        suits = {code: _MISSEEN + (1.0 - _MISSEEN) * facts.plates[code].colours.get(colour, 0.0) for code in countries}
        if max(suits.values()) > max(best[1].values(), default=0.0):
            best = (colour, suits)
    return best


def _looks(colour: str, band: str) -> str:
    """Describe the colours of plate and band in words, if they were detected."""
    strip = {"blue": ", a blue band", "blue above": ", a blue band above"}.get(band, "")
    return f" and the colour ({colour}{strip})" if colour else ""


def _band(code: str, line: Line, reading: Reading) -> Place | None:
    """Return the place on the band at a plate's side, from one of the next three lines: French 31, Italian NA."""
    after = [other.text.strip() for other in reading.lines if 0 < other.region - line.region <= 3]
    for text in after:
        if reading.facts.plates[code].bands.get(text):
            return placed(code, reading.facts.plates[code].bands[text], reading)
    return None


def _fits(text: str, facts: Facts) -> dict[str, tuple[float, str]]:
    """Return the countries whose plates match: weight, and the region code or ""."""
    found = _fits_as_read(text, facts)
    for code, (weight, region, _) in _behind_sign(text, facts).items():
        if weight > found.get(code, (0.0, "", False))[0]:
            found[code] = (weight, region, True)
    if not any(strict for _, _, strict in found.values()):
        for other in _misread(text):
            for code, (weight, region, strict) in _fits_as_read(other, facts).items():
                if strict and weight * _MISTAKEN > found.get(code, (0.0, "", False))[0]:
                    found[code] = (weight * _MISTAKEN, region, False)
    return {code: (weight, region) for code, (weight, region, _) in found.items()}


def _behind_sign(text: str, facts: Facts) -> dict[str, tuple[float, str, bool]]:
    """Return the fits of what follows a country's distinguishing sign: the band of "D M AB 1234" was read with it."""
    found: dict[str, tuple[float, str, bool]] = {}
    for length in (1, 2, 3):
        sign, rest = text[:length], text[length:]
        apart = rest[:1] in (" ", "·")
        code = _SIGNS.get(sign, sign)
        if not sign.isalpha() or code not in facts.plates or not (apart or (length == 2 and code in _BLUE_BAND)):
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
            likely = weight * factor * _PER_PLATE / _alternatives(match.re, text, used, 0 if code in _BY_PREFIX else _codes_like(facts.plates[code], region))
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


def _codes_like(known: PlateFacts, region: str) -> int:
    """Return how many region codes of a country have the length and kind of this one; 0 if it has no list of them."""
    compact = re.sub(r"[\s-]", "", region.translate(_DIGITS))
    return sum(len(code) == len(compact) and code.isdigit() == compact.isdigit() for code in known.regions)


@lru_cache(maxsize=2)
def _compiled(facts: Facts) -> dict[str, list[tuple[re.Pattern[str], re.Pattern[str], float]]]:
    return {
        code: [(re.compile(strict), re.compile(loose), weight) for strict, loose, weight in known.patterns]
        for code, known in facts.plates.items()
    }


def _region(code: str, region: str, reading: Reading) -> Place | None:
    """Return the place of a region code."""
    known: PlateFacts = reading.facts.plates[code]
    compact = re.sub(r"[\s-]", "", region.translate(_DIGITS))
    name = known.regions.get(compact) or known.regions.get(compact.translate(_LATIN), "")
    for size_ in range(len(compact) - 1, 0, -1):
        if name or code not in _BY_PREFIX:
            break
        name = known.regions.get(compact[:size_], "")
    if not name:
        name = next((place for (low, high), place in _ranges(known) if low <= compact <= high), "")
    return placed(code, name, reading) if name else None


def _known(region: str, known: PlateFacts) -> float:
    """Return a country's factor for a known region code; close to 1 in Ecuador, where nearly every letter is in use."""
    compact = re.sub(r"[\s-]", "", region)
    alike = _codes_like(known, region)
    possible = (10.0 if compact.isdigit() else 26.0) ** len(compact)
    return 1.0 if compact and alike > _MOST_TAKEN * possible else _KNOWN_CODE


def _ranges(known: PlateFacts) -> list[tuple[tuple[str, str], str]]:
    """Return the regions with a range of codes: Brazil's "AAA..BEZ" is Paraná."""
    return [
        ((key[: key.index("..")], key[key.index("..") + 2 :]), name)
        for key, name in known.regions.items()
        if ".." in key
    ]
