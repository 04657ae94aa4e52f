"""Calibrate probabilities and radii on photos held out from training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import InputError
from geoagent.places.geo import Float

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def fit_temperature(log_probs: ArrayLike, truth: ArrayLike, low: float = 0.3, high: float = 4.0) -> float:
    """Return the maximum-likelihood temperature for the true classes (Guo et al. 2017, section 4.2).

    The log likelihood is unimodal in log T; a golden-section search finds its maximum.

    Args:
        log_probs: `(N, C)` natural logs at temperature 1.
        truth: `(N,)` true classes.
        low: smallest temperature considered.
        high: largest temperature considered.

    Raises:
        InputError: no rows.
    """
    logits, rows = np.asarray(log_probs, dtype=np.float32), np.asarray(truth, dtype=np.int64)
    if len(rows) == 0 or logits.shape[:1] != rows.shape:
        raise InputError(
            f"expected a true class for each row of log probabilities, got shapes {logits.shape} and {rows.shape}"
        )
    logits = logits - logits.max(axis=1, keepdims=True)
    true = logits[np.arange(len(rows)), rows]

    def loss(log_t: float) -> float:
        scale = np.float32(np.exp(-log_t))
        return float(np.mean(np.log(np.exp(logits * scale).sum(axis=1)) - true * scale))

    return float(np.exp(minimise(loss, float(np.log(low)), float(np.log(high)))))


def minimise(loss: object, low: float, high: float, steps: int = 28) -> float:
    """Minimise a unimodal function of one variable by golden-section search."""
    assert callable(loss)
    a, b = low, high
    x1, x2 = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
    f1, f2 = loss(x1), loss(x2)
    for _ in range(steps):
        if f1 <= f2:
            b, x2, f2 = x2, x1, f1
            x1 = b - _GOLDEN * (b - a)
            f1 = loss(x1)
        else:
            a, x1, f1 = x1, x2, f2
            x2 = a + _GOLDEN * (b - a)
            f2 = loss(x2)
    return (a + b) / 2


def country_temperature(log_probs: ArrayLike, country: ArrayLike, truth: ArrayLike) -> float:
    """Return the maximum-likelihood temperature for the true countries.

    Smoothed labels make a head spread mass over neighbouring cells by design, so its cells look underconfident, while
    its countries, which an answer's confidence refers to, need another temperature.

    Args:
        log_probs: `(N, C)` natural logs at temperature 1.
        country: `(C,)` country of each cell, as an index.
        truth: `(N,)` true country, as an index.
    """
    logits, true = np.asarray(log_probs, dtype=np.float32), np.asarray(truth, dtype=np.int64)
    if len(true) == 0:
        raise InputError("there are no rows to fit a temperature on")
    which = np.asarray(country, dtype=np.int64)
    order = np.argsort(which, kind="stable")
    start = np.searchsorted(which[order], np.arange(int(which.max()) + 1))
    logits = (logits - logits.max(axis=1, keepdims=True))[:, order]

    def loss(log_t: float) -> float:
        p = np.exp(logits * np.float32(np.exp(-log_t)))
        mass = np.add.reduceat(p, start, axis=1)
        return float(-np.mean(np.log(mass[np.arange(len(true)), true] / mass.sum(axis=1) + 1e-30)))

    return float(np.exp(minimise(loss, float(np.log(0.3)), float(np.log(4.0)), 20)))


def picture_reliability(log_probs: ArrayLike, log_prior: ArrayLike, country: ArrayLike, truth: ArrayLike) -> float:
    """Return the reliability of a head's distribution: how often a confident head is not entirely wrong.

    It is the share of the distribution, mixed with the prior, that maximises the probability of the true countries. One
    extra photo with an entirely wrong head is added (Laplace's rule of succession): that none occurred among N does not
    show that none will.

    Args:
        log_probs: `(N, C)` natural logs.
        log_prior: `(C,)` natural logs.
        country: `(C,)` country of each cell, as an index.
        truth: `(N,)` true country, as an index.
    """
    logs, true = np.asarray(log_probs, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    if len(true) == 0:
        raise InputError("there are no rows to fit a reliability on")
    which = np.asarray(country, dtype=np.int64)
    mine = np.array([np.exp(row[which == t]).sum() for row, t in zip(logs, true, strict=True)])
    share = np.bincount(which, weights=np.exp(np.asarray(log_prior, dtype=np.float64)))[true]
    mine, share = np.append(mine, 0.0), np.append(share, np.median(share))

    def loss(log_rest: float) -> float:
        rest = np.exp(log_rest)
        return float(-np.mean(np.log((1.0 - rest) * mine + rest * share + 1e-30)))

    return 1.0 - float(np.exp(minimise(loss, float(np.log(1e-5)), float(np.log(0.3)))))


def radius_scale(distance_km: ArrayLike, radius_km: ArrayLike, share: float) -> float:
    """Return the factor by which radii must grow so that `share` of them cover the truth: a quantile of the ratios.

    This is split conformal prediction with the score distance / radius (Vovk et al. 2005): on photos like those held
    out, the scaled radius covers the truth in at least that share of cases.

    Args:
        distance_km: `(N,)` from answer to truth.
        radius_km: `(N,)` radii as computed.
        share: in (0, 1).
    """
    ratio = np.sort(
        np.asarray(distance_km, dtype=np.float64) / np.maximum(np.asarray(radius_km, dtype=np.float64), 1e-9)
    )
    if len(ratio) == 0:
        raise InputError("there are no answers to fit radii on")
    rank = min(len(ratio) - 1, int(np.ceil(share * (len(ratio) + 1))) - 1)
    return float(ratio[max(rank, 0)])


def smoothed_prior(cell: ArrayLike, count: int, share: float = 1.0) -> Float:
    """Return `(C,)` log prior of the cells from the training photos, each cell credited with `share` extra photos.

    Args:
        cell: `(N,)` the cell of each training photo.
        count: C.
        share: pseudo-count, so that no cell has zero prior.
    """
    photos = np.bincount(np.asarray(cell, dtype=np.int64), minlength=count) + share
    return np.asarray(np.log(photos / photos.sum()), dtype=np.float64)
