"""GeoJSON (RFC 7946): one feature per answer, the position as lon, lat; radii and probabilities as properties."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geoagent import __version__
from geoagent.answer import Answer
from geoagent.interfaces.outputs._row import Row, in_order, row_of
from geoagent.interfaces.outputs._whole import whole

SUFFIX = ".geojson"


def feature_collection(answers: Iterable[Answer | Row]) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection (WGS 84, lon before lat, as RFC 7946 asks).

    An answer that names no place, or no more than a country, becomes an unlocated feature (`geometry` null); an error
    becomes none. Where all answers tell when their photos were taken, they stand in that order. Every feature says
    `"estimate": true`, and a top-level member `geoagent` which version wrote it.

    Args:
        answers: answers, or rows of them.
    """
    rows = in_order(each if isinstance(each, Row) else row_of(each) for each in answers)
    return {
        "type": "FeatureCollection",
        "geoagent": {"version": __version__, "what": "estimated places of photos"},
        "features": [feature(row) for row in rows if row.status != "error"],
    }


def feature(answer: Answer | Row) -> dict[str, Any]:
    """Return one answer as a GeoJSON Feature; an error is one without geometry, with the property `error`."""
    row = answer if isinstance(answer, Row) else row_of(answer)
    placed = row.lat is not None and row.lon is not None
    return {
        "type": "Feature",
        "id": row.id if row.id is not None else row.source,
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]} if placed else None,
        "properties": {**_properties(row), **({} if row.error is None else {"error": row.error})},
    }


def write(rows: Iterable[Row], target: Path) -> int:
    """Write rows as GeoJSON, atomically.

    Returns:
        The number of features.

    Raises:
        InputError: the file cannot be written.
    """
    collection = feature_collection(rows)
    with whole(target) as temporary:
        temporary.write_text(json.dumps(collection, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    return len(collection["features"])


def _properties(row: Row) -> dict[str, Any]:
    return {
        "source": row.source,
        "status": row.status,
        "estimate": True,
        "place": row.place,
        "admin1": row.admin1,
        "country": row.country,
        "precision": row.precision,
        "radius_50_km": row.radius_50_km,
        "radius_90_km": row.radius_90_km,
        "confidence": row.confidence,
        "countries": dict(row.countries),
        "cues": list(row.cues),
        "warnings": list(row.warnings),
        "world": row.world,
        "world_fingerprint": row.world_fingerprint,
        "geoagent": row.version,
        **_of_album(row),
        **({} if row.wrong_position is None else {"wrong_position": row.wrong_position}),
    }


def _of_album(row: Row) -> dict[str, Any]:
    if row.taken is None:
        return {}
    return {
        "taken": row.taken,
        **({"utc": row.utc} if row.utc and row.utc != row.taken else {}),
        "taken_from": row.taken_from,
        "device": row.device,
        "witnesses": list(row.witnesses),
    }
