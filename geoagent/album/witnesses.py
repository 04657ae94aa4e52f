"""Which photos are no independent witnesses: those that show the same words or the same view about the same time.

A sighting counts 1 / Σ s over all sightings around it, s its likeness to each and 1 to itself, so that n photos of
one sign count as one (the effective number of Leinster & Cobbold, "Measuring diversity", Ecology 93, 2012, for order
1 weights).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.album.sightings import Sighting

WITHIN_HOURS = 12.0
"""Photos further apart in time are independent."""
_SAME_VIEW = 0.5  # cosine of embeddings from which views count as partly the same
_MOST = 200  # photos that one is compared with, nearest in time first


def weights(sightings: Sequence[Sighting]) -> dict[str, float]:
    """Exponent of the text and picture evidence of each sighting, by key, in (0, 1].

    Args:
        sightings: of one time line, or of one place where they have no times.
    """
    speaking = sorted((s for s in sightings if s.log_ratio is not None), key=lambda s: (s.hours, s.key))
    times = np.array([s.hours for s in speaking])
    found = {}
    for i, sighting in enumerate(speaking):
        timed = np.isfinite(times[i])
        apart = np.abs(times - times[i]) if timed else np.zeros(len(times))
        near = np.flatnonzero(~(apart > WITHIN_HOURS))
        near = near[np.argsort(apart[near], kind="stable")][:_MOST]
        fading = np.exp(-np.nan_to_num(apart[near]) / (WITHIN_HOURS / 3))
        alike = [1.0 if j == i else likeness(sighting, speaking[j]) for j in near.tolist()]
        found[sighting.key] = 1.0 / max(float(np.dot(alike, np.where(near == i, 1.0, fading))), 1.0)
    return found


def likeness(a: Sighting, b: Sighting) -> float:
    """How far two sightings are one witness, in [0, 1]: the share of their statements, or of their views, in common."""
    keys = set(a.statements) | set(b.statements)
    said = 0.0
    if keys:
        pairs = [(a.statements.get(key, 0.0), b.statements.get(key, 0.0)) for key in keys]
        most = sum(max(pair) for pair in pairs)
        said = sum(min(pair) for pair in pairs) / most if most > 0 else 0.0
    seen = 0.0
    if a.embedding is not None and b.embedding is not None:
        cosine = float(np.dot(a.embedding, b.embedding))
        seen = min(max((cosine - _SAME_VIEW) / (1 - _SAME_VIEW), 0.0), 1.0)
    return max(said, seen)
