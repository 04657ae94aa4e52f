"""A part of a photo, cut out and enlarged, so that small text in it can be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from geoagent.types import Photo, TextRegion

_LEAST_PX = 2


def enlarged(photo: Photo, box: tuple[float, float, float, float], *, times: float, most_px: int) -> Photo | None:
    """Cut a box out of a photo and enlarge it; None where it holds less than two pixels each way.

    Args:
        photo: the photo.
        box: left, top, right, bottom in its `pixels`; what lies outside is cut off.
        times: by how much to enlarge it at most.
        most_px: longest side after which it is not enlarged further.

    Returns:
        The part, with the scale of its own upright original: that part of the photo's.
    """
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(photo.width_px, int(box[2])), min(photo.height_px, int(box[3]))
    if right - left < _LEAST_PX or bottom - top < _LEAST_PX:
        return None
    part = Image.fromarray(np.asarray(photo.pixels[top:bottom, left:right]))
    factor = min(times, max(1.0, most_px / max(part.size)))
    size = (round(part.width * factor), round(part.height * factor))
    pixels = np.asarray(part.resize(size, Image.Resampling.LANCZOS), dtype=np.uint8)
    return Photo(pixels, photo.source, scale=photo.scale * part.width / size[0])


def moved(region: TextRegion, left_px: float, top_px: float) -> TextRegion:
    """Return a region of a part as one of the whole, whose upright original the part begins at (left, top)."""
    if not len(region.polygon_px):
        return region
    return replace(region, polygon_px=region.polygon_px + np.array([left_px, top_px], dtype=np.float32))
