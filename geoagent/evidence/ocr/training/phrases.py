"""What a line says: words, names, numbers and their mixtures, as signs have them."""

from __future__ import annotations

import random
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from geoagent.evidence.ocr.training.charset import CASED, RIGHT_TO_LEFT, ZEROS, fold
from geoagent.evidence.ocr.training.texts import Words

NUMBER = "Zyyy"
"""Stands for the script of a number beside a line from right to left, which is drawn from left to right."""
_UNSPACED = frozenset({"Khmr", "Laoo", "Mymr", "Thai"})
_ALPHABETIC = frozenset({"Arab", "Armn", "Cyrl", "Ethi", "Geor", "Grek", "Hebr", "Latn"})
"""Scripts in which letters in any order can be drawn."""
_OWN_DIGITS = {"Arab": 0.45, "Beng": 0.6, "Deva": 0.4, "Khmr": 0.5, "Laoo": 0.2, "Mymr": 0.6, "Thai": 0.2}
_OWN_DIGITS_OTHER = 0.15
_SYLLABLES = (0xAC00, 0xD7A3)
_LONGEST = 32  # characters


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line.

    Attributes:
        text: in logical order.
        script: that it is drawn in; `NUMBER`, or "Hani" for Han and kana.
    """

    text: str
    script: str


class Phrases:
    """Makes up lines.

    Args:
        words: to make them of.
        letters: of each script, as from `charset.letters_of`.
        rng: source of randomness.
    """

    def __init__(self, words: Words, letters: Mapping[str, str], rng: random.Random) -> None:
        self.words, self.letters, self.rng = words, letters, rng

    def line(self, script: str, easy: bool = False) -> list[Part]:
        """Make up a line, its parts from left to right as seen.

        Args:
            script: main script; "Hani" for Han and kana.
            easy: short, and in one script.
        """
        r = self.rng
        if script == "Hani":
            return [Part("".join(r.choice(self.words.han) for _ in range(r.randint(2, 8))), "Hani")]
        kind = r.random()
        if script == "Latn" and kind < 0.3:
            return [Part(self.number(script), script)]
        if kind < 0.06 and (jumble := self._jumble(script)):
            return [Part(jumble, script)]
        parts = [Part(self._phrase(script, easy), script)]
        if not easy:
            parts = self._beside(parts, script)
        if script == "Latn":  # some keep their accents, which the label never has
            parts = [p if r.random() < 0.3 else Part(fold(p.text, "Latn"), p.script) for p in parts]
        return parts

    def word(self, script: str) -> str:
        """Draw a word, often in capitals where the script has them."""
        r = self.rng
        groups = self.words.by_script[script]
        draw = r.random()
        kind = "word" if draw < 0.5 else "name" if draw < 0.85 else "sign"
        word = r.choice(groups[kind] or next(group for group in groups.values() if group))
        if script == "Geor":
            return word.lower()
        draw = r.random()
        if script not in CASED or draw >= 0.75:
            return word
        if draw >= 0.42:
            return " ".join(w[:1].upper() + w[1:] for w in word.split(" "))
        word = word.upper()
        if script == "Grek" and r.random() < 0.85:  # capitals bear no accent
            word = unicodedata.normalize("NFD", word).replace("\u0301", "")
        return unicodedata.normalize("NFC", word)

    def number(self, script: str, plain: bool = False) -> str:
        """Draw a number, price, time, date or telephone number; sometimes in the script's own digits."""
        r = self.rng
        kind = r.random()
        if plain or kind < 0.45:
            text = str(r.randint(0, 10 ** r.randint(1, 4)))
        elif kind < 0.55:
            text = f"{r.randint(0, 23)}:{r.randint(0, 59):02d}"
        elif kind < 0.65:
            text = f"{r.randint(0, 999)}{r.choice('.,')}{self._digits(2)}"
        elif kind < 0.8:
            area = r.choice(("+", "", "0", "(")) + self._digits(r.randint(2, 3)) + r.choice(("-", " ", ") ", "."))
            text = area + self._digits(3) + r.choice(("-", " ", "")) + self._digits(r.randint(2, 4))
        elif kind < 0.86:
            text = f"{r.randint(1, 31)}.{r.randint(1, 12)}.{r.randint(1950, 2026)}"
        elif kind < 0.93:
            text = f"{r.randint(1, 300)}{r.choice('%/-')}{r.randint(1, 300)}"
        else:
            text = f"{r.choice('#№')}{r.randint(1, 999)}"
        if script in ZEROS and r.random() < _OWN_DIGITS.get(script, _OWN_DIGITS_OTHER):
            zero = r.choice(ZEROS[script])
            text = "".join(chr(zero + int(c)) if c in string.digits else c for c in text)
        return text

    def _digits(self, count: int) -> str:
        return "".join(self.rng.choice(string.digits) for _ in range(count))

    def _jumble(self, script: str) -> str:
        """Letters in no order, so that words are not only guessed; "" where the script has no such lines."""
        r = self.rng
        if script == "Hang":
            return "".join(chr(r.randint(*_SYLLABLES)) for _ in range(r.randint(2, 6)))
        letters = [c for c in self.letters.get(script, "") if c.isalnum()]
        if script not in _ALPHABETIC or not letters:
            return ""
        return "".join(r.choice(letters) for _ in range(r.randint(2, 9)))

    def _phrase(self, script: str, easy: bool) -> str:
        r = self.rng
        limit = r.choice((8, 12)) if easy else r.choice((5, 9, 14, 14, 20, 26))
        phrase = self.word(script)[:26]
        while len(phrase) < limit and r.random() < (0.25 if easy else 0.55):
            glue = r.choice((" ", " ", " ", " ", "-", ", ", ". ", " - ", "/"))
            if script in _UNSPACED and r.random() < 0.6:
                glue = ""
            more = phrase + (" " if script in RIGHT_TO_LEFT and glue == "-" else glue) + self.word(script)
            if len(more) > _LONGEST:
                break
            phrase = more
        if script not in RIGHT_TO_LEFT and r.random() < 0.05:
            return r.choice(("({})", '"{}"', "{}.", "{}!", "{}:", "{},", "'{}'", "{}?", "* {}")).format(phrase)
        if script in RIGHT_TO_LEFT and r.random() < 0.04:
            return phrase + r.choice(".:!")
        return phrase

    def _beside(self, parts: list[Part], script: str) -> list[Part]:
        """A number or a Latin word before or after the phrase."""
        r = self.rng
        if script == "Latn":
            return [*parts, Part(self.number(script), script)] if r.random() < 0.15 else parts
        if len(parts[0].text) >= 18:
            return parts
        draw = r.random()
        if draw < 0.14:
            leftwards = script in RIGHT_TO_LEFT
            other = Part(self.number(script, plain=leftwards), NUMBER if leftwards else script)
        elif draw < 0.22 and "Latn" in self.words.by_script:
            other = Part(fold(self.word("Latn"), "Latn")[:12].strip() or "A", "Latn")
        else:
            return parts
        return [other, *parts] if r.random() < 0.5 else [*parts, other]
