"""Nearest-neighbour search among training photos, inside given cells. Each plug is one file with a `build`.

This module has the shared parts: choice of the gallery, and conversion of its rows to candidates.
"""

from __future__ import annotations

import numpy as np

from geoagent.errors import ConfigError, WorldError
from geoagent.protocols import Assets
from geoagent.types import Candidates, Float32, Int
from geoagent.worlds.gallery import Gallery

ALPHA = 20.0
"""Default α."""
LARGE = 100_000
"""Gallery rows from which on `auto` searches by FAISS."""


def gallery_of(assets: Assets, alpha: float | None) -> tuple[Gallery, float]:
    """Return the gallery to search and α: the requested one, else the world's fitted one, else `ALPHA`.

    Raises:
        WorldError: the world has no gallery.
        ConfigError: α is negative or not a number.
    """
    if assets.world.gallery is None:
        raise WorldError(f"the world {assets.world.name!r} has no gallery of photos to search")
    chosen = float(assets.world.calibration.get("alpha", ALPHA)) if alpha is None else alpha
    if not 0 <= chosen < np.inf:
        raise ConfigError(f"alpha must be a non-negative number, got {alpha}")
    return assets.world.gallery, chosen


def found(gallery: Gallery, rows: Int, query: Float32, count: int, alpha: float) -> Candidates:
    """Return the `count` gallery rows among `rows` that are nearest to `query`, most similar first.

    Args:
        gallery: gallery of the rows.
        rows: indices, ascending, so that ties go to the first row.
        query: `(D,)` from `Gallery.query`.
        count: M.
        alpha: `log_weight` is −α · (1 − similarity).
    """
    similarity = gallery.rows(rows) @ query
    best = np.argsort(-similarity, kind="stable")[: max(count, 0)]
    rows, similarity = rows[best], similarity[best]
    return Candidates(
        latlon=gallery.latlon[rows],
        cell=gallery.cell[rows],
        log_weight=alpha * (similarity.astype(np.float64) - 1.0),
        similarity=similarity,
        refs=tuple(gallery.refs[row] for row in rows),
        kind="neighbour",
    )
