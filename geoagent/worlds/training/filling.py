"""What a trained world holds besides its head: gallery, support, index."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.places.geo import Float, haversine_km
from geoagent.places.geocells import Geocells
from geoagent.types import Int
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.gallery.mapped import release
from geoagent.worlds.gallery.store import pack
from geoagent.worlds.head import CellHead
from geoagent.worlds.search import LARGE
from geoagent.worlds.training.head import Progress
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.views import Rows, blocks, mean_view
from geoagent.worlds.world import Support, World

_NEIGHBOURHOOD = 4  # rank of the neighbour that sets a place's extent
_IN_MEMORY = 1 << 29  # bytes of embeddings above which they are made on disk


def gallery_of(head: CellHead, views: Rows, table: Table, cell: Int, folder: Path | None, tell: Progress) -> Gallery:
    """Return the training places as a gallery of float16 rows, made block by block.

    Args:
        head: its lens, if any, projects the embeddings; they are centred on its mean otherwise.
        views: unit views of the places.
        table: the places.
        cell: `(N,)` their cells.
        folder: where rows that fill memory are made; None for in memory.
        tell: see `Progress`.
    """
    mean = head.mean if head.lens is None else None
    shape = (len(views), head.query_dim)
    rows: Any
    if folder is not None and 2 * shape[0] * shape[1] > _IN_MEMORY:
        folder.mkdir(parents=True, exist_ok=True)
        rows = np.lib.format.open_memmap(folder / "gallery.npy", "w+", dtype=np.float16, shape=shape)
    else:
        rows = np.empty(shape, dtype=np.float16)
    for number, (part, block) in enumerate(blocks(views)):
        rows[part] = pack(head.query(mean_view(block)), mean, "float16")
        if number % 16 == 15:
            release(rows)
            tell("making the gallery", part.stop, len(views))
    return Gallery(rows, table.latlon, cell, table.refs, mean)


def support_of(latlon: Float, cell: Int, cells: Geocells) -> Support:
    """Each training place as a support place; its extent is half the distance to its fourth neighbour in its cell.

    A cell without training places is represented by its centroid; in a cell with few places, the cell's radius is used.
    """
    counts = np.bincount(cell, minlength=len(cells))
    empty = np.flatnonzero(counts == 0)
    extent = cells.radius_km[cell].copy()
    order = np.argsort(cell, kind="stable")
    for mine in np.split(order, np.cumsum(counts)[:-1]):
        for rows in np.array_split(mine, len(mine) // 1000 + 1):
            if len(rows) > _NEIGHBOURHOOD:
                apart = haversine_km(latlon[rows, None, :], latlon[rows])
                extent[rows] = np.partition(apart, _NEIGHBOURHOOD, axis=1)[:, _NEIGHBOURHOOD]
    return Support(
        np.concatenate([latlon, cells.centroids[empty]]),
        np.concatenate([cell, empty]),
        np.concatenate([-np.log(counts[cell]), np.zeros(len(empty))]),
        np.concatenate([np.clip(extent / 2, 1.0, 200.0), np.maximum(cells.radius_km[empty], 1.0)]),
    )


def indexed(folder: str | Path, progress: Progress | None = None) -> Path | None:
    """Write the index of a saved world whose gallery is large, so that it need not be made at each start.

    Returns:
        The file, or None if the gallery is small or faiss is not installed.
    """
    world = World.load(folder)
    if world.gallery is None or len(world.gallery) < LARGE or importlib.util.find_spec("faiss") is None:
        return None
    if progress is not None:
        progress("indexing the gallery", 0, 1)
    save = plugs.attribute("geoagent.worlds.search.ivf", "save_index")
    path: Path = save(world)
    return path
