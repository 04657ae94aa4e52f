"""What one photo, or one point of a track, says about its place: likelihoods of the states of an album."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from geoagent.album.ground import Ground
from geoagent.album.places import EARTH_KM2, SCALES, Places
from geoagent.places.geo import Float, LatLon, haversine_km
from geoagent.types import Float32, Int
from geoagent.worlds.world import World

OUTLIER = 0.01
"""Share of positions in files that are wrong: of another time, another place, or no place (0.01 keeps a journey
possible; see `bench_album.py`)."""
_LEAST_ACCURACY_KM = 0.02
_LEAST_NATS = 0.05  # evidence that moves no cell by more is none
_LEADING = 6  # places that a text or picture speaks for


@dataclass(frozen=True, eq=False, slots=True)
class Sighting:
    """One photo of an album, as far as its place is concerned.

    Attributes:
        key: its name in the album.
        device: what took it, "" where unknown; photos of one device are one time line.
        hours: when, in hours since 1970; NaN where unknown.
        error_hours: how far that may be off.
        gps: position in its file, or of a track.
        accuracy_km: how exact that is.
        log_ratio: `(C,)` log of what its text and picture make of each cell over the prior, None where nothing.
        leading: places that these speak for, with how far photos are from them, km.
        statements: nats by (kind, value) of its text, to see which photos say the same.
        embedding: of its picture, for the same.
    """

    key: str
    device: str = ""
    hours: float = float("nan")
    error_hours: float = 0.0
    gps: LatLon | None = None
    accuracy_km: float = _LEAST_ACCURACY_KM
    log_ratio: Float | None = None
    leading: tuple[tuple[LatLon, float], ...] = ()
    statements: Mapping[tuple[str, str], float] = field(default_factory=dict)
    embedding: Float32 | None = None

    @property
    def timed(self) -> bool:
        """Whether it is part of a time line."""
        return bool(np.isfinite(self.hours))

    @property
    def speaks(self) -> bool:
        """Whether it says anything about its place."""
        return self.gps is not None or self.log_ratio is not None

    @property
    def points(self) -> list[tuple[LatLon, float]]:
        """Places that it speaks for, with their extents in km; of a position in its file first of all."""
        own = [] if self.gps is None else [(self.gps, max(self.accuracy_km, _LEAST_ACCURACY_KM))]
        return [*own, *self.leading]


def leading_places(log_probs: Float, log_ratio: Float, world: World, named: Sequence[tuple[LatLon, float]]) -> Leading:
    """Places that a posterior speaks for: those that a text names in its leading cells, else the cells' densest places.

    Args:
        log_probs: `(C,)` posterior.
        log_ratio: `(C,)` what the evidence adds to the prior, nats.
        world: the cells.
        named: cities that the text names, with their extents in km.

    Returns:
        Places with how far photos are from them, km; () if the evidence moves no cell.
    """
    if np.ptp(log_ratio) < _LEAST_NATS:
        return ()
    cells = np.argsort(-log_probs, kind="stable")[:_LEADING]
    cells = cells[log_ratio[cells] > 0]
    found: list[tuple[LatLon, float]] = []
    at = {world.cells.at(place): (place, extent) for place, extent in reversed(named)}
    for cell in cells.tolist():
        own = at.get(cell)
        found.append(own or (LatLon(*world.densest[cell].tolist()), float(world.cells.radius_km[cell]) / 2))
    return tuple(found)


Leading = tuple[tuple[LatLon, float], ...]


class Likelihoods:
    """Likelihoods of sightings in the states of an album's places, each 1 on average over the Earth or the prior.

    Args:
        places: all places.
        world: its cells are what texts and pictures speak of.
    """

    def __init__(self, places: Places, world: World) -> None:
        self.world, self._places, self.ground = world, places, Ground(places, world)

    def of(self, sighting: Sighting, rows: Int) -> Float:
        """Likelihood of a sighting in each state of K places, `(K · S + 1,)`; the last is anywhere else."""
        found = np.ones(len(rows) * SCALES + 1)
        if sighting.log_ratio is not None:
            found *= self.ground.likelihood(sighting.log_ratio, rows)
        if sighting.gps is not None:
            found *= self._of_position(sighting.gps, sighting.accuracy_km, rows)
        return found

    def outlier(self, sighting: Sighting, rows: Int, probs: Float) -> float:
        """Probability that the position in a file is wrong, given the probabilities of its states."""
        if sighting.gps is None:
            return 0.0
        likely = self._of_position(sighting.gps, sighting.accuracy_km, rows)
        return float((probs * OUTLIER / likely).sum())

    def _of_position(self, gps: LatLon, accuracy_km: float, rows: Int) -> Float:
        places = self._places
        scale = np.hypot(places.scale_km[rows], accuracy_km)
        km = haversine_km((gps.lat, gps.lon), places.latlon[rows])[:, None]
        density = np.exp(-(km**2) / (2 * scale**2)) / (2 * np.pi * scale**2)
        density[:, 1:] = 0.0  # the position is a place of the album, and coarser states hold what lies at none
        return np.append((1 - OUTLIER) * density * EARTH_KM2 + OUTLIER, OUTLIER)
