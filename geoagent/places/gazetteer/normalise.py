"""Normalisation of names to the keys of the gazetteer: all spellings of a name have the same key.

Compatibility forms and case are folded, diacritics of Latin, Greek and Cyrillic letters are dropped, variants of Arabic
letters and of Han characters are unified, apostrophes are removed, and other punctuation becomes a space. Vowel signs
of Indic scripts, Thai, Khmer and Burmese are treated as letters and kept.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from geoagent.places.gazetteer.han import FOLDED, VARIANTS

# Letters without a Unicode decomposition that are often written without their stroke or ligature.
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t",
    "ə": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɛ": "e", "ɔ": "o", "ƴ": "y", "ĸ": "k", "ꜣ": "", "ꜥ": "",
    "ک": "ك", "ی": "ي", "ى": "ي", "ې": "ي", "ے": "ي", "ہ": "ه", "ھ": "ه", "ة": "ه", "ۀ": "ه", "ە": "ه", "ٱ": "ا",
    "ۆ": "و", "ۇ": "و", "گ": "گ", "ڭ": "گ", "ێ": "ي", "ڵ": "ل", "ڕ": "ر",
    "ґ": "г", "ѝ": "и", "ヶ": "ケ", "ヵ": "カ", "ゖ": "け", "ゕ": "か",
}  # fmt: skip
_APOSTROPHES = "'’‘`´ʹʺʻʼʽʾʿˈ′″ʿ＇‛՚׳״ꞌ"
# Characters that are dropped although Unicode classes them as letters or marks: niqqud, harakat, tatweel, nukta.
_DROPPED = [*range(0x300, 0x370), *range(0x591, 0x5C8), 0x640, *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6EE)]
_DROPPED += [0x93C, 0x9BC, 0xA3C, 0xABC, 0xB3C, 0xCBC]
_KEPT_IN_DROPPED = {0x5BE, 0x5C0, 0x5C3, 0x5C6, 0x6DD, 0x6DE, 0x6E9}  # punctuation within those blocks


class _Folding(dict[int, str]):
    """Code point -> folded text; new code points are folded according to their Unicode category."""

    def __missing__(self, point: int) -> str:
        category = unicodedata.category(chr(point))
        if category[0] in "LMN":
            folded = chr(point)
        elif category == "Cf":
            folded = ""
        else:
            folded = " "
        self[point] = folded
        return folded


_FOLDING = _Folding({ord(a): b for a, b in zip(VARIANTS, FOLDED, strict=True)})
_FOLDING.update({point: "" for point in _DROPPED if point not in _KEPT_IN_DROPPED})
_FOLDING.update({ord(a): b for a, b in _LETTERS.items()})
_FOLDING.update({ord(a): "" for a in _APOSTROPHES})
_FOLDING[0x200B] = " "  # the zero-width space separates words in Khmer, Thai and Burmese


@cache
def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for variant, folded in zip(VARIANTS, FOLDED, strict=True):
        found.setdefault(folded, {folded}).add(variant)
    return {char: frozenset(group) for group in found.values() for char in group}


def variants(char: str) -> frozenset[str]:
    """Return the forms of a Han character, itself included: 儿, 兒 and 児."""
    return _groups().get(char, frozenset({char}))


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", decomposed.translate(_FOLDING))


def normalise(text: str) -> str:
    """Return the key of a name: folded letters, single spaces, no punctuation. Idempotent.

    Args:
        text: any Unicode text of any length.
    """
    folded = " ".join(_fold(text).split())
    if folded.isascii():
        return folded
    # Dropping a mark may bring foldable characters together, so fold twice; two rounds are enough in practice.
    return " ".join(_fold(folded).split())


@dataclass(frozen=True, slots=True)
class Folded:
    """A text's key with a mapping back to the text.

    Attributes:
        key: folded text; runs of white space and soft punctuation are one space, hard breaks (comma, slash, bar, …)
            are a newline.
        starts: for each character of `key`, the start of its source cluster in the text.
        ends: for each character of `key`, the end of that cluster.
    """

    key: str
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map characters `start` to `end` (exclusive) of the key to a span of the text."""
        return self.starts[start], self.ends[end - 1]

    def at(self, offset: int) -> int:
        """Return the index in the key of the cluster that covers character `offset` of the text, or the one before."""
        return max(bisect_right(self.starts, offset) - 1, 0)


HARD = frozenset(',;|/\\()[]{}<>:•、，。；：（）「」『』【】〒|｜!?！？…→←↑↓®™©=+*#@_"“”„«»،؛؟।')
_CLUSTERS: dict[str, str] = {}


def _joins(character: str) -> bool:
    """Whether a character combines with the one before it: marks, conjoining Hangul, half-width voicing marks."""
    if character < "\u0300":
        return False
    return (
        unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"
        or character in "\uff9e\uff9f\u200d\u200c"
    )


def fold_with_offsets(text: str) -> Folded:
    """Fold a text like `normalise`, one cluster at a time, and record the source offset of each character."""
    key: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    i, n = 0, len(text)
    while i < n:
        j = i + 1
        while j < n and j - i < 32 and _joins(text[j]):
            j += 1
        cluster = text[i:j]
        piece = _CLUSTERS.get(cluster)
        if piece is None:
            piece = "\n" if cluster in HARD else _fold(_fold(cluster))
            if len(_CLUSTERS) < 20_000:
                _CLUSTERS[cluster] = piece
        for character in piece:
            if character.isspace():
                character = "\n" if character == "\n" and cluster in HARD else " "
                if key and key[-1] in " \n":
                    if character == "\n":
                        key[-1] = "\n"
                    continue
            key.append(character)
            starts.append(i)
            ends.append(j)
        i = j
    return Folded("".join(key), starts, ends)
