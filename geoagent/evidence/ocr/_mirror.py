"""Text that stands mirrored in a photo: selfie cameras, mirrors, windows seen from behind.

Recognisers read mirrored letters as look-alikes of ordinary ones, but they are less sure of them. Fragments that were
read with doubt are read again flipped; boxes are not looked for a second time. If that is surer over the whole photo,
all of it is read flipped; if one long line is much surer so, it alone is. Text that looks the same flipped (AVATAR)
decides nothing. The limits were measured, see docs/text.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from geoagent.evidence.ocr import Piece
from geoagent.evidence.ocr._rapid import TRUST, Crop, mirror_box
from geoagent.types import TextRegion

_LEAST, _SEEN = 0.3, 0.8  # confidences below the first count as it; a line must reach the second in either reading
_LONG = 12  # characters after which a line decides no more
_OVER = 0.8  # evidence, in nats, from which a photo is taken to be mirrored
_LEGIBLE, _LEAST_CHARS = 0.88, 3  # what one line of such a photo must reach: textures are never read so surely
_HINT = 0.2  # evidence of the doubtful lines from which the others are flipped, too
_STRONG = 2.5  # evidence from which one line decides on itself
_SURE, _CHARS = 0.95, 6  # what a line must reach to be the first that is mirrored in a photo that is not
_STANDS = 0.9  # confidence from which a line of a mirrored photo may stand as it should
_LIKELY = 0.5  # evidence from which a line follows one that is strong; alone, it is only believed less


@dataclass(frozen=True, eq=False, slots=True)
class Read:
    """A detected fragment with its final reading.

    Attributes:
        crop: the fragment; of a flipped one, position and pixels are those in the mirrored photo.
        piece: its text and corners.
        engine: engine and model that read it.
        mirrored: whether it was read flipped.
    """

    crop: Crop
    piece: Piece
    engine: str
    mirrored: bool = False


Flip = Callable[[Sequence[Crop]], Sequence[Read]]
"""Reads fragments flipped: the same fragments, in the same order, as they are in the mirrored photo."""


def settle(reads: Sequence[Read], flip: Flip) -> list[Read]:
    """Decide what of a photo is mirrored, and return each fragment as it is to be read.

    Args:
        reads: all fragments of a photo, as they stand.
        flip: reads fragments flipped.
    """
    doubtful = [i for i, read in enumerate(reads) if read.piece.confidence < TRUST]
    if not doubtful:
        return list(reads)
    over = dict(zip(doubtful, flip([reads[i].crop for i in doubtful]), strict=True))
    gains = {i: gain(reads[i].piece, over[i].piece) for i in over}
    some = any(gains[i] >= _STRONG and _reads_well(over[i].piece) for i in over)
    if not some and sum(gains.values()) < _HINT:
        return [_believed_less(read) if gains.get(i, 0.0) >= _LIKELY else read for i, read in enumerate(reads)]
    others = [i for i in range(len(reads)) if i not in over]
    over |= dict(zip(others, flip([reads[i].crop for i in others]), strict=True))
    gains |= {i: gain(reads[i].piece, over[i].piece) for i in others}
    if sum(gains.values()) >= _OVER and any(gains[i] > 0 and _is_text(over[i].piece) for i in over):
        upright = -sum(min(each, 0.0) for each in gains.values())
        bar = _LIKELY if upright >= _STRONG else _STRONG  # in a photo with both, each line decides on itself
        stands = {i for i in over if reads[i].piece.confidence >= _STANDS and gains[i] <= -bar}
        return [read if i in stands else over[i] for i, read in enumerate(reads)]
    if some:
        turned = {i for i in over if gains[i] >= _LIKELY and over[i].piece.confidence >= _SEEN}
        return [over[i] if i in turned else read for i, read in enumerate(reads)]
    return [_believed_less(read) if gains[i] >= _LIKELY else read for i, read in enumerate(reads)]


def gain(upright: Piece, flipped: Piece) -> float:
    """How much surer a fragment is read flipped than as it stands, in nats; 0 if it is not read well either way."""
    before, after = max(upright.confidence, _LEAST), max(flipped.confidence, _LEAST)
    if max(before, after) < _SEEN:
        return 0.0
    return min(_LONG, max(_chars(upright), _chars(flipped))) * math.log(after / before)


def mirror_back(region: TextRegion, width: float) -> TextRegion:
    """Return a region of the mirrored photo where it is in the photo as shown.

    Args:
        region: a region in the mirrored photo.
        width: of the photo in pixels of its polygon.
    """
    return replace(region, polygon_px=mirror_box(region.polygon_px, width), mirrored=not region.unread)


def _reads_well(piece: Piece) -> bool:
    return piece.confidence >= _SURE and _chars(piece) >= _CHARS and _is_text(piece)


def _is_text(piece: Piece) -> bool:
    return piece.confidence >= _LEGIBLE and len({c for c in piece.text if c.isalnum()}) >= _LEAST_CHARS


def _believed_less(read: Read) -> Read:
    """A line that is surer flipped, in a photo that is not mirrored."""
    piece = read.piece
    right = None if piece.right is None else piece.right / 2
    return replace(read, piece=replace(piece, confidence=piece.confidence / 2, right=right, trusted=False))


def _chars(piece: Piece) -> int:
    return sum(c.isalnum() for c in piece.text)
