"""Tables of road sign words, road numbers and number formats, all hand-written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tables_common import hand, spellings, weights


def roadwords(_: Path) -> dict[str, Any]:
    """Word -> {"c": countries, "s": strength, "note": meaning}; a word in several rows has the sum of their weights."""
    table: dict[str, Any] = {}
    for words, where, note in hand("roadwords", 3):
        countries, strength = weights(where)
        for key in spellings(words):
            row = table.setdefault(key, {"c": {}, "s": strength, "note": note})
            both = {c: row["c"].get(c, 0.0) + countries.get(c, 0.0) for c in row["c"] | countries}
            total = sum(both.values())
            row["c"] = {c: round(w / total, 4) for c, w in both.items()}
            row["s"] = min(row["s"], strength)
    return dict(sorted(table.items()))


def habits(_: Path) -> dict[str, Any]:
    """Regular expression -> {"c": countries, "s": strength, "note": meaning}."""
    table: dict[str, Any] = {}
    for pattern, where, note in hand("habits", 3):
        re.compile(pattern)
        countries, strength = weights(where)
        table[pattern] = {"c": countries, "s": strength, "note": note}
    return table


def roads(_: Path) -> dict[str, Any]:
    """Regular expression of a whole number -> {"c": countries, "s": strength, "col": {colour: [country, …]}}."""
    table: dict[str, Any] = {}
    for pattern, where, colours in hand("roads", 3):
        re.compile(pattern)
        countries, strength = weights(where)
        table[pattern] = {"c": countries, "s": strength}
        if colours:
            pairs = (pair.split("=", 1) for pair in colours.split(";"))
            table[pattern]["col"] = {colour: codes.split() for colour, codes in pairs}
    return table
