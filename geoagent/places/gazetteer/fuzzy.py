"""Fuzzy lookup: the names nearest to a misread name.

One edit: all single edits are looked up in the trie, which needs no index. Two edits: a filter over all keys. An edit
changes at most two letter counts of a word, so keys whose letter sets (once, and twice or more) differ in more than
2 · edits bits are excluded; the few that remain are compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from rapidfuzz.distance import OSA, Levenshtein
from rapidfuzz.process import cdist

from geoagent.places.gazetteer.letters import MAX_KEY, Letters
from geoagent.places.gazetteer.names import Names
from geoagent.places.gazetteer.score import CHEAP_EDIT, EDIT
from geoagent.places.gazetteer.writing import ALPHABETS, in_other_scripts, key_script

TWO_FROM = 9
"""Minimum number of letters of a name for two edits."""
_SHORT = 8
_SHORT_COST = -0.7
_FIRST_LETTER = -1.0

# Characters that OCR engines confuse, as normalised letters.
_PAIRS = (
    "o0 oq od oc l1 i1 il ij lt ft it s5 b8 z2 g9 g6 b6 a4 e3 t7 gq uv vy ce co nh nr hb kx pf "
    "rt fe bh db mn nu ии нн нп пл лд шщ щц ьъ ыь ео еэ сс еc иы ий её тг гт зэ вь нк хж تث بت "
    "بن نت ني بي جح حخ دذ رز سش صض طظ عغ فق رو در كل هة דר הח הת וז ון ןו כב סם ךד יו גנ αλ νυ "
    "ηπ οσ εξ ικ ขช ดต คศ ถภ ผฝ พฟ บป ซช ฎฏ ลส นม อฮ รธ बव यथ भम घध पष खरव डङ टठ ढद िी ुू ेै ोौ "
    "णन शस ংँ বর যয ণন িী ুূ শস "
)
_CHEAP_ONE = {frozenset(pair) for pair in _PAIRS.split()}
_CHEAP_MANY = (
    ("rn", "m"), ("m", "rn"), ("cl", "d"), ("d", "cl"), ("vv", "w"), ("w", "vv"), ("ri", "n"), ("n", "ri"),
    ("ii", "u"), ("u", "ii"), ("li", "h"), ("h", "li"), ("nn", "m"), ("in", "m"), ("m", "in"), ("lo", "b"),
    ("fi", "h"), ("tt", "n"), ("ni", "m"), ("iii", "m"), ("ll", "u"), ("ij", "y"), ("y", "ij"), ("ae", "a"),
    ("oe", "o"), ("ue", "u"), ("ss", "b"), ("b", "ss"),
)  # fmt: skip
_DIGITS = {"0": "o", "1": "li", "3": "e", "4": "a", "5": "s", "6": "bg", "7": "t", "8": "b", "9": "g", "2": "z"}
_DIGITS_CYRILLIC = {"0": "о", "3": "з", "4": "ч", "6": "б", "8": "в"}


def without_digits(key: str) -> list[str]:
    """Return the key with digits replaced by the letters they may be ("be1o" → "belo", "beio"); [] without digits.

    Digits are replaced only in words with at least two letters and more letters than digits.
    """
    variants = [""]
    changed = False
    for word in key.split(" "):
        digits = sum(c.isdigit() for c in word)
        letters = sum(c.isalpha() for c in word)
        readings = [word]
        if digits and letters >= 2 and letters > digits:
            table = _DIGITS_CYRILLIC if key_script(word) == "Cyrl" else _DIGITS
            readings = [""]
            for c in word:
                readings = [r + new for r in readings for new in table.get(c, c)][:8]
            changed = True
        variants = [f"{v} {r}" if v else r for v in variants for r in readings][:8]
    return variants if changed else []


class Fuzzy:
    """Finds the known keys near a key."""

    def __init__(self, names: Names, cache: Path | None = None) -> None:
        self.names = names
        self._cache = cache

    def near(self, key: str, max_edits: int | None = None) -> list[tuple[str, int, float]]:
        """Return (known key, edits, cost in nats ≤ 0) for the keys within `max_edits`, excluding the key itself.

        Args:
            key: normalised key.
            max_edits: maximum number of edits; by default 1, or 2 from nine letters on.
        """
        length = len(key)
        if length < 3 or length > MAX_KEY:
            return []
        edits = (2 if length >= TWO_FROM else 1) if max_edits is None else max_edits
        if edits < 1:
            return []
        short = _SHORT_COST * max(0, _SHORT - length)
        known = self.names.trie
        found: dict[str, tuple[int, float]] = {}

        def put(other: str, count: int, cost: float) -> None:
            if other != key and (other not in found or found[other][1] < cost):
                found[other] = count, cost

        for other in without_digits(key) + in_other_scripts(key):
            if other in known:
                changed = sum(a != b for a, b in zip(key, other, strict=True))
                put(other, changed, CHEAP_EDIT / 2 * changed)
        for other in _cheap(key):
            if other in known:
                put(other, 1, CHEAP_EDIT + short / 2)
        for other in _one_edit(key, ALPHABETS.get(key_script(key), "")):
            if other in known and other not in found:
                put(other, 1, EDIT + short + (_FIRST_LETTER if other[0] != key[0] else 0.0))
        if edits >= 2 or key_script(key) not in ALPHABETS:
            for other, count in self._filtered(key, edits):
                if other not in found:
                    put(other, count, _cost(key, other) + short + (_FIRST_LETTER if other[0] != key[0] else 0.0))
        return [(other, count, cost) for other, (count, cost) in found.items()]

    @cached_property
    def _index(self) -> Letters:
        return Letters(self.names, self._cache)

    def _filtered(self, key: str, edits: int) -> Iterator[tuple[str, int]]:
        near = self._index.near(key, edits)
        if not near:
            return
        distance = cdist([key], near, scorer=OSA.distance, score_cutoff=edits, dtype=np.uint8)[0]
        for i in np.flatnonzero(distance <= edits):
            yield near[i], int(distance[i])


def _cheap(key: str) -> Iterator[str]:
    """Yield the key with one OCR confusion undone."""
    for i, c in enumerate(key):
        for pair in _CHEAP_BY_LETTER.get(c, ()):
            yield key[:i] + pair + key[i + 1 :]
    for wrong, right in _CHEAP_MANY:
        at = key.find(wrong)
        while at >= 0:
            yield key[:at] + right + key[at + len(wrong) :]
            at = key.find(wrong, at + 1)
    if " " in key:
        yield key.replace(" ", "")
    for i in range(3, len(key) - 2):
        yield f"{key[:i]} {key[i:]}"


def _one_edit(key: str, alphabet: str) -> Iterator[str]:
    """Yield the key with one letter deleted, transposed, replaced or inserted."""
    n = len(key)
    for i in range(n):
        head, tail = key[:i], key[i + 1 :]
        yield head + tail
        for c in alphabet:
            yield head + c + tail
    for i in range(n - 1):
        yield key[:i] + key[i + 1] + key[i] + key[i + 2 :]
    for i in range(n + 1):
        head, tail = key[:i], key[i:]
        for c in alphabet:
            yield head + c + tail


def _cost(key: str, other: str) -> float:
    """Return the cost in nats of turning `key` into `other`."""
    cost = 0.0
    for op in Levenshtein.editops(key, other):
        pair = frozenset((key[op.src_pos : op.src_pos + 1], other[op.dest_pos : op.dest_pos + 1]))
        cheap = op.tag == "replace" and pair in _CHEAP_ONE
        cost += CHEAP_EDIT if cheap else EDIT
    return cost


_CHEAP_BY_LETTER: dict[str, list[str]] = {}
for _pair in _CHEAP_ONE:
    if len(_pair) == 2:
        _a, _b = sorted(_pair)
        _CHEAP_BY_LETTER.setdefault(_a, []).append(_b)
        _CHEAP_BY_LETTER.setdefault(_b, []).append(_a)
