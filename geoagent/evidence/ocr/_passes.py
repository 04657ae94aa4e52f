"""Extra OCR passes over one photo: rotated by 90°, for sideways text, and enlarged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from geoagent.evidence.ocr._rapid import TRUST, Crop, Reader, is_tall
from geoagent.types import Float32, Photo, UInt8

_SIDEWAYS = 0.6  # share of vertical boxes above which the whole photo is assumed to be sideways
_BETTER = 1.25
_SMALL_PX = 1000
_SAME = 0.3  # overlap, as a share of the smaller box, above which two boxes are the same text

Finder = Callable[[Photo], tuple[list[Crop], float]]


def look(
    reader: Reader, photo: Photo, *, thorough: bool, reads_others: Callable[[Sequence[Crop]], bool] | None = None
) -> tuple[list[Crop], float]:
    """Return the recognised text of a photo, and pixels of `photo` per pixel of the boxes.

    A photo whose text makes little sense is rotated by 90° and read again if its text is sideways. If it is small, it
    is always rotated, and enlarged as well: its letters are near the smallest detectable size, and slanted lines are
    detected better from another side. Thorough reading rotates every photo whose text makes little sense, and enlarges
    every small one.

    Args:
        reader: detector and recogniser.
        photo: the photo, upright according to its file.
        thorough: add the more expensive passes.
        reads_others: whether lines that the reader cannot read are upright ones in a script of other models. A photo
            with such lines is not rotated: for a reader without their script they make no sense from any side.
    """
    crops, scale = reader.find(photo)
    tall = sum(is_tall(crop.pixels) for crop in crops)
    poor = bool(crops) and _sense(crops) < TRUST
    small = max(photo.width_px, photo.height_px) <= _SMALL_PX
    sideways = poor and (thorough or small or (len(crops) >= 3 and tall >= _SIDEWAYS * len(crops)))
    if sideways and not (reads_others is not None and reads_others(crops)):
        for turns in (1, 3):
            turned = replace(photo, pixels=np.ascontiguousarray(np.rot90(photo.pixels, turns)))
            other, other_scale = reader.find(turned)
            if _weight(other) > _BETTER * _weight(crops):
                sides = (photo.width_px / other_scale, photo.height_px / other_scale)
                crops = [replace(crop, box=back(crop.box, turns, *sides)) for crop in other]
                scale = other_scale
    if small and (thorough or poor):
        large = replace(photo, pixels=_enlarged(photo.pixels))
        more, more_scale = reader.find(large)
        factor = more_scale / 2.0 / scale
        moved = [replace(crop, box=np.asarray(crop.box * factor, dtype=np.float32)) for crop in more]
        crops = union(crops, moved)
    return crops, scale


def back(box: Float32, turns: int, width: float, height: float) -> Float32:
    """Map the corners of a box in a rotated photo back to the unrotated photo.

    Args:
        box: `(4, 2)` pixels of the photo rotated by `np.rot90`.
        turns: 1 or 3 quarter turns, counter-clockwise.
        width: width of the unrotated photo.
        height: height of the unrotated photo.
    """
    x, y = box[:, 0], box[:, 1]
    corners = (width - y, x) if turns == 1 else (y, height - x)
    return np.stack(corners, axis=1).astype(np.float32)


def union(first: Sequence[Crop], second: Sequence[Crop]) -> list[Crop]:
    """Merge the crops of two passes; of two readings of the same text, keep the more confident one."""
    out = list(first)
    for crop in second:
        rivals = [i for i, other in enumerate(out) if _common(crop.box, other.box) > _SAME]
        if not rivals:
            out.append(crop)
        elif len(rivals) == 1 and crop.confidence > out[rivals[0]].confidence:
            out[rivals[0]] = crop
    return out


def _common(a: Float32, b: Float32) -> float:
    """Intersection area of the axis-aligned bounding boxes of two boxes, as a share of the smaller one."""
    low, high = np.maximum(a.min(axis=0), b.min(axis=0)), np.minimum(a.max(axis=0), b.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    smaller = min(float(np.prod(np.ptp(a, axis=0))), float(np.prod(np.ptp(b, axis=0))))
    return shared / max(smaller, 1e-6)


def _sense(crops: Sequence[Crop]) -> float:
    """Mean confidence, weighted by letters."""
    chars = sum(len(crop.reading.text) for crop in crops)
    return _weight(crops) / chars if chars else 0.0


def _weight(crops: Sequence[Crop]) -> float:
    return sum(crop.confidence * len(crop.reading.text) for crop in crops)


def _enlarged(pixels: UInt8) -> UInt8:
    import cv2

    height, width = pixels.shape[:2]
    return np.asarray(cv2.resize(pixels, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
