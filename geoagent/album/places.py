"""Places that the photos of an album may be at: those where any of them may have been, seen at several scales.

A state is a place at one scale: at it, around it, in its region, somewhere in its part of the world. Coarser scales
hold what is near no place that anybody was at. One more state is everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from geoagent.album.motion import Motion, feasible
from geoagent.places.geo import EARTH_RADIUS_KM, Float, check_latlon, great_circle_km, to_unit
from geoagent.types import Int

SCALES_KM = np.array([0.25, 4.0, 40.0, 400.0])
"""Standard deviations of a state's density around its place."""
SCALES = len(SCALES_KM)
WIDE = int(np.searchsorted(SCALES_KM, 20.0))
"""States from this scale on hold several geocells, and are drawn as rings of points; finer ones lie in one."""
EARTH_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2
_ELSEWHERE = 1.0 / 1.5e8  # density of "somewhere else" per km²: the area of all land
_LOST = 0.3  # share of long journeys that end near no known place
_LOST_HOURS = 12.0  # after which somebody who was near no known place may be anywhere; squared, or nobody were too fast
_RADII = np.array([0.0] + [0.75] * 6 + [1.7] * 8)
_ANGLES = np.concatenate([[0.0], np.arange(6) / 6, np.arange(8) / 8]) * 2 * np.pi
_SHARES = np.array([0.118] + [0.407 / 6] * 6 + [0.475 / 8] * 8)
"""Points of a two-dimensional normal distribution: its middle and two rings, radii in standard deviations, with the
mass within 0.5, from there to 1.2, and beyond."""
_MOST = 2000  # places; more are merged, since all pairs of them are looked at


@dataclass(frozen=True, eq=False)
class Places:
    """V places.

    Attributes:
        latlon: `(V, 2)` degrees.
        extent_km: `(V,)` how far photos taken there are from it; a place's finest scale is no smaller.
    """

    latlon: Float
    extent_km: Float

    @cached_property
    def unit(self) -> Float:
        """`(V, 3)` unit vectors."""
        return to_unit(self.latlon)

    @cached_property
    def km(self) -> Float:
        """`(V, V)` distances."""
        return great_circle_km(self.unit, self.unit.T)

    @cached_property
    def scale_km(self) -> Float:
        """`(V, S)` standard deviation of each state."""
        return np.asarray(np.maximum(SCALES_KM, self.extent_km[:, None]))

    def __len__(self) -> int:
        return len(self.latlon)

    @classmethod
    def of(cls, latlon: ArrayLike, extent_km: ArrayLike) -> tuple[Places, Int]:
        """Merge positions that are a few hundred metres apart, or less exact than that.

        Where more than 2,000 places remain, they are merged at a coarser scale.

        Args:
            latlon: `(N, 2)` degrees.
            extent_km: `(N,)` how exact each is.

        Returns:
            The places, and `(N,)` which of them each position belongs to.
        """
        points = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
        extents = np.asarray(extent_km, dtype=np.float64)
        unit, within = to_unit(points), float(SCALES_KM[0])
        while True:
            labels, centres = _clusters(unit, extents, within)
            if len(centres) <= _MOST:
                break
            within *= 2.0
        extent = np.maximum(extents[centres], within / 2 if within > SCALES_KM[0] else 0.0)
        return cls(points[centres], extent), labels


def _clusters(unit: Float, extents: Float, within_km: float) -> tuple[Int, Int]:
    """Assign each point to the first centre within reach, and make it a centre where there is none.

    Points that stand for themselves come first in order of position, so that the order of photos changes nothing.
    """
    order = np.lexsort((unit[:, 2], unit[:, 1], unit[:, 0], extents))
    labels, centres = np.full(len(unit), -1, dtype=np.int64), list[int]()
    for i in order.tolist():
        if labels[i] >= 0:
            continue
        free = np.flatnonzero(labels < 0)
        near = great_circle_km(unit[free], unit[i]) < np.maximum(within_km, extents[free] / 2)
        alike = extents[free] <= max(2 * extents[i], within_km)  # a town is no street corner in it
        labels[free[near & alike]] = len(centres)
        labels[i] = len(centres)
        centres.append(i)
    return labels, np.array(centres, dtype=np.int64)


