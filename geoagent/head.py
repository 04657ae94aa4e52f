"""The classifier's head: an embedding to log probabilities over geocells, in numpy alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.geo import Float
from geoagent.types import Float32

_HEAD = "head.npz"
_OPTIONAL = ("hidden_weight", "hidden_bias", "lens_mean", "lens_hidden", "lens_cells")
_HALF = (
    "hidden_weight",
    "weight",
    "lens_hidden",
    "lens_cells",
)  # stored as float16, which moves probabilities by less than a hundredth


@dataclass(frozen=True, eq=False, slots=True)
class CellHead:
    """A linear layer, or one hidden layer, over the frozen embedding, with a temperature fitted on held-out photos.

    With x the embedding less `mean`, brought to unit length where `unit` says so, and h = GELU(V x + a) the hidden
    layer (h = x without one): log p = log softmax((W h + b) / T). Several models trained alike are one head: their
    hidden layers side by side and the mean of their logits, which is the geometric mean of their probabilities.

    Attributes:
        weight: W, `(C, H)` float32; `(C, D)` without a hidden layer.
        bias: b, `(C,)` float32.
        temperature: T, logits are divided by it (Guo et al. 2017, "On calibration of modern neural networks").
        mean: `(D,)` float32 that is subtracted from an embedding first.
        encoder: the encoder that it was trained on, by name.
        cells: fingerprint of the geocells that it was trained for.
        hidden_weight: V, `(H, D)` float32, or None.
        hidden_bias: a, `(H,)` float32, or None.
        unit: whether the centred embedding is brought to unit length.
        lens_mean: `(H,)` mean of h over the gallery, or None where the gallery is searched with embeddings as they are.
        lens_hidden: `(Q₁, H)` projection of h − mean for the search in the gallery, or None.
        lens_cells: `(Q₂, C)` projection of √p for it, or None.
        lens_share: how much of a similarity is about √p, the rest is about h.
    """

    weight: Float32
    bias: Float32
    encoder: str
    cells: str
    temperature: float = 1.0
    mean: Float32 | None = None
    hidden_weight: Float32 | None = None
    hidden_bias: Float32 | None = None
    unit: bool = False
    lens_mean: Float32 | None = None
    lens_hidden: Float32 | None = None
    lens_cells: Float32 | None = None
    lens_share: float = 0.5

    def __post_init__(self) -> None:
        weight = np.ascontiguousarray(self.weight, dtype=np.float32)
        if weight.ndim != 2:
            raise ShapeError(f"CellHead.weight: expected (C, H), got shape {weight.shape}")
        if (self.hidden_weight is None) != (self.hidden_bias is None):
            raise ShapeError("CellHead: a hidden layer needs both hidden_weight and hidden_bias")
        if not self.temperature > 0:
            raise ShapeError(f"CellHead.temperature: expected a positive number, got {self.temperature}")
        hidden = None if self.hidden_weight is None else np.ascontiguousarray(self.hidden_weight, dtype=np.float32)
        if hidden is not None and (hidden.ndim != 2 or len(hidden) != weight.shape[1]):
            raise ShapeError(f"CellHead.hidden_weight: expected ({weight.shape[1]}, D), got shape {hidden.shape}")
        dim = weight.shape[1] if hidden is None else hidden.shape[1]
        arrays: dict[str, Any] = {"weight": weight, "hidden_weight": hidden}
        if len({value is None for value in (self.lens_mean, self.lens_hidden, self.lens_cells)}) != 1:
            raise ShapeError("CellHead: a lens needs lens_mean, lens_hidden and lens_cells")
        for name, size in (("lens_hidden", weight.shape[1]), ("lens_cells", len(weight))):
            matrix = getattr(self, name)
            if matrix is not None:
                arrays[name] = np.ascontiguousarray(matrix, dtype=np.float32)
                if arrays[name].ndim != 2 or arrays[name].shape[1] != size:
                    raise ShapeError(f"CellHead.{name}: expected (Q, {size}), got shape {arrays[name].shape}")
        wide = weight.shape[1]
        for name, size in (("bias", len(weight)), ("mean", dim), ("hidden_bias", wide), ("lens_mean", wide)):
            value = getattr(self, name)
            value = np.zeros(dim) if name == "mean" and value is None else value
            if value is not None:
                arrays[name] = np.array(value, dtype=np.float32)
                if arrays[name].shape != (size,):
                    raise ShapeError(f"CellHead.{name}: expected ({size},), got shape {arrays[name].shape}")
        for name, array in arrays.items():
            if array is not None:
                array.setflags(write=False)
                object.__setattr__(self, name, array)

    @property
    def dim(self) -> int:
        """D, the length of an embedding."""
        assert self.mean is not None
        return len(self.mean)

    @property
    def query_dim(self) -> int:
        """Q, the length of what the gallery is searched with."""
        if self.lens_hidden is None or self.lens_cells is None:
            return self.dim
        return len(self.lens_hidden) + len(self.lens_cells)

    def __call__(self, embedding: ArrayLike) -> Float:
        """Return `(C,)` float64 log probabilities for one embedding `(D,)`, or `(N, C)` for `(N, D)`.

        Raises:
            ShapeError: the embedding has another length.
        """
        return self._log_probs(self._hidden(embedding))

    def query(self, embedding: ArrayLike) -> Float32:
        """Return what the gallery is searched with, `(Q,)` for one embedding `(D,)`, `(N, Q)` for `(N, D)`.

        Through the lens, two photos are alike when the hidden layer sees them alike and when they are taken for the
        same cells: the inner product of √p is the Bhattacharyya coefficient of the two distributions. Without a lens
        it is the embedding itself.

        Raises:
            ShapeError: the embedding has another length.
        """
        if self.lens_hidden is None or self.lens_cells is None:
            return np.asarray(embedding, dtype=np.float32)
        assert self.lens_mean is not None
        h, root = self.layers(embedding)
        seen = _unit(h - self.lens_mean) @ self.lens_hidden.T
        share = np.float32(self.lens_share)
        return _unit(np.concatenate([np.sqrt(1 - share) * seen, np.sqrt(share) * (root @ self.lens_cells.T)], axis=-1))

    def layers(self, embedding: ArrayLike) -> tuple[Float32, Float32]:
        """Return the hidden layer `(…, H)` and √p `(…, C)`, which a lens is made from."""
        h = self._hidden(embedding)
        return h, np.exp(self._log_probs(h) / 2).astype(np.float32)

    def _hidden(self, embedding: ArrayLike) -> Float32:
        x = np.asarray(embedding, dtype=np.float32)
        if x.ndim not in (1, 2) or x.shape[-1] != self.dim:
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        assert self.mean is not None
        x = np.asarray(x - self.mean, dtype=np.float32)
        x = _unit(x) if self.unit else x
        if self.hidden_weight is None or self.hidden_bias is None:
            return x
        return gelu(x @ self.hidden_weight.T + self.hidden_bias)

    def _log_probs(self, hidden: Float32) -> Float:
        logits = (hidden @ self.weight.T + self.bias).astype(np.float64) / self.temperature
        logits -= logits.max(axis=-1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the head into `folder`."""
        parts: dict[str, Any] = {"weight": self.weight, "bias": self.bias, "mean": self.mean}
        parts |= {name: getattr(self, name) for name in _OPTIONAL if getattr(self, name) is not None}
        if self.hidden_weight is not None:
            parts |= {name: parts[name].astype(np.float16) for name in _HALF if name in parts}
        np.savez_compressed(
            folder / _HEAD,
            temperature=np.float64(self.temperature),
            unit=np.bool_(self.unit),
            lens_share=np.float64(self.lens_share),
            encoder=np.str_(self.encoder),
            cells=np.str_(self.cells),
            **parts,
        )

    @classmethod
    def load(cls, folder: Path) -> CellHead | None:
        """Read a head that `save` wrote; None where the folder has none.

        Raises:
            WorldError: the file is damaged.
        """
        path = folder / _HEAD
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(
                    weight=data["weight"],
                    bias=data["bias"],
                    mean=data["mean"],
                    temperature=float(data["temperature"]),
                    encoder=str(data["encoder"]),
                    cells=str(data["cells"]),
                    unit=bool(data["unit"]) if "unit" in data else False,
                    lens_share=float(data["lens_share"]) if "lens_share" in data else 0.5,
                    **{name: data[name] for name in _OPTIONAL if name in data},
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{path} is damaged: {error}") from error


def gelu(x: ArrayLike) -> Float32:
    """Gaussian error linear unit in its tanh form (Hendrycks & Gimpel 2016, §2), any shape."""
    value = np.asarray(x, dtype=np.float32)
    inner = np.float32(math.sqrt(2.0 / math.pi)) * (value + np.float32(0.044715) * value**3)
    return np.asarray(np.float32(0.5) * value * (np.float32(1.0) + np.tanh(inner)), dtype=np.float32)


def _unit(x: Float32) -> Float32:
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.maximum(length, np.float32(1e-12)), dtype=np.float32)
