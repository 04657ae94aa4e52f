"""Picture encoders, one a file: `build(assets, **options)` gives a `protocols.Encoder`.

What they share is here: how a photo becomes squares, and how what the network says becomes one row of unit length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from geoagent.errors import ConfigError, WeightsError
from geoagent.types import Float32, Photo


def check_crops(crops: int) -> int:
    """Return `crops`, or say what it may be.

    Raises:
        ConfigError: not a whole number from 1 to 16.
    """
    if not isinstance(crops, int) or isinstance(crops, bool) or not 1 <= crops <= 16:
        raise ConfigError(f"crops must be a whole number from 1 to 16, got {crops!r}")
    return crops


def square_crops(photo: Photo, crops: int) -> list[Image.Image]:
    """Return squares as high as the shorter side, spread evenly along the longer one; one crop is the middle.

    A network that looks at the middle square alone does not see a third of a 3 : 2 photo. Squares that fall together
    (a photo that is nearly square) are given once.
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
        WeightsError: an embedding is zero or not finite, which working weights never give.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise WeightsError(f"{who} gave an embedding that is zero or not finite; its weights are damaged")
    mean = (rows / lengths).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
