"""Exact search over the world's gallery, in numpy: every photo of the leading cells is compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.protocols import Assets
from geoagent.types import Candidates, Float32
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.search import found, gallery_of


class ExactSearch:
    """Cosine similarity to each gallery row of the requested cells; `log_weight` is −α · (1 − similarity)."""

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
        return found(self._gallery, rows, self._gallery.query(embedding), count, self._alpha)


def build(assets: Assets, *, alpha: float | None = None) -> ExactSearch:
    """Build the search over `assets.world`'s gallery.

    Args:
        assets: the world must have a gallery.
        alpha: how fast a neighbour's weight falls with cosine distance; the world's fitted value, else 20.

    Raises:
        WorldError: the world has no gallery.
    """
    gallery, chosen = gallery_of(assets, alpha)
    return ExactSearch(gallery, len(assets.world.cells), chosen)
