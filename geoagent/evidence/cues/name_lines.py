"""How a line uses a name: alone, in a sentence, in a street, in small letters, misread."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from geoagent.evidence.cues.context import DECOR, LINKS, OFFICE, ROAD, TOWARDS
from geoagent.evidence.cues.reading import Line, Reading
from geoagent.places.gazetteer import Match, Mention
from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import Cue

_KNOWN_ABROAD = 50_000
_SMALL = 0.85  # share of a line in small letters that a name fills
_PROSE = 4
"""Most other words on a line without digits that is no sentence; in a sentence a name is seldom that of the place."""
_HOUSE_NUMBER = re.compile(r",? \d{1,3}[a-zA-Z]?(?:/\d{1,3})?(?:$|[ ,])")


def written_small(line: Line, mention: Mention, reading: Reading) -> bool:
    """Whether a name of several words fills its line, which is written in small letters: "aix en provence"."""
    words = mention.text.split()
    if len(words) < 2 or any(c.isupper() for c in line.text) or len(mention.text) < _SMALL * len(line.text.strip()):
        return False
    return not all(normalise(word) in reading.facts.frequency.ordinary for word in words)


def street_of(line: Line, mention: Mention, streets: list[Cue]) -> Cue | None:
    """Return the street that a name is a part of; a name that holds the word for the street is no such name."""
    for cue in streets:
        for span in cue.spans:
            whole = mention.start <= span.start and span.end <= mention.end
            if span.region == line.region and span.start < mention.end and mention.start < span.end and not whole:
                return cue
    return None


def numbered(line: Line, mention: Mention, best: Match) -> bool:
    """Whether an inflected name stands before a house number: "Warszawska 5" is a street without its word."""
    return best.exactness == "stem" and bool(_HOUSE_NUMBER.match(line.text, mention.end))


def little_known(best: Match) -> bool:
    """Whether a name is another one of a small place, which few signs use."""
    return best.exactness == "alternate" and best.place.level == "city" and best.place.population < _KNOWN_ABROAD


def edited_factor(mention: Mention, best: Match, reading: Reading) -> float:
    """Return the reliability of a fuzzy match: OCR errors produce digits, ordinary words do not contain them."""
    if any(c.isdigit() for c in mention.text) or any(a.islower() and b.isupper() for a, b in pairwise(mention.text)):
        return 0.8**best.edits
    known = normalise(mention.text)
    if not mention.capitalised or known in reading.facts.signwords or known in reading.facts.international:
        return 0.0
    size = sum(c.isalpha() for c in mention.text)
    return (0.03 if size < 6 else 0.1 if size < 8 else 0.3) * 0.7 ** (best.edits - 1)


def length_factor(mention: Mention, line: Line) -> float:
    """Return a factor that penalises short names, which match by chance, though less so in syllabic scripts."""
    # Vowel signs of Indic scripts are marks, not letters, but they are as distinctive as letters.
    size = sum(c.isalnum() or unicodedata.category(c) in ("Mc", "Mn") for c in mention.text)
    if line.script in ("Hani", "Jpan", "Hang", "Ethi"):
        return 0.6 if size <= 2 and len(line.text) > 4 else 1.0
    return 0.4 if size <= 3 else 0.7 if size == 4 else 0.9 if size == 5 else 1.0


def line_factor(line: Line, mention: Mention, reading: Reading) -> float:
    """Return how much the line is about the place: the name is alone, next to an authority, or next to a pizza."""
    rest = [w for w in line.words if w.end <= mention.start or w.start >= mention.end]
    keys = {w.key for w in rest} | {part for w in rest for part in w.key.split()}
    if line.script in ("Hani", "Jpan"):
        tail = line.text[mention.end :]
        if any(tail.startswith(word) for word in DECOR if not word.isascii()):
            return 0.1
    if keys & OFFICE:
        return 1.0
    if keys & DECOR:
        return 0.1
    if keys & TOWARDS:
        return 0.55
    if len(rest) > _PROSE and not any(c.isdigit() for c in line.text):
        return 0.2
    alphabetic = [w for w in rest if any(c.isalpha() for c in w.text) and w.key not in LINKS and w.key not in ROAD]
    if not alphabetic:
        return 1.0
    if _set_apart(line, mention):
        return 0.9
    return 0.8 if len(alphabetic) == 1 else 0.6


def _set_apart(line: Line, mention: Mention) -> bool:
    """Whether punctuation or digits separate the name from other words ("34000 Montpellier", "Rolla – Sharjah")."""
    before, after = line.text[: mention.start].rstrip(), line.text[mention.end :].lstrip()
    left = not before or not before[-1].isalpha()
    right = not after or not after[0].isalpha()
    return left and right
