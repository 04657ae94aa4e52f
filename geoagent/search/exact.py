"""Exact search over the world's gallery, in numpy: every photo of the leading cells is compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.errors import WorldError
from geoagent.stages import Assets
from geoagent.types import Candidates, Float32
from geoagent.world import Gallery


class ExactSearch:
    """Cosine similarity to each gallery row of the asked cells; `log_weight` is −α · (1 − similarity)."""

    def __init__(self, gallery: Gallery, cells: int, alpha: float) -> None:
        self._gallery = gallery
        self._alpha = alpha
        # Rows sorted by cell, so that a cell's rows are one slice.
        self._order = np.argsort(gallery.cell, kind="stable")
        self._start = np.searchsorted(gallery.cell[self._order], np.arange(cells + 1))

    def __call__(self, embedding: Float32, cells: Sequence[int], count: int) -> Candidates:
        """Return at most `count` neighbours inside `cells`, most similar first."""
        slices = [self._order[self._start[c] : self._start[c + 1]] for c in cells]
        rows = np.sort(np.concatenate(slices)) if slices else np.zeros(0, dtype=np.int64)
        similarity = np.asarray(self._gallery.embeddings[rows], dtype=np.float32) @ embedding
        best = np.argsort(-similarity, kind="stable")[:count]
        rows, similarity = rows[best], similarity[best]
        return Candidates(
            latlon=self._gallery.latlon[rows],
            cell=self._gallery.cell[rows],
            log_weight=self._alpha * (similarity.astype(np.float64) - 1.0),
            similarity=similarity,
            refs=tuple(self._gallery.refs[row] for row in rows),
            kind="neighbour",
        )


def build(assets: Assets, *, alpha: float | None = None) -> ExactSearch:
    """Build the search over `assets.world`'s gallery.

    Args:
        assets: the world must have a gallery.
        alpha: how fast a neighbour's weight falls with cosine distance; the world's fitted value, else 20.

    Raises:
        WorldError: the world has no gallery.
    """
    if assets.world.gallery is None:
        raise WorldError(f"the world {assets.world.name!r} has no gallery of photos to search")
    chosen = float(assets.world.calibration.get("alpha", 20.0)) if alpha is None else alpha
    return ExactSearch(assets.world.gallery, len(assets.world.cells), chosen)
