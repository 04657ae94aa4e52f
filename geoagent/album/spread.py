"""From the states of an album to weighted points on the map."""

from __future__ import annotations

import numpy as np

from geoagent.album.chain import Told
from geoagent.album.places import Places
from geoagent.places.geo import EARTH_RADIUS_KM, Float, from_unit
from geoagent.types import Spread

MEDIAN = float(np.sqrt(2 * np.log(2)))
"""Median distance from the centre of a two-dimensional normal distribution, in standard deviations."""
_LEAST = 1e-4  # states with less are left out
_WIDE_KM = 20.0  # wider states are drawn as rings of points
_RADII = np.array([0.0] + [0.75] * 6 + [1.7] * 8)
_ANGLES = np.concatenate([[0.0], np.arange(6) / 6, np.arange(8) / 8]) * 2 * np.pi
_SHARES = np.array([0.118] + [0.407 / 6] * 6 + [0.475 / 8] * 8)
"""Points of a two-dimensional normal distribution: its middle and two rings, radii in standard deviations, with the
mass within 0.5, from there to 1.2, and beyond."""
_EXTENT = 0.45  # median distance from such a point, in standard deviations


def spread_of(told: Told, places: Places) -> Spread | None:
    """The points that the states of some places stand for; None where nothing but "elsewhere" is left.

    Args:
        told: probabilities of the states.
        places: all places.
    """
    mass = told.by_state()
    rows, scales = np.nonzero(mass > _LEAST)
    if len(rows) == 0:
        return None
    deviation, share = places.scale_km[told.rows][rows, scales], mass[rows, scales]
    unit, wide = places.unit[told.rows][rows], deviation > _WIDE_KM
    points, shares = shells(unit[wide], deviation[wide])
    weights = np.concatenate([share[~wide], (share[wide, None] * shares).ravel()])
    extents = np.concatenate([deviation[~wide] * MEDIAN, np.repeat(deviation[wide] * _EXTENT, len(_SHARES))])
    at = from_unit(np.concatenate([unit[~wide], points.reshape(-1, 3)]))
    return Spread(at, weights / weights.sum(), extents)


def shells(unit: Float, deviation_km: Float) -> tuple[Float, Float]:
    """Points that stand for two-dimensional normal distributions.

    Args:
        unit: `(…, 3)` their centres, as unit vectors.
        deviation_km: `(…)` their standard deviations; the shapes broadcast.

    Returns:
        `(…, P, 3)` points, and `(…, P)` the share of each.
    """
    pole = np.where(np.abs(unit[..., 2:]) < 0.9, np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    east = np.cross(pole, unit)
    east /= np.linalg.norm(east, axis=-1, keepdims=True)
    north = np.cross(unit, east)
    turned = np.cos(_ANGLES)[:, None] * east[..., None, :] + np.sin(_ANGLES)[:, None] * north[..., None, :]
    arc = (deviation_km[..., None] * _RADII / EARTH_RADIUS_KM)[..., None]
    points = np.cos(arc) * unit[..., None, :] + np.sin(arc) * turned
    return points, np.broadcast_to(_SHARES, points.shape[:-1])
