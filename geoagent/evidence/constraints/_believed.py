"""Reliability of a language model, by its input (text or picture) and the level of the stated place."""

from __future__ import annotations

from collections.abc import Mapping

TEXT: Mapping[str, float] = {"country": 0.55, "admin1": 0.5, "city": 0.5}
"""P(right | stated) about the text of signs.

There are no recorded answers of models to text alone. With these values a model that is wrong in half of the cases does
almost no harm, and one that is right in four of five helps (`benchmarks/bench_llm_scripted.py`).
"""

MEASURED: Mapping[str, Mapping[str, float]] = {
    "claude-3-haiku": {"country": 0.572, "admin1": 0.176, "city": 0.118},
    "gpt-4o": {"country": 0.839, "admin1": 0.366, "city": 0.301},
    "llama-3.2-11b-vision": {"country": 0.55, "admin1": 0.185, "city": 0.132},
    "llava-v1.6-mistral-7b": {"country": 0.278, "admin1": 0.073, "city": 0.037},
}
"""P(right | stated) about pictures, by model.

Right means: the country; the admin-1 unit of the stated city; the city within 50 km. Measured on 6,000 recorded answers
about 1,602 Street View pictures (arXiv 2502.14412, github njspyx/location-inference), parsed and resolved by
`benchmarks/bench_llm_replay.py --table`.
"""

PICTURE: Mapping[str, float] = {"country": 0.56, "admin1": 0.2, "city": 0.147}
"""The same for a model without measurements: the mean of those four."""


def believed_text(level: str) -> float:
    """Return P(right | a statement about text at this level)."""
    return TEXT.get(level, min(TEXT.values()))


def believed_picture(model: str, level: str) -> float:
    """Return P(right | a statement of this model about a picture at this level); a default for unknown models."""
    name = model.casefold().split("/")[-1]
    for known, table in MEASURED.items():
        if name.startswith(known):
            return table.get(level, min(table.values()))
    return PICTURE.get(level, min(PICTURE.values()))
