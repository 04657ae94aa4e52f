"""Geocells for training, by the name of the method."""

from __future__ import annotations

from geoagent.errors import ConfigError
from geoagent.places.geo import Float
from geoagent.places.geocells import Geocells
from geoagent.places.geocells.build import build_geocells
from geoagent.places.geocells.quadtree import quadtree_cells


def make_cells(latlon: Float, kind: str, min_size: int, max_size: int) -> Geocells:
    """Build geocells from training places.

    Args:
        latlon: `(N, 2)` degrees.
        kind: "semantic" or "quadtree".
        min_size: minimum places per semantic cell.
        max_size: maximum places per cell.

    Raises:
        ConfigError: no such kind.
    """
    if kind == "semantic":
        return build_geocells(latlon, min_size=min_size, max_size=max_size).cells
    if kind == "quadtree":
        return quadtree_cells(latlon, max_size=max_size)
    raise ConfigError(f"no geocells of kind {kind!r}; choose semantic or quadtree")
