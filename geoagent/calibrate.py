"""How far each kind of cue is to be believed."""

from __future__ import annotations

from collections.abc import Mapping

RELIABILITY: Mapping[str, float] = {
    "phone": 0.93,
    "domain": 0.93,
    "registration": 0.95,
    "company": 0.9,
    "currency": 0.9,
    "brand": 0.8,
    "institution": 0.9,
    "regional": 0.85,
    "street": 0.93,
    "name": 0.8,
    "plate": 0.9,
    "postcode": 0.9,
    "script": 0.97,
    "language": 0.93,
}
"""P(the photo is where the cue points | a cue of this kind at full strength), for worlds that have not measured it.

Set to the nearest 0.05 or so of what texts of real signs show; a world may store its own under "reliability".
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
