"""Fitting how people move (`album.motion`) on known positions of persons or devices.

Positions are hidden in three ways: half of them at random, runs of 5 to 40, and all but one in twenty. Parameters are
those under which the hidden ones are likeliest, by two proper scores of a prediction from the known ones: the log of
its density at the true place, and twice the log of its probability within 25 km, which is what people ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from geoagent.album.motion import LEAST_HOURS, Motion, feasible
from geoagent.album.places import SCALES, SCALES_KM, Places, Step
from geoagent.errors import GeoAgentError, InputError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.folders import find_photos
from geoagent.optional import needs
from geoagent.places.geo import Float, great_circle_km, to_unit
from geoagent.tables import read_rows
from geoagent.types import Int

PROTOCOLS = ("half", "runs", "most")
"""Ways to hide positions."""
START = Motion(
    local_km=0.5, growth=0.35, local_hours=20.0, far=0.5, far_hours=100.0, near_return=0.6, near_hours=1.0,
    near_km=100.0, near_span=8.0, back=0.75, back_hours=60.0, back_power=1.0, novelty=3.0, recency_hours=30.0,
    recency=0.1, daily=0.6, half_daily=0.3, weekly=0.8,
)  # fmt: skip
_SHARES = ("far", "near_return", "back")
_PLAIN = ("growth", "recency", "daily", "half_daily", "weekly")
_NEAR_KM = 25.0
_LEAST_POSITIONS = 10
_MOST = 700  # positions of one person that are used; more would only make one person count more
_PULL = 0.002  # of the parameters towards the start, per squared step in their own scale


@dataclass(frozen=True, eq=False, slots=True)
class Positions:
    """Positions of one person in order of time.

    Attributes:
        hours: `(N,)` since 1970, UTC.
        latlon: `(N, 2)` degrees.
    """

    hours: Float
    latlon: Float

    def __len__(self) -> int:
        return len(self.hours)


def read_positions(path: Path) -> dict[str, Positions]:
    """Read a table with the columns person (or device), utc (ISO 8601), lat and lon.

    Raises:
        InputError: the table cannot be read, or lacks a column.
    """
    found: dict[str, list[tuple[float, float, float]]] = {}
    for row in read_rows(path):
        person, when, place = row.get(("person", "device", "user")), row.get(("utc", "time", "taken")), row.place()
        if when is None or place is None:
            raise row.error("expected columns person, utc, lat and lon")
        try:
            taken = datetime.fromisoformat(str(when).replace("Z", "+00:00"))
        except ValueError as error:
            raise row.error(f"{when!r} is no time in ISO 8601") from error
        taken = taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)
        found.setdefault(str(person or ""), []).append((taken.timestamp() / 3600.0, *place))
    made = {}
    for person, rows in found.items():
        array = np.array(sorted(rows))
        made[person] = Positions(array[:, 0], array[:, 1:])
    return made


def known_part(count: int, protocol: str, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of a person's positions stay known, `(N,)`, under a protocol.

    Args:
        count: N.
        protocol: one of `PROTOCOLS`.
        rng: source of chance.
    """
    known = np.ones(count, dtype=bool)
    if protocol == "half":
        known[rng.permutation(count)[: count // 2]] = False
    elif protocol == "runs":
        at = int(rng.integers(5, 41))
        while at < count:
            length = int(rng.integers(5, 41))
            known[at : at + length] = False
            at += length + int(rng.integers(5, 41))
    else:
        known[:] = False
        known[rng.permutation(count)[: max(2, round(count * 0.05))]] = True
    return known


class Hidden:
    """The hidden positions of one person, and how well parameters predict them from the known ones.

    Args:
        positions: of the person.
        known: `(N,)` which are known; at least one is, and one is not.
    """

    def __init__(self, positions: Positions, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        anchors, hidden = np.flatnonzero(known), np.flatnonzero(~known)
        self._places, self._labels = Places.of(positions.latlon[anchors], np.full(len(anchors), 0.02))
        self._known, self._times = positions.hours[anchors], positions.hours[hidden]
        self._area = Step(self._places, START).areas(np.arange(len(self._places)))
        apart = SCALES_KM - SCALES_KM[0]  # as in `Step.between`
        self._spread = np.sqrt(self._places.km[:, :, None] ** 2 + apart**2 + SCALES_KM[0] ** 2)
        self._true_km = great_circle_km(to_unit(positions.latlon[hidden]), self._places.unit.T)
        after = np.searchsorted(self._known, self._times)
        self._sides = [(after - 1, after > 0), (np.minimum(after, len(anchors) - 1), after < len(anchors))]

    def __len__(self) -> int:
        return len(self._times)

    def score(self, motion: Motion) -> Float:
        """Log density at the true place plus twice the log probability within 25 km, `(H,)`."""
        mass, km = self.masses(motion), self._true_km[:, :, None]
        density = (mass * SCALES_KM / (2 * np.pi * (km**2 + SCALES_KM**2) ** 1.5)).sum(axis=(1, 2))
        near = (mass / (1 + ((km**2 + SCALES_KM**2) / _NEAR_KM**2) ** 3)).sum(axis=(1, 2))
        return np.asarray(np.log(density + 1e-12) + 2 * np.log(near + 1e-3))

    def masses(self, motion: Motion) -> Float:
        """Probability of each state of each place, `(H, V, S)`: what `Chain.told` gives where all anchors are sure."""
        weight = motion.visit_weight(self._times[:, None], self._known[None, :])
        visits = np.zeros((len(self._times), len(self._places)))
        np.add.at(visits.T, self._labels, weight.T)
        visits /= visits.sum(axis=1, keepdims=True)
        mass = np.ones((len(self._times), len(self._places), SCALES))
        for way, (rows, there) in enumerate(self._sides):
            hours = np.maximum(np.abs(self._times - self._known[rows]), LEAST_HOURS)
            step = self._step(motion, visits, self._labels[rows], hours, towards=way == 0)
            if way == 0:
                start = np.broadcast_to(self._area * 1e-7, step.shape).copy()
                start[..., 0] += motion.back * visits
                mass *= np.where(there[:, None, None], step, start)
            else:
                mass *= np.where(there[:, None, None], step, 1.0)
        return np.asarray(mass / mass.sum(axis=(1, 2), keepdims=True))

    def _step(self, motion: Motion, visits: Float, anchor: Int, hours: Float, *, towards: bool) -> Float:
        """Probability of moving from the anchor to each state, or likelihood of moving from each state to it."""
        h, known = hours[:, None], motion.known(len(self._known))
        near, back = (share * known for share in motion.returns(h))
        km = self._places.km[anchor]
        alone = (1 - near - back)[..., None] * motion.density(self._spread[anchor], h[..., None])
        slow = feasible(km, h)
        if towards:
            reach = motion.reach(km, h)
            around = np.maximum((visits * reach).sum(axis=1, keepdims=True), 1e-12)
            step = alone * self._area
            step[..., 0] += near * reach * visits / around + back * visits * slow
            return np.asarray(step)
        at = np.take_along_axis(visits, anchor[:, None], axis=1)
        area = 2 * np.pi * SCALES_KM[0] ** 2
        returned = near * at * motion.reach(km, h) / self._around(motion, visits, hours) + back * at * slow
        return np.asarray(alone + (returned / area)[..., None])

    def _around(self, motion: Motion, visits: Float, hours: Float) -> Float:
        """Visits within reach of each place, `(H, V)`; hours are rounded to steps of a tenth of their logarithm."""
        found, steps = np.empty_like(visits), np.round(np.log(hours) * 10)
        for step in np.unique(steps):
            mine = steps == step
            found[mine] = visits[mine] @ motion.reach(self._places.km, np.array(np.exp(step / 10))).T
        return np.maximum(found, 1e-12)


def fit(
    people: Sequence[Positions],
    *,
    seed: int = 0,
    steps: int = 450,
    progress: Callable[[str, int, int], None] | None = None,
) -> Motion:
    """Fit the parameters of motion.

    Args:
        people: positions of persons; those with fewer than ten are left out.
        seed: for hiding positions.
        steps: of the search (Nelder & Mead 1965); each takes about a third of a second with 5,000 positions.
        progress: is told what is done, the step and their number.

    Raises:
        InputError: nobody has enough positions.
        MissingDependency: scipy is not installed.
    """
    with needs("train", "scipy"):
        from scipy.optimize import minimize
    cases = _hidden(people, seed)
    start, done = _packed(START), 0

    def loss(vector: Float) -> float:
        nonlocal done
        done += 1
        if progress is not None:
            progress("fitting", min(done, steps), steps)
        return _PULL * float(((vector - start) ** 2).sum()) - _mean(cases, _unpacked(vector))

    simplex = start + np.vstack([np.zeros(len(start)), 0.6 * np.eye(len(start))])
    options = {"maxfev": steps, "xatol": 0.02, "fatol": 1e-4, "initial_simplex": simplex}
    return _unpacked(minimize(loss, start, method="Nelder-Mead", options=options).x)


def scored(people: Sequence[Positions], motion: Motion, *, seed: int = 0) -> float:
    """Mean score of a motion on hidden positions; more is better.

    Raises:
        InputError: nobody has enough positions.
    """
    return _mean(_hidden(people, seed), motion)


def positions_in(folder: Path) -> dict[str, Positions]:
    """Positions of the photos in a folder that have a time and a position of their own, by camera.

    Raises:
        InputError: there are no photos.
    """
    found: dict[str, list[tuple[float, float, float]]] = {}
    for path in find_photos([folder]):
        try:
            capture = capture_of(path)
        except GeoAgentError:
            continue  # no photo, or damaged
        taken = capture.utc if capture.utc is not None else capture.clock
        if taken is None or capture.position is None:
            continue
        hours = (taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)).timestamp() / 3600.0
        found.setdefault(capture.device.name, []).append((hours, *capture.position))
    arrays = {camera: np.array(sorted(rows)) for camera, rows in found.items()}
    return {camera: Positions(array[:, 0], array[:, 1:]) for camera, array in arrays.items()}


def _hidden(people: Sequence[Positions], seed: int) -> list[Hidden]:
    rng = np.random.default_rng(seed)
    cases = []
    for positions in people:
        part = Positions(positions.hours[:_MOST], positions.latlon[:_MOST])
        for protocol in (*PROTOCOLS, "most", "most") if len(part) >= _LEAST_POSITIONS else ():
            known = known_part(len(part), protocol, rng)
            if known.any() and not known.all():
                cases.append(Hidden(part, known))
    if not cases:
        raise InputError(f"motion: nobody has {_LEAST_POSITIONS} positions with times or more")
    return cases


def _mean(cases: Sequence[Hidden], motion: Motion) -> float:
    total = weights = 0.0
    for case in cases:
        weight = min(1.0, (100 / len(case)) ** 0.5)  # a person with many positions counts more, but not as much
        total += weight * float(case.score(motion).sum())
        weights += weight * len(case)
    return total / weights


def _packed(motion: Motion) -> Float:
    """Parameters as a vector without bounds: logits of shares, logs of scales."""
    values: Mapping[str, float] = asdict(motion)
    return np.array([_free(name, value) for name, value in values.items()])


def _free(name: str, value: float) -> float:
    if name in _SHARES:
        return float(np.log(value / (1 - value)))
    return value if name in _PLAIN else float(np.log(value))


def _unpacked(vector: Float) -> Motion:
    made = {}
    for name, value in zip(asdict(START), vector.tolist(), strict=True):
        if name in _SHARES:
            made[name] = float(1 / (1 + np.exp(-value)))
        else:
            made[name] = value if name in _PLAIN else float(np.exp(min(value, 12.0)))
    made["recency"] = max(made["recency"], 0.0)
    return Motion(**made)
