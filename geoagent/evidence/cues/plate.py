"""Number plates: the format matches some countries, and in many the code on the plate identifies a region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from geoagent.evidence.cues.boxes import gap_x, gap_y, height, width
from geoagent.evidence.cues.currency import is_price
from geoagent.evidence.cues.plate_forms import BLUE_BAND, BY_PREFIX, DIGITS, SIGNS, behind_sign, codes_like, fits
from geoagent.evidence.cues.plate_lines import candidates, span_of, state_rows, year_like
from geoagent.evidence.cues.reading import Line, Reading, listed, placed, size
from geoagent.places.gazetteer.facts import Facts, PlateFacts
from geoagent.types import Cue, Place

ABROAD = 3e-4
"""Weight of a plate in a country without plates of this format: a foreign car from a matching country."""
_SIGN = {1: 25.0, 2: 100.0, 3: 100.0}
"""Factor of a country whose distinguishing sign ("D", "UA", "RUS") is on another line, by its letters."""
_SIGN_ALONE = 0.5
"""Strength of a distinguishing sign of three letters at what looks like a plate, but none of that country's: one of its
characters was misread or not seen."""
_MOST_COLOUR = 0.4
"""How well the colour must match the likeliest country for the plate to keep its full strength."""
_MISSEEN = 0.15  # probability that light, dirt or a frame distort the apparent colour of a plate
_LOOKS_DARK = 0.4  # that it looks black: what stands in the shade does
_BANDED = 6.0  # factor of a blue band at the left for countries that have one
_AROUND, _LINES_APART = " .·|()", 2
_WORDS = frozenset({"AND", "EST", "FIN", "SUD", "MAL", "RIM", "NAM", "LAO"})
"""Distinguishing signs that are words, too."""
_MERCOSUR = frozenset({"AR", "BR", "PY", "UY"})  # with the band above the number
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
_SHORT = {4: 0.25, 5: 0.6}
"""Strength of plates by number of characters, for short ones: much other text looks like them."""
_FORM_ALONE = 0.6
"""Strength of text that has the form of a plate, with neither band nor sign nor state to show that it is one."""
_AGREES, _SURER = 0.3, 0.1
"""Least weight of a plate in another's country to agree with it, and what each adds to or takes from its strength."""
_SURE_ROW = 0.85
"""Least confidence of the rows of a plate in two rows: digits on a wall and a house number are joined easily."""
_AS_HIGH, _OVER = 1.4, 0.8
"""How much higher one of two rows of a plate may be, and the share of the shorter one that lies over the other."""
_LATIN = str.maketrans("АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX")
_CODE_OF_A_PLACE = re.compile(
    r"[1-9]\d{3} [A-Z]{2}|(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT) \d{4}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d"
)
"""Postcodes of the Netherlands, Australia, the United Kingdom and Canada, which are not plates when next to words."""
_FULL_CODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d")


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each plate: a line that is only a plate, or two short lines of a plate in two rows."""
    cues: list[Cue] = []
    used: set[int] = set()
    prose = any(any(c.islower() for c in line.text) and len(line.words) > 1 for line in reading.lines)
    for lines, text in candidates(reading):
        if used & {line.region for line in lines} or (prose and _CODE_OF_A_PLACE.fullmatch(text)):
            continue
        if any(is_price(line, reading) for line in lines):
            continue  # "ل.ل 5000"
        if _FULL_CODE.fullmatch(text) and lines[0].panel != "yellow" and not lines[0].band:
            continue  # a British or Canadian postcode, which has its gap elsewhere than plates
        countries: dict[str, float] = {}
        inside: dict[str, tuple[tuple[Place, float], ...]] = {}
        rows: dict[str, Line] = {}
        for code, (weight, region) in fits(text, reading.facts).items():
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
        if not countries and len(lines) == 1:
            cues += _by_sign(text, lines[0], reading)
        if not countries or (len(lines) > 1 and not _alike(lines)):
            continue
        band, colour, suits = lines[0].band, *_coloured(lines, countries, reading.facts)
        countries = {code: weight * suits.get(code, 1.0) for code, weight in countries.items()}
        # If even the likeliest country has no plates of this colour, the line is probably not a plate.
        likeliest = max(countries, key=lambda code: countries[code])
        strength = min(1.0, suits.get(likeliest, 1.0) / _MOST_COLOUR)
        owners = {"blue": BLUE_BAND, "blue above": _MERCOSUR}.get(band, frozenset())
        supported = bool(rows)
        if owners and colour in ("white", "yellow"):
            countries = {code: weight * (_BANDED if code in owners else 1.0) for code, weight in countries.items()}
            supported = supported or bool(owners & set(countries))
        for code, sign in {code: sign for sign, code in _signs_beside(reading, lines) if code in countries}.items():
            countries[code] *= _SIGN[len(sign.text.strip(_AROUND))]
            supported = True
        district = bool(_IN_WORDS & inside.keys())  # 品川 330 can be nothing else
        supported = supported or district or bool(behind_sign(text, reading.facts))
        strength *= 1.0 if supported else _FORM_ALONE
        top = max(countries.values())
        countries = {code: weight / top for code, weight in countries.items()}
        where = ""
        if inside:
            best = max(inside, key=lambda c: countries[c] * size(reading, c))
            where = f"; in {reading.facts.countries[best].name} of {inside[best][0][0].name}"
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
                strength=strength
                * year_like(text)
                * (1.0 if district else _SHORT.get(sum(c.isalnum() for c in text), 1.0)),
            )
        )
    return _together(cues)


def _together(cues: list[Cue]) -> list[Cue]:
    """Make the plates of one photo one statement: that of the clearest, a little surer with each that agrees.

    The cars of one street have plates of the same kind, so if the first is misunderstood, so are the others.
    """
    if len(cues) < 2:
        return cues
    best = max(cues, key=lambda cue: cue.strength)
    country = max(best.countries, key=lambda code: best.countries[code])
    agreeing = [cue for cue in cues if cue is not best and cue.countries.get(country, 0.0) >= _AGREES]
    surer = best.strength + _SURER * len(agreeing) - _SURER * (len(cues) - 1 - len(agreeing))
    spans = (*best.spans, *(span for cue in agreeing for span in cue.spans))
    return [replace(best, spans=spans, strength=min(1.0, max(0.5 * best.strength, surer)))]


def _signs_beside(reading: Reading, lines: tuple[Line, ...]) -> Iterator[tuple[Line, str]]:
    """Yield the lines near a plate that are a distinguishing sign ("UA", "D"), with its country."""
    for other in reading.lines:
        sign = other.text.strip(_AROUND)
        code = SIGNS.get(sign, sign)
        if other not in lines and len(sign) in _SIGN and code in reading.facts.plates and _near(other, lines[0]):
            yield other, code


def _by_sign(text: str, line: Line, reading: Reading) -> list[Cue]:
    """A plate that fits no country, at which a distinguishing sign of three letters stands: IND at MH14JH335."""
    for sign, code in _signs_beside(reading, (line,)):
        told = sign.text.strip(_AROUND)
        if len(told) == 3 and told not in _WORDS and sum(c.isdigit() for c in text) >= 3 and sign.box is not None:
            return [
                Cue(
                    kind="plate",
                    value=text,
                    says=f"“{text}” looks like a number plate with the sign of {listed(reading, {code: 1.0})}.",
                    spans=(span_of(line), sign.span(0, len(sign.text))),
                    countries={code: 1.0},
                    elsewhere=ABROAD,
                    strength=_SIGN_ALONE,
                )
            ]
    return []


def _near(sign: Line, plate: Line) -> bool:
    """Whether a sign stands at a plate: beside it, no higher than it is, and within a width of it."""
    a, b = sign.box, plate.box
    if a is None or b is None:
        return abs(sign.region - plate.region) <= _LINES_APART
    return gap_x(a, b) <= width(b) and gap_y(a, b) < 0 and height(a) <= _AS_HIGH * height(b)


def _alike(lines: tuple[Line, ...]) -> bool:
    """Whether two rows may be read as one plate: surely read, and on the same ground or one right under the other."""
    panels = {line.panel for line in lines if line.panel}
    return min(line.confidence for line in lines) >= _SURE_ROW and (len(panels) < 2 or _stacked(lines))


def _stacked(lines: tuple[Line, ...]) -> bool:
    """Whether two rows are as high as each other, one right under the other; False where their places are not known."""
    a, b = lines[0].box, lines[1].box
    if a is None or b is None:
        return False
    low, high = sorted((height(a), height(b)))
    return high <= _AS_HIGH * low and -gap_x(a, b) >= _OVER * min(width(a), width(b))


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
        unsure = _LOOKS_DARK if colour == "black" else _MISSEEN
        suits = {code: unsure + (1.0 - unsure) * facts.plates[code].colours.get(colour, 0.0) for code in countries}
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


def _region(code: str, region: str, reading: Reading) -> Place | None:
    """Return the place of a region code."""
    known: PlateFacts = reading.facts.plates[code]
    compact = re.sub(r"[\s-]", "", region.translate(DIGITS))
    name = known.regions.get(compact) or known.regions.get(compact.translate(_LATIN), "")
    for size_ in range(len(compact) - 1, 0, -1):
        if name or code not in BY_PREFIX:
            break
        name = known.regions.get(compact[:size_], "")
    if not name:
        name = next((place for (low, high), place in _ranges(known) if low <= compact <= high), "")
    return placed(code, name, reading) if name else None


def _known(region: str, known: PlateFacts) -> float:
    """Return a country's factor for a known region code; close to 1 in Ecuador, where nearly every letter is in use."""
    compact = re.sub(r"[\s-]", "", region)
    alike = codes_like(known, region)
    possible = (10.0 if compact.isdigit() else 26.0) ** len(compact)
    return 1.0 if compact and alike > _MOST_TAKEN * possible else _KNOWN_CODE


def _ranges(known: PlateFacts) -> list[tuple[tuple[str, str], str]]:
    """Return the regions with a range of codes: Brazil's "AAA..BEZ" is Paraná."""
    return [
        ((key[: key.index("..")], key[key.index("..") + 2 :]), name)
        for key, name in known.regions.items()
        if ".." in key
    ]
