"""The characters of our recogniser: their scripts, the digits among them, and how a line is decoded."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from geoagent.types import Float32

_NAMED = {
    "ARABIC": "Arab", "ARABIC-INDIC": "Arab", "EXTENDED": "Arab",
    "ARMENIAN": "Armn", "BENGALI": "Beng", "CYRILLIC": "Cyrl", "DEVANAGARI": "Deva",
    "ETHIOPIC": "Ethi", "GEORGIAN": "Geor", "GREEK": "Grek", "GUJARATI": "Gujr", "GURMUKHI": "Guru",
    "HANGUL": "Hang", "HEBREW": "Hebr", "KHMER": "Khmr", "KANNADA": "Knda", "LAO": "Laoo", "MALAYALAM": "Mlym",
    "MYANMAR": "Mymr", "ORIYA": "Orya",
    "SINHALA": "Sinh", "TAMIL": "Taml", "TELUGU": "Telu", "THAI": "Thai",
}  # fmt: skip
"""First word of a character's Unicode name to its script: vowel signs have one too, though they are no letters."""
SCRIPTS = tuple(dict.fromkeys(_NAMED.values()))
"""ISO 15924 codes of the scripts that the model reads."""
_HAN = "〓"
_SEEN = 0.02  # probability below which a character at one step is noise
_DIGITS, _DIGITS_SHARE = 1.5, 2.0  # digits of a script, and how many for each Latin one, in a line of numbers
_ARABIC_SHAPES = {5: "oO0", 1: "Il1|", 7: "Vv", 9: "9q"}
_SHAPES = {0: "oO0"}
"""Value of a digit to Latin letters and digits of the same shape: for Arabic, and for the other scripts with digits."""
_RIGHT_TO_LEFT = ("Arab", "Hebr")
_STRONG = re.compile("[\u0590-\u08ff]")
_LEFT_TO_RIGHT = re.compile(
    "[0-9A-Za-z\u0660-\u0669\u06f0-\u06f9][0-9A-Za-z\u0660-\u0669\u06f0-\u06f9.,:/%+#&'-]*"
    "(?: +[0-9A-Za-z][0-9A-Za-z.,:/%+#&'-]*)*"
)
_GROUPS = re.compile("[+\u0660-\u0669\u06f0-\u06f9]+(?:[ -][+\u0660-\u0669\u06f0-\u06f9]+)+")
_BETWEEN = re.compile("([ -])")
_STARTS = frozenset("\u0660\u06f0+")


def logical(text: str) -> str:
    """Return a line in logical order, given its characters from left to right; numbers and Latin words keep theirs."""
    if not _STRONG.search(text):
        return text
    turned = _LEFT_TO_RIGHT.sub(lambda run: run[0][::-1], text[::-1])
    return _GROUPS.sub(lambda run: _number(run[0]), turned)


def _number(groups: str) -> str:
    """Groups of Arabic digits from the right to the left, or as they stood if only so the number begins with a 0 or +.

    Text that is set from right to left turns the groups of a number round, and many signs do not.
    """
    parts = _BETWEEN.split(groups)
    if parts[0][0] in _STARTS or parts[-1][0] not in _STARTS:
        return groups
    return "".join(parts[::-1])


