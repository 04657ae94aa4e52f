"""Rules by which other programs place photos without a position, from those that have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from geoagent.places.geo import LatLon, haversine_km, spherical_mean
from geoagent.types.arrays import Int
from geoagent.worlds.training.motion import Positions

Placed = tuple[np.ndarray, np.ndarray | None]
"""Places of the hidden photos, `(H, 2)`, NaN where none is given, and their 50 and 90 % radii, `(H, 2)`, or None."""


@dataclass(frozen=True)
class Case:
    """One person's positions, some of them hidden."""

    person: str
    positions: Positions
    known: np.ndarray

    @property
    def anchors(self) -> Int:
        """Indices of the known ones."""
        return np.flatnonzero(self.known)

    @property
    def hidden(self) -> Int:
        """Indices of the hidden ones."""
        return np.flatnonzero(~self.known)

    @property
    def truth(self) -> np.ndarray:
        """`(H, 2)` the hidden places."""
        return self.positions.latlon[self.hidden]

    def sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For each hidden photo the anchors before and after, clipped at the ends, and hours to each (inf there)."""
        times, anchors = self.positions.hours, self.anchors
        at = np.searchsorted(times[anchors], times[self.hidden])
        before, after = anchors[np.maximum(at - 1, 0)], anchors[np.minimum(at, len(anchors) - 1)]
        since = np.where(at > 0, times[self.hidden] - times[before], np.inf)
        until = np.where(at < len(anchors), times[after] - times[self.hidden], np.inf)
        return before, after, since, until


def nearest(case: Case, within: float = np.inf) -> Placed:
    """The place of the photo nearest in time, if that is not further than `within` hours."""
    before, after, since, until = case.sides()
    row = np.where(since <= until, before, after)
    places = case.positions.latlon[row].copy()
    places[np.minimum(since, until) > within] = np.nan
    return places, None


def straight_line(case: Case) -> Placed:
    """Between the photos before and after, on the great circle, by time; the nearest one at the ends."""
    before, after, since, until = case.sides()
    places, _ = nearest(case)
    for i in np.flatnonzero(np.isfinite(since) & np.isfinite(until)):
        places[i] = _between(case, before[i], after[i], since[i] / max(since[i] + until[i], 1e-9))
    return places, None


def photoprism(case: Case) -> Placed:
    """PhotoPrism: within 37 hours, a straight line between two photos under 100 km apart, else the nearest one."""
    before, after, since, until = case.sides()
    places, _ = nearest(case, within=37.0)
    for i in np.flatnonzero((since <= 37.0) & (until <= 37.0)):
        a, b = case.positions.latlon[before[i]], case.positions.latlon[after[i]]
        if haversine_km(a, b) < 100.0:
            share = since[i] / max(since[i] + until[i], 1e-9)
            places[i] = a + share * (b - a)
    return places, None


def exiftool(case: Case) -> Placed:
    """Exiftool -geotag: between points at most half an hour apart, else a point at most half an hour away."""
    before, after, since, until = case.sides()
    places, _ = nearest(case, within=0.5)
    for i in np.flatnonzero(since + until <= 0.5):
        places[i] = _between(case, before[i], after[i], since[i] / max(since[i] + until[i], 1e-9))
    return places, None


def random_walk(km2_per_hour: float) -> Callable[[Case], Placed]:
    """A Gaussian random walk: a Brownian bridge between the photos before and after, with the radii it implies."""

    def rule(case: Case) -> Placed:
        _, _, since, until = case.sides()
        places, _ = straight_line(case)
        inner = np.isfinite(since) & np.isfinite(until)
        hours = np.minimum(since, until)
        hours[inner] = (since[inner] * until[inner]) / np.maximum(since[inner] + until[inner], 1e-9)
        deviation = np.sqrt(km2_per_hour * hours + 0.05)
        return places, deviation[:, None] * np.sqrt(2 * np.log(1 / (1 - np.array([0.5, 0.9]))))

    return rule


def walk_rate(cases: list[Case]) -> float:
    """Variance per hour of the random walk, km², of successive known positions within three days (a robust mean)."""
    rates = []
    for case in cases:
        rows = case.anchors
        hours = np.diff(case.positions.hours[rows])
        km = haversine_km(case.positions.latlon[rows[:-1]], case.positions.latlon[rows[1:]])
        near = (hours > 0.1) & (hours < 72)
        rates += (km[near] ** 2 / (2 * hours[near])).tolist()
    return float(np.mean(np.minimum(rates, np.quantile(rates, 0.99)))) if rates else 1.0


def _between(case: Case, before: int, after: int, share: float) -> tuple[float, float]:
    pair = case.positions.latlon[[before, after]]
    if haversine_km(pair[0], pair[1]) > 19_000:
        return tuple(pair[0])
    place: LatLon = spherical_mean(pair, [1 - share, share])
    return place.lat, place.lon


RULES: Mapping[str, Callable[[Case], Placed]] = {
    "nearest in time": nearest,
    "nearest within 24 h": lambda case: nearest(case, within=24.0),
    "PhotoPrism's rule": photoprism,
    "exiftool's, 30 minutes": exiftool,
    "straight line": straight_line,
}
