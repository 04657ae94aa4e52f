"""The lens: a learned projection of embeddings in which photos taken near each other are near."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError
from geoagent.types import Float32

__all__ = ["Lens", "gelu", "unit_rows"]


@dataclass(frozen=True, eq=False, slots=True)
class Lens:
    """A small network whose cosines reflect how close two photos were taken, rather than visual similarity.

    With x the embedding minus `mean`, normalised to unit length: z = W GELU(V x + a) + b + S x, normalised likewise.

    Attributes:
        mean: `(D,)`, subtracted from embeddings first.
        hidden_weight: V, `(H, D)`.
        hidden_bias: a, `(H,)`.
        weight: W, `(Q, H)`.
        bias: b, `(Q,)`.
        skip: S, `(Q, D)`.
    """

    mean: Float32
    hidden_weight: Float32
    hidden_bias: Float32
    weight: Float32
    bias: Float32
    skip: Float32

    def __post_init__(self) -> None:
        arrays = {f.name: np.array(getattr(self, f.name), dtype=np.float32) for f in fields(self)}
        if arrays["mean"].ndim != 1 or arrays["hidden_bias"].ndim != 1 or arrays["bias"].ndim != 1:
            raise ShapeError("Lens: expected mean (D,), hidden_bias (H,) and bias (Q,)")
        d, h, q = (len(arrays[name]) for name in ("mean", "hidden_bias", "bias"))
        for name, shape in (("hidden_weight", (h, d)), ("weight", (q, h)), ("skip", (q, d))):
            if arrays[name].shape != shape:
                raise ShapeError(f"Lens.{name}: expected {shape}, got shape {arrays[name].shape}")
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def dim(self) -> int:
        """D, the input dimension."""
        return len(self.mean)

    @property
    def query_dim(self) -> int:
        """Q, the output dimension."""
        return len(self.bias)

    def __call__(self, embedding: ArrayLike) -> Float32:
        """Return `(Q,)` of unit length for one embedding `(D,)`, or `(N, Q)` for `(N, D)`.

        Raises:
            ShapeError: the embedding has the wrong length.
        """
        x = np.asarray(embedding, dtype=np.float32)
        if x.ndim not in (1, 2) or x.shape[-1] != self.dim:
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        x = unit_rows(x - self.mean)
        h = gelu(x @ self.hidden_weight.T + self.hidden_bias)
        return unit_rows(h @ self.weight.T + self.bias + x @ self.skip.T)

    def arrays(self, prefix: str) -> dict[str, Any]:
        """Arrays by name, for saving; matrices as float16, which changes cosines by less than a thousandth."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {prefix + k: v.astype(np.float16) if v.ndim == 2 else v for k, v in found.items()}

    @classmethod
    def of_arrays(cls, data: Any, prefix: str) -> Lens:
        """Rebuild a lens from the result of `arrays`.

        Raises:
            KeyError: an array is missing.
        """
        return cls(**{f.name: data[prefix + f.name] for f in fields(cls)})


def gelu(x: ArrayLike) -> Float32:
    """Gaussian error linear unit in its tanh form (Hendrycks & Gimpel 2016, §2), any shape."""
    value = np.asarray(x, dtype=np.float32)
    inner = np.float32(math.sqrt(2.0 / math.pi)) * (value + np.float32(0.044715) * value**3)
    return np.asarray(np.float32(0.5) * value * (np.float32(1.0) + np.tanh(inner)), dtype=np.float32)


def unit_rows(x: Float32) -> Float32:
    """Normalise vectors `(D,)` or `(N, D)` to unit length."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.maximum(length, np.float32(1e-12)), dtype=np.float32)
