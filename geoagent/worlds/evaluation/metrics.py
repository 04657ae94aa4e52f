"""Metrics: distances, scores, calibration, and confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ShapeError
from geoagent.places.geo import Float
from geoagent.types import Int

THRESHOLDS_KM = (1.0, 25.0, 200.0, 750.0, 2500.0)
"""Street, city, region, country and continent (Hays & Efros 2008; Vo et al. 2017)."""
GEOSCORE_KM = 1492.7
"""Decay of GeoGuessr's score on its world map (Haas et al. 2024, PIGEON)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its 95 % interval.

    Attributes:
        value: the figure over all rows.
        low: 2.5 % quantile under resampling; NaN without resampling.
        high: 97.5 % quantile.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")


def within_km(distance_km: ArrayLike, limit_km: float) -> NDArray[np.bool_]:
    """Which of the distances `(N,)` are at most `limit_km`; an unanswered row (NaN or inf) is not."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.asarray(distance_km, dtype=np.float64) <= limit_km)


def geoscore(distance_km: ArrayLike) -> Float:
    """GeoGuessr's points, 5000 · exp(−d / 1492.7), `(N,)`; 0 for an unanswered row (NaN or inf)."""
    distance = np.asarray(distance_km, dtype=np.float64)
    return np.asarray(np.where(np.isfinite(distance), 5000.0 * np.exp(-distance / GEOSCORE_KM), 0.0))


class Bootstrap:
    """Bootstrap over rows, with the same draws for every figure so that figures of one run can be compared.

    Rows that are not independent (photos of one block of land, of one photographer) are drawn together by group;
    otherwise intervals would be too narrow.
    """

    def __init__(self, rows: int, rounds: int = 1000, seed: int = 0, groups: ArrayLike | None = None) -> None:
        """Prepare the draws.

        Args:
            rows: N, the number of rows.
            rounds: number of resamples; 0 gives figures without intervals.
            seed: random seed.
            groups: `(N,)` group of each row, or None if rows are independent.

        Raises:
            ShapeError: no rows, or groups of the wrong length.
        """
        if rows < 1:
            raise ShapeError("there are no rows to measure")
        self.rows = rows
        self._rng = np.random.default_rng(seed)
        self._draws: list[Int] = []
        if groups is None:
            self._draws = [self._rng.integers(0, rows, rows) for _ in range(rounds)]
            return
        names, member = np.unique(np.asarray(groups), return_inverse=True)
        if member.shape != (rows,):
            raise ShapeError(f"expected groups of shape ({rows},), got {member.shape}")
        order = np.argsort(member, kind="stable")
        start = np.searchsorted(member[order], np.arange(len(names) + 1))
        pieces = [order[start[g] : start[g + 1]] for g in range(len(names))]
        for _ in range(rounds):
            drawn = self._rng.integers(0, len(names), len(names))
            self._draws.append(np.concatenate([pieces[g] for g in drawn]))

    def __call__(self, values: ArrayLike, statistic: Callable[[Any], float] = np.mean) -> Figure:
        """Return a figure of rows `(N, …)` with its interval.

        Args:
            values: one entry per row; booleans count as 0 and 1.
            statistic: reduces rows to one number.

        Raises:
            ShapeError: wrong number of rows.
        """
        array = np.asarray(values)
        if len(array) != self.rows:
            raise ShapeError(f"expected {self.rows} rows, got {len(array)}")
        array = array.astype(np.float64) if array.dtype == bool else array
        whole = float(statistic(array))
        if not self._draws:
            return Figure(whole)
        again = np.array([statistic(array[draw]) for draw in self._draws], dtype=np.float64)
        finite = again[~np.isnan(again)]
        if not len(finite):
            return Figure(whole)
        # "lower" and "higher" keep an infinite median (most rows unanswered) from becoming NaN by interpolation.
        low = float(np.quantile(finite, 0.025, method="lower"))
        return Figure(whole, low, float(np.quantile(finite, 0.975, method="higher")))


def median_km(distance_km: Any) -> float:
    """Median of distances; an unanswered row (NaN) counts as infinitely far."""
    distance = np.sort(np.where(np.isnan(distance_km), np.inf, distance_km))
    middle = len(distance) // 2
    if len(distance) % 2:
        return float(distance[middle])
    low, high = float(distance[middle - 1]), float(distance[middle])
    return high if np.isinf(high) else (low + high) / 2


def reliability_bins(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> tuple[Float, Float, Int]:
    """Mean confidence, accuracy and count in each of `bins` equal bins of confidence; NaN for empty bins."""
    p = np.asarray(confidence, dtype=np.float64)
    hit = np.asarray(correct, dtype=np.float64)
    if p.shape != hit.shape or p.ndim != 1:
        raise ShapeError(f"expected confidence and correct of the same shape (N,), got {p.shape} and {hit.shape}")
    which = np.clip(np.ceil(p * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_p = np.bincount(which, weights=p, minlength=bins) / count
        mean_hit = np.bincount(which, weights=hit, minlength=bins) / count
    return mean_p, mean_hit, count.astype(np.int64)


def ece(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error: mean of |accuracy − confidence| over bins, weighted by their rows (Guo et al. 2017).

    Args:
        confidence: `(N,)` stated probability of the answer.
        correct: `(N,)` whether the answer was right.
        bins: number of bins of equal width.
    """
    p, hit, count = reliability_bins(confidence, correct, bins)
    full = count > 0
    return float((np.abs(p[full] - hit[full]) * count[full]).sum() / count.sum())


def ece_by_chance(confidence: ArrayLike, bins: int = 15, *, draws: int = 1000, seed: int = 0) -> float:
    """Median `ece` of perfectly calibrated answers: the value that small samples show by chance.

    Args:
        confidence: `(N,)` stated probability of the answer.
        bins: number of bins of equal width.
        draws: number of random assignments of right and wrong.
        seed: random seed.
    """
    p = np.asarray(confidence, dtype=np.float64)
    dice = np.random.default_rng(seed)
    return float(np.median([ece(p, dice.random(len(p)) < p, bins) for _ in range(draws)]))


def log_loss(log_probs: ArrayLike, truth: ArrayLike) -> Float:
    """Negative log probability of the true class, `(N,)` nats, capped at 50 where that probability is zero.

    Args:
        log_probs: `(N, C)` natural logs.
        truth: `(N,)` indices.
    """
    logs = np.asarray(log_probs, dtype=np.float64)
    return np.asarray(-np.maximum(logs[np.arange(len(logs)), np.asarray(truth)], -50.0))
