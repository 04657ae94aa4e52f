"""Characters and scripts: what a word is written in, and how a line is spelt as a label.

A label is the line as seen, character by character from left to right: Hangul as conjoining jamo, Latin letters without
accents, Arabic and Hebrew in visual order, and every Han character or kana as the one sign "〓". `_multiscript.Classes`
turns it back into text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from geoagent.evidence.ocr._classes import logical

HAN = "〓"
COMMON = "0123456789.,:;-/()'\"!?&%+#№@*= "
"""Characters of no script, which a line of any script may hold."""
ASCII_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BLOCKS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "Arab": ((0x600, 0x6FF), (0x750, 0x77F)),
    "Armn": ((0x530, 0x58F),),
    "Beng": ((0x980, 0x9FF),),
    "Cyrl": ((0x400, 0x52F),),
    "Deva": ((0x900, 0x97F),),
    "Ethi": ((0x1200, 0x137F),),
    "Geor": ((0x10D0, 0x10FF),),
    "Grek": ((0x370, 0x3FF),),
    "Gujr": ((0xA80, 0xAFF),),
    "Guru": ((0xA00, 0xA7F),),
    "Hang": ((0x1100, 0x11FF), (0xAC00, 0xD7A3)),
    "Hebr": ((0x5D0, 0x5F4),),
    "Khmr": ((0x1780, 0x17FF),),
    "Knda": ((0xC80, 0xCFF),),
    "Laoo": ((0xE80, 0xEFF),),
    "Latn": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)),
    "Mlym": ((0xD00, 0xD7F),),
    "Mymr": ((0x1000, 0x109F),),
    "Orya": ((0xB00, 0xB7F),),
    "Sinh": ((0xD80, 0xDFF),),
    "Taml": ((0xB80, 0xBFF),),
    "Telu": ((0xC00, 0xC7F),),
    "Thai": ((0xE00, 0xE7F),),
}
"""ISO 15924 code to the first and last code points of its blocks: letters, marks and digits."""
RIGHT_TO_LEFT = frozenset({"Arab", "Hebr"})
CASED = frozenset({"Armn", "Cyrl", "Grek", "Latn"})
ZEROS: Mapping[str, tuple[int, ...]] = {
    "Arab": (0x660, 0x6F0), "Beng": (0x9E6,), "Deva": (0x966,), "Gujr": (0xAE6,), "Guru": (0xA66,), "Khmr": (0x17E0,),
    "Knda": (0xCE6,), "Laoo": (0xED0,), "Mymr": (0x1040,), "Orya": (0xB66,), "Telu": (0xC66,), "Thai": (0xE50,),
}  # fmt: skip
"""Code points of a script's own zeros."""

_SCRIPT_OF = {chr(p): script for script, runs in BLOCKS.items() for a, b in runs for p in range(a, b + 1)}
_JOINERS = "\u200c\u200d"
_BARE = {
    "ı": "i",
    "ł": "l",
    "Ł": "L",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
}
# Vowel points of Arabic and Hebrew, the Arabic tatweel, and what is invisible: signs seldom have them.
_LEFT_OUT = re.compile("[\u064b-\u0652\u0670\u0640\u0591-\u05c7\u200b\u200e\u200f\u00ad]")
_TYPED = {0x2019: "'", 0x2018: "'", 0x2010: "-", 0x2011: "-", 0x2013: "-", 0xA0: " "}
# No brackets in lines from right to left, which are drawn mirrored.
_BESIDE = {True: re.compile(r"[ \-'.,&/0-9A-Za-z]"), False: re.compile(r"[ \-'.,&/()0-9A-Za-z]")}
# Burmese in the Zawgyi encoding, which Unicode fonts draw as other letters.
_NOT_BURMESE = re.compile("[\u1050-\u109f]|\u1039(?![\u1000-\u1021])|[\u102b-\u103e\u1036-\u1038]\u1031")


