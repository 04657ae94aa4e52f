"""Data sets for evaluation; see `training.table.read_table` for the formats.

===========  ==================================================  ================================================
data set     file format                                         handling
===========  ==================================================  ================================================
IM2GPS3k     im2gps3k_places365.csv: IMG_ID, author, LAT, LON    one of two circulating versions has LAT and LON
YFCC4k       yfcc4k_places365.csv, same columns                  headers swapped; photos are named by IMG_ID
OSV-5M       test.csv: id, latitude, longitude, country, …       photos are in numbered folders, by id
MP-16        mp16_places365.csv: IMG_ID, LAT, LON                IMG_ID contains folders
GeoCLIP      any CSV with IMG_FILE, LAT, LON
===========  ==================================================  ================================================
"""

from __future__ import annotations

from pathlib import Path

from geoagent.errors import InputError
from geoagent.protocols import Encoder
from geoagent.worlds.training.embed import embed_table
from geoagent.worlds.training.head import Progress
from geoagent.worlds.training.table import Table, read_table


def load_data(
    path: str | Path,
    *,
    images: str | Path | None = None,
    encoder: Encoder | None = None,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a data set; if it has photos instead of features, embed them.

    Args:
        path: NPZ, CSV or Parquet.
        images: folder of the photos; the table's folder by default.
        encoder: encoder of the evaluated world.
        cache: see `embed_table`.
        progress: see `embed_table`.

    Raises:
        InputError: the file is unusable, or has photos but no encoder was given.
    """
    table = read_table(path, images=images)
    if table.views is not None:
        return table
    if encoder is None:
        raise InputError(f"{path} has photos but no features, and the world's encoder is unavailable; install it first")
    return embed_table(table, encoder, cache=cache, progress=progress)
