"""Image encoders, one per file: `build(assets, **options)` returns a `protocols.Encoder`.

This module holds the shared code: cropping a photo to squares, and pooling the embeddings to one row of unit length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from geoagent.errors import ConfigError, WeightsError
from geoagent.types import Float32, Photo


def check_crops(crops: int) -> int:
    """Return `crops` if it is valid.

    Raises:
        ConfigError: not a whole number from 1 to 16.
    """
    if not isinstance(crops, int) or isinstance(crops, bool) or not 1 <= crops <= 16:
        raise ConfigError(f"crops must be a whole number from 1 to 16, got {crops!r}")
    return crops


def square_crops(photo: Photo, crops: int) -> list[Image.Image]:
    """Return squares the size of the shorter side, spread evenly along the longer one; one crop is the centre.

    The centre square alone misses a third of a 3 : 2 photo. Squares that coincide (in a nearly square photo) are
    returned once.
    """
    image = Image.fromarray(np.asarray(photo.pixels))
    side, rest = min(image.size), max(image.size) - min(image.size)
    starts = [rest / 2] if crops == 1 else np.linspace(0, rest, crops).tolist()
    boxes = dict.fromkeys(round(start) for start in starts)
    wide = image.width >= image.height
    return [image.crop((s, 0, s + side, side) if wide else (0, s, side, s + side)) for s in boxes]


def unit_row(embeddings: ArrayLike, who: str) -> Float32:
    """Return the mean direction of `(crops, D)` embeddings as a row `(D,)` of unit length.

    Raises:
        WeightsError: an embedding is zero or not finite, which means that the weights are damaged.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise WeightsError(f"{who} gave an embedding that is zero or not finite; its weights are damaged")
    mean = (rows / lengths).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
