"""Clusters of places on the sphere: OPTICS, weighted k-means, and a cut at the widest gap.

Distances are chords between unit vectors, which order pairs of places as great circles do, with no case for ±180° or
the poles.
"""

from __future__ import annotations

import numpy as np

from geoagent.optional import needs
from geoagent.places.geo import Float, to_unit
from geoagent.types import Int

_BLOCK = 256
_DIGITS = 15
"""Distances are rounded, as scikit-learn does, so that equal ones stay equal whatever the order of the sums."""


def optics_order(unit: Float, min_samples: int) -> tuple[Int, Float, Int]:
    """OPTICS without a largest distance (Ankerst et al. 1999): the order of visits, reachabilities, predecessors.

    The same as scikit-learn's `compute_optics_graph(max_eps=inf)`, which asks a tree for all places at every step; with
    every distance of interest anyway, one row of distances a step is some fifty times faster.

    Args:
        unit: `(N, 3)` unit vectors, N ≥ min_samples.
        min_samples: places within the core distance, the place itself included.

    Returns:
        `order (N,)`, `reachability (N,)` (inf where a walk begins) and `predecessor (N,)` (-1 there), as chords.
    """
    count = len(unit)
    core = np.empty(count)
    for start in range(0, count, _BLOCK):
        near = _chords(unit[start : start + _BLOCK], unit)
        core[start : start + _BLOCK] = np.around(
            np.partition(near, min_samples - 1, axis=1)[:, min_samples - 1], _DIGITS
        )
    reach, before = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    order = np.empty(count, dtype=np.int64)
    # Places not visited yet stay in front of the arrays, so that every step is over fewer of them.
    left, places, best = np.arange(count), unit.T.copy(), np.full(count, np.inf)
    for step in range(count):
        remaining = count - step
        at = int(best[:remaining].argmin())
        point = int(left[at])
        order[step], here, own = point, places[:, [at]].copy(), core[point]
        last = remaining - 1
        left[at : remaining - 1] = left[at + 1 : remaining]
        places[:, at : remaining - 1] = places[:, at + 1 : remaining]
        best[at : remaining - 1] = best[at + 1 : remaining]
        apart = places[:, :last] - here
        new = np.maximum(np.around(np.sqrt((apart * apart).sum(axis=0)), _DIGITS), own)
        nearer = new < best[:last]
        best[:last][nearer] = new[nearer]
        reach[left[:last][nearer]] = new[nearer]
        before[left[:last][nearer]] = point
    return order, reach, before


def optics_labels(latlon: Float, min_samples: int, xi: float, min_size: int) -> Int:
    """Cluster places by OPTICS and the xi method: `(N,)` labels from 0, -1 for noise.

    Args:
        latlon: `(N, 2)` degrees.
        min_samples: as in OPTICS.
        xi: least relative drop of the reachability at the edge of a cluster.
        min_size: smaller clusters become noise.

    Raises:
        MissingDependency: scikit-learn is not installed.
    """
    with needs("train", "sklearn"):
        from sklearn.cluster import cluster_optics_xi

    if len(latlon) <= min_samples:
        return np.full(len(latlon), -1, dtype=np.int64)
    order, reach, before = optics_order(to_unit(latlon), min_samples)
    with np.errstate(divide="ignore", invalid="ignore"):
        found, _ = cluster_optics_xi(
            reachability=reach, predecessor=before, ordering=order, min_samples=min_samples, xi=xi
        )
    labels = np.asarray(found, dtype=np.int64)
    sizes = np.bincount(labels + 1, minlength=1)[1:]
    kept = np.flatnonzero(sizes >= min_size)
    renamed = np.full(len(sizes) + 1, -1, dtype=np.int64)
    renamed[kept] = np.arange(len(kept))
    return renamed[labels]


def kmeans(latlon: Float, count: int, rng: np.random.Generator, *, weights: Float | None = None) -> Int:
    """Label places `(N,)` by weighted k-means on the sphere (k-means++ start, 40 rounds at most); all labels occur."""
    unit = to_unit(latlon)
    w = np.ones(len(unit)) if weights is None else weights
    centres = unit[[int(rng.choice(len(unit), p=w / w.sum()))]]
    gap = np.full(len(unit), np.inf)
    while len(centres) < count:
        gap = np.minimum(gap, np.clip(1.0 - unit @ centres[-1], 0.0, None))
        mass = gap * w
        if mass.sum() <= 0:
            break
        centres = np.vstack([centres, unit[int(rng.choice(len(unit), p=mass / mass.sum()))]])
    labels = (unit @ centres.T).argmax(axis=1)
    for _ in range(40):
        total = np.column_stack([np.bincount(labels, unit[:, axis] * w, len(centres)) for axis in range(3)])
        length = np.linalg.norm(total, axis=1)
        centres = np.where(length[:, None] > 0, total / np.maximum(length, 1e-300)[:, None], centres)
        new = (unit @ centres.T).argmax(axis=1)
        if (new == labels).all():
            break
        labels = new
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def widest_gap(latlon: Float, weights: Float, least: float) -> Float:
    """Return the normal `(3,)` of a great circle that parts places where they leave the widest gap.

    The circle runs across the places' longest extent. At least `least` of the weight stays on either side where that
    is possible, else the two sides are as even as can be.

    Args:
        latlon: `(N, 2)` degrees, at least two of them different.
        weights: `(N,)` positive.
        least: weight wanted on either side.
    """
    unit = to_unit(latlon)
    centre = weights @ unit
    length = float(np.linalg.norm(centre))
    centre = centre / length if length > 1e-9 * weights.sum() else unit[0]
    spread = (unit - centre) * np.sqrt(weights)[:, None]
    spread -= np.outer(spread @ centre, centre)
    axis = np.linalg.svd(spread, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[int(np.abs(axis).argmax())])
    # In the gnomonic projection great circles are straight lines; angles order the places as it does, everywhere.
    along = np.arctan2(unit @ axis, unit @ centre)
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    before = np.cumsum(weights[order])[:-1]
    after = weights.sum() - before
    apart = steps > 1e-12
    even = np.minimum(before, after)
    allowed = apart & (even >= least)
    if not allowed.any():
        allowed = apart & (even >= even[apart].max(initial=0.0))
    if not allowed.any():  # all places are on one line across: turn the axis
        return np.asarray(np.cross(centre, axis), dtype=np.float64)
    # A gap at the rim is worth less than one near the middle: a cut should also halve.
    worth = np.where(allowed, steps * even, -1.0)
    cut = int(worth.argmax())
    angle = 0.5 * (along[order[cut]] + along[order[cut + 1]])
    return np.asarray(np.cos(angle) * axis - np.sin(angle) * centre, dtype=np.float64)


def _chords(a: Float, b: Float) -> Float:
    squares = np.zeros((len(a), len(b)))
    for axis in range(3):
        apart = a[:, axis, None] - b[:, axis]
        squares += apart * apart
    return np.asarray(np.sqrt(squares), dtype=np.float64)
