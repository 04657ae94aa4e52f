"""GeoParquet for GIS programs and data frames: points in WGS 84 (OGC:CRS84 order), one row per answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import shapely

from geoagent.interfaces.outputs._row import Row
from geoagent.interfaces.outputs._whole import whole
from geoagent.optional import needs

_TEXT = (
    "source",
    "id",
    "status",
    "place",
    "admin1",
    "country",
    "precision",
    "explanation",
    "world",
    "world_fingerprint",
    "taken",
    "device",
)
_NUMBERS = (
    "lat",
    "lon",
    "radius_50_km",
    "radius_90_km",
    "confidence",
    "exif_lat",
    "exif_lon",
    "exif_distance_km",
    "wrong_position",
)


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as GeoParquet, atomically.

    An answer that names no place has no geometry. `countries`, `cues` and `warnings` are JSON in text columns.

    Returns:
        The number of rows; errors are left out.

    Raises:
        InputError: the file cannot be written.
        MissingDependency: geopandas or pyarrow is not installed (the extra `geo`).
    """
    with needs("geo", "geopandas", "pandas", "pyarrow"):
        import geopandas
        import pandas
        import pyarrow.parquet  # noqa: F401  used by geopandas for writing; checked before any work is done
    kept = [row for row in rows if row.status != "error"]
    columns = {name: pandas.array([getattr(row, name) for row in kept], dtype="string") for name in _TEXT}
    columns |= {name: pandas.array([getattr(row, name) for row in kept], dtype="Float64") for name in _NUMBERS}
    listed = {
        "countries": [json.dumps(dict(row.countries)) for row in kept],
        "cues": [json.dumps(row.cues, ensure_ascii=False) for row in kept],
        "warnings": [json.dumps(row.warnings, ensure_ascii=False) for row in kept],
        "geoagent": [row.version for row in kept],
    }
    columns |= {name: pandas.array(values, dtype="string") for name, values in listed.items()}
    points = [None if row.lat is None or row.lon is None else shapely.Point(row.lon, row.lat) for row in kept]
    frame = geopandas.GeoDataFrame(pandas.DataFrame(columns), geometry=geopandas.GeoSeries(points), crs="OGC:CRS84")
    with whole(target) as temporary:
        frame.to_parquet(temporary, index=False)
    return len(kept)