class Step:
    """Probabilities of moving between the states of some places.

    Args:
        places: all places.
        motion: how people move.
        density: `(V, S)` prior density of photos per km² in each state; the area of all land where None.
    """

    def __init__(self, places: Places, motion: Motion, density: Float | None = None) -> None:
        self.places, self.motion = places, motion
        self._density = np.full((len(places), SCALES), _ELSEWHERE) if density is None else density

    def areas(self, rows: Int) -> Float:
        """Area, km², of each state of some places, `(K, S)`; areas that several places share are divided among them."""
        scale, km = self.places.scale_km[rows], self.places.km[np.ix_(rows, rows)]
        cover = np.exp(-(km[:, :, None] ** 2) / (2 * scale[:, None, :] ** 2)).sum(axis=1)
        area = 2 * np.pi * scale**2 / cover
        area[:, 1:][scale[:, 1:] <= scale[:, :-1]] = 0.0  # an inexact place has no finer states
        return np.asarray(area)

    def start(self, rows: Int, visits: Float) -> Float:
        """Probabilities of the states before anything else is known, `(K · S + 1,)`.

        Args:
            rows: K places.
            visits: `(V,)` probability of each place of a return (`Chain`), without those of the photo in question.
        """
        known = float(visits.sum())
        visits = visits / known if known else visits
        back = self.motion.back * known
        mass = (1 - back) * self._prior(rows)
        mass[:, 0] += back * visits[rows]
        return np.append(mass, max(1.0 - mass.sum(), 1e-9))

    def _prior(self, rows: Int) -> Float:
        """Prior probability of each state of some places, `(K, S)`, at most one half in all."""
        mass = self._density[rows] * self.areas(rows)
        return np.asarray(mass * min(1.0, 0.5 / max(float(mass.sum()), 1e-12)))

    def between(self, origin: Int, target: Int, hours: float, visits: Float) -> Float:
        """Probabilities of states of `target`, given states of `origin` some hours before, `(K · S + 1, L · S + 1)`.

        Args:
            origin: K places.
            target: L places.
            hours: time between them.
            visits: `(V,)` probability of each place of a return, as seen at the time of the target; their sum is the
                share of returns that go to a known place.
        """
        places, motion, h, known = self.places, self.motion, np.array(hours), float(visits.sum())
        near, back = (float(r) * known for r in motion.returns(h))
        visits = visits / known if known else visits
        km = places.km[np.ix_(origin, target)]
        # A state is what lies about its scale from its place and no nearer: between two states of one place lies the
        # difference of their scales.
        apart = places.scale_km[origin][:, :, None, None] - places.scale_km[target][None, None]
        away = np.sqrt(km[:, None, :, None] ** 2 + apart**2 + SCALES_KM[0] ** 2)
        step = np.minimum(motion.density(away, h) * self.areas(target), 1.0)
        step *= (1 - near - back) / np.maximum(step.sum(axis=(2, 3), keepdims=True), 1.0)
        if near or back:
            been = np.flatnonzero(visits)
            around = np.maximum(motion.reach(places.km[np.ix_(origin, been)], h) @ visits[been], 1e-12)
            returned = near * motion.reach(km, h) * visits[target] / around[:, None]
            step[..., 0] += (returned + back * visits[target] * feasible(km, h))[:, None, :]
        count, others = len(origin) * SCALES, len(target) * SCALES
        full = np.empty((count + 1, others + 1))
        full[:-1, :-1] = step.reshape(count, others)
        full[:-1, -1] = (1 - near - back) * float(motion.long_journeys(h)) * _LOST + 1e-9
        # By area alone, as for journeys from a known place: else a visit to a town were likelier from nowhere.
        anywhere = np.minimum(_ELSEWHERE * self.areas(target), 1e-2)
        found = -np.expm1(-((hours / _LOST_HOURS) ** 2)) * anywhere
        found[:, 0] += back * visits[target]
        full[-1, :-1] = found.ravel()
        full[-1, -1] = max(1.0 - float(found.sum()), 1e-3)
        return full


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
