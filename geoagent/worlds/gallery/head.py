"""Training-free head: similarities of the photo to the gallery's places, summed by cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float
from geoagent.types import Float32, Int, log_normalise
from geoagent.worlds.gallery.store import Gallery

_HEAD = "gallery_head.npz"


@dataclass(frozen=True, eq=False)
class GalleryHead:
    """p(cell) ∝ Σ over the cell's gallery rows g of exp(scale · cos(embedding, g) / temperature + log_weight_g).

    Attributes:
        gallery: M rows, at least one in every cell.
        count: C, number of cells.
        log_weight: `(M,)` log prior weight of each row.
        scale: factor on cosines.
        encoder: name of the encoder that made the embeddings.
        cells: fingerprint of the geocells.
        temperature: scores are divided by it.
    """

    gallery: Gallery
    count: int
    log_weight: Float
    scale: float
    encoder: str
    cells: str
    temperature: float = 1.0

    def __post_init__(self) -> None:
        weight = np.array(self.log_weight, dtype=np.float64)
        if weight.shape != (len(self.gallery),) or not np.isfinite(weight).all():
            raise ShapeError(
                f"GalleryHead.log_weight: expected ({len(self.gallery)},) finite numbers, got shape {weight.shape}"
            )
        if not self.scale > 0 or not self.temperature > 0:
            raise ShapeError(
                f"GalleryHead: scale and temperature must be positive, got {self.scale} and {self.temperature}"
            )
        empty = np.setdiff1d(np.arange(self.count), self.gallery.cell)
        if len(empty):
            raise WorldError(f"{len(empty)} geocells have no row in the gallery, among them {empty[:5].tolist()}")
        weight.setflags(write=False)
        object.__setattr__(self, "log_weight", weight)

    @property
    def dim(self) -> int:
        """D, the embedding dimension."""
        return self.gallery.dim

    @property
    def query_dim(self) -> int:
        """Q, the dimension of a gallery query: D."""
        return self.gallery.dim

    def query(self, embedding: ArrayLike) -> Float32:
        """Return the gallery query: the embedding unchanged."""
        return np.asarray(embedding, dtype=np.float32)

    @cached_property
    def _by_cell(self) -> tuple[Int, Int]:
        """Rows sorted by cell, and where each cell begins."""
        order = np.argsort(self.gallery.cell, kind="stable")
        return order, np.searchsorted(self.gallery.cell[order], np.arange(self.count))

    @cached_property
    def _rows(self) -> Float32:
        # Converted to float32 once: a product with float16 rows costs ten times as much.
        return self.gallery.rows(slice(None))

    def scores(self, embeddings: ArrayLike) -> Float32:
        """Return `scale` · cosine of embeddings `(N, D)` with every gallery row, `(N, M)` float32."""
        x = np.stack([self.gallery.query(row) for row in np.asarray(embeddings, dtype=np.float32)])
        return np.asarray((self._rows @ x.T).T * np.float32(self.scale), dtype=np.float32)

    def __call__(self, embedding: ArrayLike) -> Float:
        """Return `(C,)` float64 log probabilities for one embedding `(D,)`.

        Raises:
            ShapeError: the embedding has the wrong length.
        """
        x = np.asarray(embedding, dtype=np.float32)
        if x.shape != (self.dim,):
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        order, start = self._by_cell
        logits = (self.scores(x[None])[0].astype(np.float64) / self.temperature + self.log_weight)[order]
        top = np.maximum.reduceat(logits, start)
        summed = np.add.reduceat(np.exp(logits - np.repeat(top, np.diff(np.append(start, len(order))))), start)
        return log_normalise(top + np.log(summed))

    def save(self, folder: Path) -> None:
        """Write the head into the world folder `folder`; the gallery is saved by the world."""
        np.savez_compressed(
            folder / _HEAD,
            log_weight=self.log_weight,
            count=np.int64(self.count),
            scale=np.float64(self.scale),
            temperature=np.float64(self.temperature),
            encoder=np.str_(self.encoder),
            cells=np.str_(self.cells),
        )

    @classmethod
    def load(cls, folder: Path, gallery: Gallery | None) -> GalleryHead | None:
        """Read the head over `gallery`; None if the folder has none.

        Raises:
            WorldError: the file is damaged, or the gallery is missing or of a different size.
        """
        path = folder / _HEAD
        if not path.exists():
            return None
        if gallery is None:
            raise WorldError(f"{path} is a head over a gallery, but {folder} has no gallery")
        try:
            with np.load(path, allow_pickle=False) as data:
                return cls(
                    gallery=gallery,
                    count=int(data["count"]),
                    log_weight=data["log_weight"],
                    scale=float(data["scale"]),
                    encoder=str(data["encoder"]),
                    cells=str(data["cells"]),
                    temperature=float(data["temperature"]),
                )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{path} is damaged: {error}") from error
