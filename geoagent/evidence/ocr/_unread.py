"""Text that was detected and could not be read.

A detector also marks specks, window bars and textures. Only what is as large as a sign and shaped like a line counts,
so that photos without text seldom have any. The limits were measured, see docs/text.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.evidence.ocr import Piece, polygon
from geoagent.evidence.ocr._rapid import Crop
from geoagent.evidence.scripts import UNKNOWN
from geoagent.types import Float32, Photo, TextRegion

_LEAST_PX = 12  # height of the line, in pixels of the photo
_LEAST_SHARE = 0.012  # the same, of the photo's longer side
_LEAST_ASPECT = 2.0
_INSIDE = 0.3  # share of a box that may lie in lines that were read


def unread_regions(
    photo: Photo, crops: Sequence[Crop], pieces: Sequence[Piece], read: Sequence[bool], scale: float, engine: str
) -> tuple[TextRegion, ...]:
    """Return the places with text that no model could read, top to bottom.

    Args:
        photo: the photo that they were found in.
        crops: what was detected.
        pieces: the final reading of each crop.
        read: whether each reading counts as one. Doubtful letters that are kept for a search do not.
        scale: pixels of `photo` per pixel of the crops' boxes.
        engine: name of the engine and its detector.
    """
    width, height = photo.width_px * photo.scale, photo.height_px * photo.scale
    lines = [crop.box for crop, sure in zip(crops, read, strict=True) if sure]
    found = [
        TextRegion(
            text="",
            polygon_px=polygon(piece, scale * photo.scale, width, height),
            confidence=0.0,
            script=UNKNOWN,
            engine=engine,
            unread=True,
        )
        for crop, piece, sure in zip(crops, pieces, read, strict=True)
        if not sure and _is_line(crop, max(photo.width_px, photo.height_px)) and not _inside(crop.box, lines)
    ]
    return tuple(sorted(found, key=lambda region: float(region.polygon_px[:, 1].mean())))


def _is_line(crop: Crop, side_px: int) -> bool:
    """Whether a crop is as large and as long as a line on a sign."""
    short, long = sorted(crop.pixels.shape[:2])
    return bool(short >= max(_LEAST_PX, _LEAST_SHARE * side_px) and long >= _LEAST_ASPECT * short)


def _inside(box: Float32, others: Sequence[Float32]) -> bool:
    """Whether the bounding rectangle of a box lies in that of another by more than `_INSIDE` of its area."""
    low, high = box.min(axis=0), box.max(axis=0)
    area = max(float(np.prod(high - low)), 1e-6)
    return any(
        float(np.prod(np.maximum(np.minimum(high, o.max(axis=0)) - np.maximum(low, o.min(axis=0)), 0.0)))
        > _INSIDE * area
        for o in others
    )
