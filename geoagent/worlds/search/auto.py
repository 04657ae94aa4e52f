"""The search that suits the size of the gallery: `exact` for few photos, `ivf` for many. Both find the same ones."""

from __future__ import annotations

from typing import Any

from geoagent import plugs
from geoagent.errors import MissingDependency
from geoagent.protocols import Assets, NeighbourSearch
from geoagent.worlds.search import LARGE, gallery_of


def build(assets: Assets, *, alpha: float | None = None, **options: Any) -> NeighbourSearch:
    """Build the search: `ivf` from `search.LARGE` photos on if FAISS is installed, else `exact`.

    Args:
        assets: the world must have a gallery.
        alpha: how fast a neighbour's weight falls with cosine distance; the world's fitted value, else 20.
        options: of `ivf`, which is taken for any gallery where one is given.

    Raises:
        WorldError: the world has no gallery, or its index belongs to another gallery.
        ConfigError: an option that `ivf` does not have.
    """
    gallery, _ = gallery_of(assets, alpha)
    search: NeighbourSearch
    if options or len(gallery) >= LARGE:
        try:
            search = plugs.build("search", "ivf", assets, alpha=alpha, **options)
        except MissingDependency:
            if options:
                raise
        else:
            return search
    search = plugs.build("search", "exact", assets, alpha=alpha)
    return search
