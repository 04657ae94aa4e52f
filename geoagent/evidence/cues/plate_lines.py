"""Selection of lines that may be number plates, by their characters and position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from geoagent.evidence.cues.boxes import gap_x, gap_y, height
from geoagent.evidence.cues.reading import Line, Reading, is_common
from geoagent.evidence.cues.road import on_its_panel
from geoagent.places.gazetteer.fact_types import compiled
from geoagent.types import Span

_SHAPE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w ·.–-]{4,16}", re.UNICODE)
_POSTCODE = re.compile(r"(?:[ABDEFHILP]|CH|CZ|DK|EE|FI|FL|GR|HR|LT|LV|MD|NL|NO|PL|RO|RS|SE|SI|SK)-\d{4,6}")
_SURE_ROAD = 0.9
_PRICE = re.compile(r"([A-Z]{3}) ?[\d .,]+|[\d .,]+ ?([A-Z]{3})")
_DIGITS_ONLY = re.compile(r"\d{2,3}[-–]\d{2,3}[-–]\d{2,3}")
_SIZE = re.compile(r"\d+ ?[X×] ?\d+(?: ?[X×] ?\d+)?")
_LETTERS = re.compile(r"[^\W\d_]+")
_YEAR = re.compile(r"(?:.*[^\d])?(?:19[5-9]|20[0-3])\d")
_AS_YEAR = 0.3
"""Strength of a plate that ends in a likely year: "EXPO 2020"."""
_SAME_AS_CAPITALS, _MOST_RAISED, _LEAST_DIGITS = frozenset("ckmopsuvwxyzвкмнорстух"), 2, 4
"""Small letters with the shape of their capitals, and the most of them and least digits on a plate read with them."""
_BETWEEN = 6
_UNITS = """
    KM M CM MM KG G T L ML CL DL HL KW W V A HP PS HZ MHZ GHZ KHZ GB MB TB KB MP MPH KMH RPM PSI BAR MIN SEC HRS HR
    AM PM PCS STK FT LB LBS OZ IN YD SQM SQFT CC DB LUX DPI
"""
_LABELS = """
    ISO EN DIN IEC IP ASTM ANSI IEEE NF UNE GOST ГОСТ LOT EXP MFG NO NR REF SKU PIN ID ART TEL FAX MOB SN REV VER
    VOL PAGE TYPE TYP MOD MODEL SIZE XS XL XXL XXXL UN USB HDMI NUM FIG SEC FM AM MAX MIN ROOM FLAT UNIT LEVEL GATE
    BAY ZONE AREA FLOOR PLATFORM TRACK GLEIS BUS LINE LINIE TRAM STOP EXIT BLOCK WING DOOR SEAT ROW
"""
UNITS, LABELS = frozenset(_UNITS.split()), frozenset(_LABELS.split())
"""Letters that qualify a number: units after it, labels before it. With only a number they are not a plate."""


def candidates(reading: Reading) -> list[tuple[tuple[Line, ...], str]]:
    """Return candidate plates with their text: pairs of short neighbouring lines in both orders, then single lines."""
    short = [(line, _bare(line)) for line in reading.lines]
    found: list[tuple[tuple[Line, ...], str]] = []
    for (first, one), (second, two) in _neighbours(short):
        if (
            _of_one_plate(first, second)
            and max(len(one), len(two)) <= 12
            and one
            and two
            and one == one.upper()
            and two == two.upper()
        ):
            found += [((first, second), f"{a} {b}") for a, b in ((one, two), (two, one)) if _plausible(f"{a} {b}")]
    for line, text in short:
        price = _PRICE.fullmatch(text)
        if price and reading.facts.currencies.get(price[1] or price[2]):
            continue  # "UGX 2000"
        if on_its_panel(reading, line) or any(
            form.strength >= _SURE_ROAD and compiled(form.pattern).fullmatch(text) for form in reading.facts.roads
        ):
            continue  # "BR-101"
        # "ROOM 12", "BUS 123": a sign word; "PKT 4821" is not one, though "pkt" is a word in some language
        words = [w for word in line.words for w in _LETTERS.findall(word.key) if len(w) >= 3]
        common = any(
            w in reading.facts.signwords
            or w in reading.facts.international
            or (len(w) > 3 and (is_common(reading, w) or w in reading.facts.streets))
            for w in words
        )
        if _plausible(text) and not common:
            found.append(((line,), text))
    return found


def _neighbours(short: list[tuple[Line, str]]) -> Iterator[tuple[tuple[Line, str], tuple[Line, str]]]:
    """Yield pairs of consecutive lines; if both have a position in the photo, up to `_BETWEEN` may lie between them.

    Plates that stand side by side are read row by row: the upper rows of all, then the lower ones.
    """
    for step in range(1, 2 + _BETWEEN):
        for one, two in zip(short, short[step:], strict=False):
            if step == 1 or (one[0].box is not None and two[0].box is not None):
                yield one, two


def state_rows(reading: Reading, lines: tuple[Line, ...]) -> Iterator[Line]:
    """Yield the lines above and below a plate's number that have only letters; some countries spell out the state."""
    for other in reading.lines:
        gap = min(abs(other.region - line.region) for line in lines)
        if other in lines or gap > 2 or len(other.text) < 4 or any(c.isdigit() for c in other.text):
            continue
        if all(_touch(other, line) for line in lines):
            yield other


