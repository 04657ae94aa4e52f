"""Geocells for a browser or a map program: a self-contained page, which uses the map of answers, and GeoJSON."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import InputError
from geoagent.interfaces.render import km_text
from geoagent.interfaces.render._page import asset, fill, policy
from geoagent.interfaces.render._rings import GRID, _ring, country_rings
from geoagent.interfaces.render.cells import By, cell_colours, cell_values
from geoagent.interfaces.render.map import TILE_HOST, _clean, _escape
from geoagent.places.geocells import Geocells

PAGE_BYTES = 2_500_000
"""Borders of cells are simplified, all together so that they still meet, until they take no more than this."""
_SAYS = {
    "country": "Neighbouring countries differ; cells of a country are shades of its colour.",
    "cell": "Neighbouring cells differ.",
    "size": "The darker, the more training places.",
    "radius": "The darker, the wider around its middle its places lie.",
}


def cells_html(
    cells: Geocells,
    *,
    by: By = "country",
    sizes: ArrayLike | None = None,
    outlines: Mapping[str, Any] | None = None,
    title: str = "Geocells",
) -> str:
    """Return one HTML page with a map of geocells: zoom, names on hover, a list of countries. Nothing is loaded.

    Args:
        cells: geocells with polygons.
        by: what colours mean, as for `cells_png`.
        sizes: `(C,)` training places of each cell, shown on hover; needed for `by="size"`.
        outlines: GeoJSON FeatureCollection of countries (`Gazetteer.outlines()`), for borders and names; left out where
            absent.
        title: the heading.

    Raises:
        InputError: no polygons, or no sizes for `by="size"`.
    """
    if not cells.polygons:
        raise InputError("these geocells have no polygons to draw; they are known by their centroids only")
    colours, _ = cell_colours(cells, by, sizes)
    counts = None if sizes is None else np.asarray(sizes).astype(np.int64)
    rows = []
    for c, rings in enumerate(_rings(cells)):
        says = f"half of its places within {km_text(float(cells.radius_km[c]))}"
        if counts is not None:
            says = f"{counts[c]:,} places, {says}" if counts[c] else "no training place"
        colour = "#" + "".join(f"{v:02x}" for v in colours[c].tolist())
        rows.append([str(cells.country[c]), str(cells.admin1[c]), says, colour, rings])
    codes, tally = np.unique(cells.country, return_counts=True)
    order = np.lexsort((codes, -tally))
    data = {
        "tiles": TILE_HOST,
        "grid": GRID,
        "attribution": "" if outlines is None else str(outlines.get("attribution") or ""),
        "countries": [] if outlines is None else country_rings(outlines),
        "cells": [],
        "answers": [],
        "geocells": rows,
        "title": title,
        "summary": f"{len(cells):,} cells in {len(codes)} countries, {cells.fingerprint}",
        "legend": _SAYS[by],
        "tally": [[str(codes[i]), int(tally[i]), f"{tally[i]:,} cell{'s' if tally[i] != 1 else ''}"] for i in order],
    }
    style, script = asset("map.css"), "".join(map(asset, ("geometry.js", "map.js", "tiles.js", "cells.js")))
    values = {
        "csp": policy(style, script, images=f"data: {TILE_HOST}"),
        "title": html.escape(f"{title} – geoagent"),
        "style": style,
        "script": script,
        "noscript": html.escape(f"This page draws its map with JavaScript. {data['summary']}"),
        "data": _escape(json.dumps(_clean(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))),
    }
    page = (
        asset("map.html").replace('aria-label="Answer"', 'aria-label="Cells"').replace("the whole answer", "the world")
    )
    return fill(page, values)


def cells_geojson(cells: Geocells, sizes: ArrayLike | None = None, *, digits: int = 4) -> dict[str, Any]:
    """Return geocells as a GeoJSON FeatureCollection (lon, lat) with country, admin1, centroid, radius_km and size.

    Args:
        cells: geocells with polygons.
        sizes: `(C,)` places of each cell; left out where absent.
        digits: decimals of a coordinate; 4 are about 10 m.

    Raises:
        InputError: no polygons, or as many sizes as there are not cells.
    """
    import shapely

    if not cells.polygons:
        raise InputError("these geocells have no polygons; they are known by their centroids only")
    counts = None if sizes is None else cell_values(cells, "size", sizes)
    features = []
    for c, shape in enumerate(cells.polygons):
        lat, lon = cells.centroids[c].tolist()
        properties: dict[str, Any] = {
            "cell": c,
            "country": str(cells.country[c]),
            "admin1": str(cells.admin1[c]),
            "lat": round(lat, digits),
            "lon": round(lon, digits),
            "radius_km": round(float(cells.radius_km[c]), 2),
        }
        if counts is not None:
            properties["size"] = int(counts[c])
        geometry = _rounded(shapely.geometry.mapping(shape), digits)
        features.append({"type": "Feature", "id": c, "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, Mapping):
        return {key: _rounded(entry, digits) for key, entry in value.items()}
    return [_rounded(entry, digits) for entry in value] if isinstance(value, list | tuple) else value


def _rings(cells: Geocells) -> list[list[str]]:
    """Rings of each cell as text."""
    import shapely

    shapes: Any = np.array(cells.polygons, dtype=object)
    tolerance = 0.0
    while True:
        simple = shapely.coverage_simplify(shapes, tolerance) if tolerance else shapes
        parts, owner = shapely.get_parts(simple, return_index=True)
        rings, of_part = shapely.get_rings(parts, return_index=True)
        out: list[list[str]] = [[] for _ in range(len(cells))]
        for ring, c in zip(rings, owner[of_part].tolist(), strict=True):
            text = _ring(shapely.get_coordinates(ring), 0.0)
            if text:
                out[c].append(text)
        if tolerance > 0.5 or sum(len(text) for texts in out for text in texts) <= PAGE_BYTES:
            return out
        tolerance = tolerance * 2 or 0.01
