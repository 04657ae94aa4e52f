"""Data sets for evaluation; see `training.table.read_table` for the formats.

===========  ==================================================  ================================================
data set     what its files look like                            what is minded
===========  ==================================================  ================================================
IM2GPS3k     im2gps3k_places365.csv: IMG_ID, author, LAT, LON    one of the two versions that circulate has the two
YFCC4k       yfcc4k_places365.csv, likewise                      headers swapped; photos are named by IMG_ID
OSV-5M       test.csv: id, latitude, longitude, country, …       photos lie in numbered folders, by id
MP-16        mp16_places365.csv: IMG_ID, LAT, LON                IMG_ID has folders in it
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
    """Read a data set and, where it has photos instead of features, embed them.

    Args:
        path: NPZ, CSV or Parquet.
        images: folder of the photos; the table's own where absent.
        encoder: of the world that is evaluated.
        cache: see `embed_table`.
        progress: see `embed_table`.

    Raises:
        InputError: the file cannot be used, or has photos and no encoder was given.
    """
    table = read_table(path, images=images)
    if table.views is not None:
        return table
    if encoder is None:
        raise InputError(f"{path} names photos, not features, and the world's encoder cannot be had to embed them")
    return embed_table(table, encoder, cache=cache, progress=progress)
