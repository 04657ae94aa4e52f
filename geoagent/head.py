"""The classifier's head: an embedding to log probabilities over geocells, in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.geo import Float
from geoagent.types import Float32, log_normalise

_HEAD = "head.npz"


@dataclass(frozen=True, eq=False, slots=True)
class CellHead:
    """A linear layer over the frozen embedding, with a temperature fitted on held-out photos.

    Attributes:
        weight: `(C, D)` float32.
        bias: `(C,)` float32.
        temperature: logits are divided by it (Guo et al. 2017, "On calibration of modern neural networks").
        mean: `(D,)` float32 that is subtracted from an embedding first.
        encoder: the encoder that it was trained on, by name.
        cells: fingerprint of the geocells that it was trained for.
    """

    weight: Float32
    bias: Float32
    encoder: str
    cells: str
    temperature: float = 1.0
    mean: Float32 | None = None

    def __post_init__(self) -> None:
        weight = np.ascontiguousarray(self.weight, dtype=np.float32)
        if weight.ndim != 2:
            raise ShapeError(f"CellHead.weight: expected (C, D), got shape {weight.shape}")
        bias = np.asarray(self.bias, dtype=np.float32)
        if bias.shape != (len(weight),):
            raise ShapeError(f"CellHead.bias: expected ({len(weight)},), got shape {bias.shape}")
        if not self.temperature > 0:
            raise ShapeError(f"CellHead.temperature: expected a positive number, got {self.temperature}")
        mean = np.zeros(weight.shape[1], dtype=np.float32) if self.mean is None else np.asarray(self.mean, np.float32)
        if mean.shape != (weight.shape[1],):
            raise ShapeError(f"CellHead.mean: expected ({weight.shape[1]},), got shape {mean.shape}")
        for name, array in (("weight", weight), ("bias", bias), ("mean", mean)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def dim(self) -> int:
        """D, the length of an embedding."""
        return int(self.weight.shape[1])

    def __call__(self, embedding: ArrayLike) -> Float:
        """Return `(C,)` float64 log probabilities for one embedding `(D,)`.

        Raises:
            ShapeError: the embedding has another length.
        """
        x = np.asarray(embedding, dtype=np.float32)
        if x.shape != (self.dim,):
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        assert self.mean is not None
        logits = self.weight @ (x - self.mean) + self.bias
        return log_normalise(logits.astype(np.float64) / self.temperature)

    def save(self, folder: Path) -> None:
        """Write the head into `folder`."""
        assert self.mean is not None
        np.savez_compressed(
            folder / _HEAD,
            weight=self.weight,
            bias=self.bias,
            mean=self.mean,
            temperature=np.float64(self.temperature),
            encoder=np.str_(self.encoder),
            cells=np.str_(self.cells),
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
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{path} is damaged: {error}") from error
