"""From the states of an album to weighted points on the map."""

from __future__ import annotations

import numpy as np

from geoagent.album.ground import Ground
from geoagent.album.nodes import Told
from geoagent.album.places import WIDE, Places, shells
from geoagent.places.geo import from_unit
from geoagent.types import Spread

MEDIAN = float(np.sqrt(2 * np.log(2)))
"""Median distance from the centre of a two-dimensional normal distribution, in standard deviations."""
_LEAST = 1e-4  # states with less are left out
_EXTENT = 0.45  # median distance from a point of a ring, in standard deviations


def spread_of(told: Told, places: Places, ground: Ground) -> Spread | None:
    """The points that the states of some places stand for; None where nothing but "elsewhere" is left.

    Args:
        told: probabilities of the states.
        places: all places.
        ground: the geocells below them.
    """
    mass = told.by_state()
    rows, scales = np.nonzero(mass > _LEAST)
    if len(rows) == 0:
        return None
    deviation, share = places.scale_km[told.rows][rows, scales], mass[rows, scales]
    place, wide = told.rows[rows], scales >= WIDE
    points, shares = shells(places.unit[place[wide]], deviation[wide])
    at = from_unit(np.concatenate([places.unit[place[~wide]], points.reshape(-1, 3)]))
    weights = np.concatenate([share[~wide], (share[wide, None] * shares).ravel()])
    extents = np.concatenate([deviation[~wide] * MEDIAN, np.repeat(deviation[wide] * _EXTENT, shares.shape[-1])])
    cells = np.concatenate([ground.cell[place[~wide]], ground.shell_cells[place[wide], scales[wide] - WIDE].ravel()])
    return Spread(at, weights / weights.sum(), extents, cells)
