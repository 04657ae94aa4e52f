"""How far each kind of cue is to be believed."""

from __future__ import annotations

from collections.abc import Mapping

RELIABILITY: Mapping[str, float] = {
    "phone": 0.97,
    "domain": 0.95,
    "registration": 0.97,
    "company": 0.93,
    "currency": 0.95,
    "brand": 0.88,
    "institution": 0.95,
    "regional": 0.88,
    "street": 0.92,
    "name": 0.85,
    "plate": 0.9,
    "postcode": 0.92,
    "script": 0.97,
    "language": 0.97,
}
"""P(the photo is where the cue points | a cue of this kind at full strength), for worlds that have not measured it.

The value of each kind that gives the true countries of 396 sign texts most probability, each cue alone, drawn a little
towards 0.9 since the texts were few. A world may store its own under "reliability".
"""
_FLOOR, _CEILING = 0.02, 0.985


def reliability(kind: str, strength: float, fitted: Mapping[str, float] | None = None) -> float:
    """Reliability of one cue, in (0, 1).

    Args:
        kind: the cue's kind; one that is not known is half believed.
        strength: the cue's strength, (0, 1].
        fitted: reliabilities by kind that a world has measured.
    """
    base = (fitted or {}).get(kind, RELIABILITY.get(kind, 0.5))
    return min(_CEILING, max(_FLOOR, base * strength))
