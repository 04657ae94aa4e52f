"""A word between digits, which RapidOCR passes over: it reads the Tunisian plate "193 تونس 4091" as 1934091."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

SCRIPT = "Arab"
"""Script of such words."""
_FIGURES = re.compile(r"\d{6,8}")
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_LEAST_LETTERS, _ALIKE = 2, 0.7
_LONGER = 4  # digits of the longer group, which is taken to be whole where digits of the other were lost


def may_hold_a_word(text: str) -> bool:
    """Whether a line of digits is as long as a plate, and so may have a word between them that was not read."""
    return _FIGURES.fullmatch(text.strip()) is not None


def with_word(figures: str, read: str) -> str | None:
    """Put the word of another reading between the digits of a line.

    Args:
        figures: the digits, from left to right.
        read: what the model of Arabic read of the same line, in logical order: what is at the right comes first.

    Returns:
        The digits with the word between them, or None if the reading has no word there or other digits.
    """
    parts = _PARTS.findall(read)
    words = [i for i, part in enumerate(parts) if not part.isdigit() and len(part) >= _LEAST_LETTERS]
    if len(words) != 1:
        return None
    at = words[0]
    right, left = ("".join(part for part in some if part.isdigit()) for some in (parts[:at], parts[at + 1 :]))
    figures = figures.strip()
    if not left or not right or SequenceMatcher(None, left + right, figures).ratio() < _ALIKE:
        return None
    cut = len(left) if len(left) + len(right) == len(figures) or len(right) != _LONGER else len(figures) - _LONGER
    return f"{figures[:cut]} {parts[at]} {figures[cut:]}"
