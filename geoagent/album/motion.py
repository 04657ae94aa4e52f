"""How far people are from where they were, some hours later: a density over places, with few fitted parameters.

Three things happen after h hours. Somebody comes back to a place of the same town (probability r₁), or to any place
where they were before (r₂), each by how often and how recently they were there, at that time of day and on such a
day. Otherwise they are at a distance d with the density, per km² of the sphere,

    k(d | h) = (1 − w) · s / (2π (d² + s²)^(3/2)) + w · f(d),

a bivariate Cauchy distribution whose scale s grows with a power of h until it stops, and a share w of long journeys
whose distances are log-uniform. Such heavy tails and returns are what González, Hidalgo and Barabási found in mobile
phones ("Understanding individual human mobility patterns", Nature 453, 2008).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.places.geo import EARTH_RADIUS_KM, Float
from geoagent.resources import data_dir

LEAST_HOURS = 0.02
"""Shorter times count as this: photos taken within a minute or so are equally far apart."""
_NEAREST_KM, _FARTHEST_KM = 30.0, 15_000.0  # a long journey goes so far
_NEAR_SHARE = 0.2  # of long journeys, those that end within the nearest distance
_JITTER_KM = 0.05  # scale of distances at no time at all: GPS error, and a few steps
_FASTEST, _OVER, _IMPOSSIBLE = 900.0, 100.0, 1e-12  # km/h; the scale above it; what stays possible, clocks being wrong
_DAY = 24.0
_FORMAT = "geoagent.motion/1"


@dataclass(frozen=True, slots=True)
class Motion:
    """Fitted parameters of the density; times in hours, distances in km.

    Attributes:
        local_km: scale s after one hour.
        growth: exponent of its growth with time.
        local_hours: time after which it grows no further.
        far: share w of long journeys after a long time.
        far_hours: time in which that share grows to 63 % of it.
        near_return: r₁ after a long time.
        near_hours: time in which it grows to 63 % of it.
        near_km: how far such returns reach, exp(−d / near_km), after a long time.
        near_span: time until which that grows, with the root of time.
        back: r₂ after a long time.
        back_hours: time scale of its growth, 1 − (1 + h / back_hours)^(−back_power).
        back_power: see `back_hours`.
        novelty: visits known at which half of the returns go to places known (a Chinese restaurant process).
        recency_hours: a visit h hours away counts (1 + h / recency_hours)^(−recency).
        recency: see `recency_hours`.
        daily: log weight of a visit at the same time of day, against one half a day apart (half of it).
        half_daily: the same for the second harmonic.
        weekly: log weight of a visit on the same kind of day: working day or weekend.
    """

    local_km: float
    growth: float
    local_hours: float
    far: float
    far_hours: float
    near_return: float
    near_hours: float
    near_km: float
    near_span: float
    back: float
    back_hours: float
    back_power: float
    novelty: float
    recency_hours: float
    recency: float
    daily: float
    half_daily: float
    weekly: float

    def __post_init__(self) -> None:
        values = asdict(self)
        shares = (self.far, self.near_return, self.back)
        positive = (
            *("local_km", "local_hours", "far_hours", "near_hours", "near_km", "near_span"),
            *("back_hours", "recency_hours"),
        )
        if not all(np.isfinite(value) for value in values.values()) or not all(0.0 <= share < 1.0 for share in shares):
            raise InputError(f"motion: shares must lie in [0, 1) and all values be finite: {values}")
        if any(values[name] <= 0 for name in positive):
            raise InputError(f"motion: {', '.join(positive)} must be positive: {values}")

    def long_journeys(self, hours: Float) -> Float:
        """Share w of long journeys."""
        return np.asarray(self.far * -np.expm1(-hours / self.far_hours))

    def known(self, visits: float) -> float:
        """Share of returns that go to a place of one of so many visits that are known."""
        return visits / (visits + self.novelty) if visits > 0 else 0.0

    def returns(self, hours: Float) -> tuple[Float, Float]:
        """Probabilities r₁ and r₂ of a return within the town, and of any other return."""
        back = self.back * (1.0 - (1.0 + hours / self.back_hours) ** -self.back_power)
        near = (1.0 - back) * self.near_return * -np.expm1(-hours / self.near_hours)
        return np.asarray(near), np.asarray(back)

    def density(self, km: Float, hours: Float) -> Float:
        """Density k per km² at some distance after some time, without returns; arrays that broadcast."""
        scale = self.local_km * np.minimum(hours, self.local_hours) ** self.growth + _JITTER_KM
        square = km * km + scale * scale
        local = scale / (2 * np.pi * square * np.sqrt(square))
        share = self.long_journeys(hours)
        far = np.maximum(km, _NEAREST_KM)
        ring = 2 * np.pi * EARTH_RADIUS_KM * np.sin(np.clip(far / EARTH_RADIUS_KM, 0.0, np.pi - 0.02))
        long = (1 - _NEAR_SHARE) / (np.log(_FARTHEST_KM / _NEAREST_KM) * far * ring)
        long = np.where(km < _NEAREST_KM, _NEAR_SHARE / (np.pi * _NEAREST_KM**2), long)
        return np.asarray(((1 - share) * local + share * long) * feasible(km, hours))

    def reach(self, km: Float, hours: Float) -> Float:
        """Weight of a place at some distance for returns within the town."""
        return np.asarray(np.exp(-km / (self.near_km * np.sqrt(np.minimum(1.0, hours / self.near_span)))))

    def visit_weight(self, hours: float | Float, visits_hours: Float) -> Float:
        """How much each visit says about being there at a time.

        Args:
            hours: the time, in hours since 1970 (UTC); arrays broadcast.
            visits_hours: `(A,)` times of visits.
        """
        apart = hours - visits_hours
        turn = apart * (2 * np.pi / _DAY)
        same = _weekend(np.asarray(hours)) == _weekend(visits_hours)
        log = self.daily * np.cos(turn) + self.half_daily * np.cos(2 * turn) + self.weekly * same
        return np.asarray(np.exp(log) * (1.0 + np.abs(apart) / self.recency_hours) ** -self.recency)

    def save(self, path: Path, card: Mapping[str, Any]) -> None:
        """Write the parameters as JSON, with a card that says what they were fitted on."""
        data = {"format": _FORMAT, "parameters": asdict(self), "card": dict(card)}
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path | None = None) -> Motion:
        """Read parameters; without a path those that ship, fitted on check-ins (`gazetteer/SOURCES.md`).

        Raises:
            InputError: the file cannot be read or holds something else.
        """
        return _shipped() if path is None else _read(path)


def feasible(km: Float, hours: Float) -> Float:
    """Factor on journeys that would be faster than an airliner: 1 up to 900 km/h, then falling fast."""
    return np.asarray(np.maximum(np.exp(-np.maximum(0.0, km / hours - _FASTEST) / _OVER), _IMPOSSIBLE))


STILL = Motion(0.2, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
"""No motion at all: several photos of one place."""


@cache
def _shipped() -> Motion:
    return _read(data_dir("gazetteer") / "tables" / "motion.json")


def _read(path: Path) -> Motion:
    names = {field.name for field in fields(Motion)}
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    found = data.get("parameters") if isinstance(data, dict) and data.get("format") == _FORMAT else None
    if not isinstance(found, dict) or set(found) != names:
        raise InputError(f"{path}: not the parameters of motion that this version knows ({_FORMAT})")
    if not all(isinstance(value, int | float) for value in found.values()):
        raise InputError(f"{path}: the parameters must be numbers")
    return Motion(**{name: float(value) for name, value in found.items()})


def _weekend(hours: Float) -> Any:
    """Whether a time lies on a Saturday or Sunday (UTC, six hours late: nights belong to the day before)."""
    return ((hours - 6.0) / _DAY + 3.0) % 7.0 >= 5.0
