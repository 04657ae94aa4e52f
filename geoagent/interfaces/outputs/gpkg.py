"""GeoPackage 1.3 (OGC 12-128r17) for GIS programs: one feature an answer, in a table "photos", points in WGS 84.

A GeoPackage is an SQLite database with three tables of its own and points as WKB behind a short header, so the standard
library writes it; no extra is needed.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import shapely

from geoagent.interfaces.outputs._row import Row, in_order
from geoagent.interfaces.outputs._whole import whole

SUFFIX = ".gpkg"
TABLE = "photos"
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
_COLUMNS = {
    "source": "TEXT", "id": "TEXT", "status": "TEXT", "estimate": "BOOLEAN", "lat": "DOUBLE", "lon": "DOUBLE",
    "place": "TEXT", "admin1": "TEXT", "country": "TEXT", "precision": "TEXT", "radius_50_km": "DOUBLE",
    "radius_90_km": "DOUBLE", "confidence": "DOUBLE", "countries": "TEXT", "cues": "TEXT", "explanation": "TEXT",
    "warnings": "TEXT", "exif_lat": "DOUBLE", "exif_lon": "DOUBLE", "exif_place": "TEXT", "exif_distance_km": "DOUBLE",
    "taken": "TEXT", "device": "TEXT", "wrong_position": "DOUBLE", "world": "TEXT", "world_fingerprint": "TEXT",
    "geoagent": "TEXT",
}  # fmt: skip
_SCHEMA = f"""
PRAGMA application_id = {0x47504B47};
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE {TABLE} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT,
  {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())});
"""


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as a GeoPackage, atomically.

    An answer that names no place, or no more than a country, has no geometry. `countries`, `cues` and
    `warnings` are JSON in text columns.

    Returns:
        The number of features; errors are left out.

    Raises:
        InputError: the file cannot be written.
    """
    kept = [row for row in in_order(rows) if row.status != "error"]
    placed = [(row.lon, row.lat) for row in kept if row.lat is not None and row.lon is not None]
    west, south = (min(each, default=None) for each in _axes(placed))
    east, north = (max(each, default=None) for each in _axes(placed))
    with whole(target) as temporary:
        try:
            with closing(sqlite3.connect(temporary)) as file, file:
                file.executescript(_SCHEMA)
                file.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", _systems())
                file.execute(
                    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, min_x, min_y, max_x, "
                    "max_y, srs_id) VALUES (?, 'features', ?, ?, ?, ?, ?, ?, 4326)",
                    (TABLE, TABLE, "Estimated places of photos, made by geoagent", west, south, east, north),
                )
                file.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', 4326, 0, 0)", (TABLE,))
                marks = ", ".join("?" for _ in _COLUMNS)
                file.executemany(
                    f"INSERT INTO {TABLE} (geom, {', '.join(_COLUMNS)}) VALUES (?, {marks})", map(_values, kept)
                )
        except sqlite3.OperationalError as error:
            raise OSError(str(error)) from error  # such as a full disk; `whole` says of which file
    return len(kept)


def _axes(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [lon for lon, _ in points], [lat for _, lat in points]


def _systems() -> list[tuple[Any, ...]]:
    """The reference systems that every GeoPackage holds."""
    return [
        ("WGS 84", 4326, "EPSG", 4326, _WGS84, "longitude and latitude in degrees"),
        ("Undefined Cartesian", -1, "NONE", -1, "undefined", None),
        ("Undefined geographic", 0, "NONE", 0, "undefined", None),
    ]


def _values(row: Row) -> list[Any]:
    lists = {
        "countries": json.dumps(dict(row.countries)),
        "cues": json.dumps(row.cues, ensure_ascii=False),
        "warnings": json.dumps(row.warnings, ensure_ascii=False),
        "geoagent": row.version,
        "estimate": True,
    }
    return [_point(row.lon, row.lat), *(lists[n] if n in lists else getattr(row, n) for n in _COLUMNS)]


def _point(lon: float | None, lat: float | None) -> bytes | None:
    """A point in the standard's binary form: "GP", version 0, little endian without an envelope, 4326, WKB."""
    if lon is None or lat is None or not (math.isfinite(lon) and math.isfinite(lat)):
        return None
    return struct.pack("<2sBBi", b"GP", 0, 1, 4326) + bytes(shapely.to_wkb(shapely.Point(lon, lat), byte_order=1))
