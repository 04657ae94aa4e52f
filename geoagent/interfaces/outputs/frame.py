"""Answers as a data frame: one row an answer, in the columns of the tables, with a point where a place is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import shapely

from geoagent.answer import Answer
from geoagent.interfaces.outputs._row import Row, row_of
from geoagent.optional import needs

NUMBERS = tuple(field.name for field in fields(Row) if field.type == "float | None")
LISTS = ("countries", "cues", "warnings")
_LEFT_OUT = ("basis", "landmark", "taken_from", "utc", "witnesses")  # as in the tables
TEXTS = tuple(field.name for field in fields(Row) if field.name not in (*NUMBERS, *LISTS, *_LEFT_OUT))
"""Columns by what they hold; `version` is named "geoagent" in the frame, as in the tables."""


def answers_to_frame(answers: Iterable[Answer | Row], *, geometry: bool = True) -> Any:
    """Return answers as a GeoDataFrame in WGS 84, or as a plain DataFrame.

    Columns are those of `export --csv`. `lat` and `lon` are degrees; a value that is withheld or not known is NA, and
    so is the geometry, `Point(lon, lat)`, of an answer that names no place, or no more than a country.
    Three columns hold objects: `countries` a
    dict from ISO code to probability, `cues` and `warnings` tuples of str. Errors are rows too, with their `status` and
    `error`.

    Args:
        answers: answers, in the order of the rows.
        geometry: False for a pandas DataFrame without the column `geometry`.

    Raises:
        MissingDependency: pandas or geopandas is not installed (the extra `geo`).
    """
    with needs("geo", "pandas"):
        import pandas
    rows = [each if isinstance(each, Row) else row_of(each) for each in answers]
    columns: dict[str, Any] = {}
    for name in (field.name for field in fields(Row) if field.name not in _LEFT_OUT):
        values = [getattr(row, name) for row in rows]
        if name in LISTS:
            values = [dict(value) for value in values] if name == "countries" else values
            columns[name] = pandas.Series(values, dtype="object")
        else:
            kind = "Float64" if name in NUMBERS else "string"
            columns["geoagent" if name == "version" else name] = pandas.array(values, dtype=kind)
    frame = pandas.DataFrame(columns)
    if not geometry:
        return frame
    with needs("geo", "geopandas"):
        import geopandas
    points = [None if row.lat is None or row.lon is None else shapely.Point(row.lon, row.lat) for row in rows]
    return geopandas.GeoDataFrame(frame, geometry=geopandas.GeoSeries(points), crs="OGC:CRS84")
