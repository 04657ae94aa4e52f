"""Nearest training photos, inside chosen cells. A plug is one file with `build(assets, **options)`.

What they share is here: which gallery is searched, and how its rows become candidates.
"""

from __future__ import annotations

import numpy as np

from geoagent.errors import ConfigError, WorldError
from geoagent.protocols import Assets
from geoagent.types import Candidates, Float32, Int
from geoagent.worlds.gallery import Gallery

ALPHA = 20.0
"""α where none was fitted."""


def gallery_of(assets: Assets, alpha: float | None) -> tuple[Gallery, float]:
    """Return the gallery to search and α: the one asked for, else the world's fitted one, else `ALPHA`.

    Raises:
        WorldError: the world has no gallery.
        ConfigError: an α that is negative or not a number.
    """
    if assets.world.gallery is None:
        raise WorldError(f"the world {assets.world.name!r} has no gallery of photos to search")
    chosen = float(assets.world.calibration.get("alpha", ALPHA)) if alpha is None else alpha
    if not 0 <= chosen < np.inf:
        raise ConfigError(f"alpha must be a number that is not negative, got {alpha}")
    return assets.world.gallery, chosen


def found(gallery: Gallery, rows: Int, query: Float32, count: int, alpha: float) -> Candidates:
    """Return the `count` gallery rows among `rows` that are nearest to `query`, most similar first.

    Args:
        gallery: where rows are from.
        rows: indices, ascending, so that of equally similar rows the first is taken.
        query: `(D,)` as `Gallery.query` gives it.
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
