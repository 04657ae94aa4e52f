"""Reliability of each kind of cue, and how it is measured.

A cue of strength s has reliability r(kind, s): the probability that it points to where the photo was taken. The curve
of a kind is given at three strengths, linear in between and 0 at strength 0. `fit` measures it on labelled texts: a cue
that assigns the true country mass m, where the prior assigns π, has the likelihood (1 − r) + r · m / π (see
`fusion`), and r maximises the likelihood of the true countries, shrunk towards the assumed curve where texts are
few.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from geoagent.errors import ResourceError
from geoagent.places.geo import Float
from geoagent.resources import data_dir

Curve = tuple[float, float, float]
"""Reliabilities of one kind at `KNOTS`."""
KNOTS = (0.25, 0.6, 1.0)
"""Strengths (weak, fair, strong) at which a curve is given."""

ASSUMED: Mapping[str, float] = MappingProxyType(
    {
        "phone": 0.97,
        "domain": 0.95,
        "registration": 0.97,
        "company": 0.93,
        "currency": 0.95,
        "brand": 0.88,
        "institution": 0.95,
        "landmark": 0.93,
        "regional": 0.88,
        "street": 0.92,
        "habit": 0.8,
        "road": 0.85,
        "direction": 0.8,
        "signword": 0.85,
        "name": 0.85,
        "plate": 0.9,
        "postcode": 0.92,
        "script": 0.97,
        "language": 0.97,
    }
)
"""Assumed reliability of each kind at full strength, before fitting; proportionally less for weaker cues."""
WORTH = 25.0
"""Weight of the assumed curve at each knot, in observations."""
_FLOOR, _CEILING = 0.02, 0.985
_GRID = np.concatenate([np.linspace(0.01, 0.95, 95), [0.96, 0.97, 0.98, 0.985]])


def assumed(kind: str) -> Curve:
    """The curve assumed for a kind; an unknown kind has reliability 0.5."""
    top = ASSUMED.get(kind, 0.5)
    low, middle, high = (top * knot for knot in KNOTS)
    return low, middle, high


def reliability(kind: str, strength: float, fitted: Mapping[str, Any] | None = None) -> float:
    """Reliability of one cue, in (0, 1).

    Args:
        kind: the cue's kind.
        strength: the cue's strength, (0, 1].
        fitted: a world's fitted curves by kind; missing kinds use the curve that ships with geoagent, else the
            assumed one. A single number is the reliability at full strength.
    """
    curve: Any = (fitted or {}).get(kind)
    if curve is None:
        curve = shipped().get(kind, assumed(kind))
    if isinstance(curve, (int, float)):
        value = float(curve) * strength
    else:
        value = float(np.interp(strength, (0.0, *KNOTS), (0.0, *map(float, curve))))
    return min(_CEILING, max(_FLOOR, value))


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Curve]:
    """The shipped curves, measured on geoagent's labelled texts.

    Raises:
        ResourceError: the file is damaged.
    """
    path = data_dir("gazetteer") / "tables" / "reliability.json"
    try:
        rows = json.loads(path.read_bytes())["reliability"]
        return MappingProxyType({kind: (float(a), float(b), float(c)) for kind, (a, b, c) in rows.items()})
    except FileNotFoundError:
        return MappingProxyType({})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResourceError(f"{path} is damaged ({error!r}); reinstall geoagent") from error


@dataclass(frozen=True, slots=True)
class Observation:
    """One cue of a text with a known place.

    Attributes:
        kind: the cue's kind.
        strength: its strength, reading included, (0, 1].
        ratio: m / π of the true country, ≥ 0.
        country_right: whether the country that it supports most is the true one.
        city_right: whether the city that it supports most is within 25 km of the true place; None if it names
            none, or the place is unknown.
        weight: weight in observations; less than 1 for generated texts.
    """

    kind: str
    strength: float
    ratio: float
    country_right: bool
    city_right: bool | None = None
    weight: float = 1.0


def fit(observations: Iterable[Observation], worth: float = WORTH) -> dict[str, Curve]:
    """Fit reliability curves by kind, treating each cue separately, by maximum likelihood of the true countries.

    Maximises Σ weight · log((1 − r) + r · ratio) plus, at each knot, `worth` times the cross entropy of the assumed
    curve, by coordinate ascent over a grid; curves never fall with strength. Kinds without observations are omitted.

    Args:
        observations: cues of labelled texts.
        worth: weight of the assumed curve at each knot, in observations.
    """
    by_kind: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        by_kind[one.kind].append(one)
    return {kind: _curve(kind, rows, worth) for kind, rows in sorted(by_kind.items())}


def _curve(kind: str, rows: Sequence[Observation], worth: float) -> Curve:
    start = np.clip(assumed(kind), _FLOOR, _CEILING)
    basis = np.array([[np.interp(row.strength, (0.0, *KNOTS), (0.0, *unit)) for unit in np.eye(3)] for row in rows])
    ratio, weight = np.array([row.ratio for row in rows]), np.array([row.weight for row in rows])

    def value(curve: Float) -> float:
        r = np.clip(basis @ curve, _FLOOR, _CEILING)
        data = float((weight * np.log((1 - r) + r * ratio)).sum())
        return data + worth * float((start * np.log(curve) + (1 - start) * np.log(1 - curve)).sum())

    curve = start.copy()
    for _ in range(20):
        before = curve.copy()
        for k in range(3):
            low = curve[k - 1] if k else 0.0
            high = curve[k + 1] if k < 2 else 1.0
            grid = _GRID[(low - 1e-9 <= _GRID) & (high + 1e-9 >= _GRID)]
            if len(grid):
                trial = np.repeat(curve[None], len(grid), axis=0)
                trial[:, k] = grid
                curve = trial[int(np.argmax([value(t) for t in trial]))]
        if np.abs(curve - before).max() < 1e-9:
            break
    return tuple(round(float(r), 3) for r in curve)  # type: ignore[return-value]


def log_loss(observations: Sequence[Observation], curves: Mapping[str, Any] | None) -> float:
    """Mean of −log((1 − r) + r · ratio), in nats per cue: below 0 if the cues are more informative than the prior.

    Args:
        observations: at least one.
        curves: as for `reliability`; {} for the curves that ship with geoagent.
    """
    total = 0.0
    for one in observations:
        r = reliability(one.kind, one.strength, curves)
        total -= float(np.log((1 - r) + r * one.ratio))
    return total / len(observations)
