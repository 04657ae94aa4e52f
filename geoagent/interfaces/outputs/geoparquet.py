"""GeoParquet for GIS programs and data frames: points in WGS 84 (OGC:CRS84 order), one row per answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from geoagent.interfaces.outputs._row import Row
from geoagent.interfaces.outputs._whole import whole
from geoagent.interfaces.outputs.frame import LISTS, answers_to_frame
from geoagent.optional import needs

_COLUMNS = (
    "source", "id", "status", "place", "admin1", "country", "precision", "explanation", "world", "world_fingerprint",
    "lat", "lon", "radius_50_km", "radius_90_km", "confidence", "exif_lat", "exif_lon", "exif_distance_km",
    "countries", "cues", "warnings", "geoagent", "exif_place", "taken", "device", "wrong_position", "geometry",
)  # fmt: skip


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as GeoParquet, atomically.

    An answer that names no place, or no more than a country, has no geometry. `countries`, `cues` and
    `warnings` are JSON in text columns.

    Returns:
        The number of rows; errors are left out.

    Raises:
        InputError: the file cannot be written.
        MissingDependency: geopandas or pyarrow is not installed (the extra `geo`).
    """
    with needs("geo", "geopandas", "pandas", "pyarrow"):
        import geopandas  # noqa: F401  as the next
        import pandas
        import pyarrow.parquet  # noqa: F401  used by geopandas for writing; checked before any work is done
    frame = answers_to_frame(row for row in rows if row.status != "error")[list(_COLUMNS)]
    for name in LISTS:
        values = [json.dumps(value, ensure_ascii=False) for value in frame[name]]
        frame[name] = pandas.array(values, dtype="string")
    with whole(target) as temporary:
        frame.to_parquet(temporary, index=False)
    return len(frame)
