"""Parts of generated texts: strings that a pattern matches, OCR errors, names."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Sequence
from re import _constants as _ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

NOISE = 0.02
"""Share of letters that are misread."""
_ALIKE = {"O": "0", "0": "O", "I": "1", "1": "I", "l": "1", "S": "5", "B": "8", "e": "c", "c": "e", "u": "v", "n": "h"}


def firm(dice: random.Random) -> str:
    """A generated company name, from syllables."""
    return "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(dice.randint(2, 4))).title()


def misread(line: str, dice: random.Random) -> str:
    """A line with typical OCR errors: look-alike letters, a lost accent or letter."""
    out = []
    for char in line:
        if dice.random() >= NOISE:
            out.append(char)
        elif char in _ALIKE:
            out.append(_ALIKE[char])
        elif not char.isalpha():
            out.append(char)
    return "".join(out)


def like(pattern: str, dice: random.Random) -> str:
    """Return a text that matches a regular expression of the tables; open-ended repetitions stop at two."""
    return "".join(_parts(_parser.parse(pattern), dice))


def _parts(tokens: Iterable[tuple[Any, Any]], dice: random.Random) -> Iterable[str]:
    for op, value in tokens:
        if op is _ops.LITERAL:
            yield chr(value)
        elif op is _ops.ANY:
            yield dice.choice(string.ascii_lowercase)
        elif op is _ops.NOT_LITERAL:
            yield dice.choice(string.ascii_uppercase)
        elif op is _ops.IN:
            yield _member(value, dice)
        elif op is _ops.BRANCH:
            yield from _parts(dice.choice(value[1]), dice)
        elif op is _ops.SUBPATTERN:
            yield from _parts(value[-1], dice)
        elif op in (_ops.MAX_REPEAT, _ops.MIN_REPEAT):
            low, high, inner = value
            for _ in range(dice.randint(low, min(int(high), low + 2))):
                yield from _parts(inner, dice)


def _member(choices: Sequence[tuple[Any, Any]], dice: random.Random) -> str:
    """One character of a class."""
    plain = [c for c in choices if c[0] is _ops.CATEGORY or (c[0] is not _ops.NEGATE and _ascii(c[1]))]
    op, value = dice.choice(plain or [c for c in choices if c[0] is not _ops.NEGATE])
    if op is _ops.RANGE:
        return chr(dice.randint(*value))
    if op is _ops.CATEGORY:
        return dice.choice(string.digits if value is _ops.CATEGORY_DIGIT else " " if "SPACE" in str(value) else "A")
    return chr(value)


def _ascii(value: Any) -> bool:
    """Whether a character or range of a class is ASCII: rarer letters are in the tables, but seldom on plates."""
    return bool(max(value) < 128) if isinstance(value, tuple) else bool(value < 128)