def script_of_character(character: str) -> str | None:
    """Return the script whose blocks hold a character; None for digits, punctuation and scripts that are not here."""
    return _SCRIPT_OF.get(character)


def block(script: str) -> frozenset[str]:
    """Return every character in the blocks of a script; none for a script that is not here."""
    return frozenset(chr(p) for a, b in BLOCKS.get(script, ()) for p in range(a, b + 1))


def main_script(text: str) -> str | None:
    """Return the script of most characters of a text."""
    counts = Counter(_SCRIPT_OF[c] for c in text if c in _SCRIPT_OF)
    return counts.most_common(1)[0][0] if counts else None


def typed(text: str) -> str:
    """Return a word as signs write it: NFC, plain hyphens and apostrophes, no vowel points, single spaces."""
    text = _LEFT_OUT.sub("", unicodedata.normalize("NFC", text)).translate(_TYPED)
    return " ".join(text.split())


def is_drawable(text: str, script: str) -> bool:
    """Whether a word holds nothing but its script, Latin letters, digits and plain punctuation."""
    beside = _BESIDE[script in RIGHT_TO_LEFT]
    if script == "Mymr" and _NOT_BURMESE.search(text):
        return False
    return all(_SCRIPT_OF.get(c) == script or c in _JOINERS or beside.match(c) for c in text)


def fold(text: str, script: str) -> str:
    """Return a text in the spelling of labels, in logical order: Hangul as jamo, Latin without accents."""
    text = "".join(c for c in text if c not in _JOINERS)
    if script == "Hang":
        return unicodedata.normalize("NFD", text)
    return "".join(map(_without_accent, text))


def label(text: str, script: str) -> str:
    """Return the label of a text: `fold`, from left to right as seen; "Hani" for Han and kana."""
    if script == "Hani":
        return HAN * len(text)
    folded = fold(text, script)
    return logical(folded) if script in RIGHT_TO_LEFT else folded  # turning a line round undoes itself


def letters_of(words: Mapping[str, Iterable[str]], least: int = 8) -> dict[str, str]:
    """Find the letters, marks and digits of each script that are frequent enough to be learned.

    Args:
        words: by script.
        least: words that a character must be in; five times as many for Latin, whose rare letters lose their accent.

    Returns:
        Characters by script, sorted; jamo for Hangul.
    """
    found = {}
    for script, group in sorted(words.items()):
        counts: Counter[str] = Counter()
        for word in group:
            parts = unicodedata.normalize("NFD", word) if script == "Hang" else word
            counts.update(c for c in parts if _SCRIPT_OF.get(c) == script)
        enough = 5 * least if script == "Latn" else least
        kept = {c for c, n in counts.items() if n >= enough and unicodedata.name(c, "") != ""}
        if script in CASED:
            kept |= {d for c in kept for d in (c.upper(), c.lower()) if _SCRIPT_OF.get(d) == script}
        if kept:
            kept |= {chr(zero + i) for zero in ZEROS.get(script, ()) for i in range(10)}
        found[script] = "".join(sorted(kept))
    return {script: letters for script, letters in found.items() if letters}


def characters(letters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the characters of a model in the order of its classes, class 1 first (0 is CTC's blank)."""
    own = "".join(letters[script] for script in sorted(letters) if script != "Latn")
    return tuple(dict.fromkeys(COMMON + ASCII_LETTERS + HAN + own))


def letters_in(characters: Iterable[str]) -> dict[str, str]:
    """Return the letters of each script among the characters of a model: what `characters` was made from."""
    found: defaultdict[str, str] = defaultdict(str)
    for character in characters:
        if script := _SCRIPT_OF.get(character):
            found[script] += character
    return dict(found)


def _without_accent(character: str) -> str:
    if "À" <= character <= "ɏ" or "Ḁ" <= character <= "ỿ":
        plain = "".join(c for c in unicodedata.normalize("NFKD", character) if c.isascii())
        return plain or _BARE.get(character, "")
    return character
