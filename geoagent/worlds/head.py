"""The classification head: from an embedding to log probabilities over geocells, in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float
from geoagent.types import Float32
from geoagent.worlds.lens import Lens, gelu, unit_rows

_HEAD, _LENS = "head.npz", "lens_"
_OPTIONAL = ("hidden_weight", "hidden_bias")
_HALF = ("hidden_weight", "weight")  # stored as float16, which moves probabilities by less than a hundredth


@dataclass(frozen=True, eq=False, slots=True)
class CellHead:
    """A linear layer, or one hidden layer, over the frozen embedding, with a temperature fitted on held-out photos.

    With x the embedding minus `mean`, normalised to unit length if `unit`, and h = GELU(V x + a) the hidden
    layer (h = x without one): log p = log softmax((W h + b) / T). An ensemble is stored as one head: its
    hidden layers concatenated and the mean of its logits, which is the geometric mean of their probabilities.

    Attributes:
        weight: W, `(C, H)` float32; `(C, D)` without a hidden layer.
        bias: b, `(C,)` float32.
        temperature: T, the logits' divisor (Guo et al. 2017, "On calibration of modern neural networks").
        mean: `(D,)` float32, subtracted from embeddings first.
        encoder: name of the encoder that it was trained on.
        cells: fingerprint of the geocells that it was trained for.
        hidden_weight: V, `(H, D)` float32, or None.
        hidden_bias: a, `(H,)` float32, or None.
        unit: whether the centred embedding is normalised to unit length.
        lens: the retrieval projection (learned metric) for gallery search, or None to compare embeddings directly.
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
    lens: Lens | None = None

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
        wide = weight.shape[1]
        for name, size in (("bias", len(weight)), ("mean", dim), ("hidden_bias", wide)):
            value = getattr(self, name)
            value = np.zeros(dim) if name == "mean" and value is None else value
            if value is not None:
                arrays[name] = np.array(value, dtype=np.float32)
                if arrays[name].shape != (size,):
                    raise ShapeError(f"CellHead.{name}: expected ({size},), got shape {arrays[name].shape}")
        if self.lens is not None and self.lens.dim != dim:
            raise ShapeError(f"CellHead.lens: expected one for embeddings of {dim} numbers, got {self.lens.dim}")
        for name, array in arrays.items():
            if array is not None:
                array.setflags(write=False)
                object.__setattr__(self, name, array)

    @property
    def dim(self) -> int:
        """D, the embedding dimension."""
        assert self.mean is not None
        return len(self.mean)

    @property
    def query_dim(self) -> int:
        """Q, the dimension of a gallery query."""
        return self.dim if self.lens is None else self.lens.query_dim

    def __call__(self, embedding: ArrayLike) -> Float:
        """Return `(C,)` float64 log probabilities for one embedding `(D,)`, or `(N, C)` for `(N, D)`.

        Raises:
            ShapeError: the embedding has the wrong length.
        """
        return self._log_probs(self._hidden(embedding))

    def query(self, embedding: ArrayLike) -> Float32:
        """Return the gallery query, `(Q,)` for one embedding `(D,)`, `(N, Q)` for `(N, D)`.

        Raises:
            ShapeError: the embedding has the wrong length.
        """
        return np.asarray(embedding, dtype=np.float32) if self.lens is None else self.lens(embedding)

    def _hidden(self, embedding: ArrayLike) -> Float32:
        x = np.asarray(embedding, dtype=np.float32)
        if x.ndim not in (1, 2) or x.shape[-1] != self.dim:
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        assert self.mean is not None
        x = np.asarray(x - self.mean, dtype=np.float32)
        x = unit_rows(x) if self.unit else x
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
        parts |= {} if self.lens is None else self.lens.arrays(_LENS)
        np.savez_compressed(
            folder / _HEAD,
            temperature=np.float64(self.temperature),
            unit=np.bool_(self.unit),
            encoder=np.str_(self.encoder),
            cells=np.str_(self.cells),
            **parts,
        )

    @classmethod
    def load(cls, folder: Path) -> CellHead | None:
        """Read a head that `save` wrote; None if the folder has none.

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
                    lens=Lens.of_arrays(data, _LENS) if f"{_LENS}mean" in data else None,
                    **{name: data[name] for name in _OPTIONAL if name in data},
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{path} is damaged, or from an earlier version of geoagent: {error}") from error
