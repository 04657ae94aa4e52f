"""How far text read in a photo can be relied on: by confidence, size, contrast and length."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geoagent.types import TextRegion

_CONFIDENCE, _BY_CONFIDENCE = (0.0, 0.5, 0.7, 0.9), (0.2, 0.35, 0.6, 1.0)
_SMALL_PX, _LARGE_PX, _BY_SIZE = 9.0, 16.0, 0.7
_FAINT, _CLEAR, _BY_CONTRAST = 0.12, 0.3, 0.6
_SHORT, _SURE, _BY_LENGTH = 4, 0.9, 0.6


def legibility(region: TextRegion) -> float:
    """Return the factor on the strength of a cue that rests on a line, in (0, 1].

    1 for text that came without a photo and was given as certain. In photos, OCR reads letters into window arches and
    brick: such lines are faint, small, short or doubtful, and each of these counts. The engine's own confidence counts,
    not the probability that all of a line is right: with one wrong letter, its other words still speak for the place.

    Args:
        region: a line of text.
    """
    factor = float(np.interp(region.score, _CONFIDENCE, _BY_CONFIDENCE))
    if len(region.polygon_px) != 4:
        return factor
    sides = np.linalg.norm(region.polygon_px - np.roll(region.polygon_px, -1, axis=0), axis=1)
    factor *= float(
        np.interp(min(sides[0] + sides[2], sides[1] + sides[3]) / 2, (_SMALL_PX, _LARGE_PX), (_BY_SIZE, 1.0))
    )
    if region.contrast:
        factor *= float(np.interp(region.contrast, (_FAINT, _CLEAR), (_BY_CONTRAST, 1.0)))
    if sum(c.isalnum() for c in region.text) <= _SHORT and region.score < _SURE:
        factor *= _BY_LENGTH
    return factor


def most_legible(regions: Iterable[TextRegion]) -> float:
    """Return the factor for a cue that each of its lines supports by itself: that of the best; 1 if there is none."""
    return max((legibility(region) for region in regions), default=1.0)


def least_legible(regions: Iterable[TextRegion]) -> float:
    """Return the factor for a cue that rests on several lines: that of the worst; 1 if there is none."""
    return min((legibility(region) for region in regions), default=1.0)