def _touch(row: Line, number: Line) -> bool:
    """Whether a row of small letters belongs to a plate's number: above or below it, if positions are known."""
    a, b = row.box, number.box
    if a is None or b is None:
        return True
    tall = height(b)
    return height(a) <= 1.2 * tall and gap_x(a, b) < 0 and gap_y(a, b) <= 0.8 * tall


def _of_one_plate(first: Line, second: Line) -> bool:
    """Whether two lines may be rows of one plate: similar in size and close together, if positions are known."""
    a, b = first.box, second.box
    if a is None or b is None:
        return True
    low, tall = sorted((height(a), height(b)))
    return tall <= 2.5 * max(low, 1.0) and gap_x(a, b) <= 0.5 * tall and gap_y(a, b) <= 0.8 * low


def _bare(line: Line) -> str:
    """Return the line without text around the plate; the eastern digits of Arabic plates are kept.

    Small letters that look like capitals are raised where the digits show no other sign of words: "y961KE 60".
    """
    text = line.text.replace("|", " ").replace("  ", " ").strip(" •·.'")
    small = [c for c in text if c.islower()]
    if not any(c.isupper() for c in text) or any(a.islower() and b.islower() for a, b in pairwise(text)):
        return text  # "1080p", "4821 ab"
    if len(small) > _MOST_RAISED or sum(c.isdigit() for c in text) < _LEAST_DIGITS:
        return text
    return text.upper() if all(c in _SAME_AS_CAPITALS for c in small) else text


def year_like(text: str) -> float:
    """Return the factor on a plate's strength if its last digits are likely a year."""
    return _AS_YEAR if _YEAR.fullmatch(text) else 1.0


def _measured(text: str) -> bool:
    """Whether the letters next to a number are a unit or label: "100 KM", "ISO 9001"."""
    letters, digits = re.findall(r"[^\W\d_]+", text), re.findall(r"\d+", text)
    if len(letters) != 1 or len(digits) != 1:
        return False
    first = text[:1].isdigit()
    return letters[0] in UNITS if first else letters[0] in LABELS


def _plausible(text: str) -> bool:
    """Whether a line may be a plate: four to twelve capitals and digits."""
    if text != text.upper() or not 4 <= sum(c.isalnum() for c in text) <= 12:
        return False
    if _POSTCODE.fullmatch(text) or _measured(text) or _SIZE.fullmatch(text):
        return False
    return bool(_SHAPE.fullmatch(text) or _DIGITS_ONLY.fullmatch(text))


def span_of(line: Line) -> Span:
    """Return the span of a plate in its line, without surrounding text."""
    text = line.text.strip(" |•·.'")
    start = line.text.index(text)
    return line.span(start, start + len(text))