@dataclass(frozen=True, eq=False)
class Classes:
    """The characters of a model, class 1 first, and the script of each.

    Attributes:
        characters: K − 1 characters.
    """

    characters: tuple[str, ...]

    @cached_property
    def scripts(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """`(K,)` script of each class: "" for the blank, digits and punctuation, "Hani" for any Han or kana."""
        return np.array(["", *map(_script, self.characters)])

    def shares(self, probs: Float32) -> dict[str, float]:
        """How many characters of each script a line seems to hold, by the probabilities summed over its steps.

        Args:
            probs: `(T, K)`.
        """
        mass = np.where(probs > _SEEN, probs, 0.0).sum(axis=0)
        return {str(s): float(mass[self.scripts == s].sum()) for s in np.unique(self.scripts) if s}

    def allowed(self, script: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """`(K,)` classes that a line of one script may hold: its own, Latin letters, and what has no script."""
        return np.isin(self.scripts, (script, "Latn", ""))

    def numbers(self, probs: Float32, script: str) -> Float32:
        """Return the probabilities of a line, read as numbers where it is written in a script's own digits.

        Arabic and Persian digits of one value look the same but for 4, 5 and 6, so a line has those of one kind; and
        a line of Arabic digits has a five (٥) where it seems to have the letter o.

        Args:
            probs: `(T, K)`.
            script: of the line.
        """
        kinds = self._digits.get(script, ())
        if not kinds:
            return probs
        mass = np.where(probs > _SEEN, probs, 0.0).sum(axis=0)
        total = float(sum(mass[list(kind.values())].sum() for kind in kinds))
        shapes = {v: self._places(c) for v, c in (_ARABIC_SHAPES if script == "Arab" else _SHAPES).items()}
        latin = float(mass[self._plain].sum() - sum(mass[same].sum() for same in shapes.values()))
        if total < _DIGITS or total < _DIGITS_SHARE * latin:
            return probs
        kind = max(kinds, key=lambda each: float(mass[list(each.values())].sum()))
        pooled = probs.copy()
        for other in kinds:
            for value, place in other.items():
                if other is not kind and value in kind:
                    pooled[:, kind[value]] += probs[:, place]
                    pooled[:, place] = 0.0
        for value, same in shapes.items():
            if value in kind:
                pooled[:, kind[value]] += probs[:, same].sum(axis=1)
        pooled[:, self._plain] = 0.0
        return pooled

    @cached_property
    def _digits(self) -> dict[str, list[dict[int, int]]]:
        """Script to its sets of digits: value to class. Only Arabic has two sets."""
        found: dict[str, dict[int, dict[int, int]]] = {}
        for place, char in enumerate(self.characters, 1):
            if char.isdecimal() and not char.isascii():
                value = unicodedata.decimal(char)
                found.setdefault(str(self.scripts[place]), {}).setdefault(ord(char) - value, {})[value] = place
        return {script: list(kinds.values()) for script, kinds in found.items() if script}

    def _places(self, chars: str) -> list[int]:
        return [place for place, char in enumerate(self.characters, 1) if char in chars]

    @cached_property
    def _plain(self) -> np.ndarray[Any, np.dtype[np.intp]]:
        """Classes of Latin letters and of ordinary digits."""
        return np.array([i for i, c in enumerate(self.characters, 1) if c.isascii() and c.isalnum()], dtype=np.intp)

    def decode(self, probs: Float32, script: str) -> tuple[str, float]:
        """Read a line held to one script, by the best class of each step (greedy CTC decoding).

        Args:
            probs: `(T, K)`.
            script: of the line.

        Returns:
            Text in logical order, NFC, and its confidence in [0, 1]: the geometric mean of the characters'
            probabilities times the mean of the best probability of each step.
        """
        masked = self.numbers(probs, script) * self.allowed(script)
        best, top = masked.argmax(axis=1), masked.max(axis=1)
        if len(best) == 0:
            return "", 0.0
        begins = np.flatnonzero((best > 0) & (best != np.concatenate([[0], best[:-1]])))
        if len(begins) == 0:
            return "", 0.0
        ends = np.append(np.flatnonzero(best[1:] != best[:-1]) + 1, len(best))
        ends = ends[np.searchsorted(ends, begins, side="right")]
        peaks = np.array([top[a:b].max() for a, b in zip(begins, ends, strict=True)], dtype=np.float64)
        text = unicodedata.normalize("NFC", "".join(self.characters[best[i] - 1] for i in begins))
        text = logical(text) if script in _RIGHT_TO_LEFT else text
        return text.strip(), float(np.exp(np.log(np.maximum(peaks, _SEEN)).mean()) * top.astype(np.float64).mean())


def _script(character: str) -> str:
    if character == _HAN:
        return "Hani"
    if character.isascii():
        return "Latn" if character.isalpha() else ""
    return _NAMED.get(unicodedata.name(character, "").partition(" ")[0], "")
