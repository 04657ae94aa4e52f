"""GeoCLIP's image encoder: CLIP features through the two published layers (Vivanco Cepeda et al. 2023, section 3.1).

The two layers are part of the world ("geoagent world geoclip"); the CLIP model is loaded by the plug `open_clip`, with
the same options for its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.errors import WeightsError
from geoagent.evidence.encoders import unit_row
from geoagent.evidence.encoders._clip import raw_features
from geoagent.protocols import Assets
from geoagent.types import Float32, Photo

LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias")
"""Names of the two layers in a world's `encoder_arrays`, as in the published weights."""


class GeoClipEncoder:
    """CLIP, then Linear, ReLU, Linear: 768 → 768 → 512.

    Attributes:
        name: "geoclip:" followed by the name of the CLIP encoder.
        dim: 512.
    """

    def __init__(self, clip: Any, layers: Sequence[Float32]) -> None:
        self._clip = clip
        self._first, self._first_bias, self._last, self._last_bias = layers
        self.name = f"geoclip:{clip.name}"
        self.dim = len(self._last)

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length."""
        # One by one: matrix-matrix products round differently from matrix-vector products.
        rows = [unit_row(self._layers(row)[None], self.name) for row in raw_features(self._clip, photos)]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dim)

    def _layers(self, features: Float32) -> Float32:
        hidden = np.maximum(self._first @ features + self._first_bias, 0)
        return np.asarray(self._last @ hidden + self._last_bias, dtype=np.float32)


def build(
    assets: Assets,
    *,
    model: str = "ViT-L-14",
    pretrained: str | None = "openai",
    checkpoint: str | Path | None = None,
    device: str = "auto",
    batch_size: int | None = None,
) -> GeoClipEncoder:
    """Load CLIP and add the world's two layers.

    Args:
        assets: the world must be a GeoCLIP world.
        model: the CLIP architecture; the published layers are for OpenAI's ViT-L/14.
        pretrained: CLIP weights, as for the plug `open_clip`.
        checkpoint: a file or folder of CLIP weights, as for the plug `open_clip`; if given, nothing is downloaded.
        device: as for the plug `open_clip`.
        batch_size: as for the plug `open_clip`.

    Raises:
        WeightsError: the world has no image layers, or CLIP's weights cannot be loaded or do not match the layers.
        MissingDependency: torch, torchvision or open_clip is not installed.
    """
    arrays = assets.world.encoder_arrays
    missing = [name for name in LAYERS if name not in arrays]
    if missing:
        raise WeightsError(
            f"the world {assets.world.name!r} has no GeoCLIP image layers ({', '.join(missing)}); make one with: "
            "geoagent world geoclip"
        )
    layers = [np.asarray(arrays[name], dtype=np.float32) for name in LAYERS]
    options = {"model": model, "pretrained": pretrained, "checkpoint": checkpoint, "device": device}
    clip = plugs.build("encoders", "open_clip", assets, **options, batch_size=batch_size)
    if clip.dim != layers[0].shape[1]:
        raise WeightsError(f"{clip.name} gives {clip.dim} numbers, GeoCLIP's image layers want {layers[0].shape[1]}")
    return GeoClipEncoder(clip, layers)
