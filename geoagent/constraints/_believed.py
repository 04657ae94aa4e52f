"""How far a language model is believed, by what it looks at and the level of place that it states."""

from __future__ import annotations

from collections.abc import Mapping

TEXT: Mapping[str, float] = {"country": 0.55, "admin1": 0.5, "city": 0.5}
"""Statements about the text of signs.

Nobody has recorded answers of models to texts alone; these are the values at which a model that is wrong in half of the
cases costs next to nothing and one that is right in four of five helps (`benchmarks/bench_llm_scripted.py`).
"""

PICTURE: Mapping[str, float] = {"country": 0.5, "admin1": 0.35, "city": 0.25}
"""Statements about pictures, for a model that nobody has measured."""

MEASURED: Mapping[str, Mapping[str, float]] = {}
"""Statements about pictures by model."""


def believed_text(level: str) -> float:
    """P(right | a statement about text at this level)."""
    return TEXT.get(level, min(TEXT.values()))


def believed_picture(model: str, level: str) -> float:
    """P(right | a statement of this model about a picture at this level); the cautious default for unknown models."""
    name = model.casefold().split("/")[-1]
    for known, table in MEASURED.items():
        if name.startswith(known):
            return table.get(level, min(table.values()))
    return PICTURE.get(level, min(PICTURE.values()))
