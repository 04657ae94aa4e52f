"""Clustering of points on the sphere: OPTICS, weighted k-means, and a cut at the widest gap.

Distances are chords between unit vectors, which have the same order as great-circle distances and need no special cases
for ±180° or the poles.
"""

from __future__ import annotations

import numpy as np

from geoagent.optional import needs
from geoagent.places.geo import Float, to_unit
from geoagent.types import Int

_BLOCK = 256
_DIGITS = 15
"""Distances are rounded, like in scikit-learn, so that equal ones stay equal whatever the order of the sums."""


def optics_order(unit: Float, min_samples: int) -> tuple[Int, Float, Int]:
    """OPTICS with max_eps=inf (Ankerst et al. 1999): ordering, reachabilities and predecessors.

    Equivalent to scikit-learn's `compute_optics_graph(max_eps=inf)`, which queries a tree for all points at every step.
    Since all distances are needed anyway, computing one row of distances per step is about fifty times faster.

    Args:
        unit: `(N, 3)` unit vectors, N ≥ min_samples.
        min_samples: number of points within the core distance, including the point itself.

    Returns:
        `order (N,)`, `reachability (N,)` in chords (inf at the start of a walk) and `predecessor (N,)` (-1 there).
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
    # Unvisited points stay at the front of the arrays, so that every step processes fewer of them.
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
    """Cluster points by OPTICS and the xi method: `(N,)` labels from 0, -1 for noise.

    Args:
        latlon: `(N, 2)` degrees.
        min_samples: `min_samples` of OPTICS.
        xi: minimum relative drop of the reachability at a cluster's edge.
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
    """Label points `(N,)` by weighted k-means on the sphere (k-means++, at most 40 iterations); all labels occur."""
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
    """Return the normal `(3,)` of a great circle that splits points at their widest gap.

    The circle is perpendicular to the points' longest extent. At least `least` of the weight stays on either side if
    possible, else the two sides are as even as possible.

    Args:
        latlon: `(N, 2)` degrees, at least two of them different.
        weights: `(N,)` positive.
        least: minimum weight on either side.
    """
    unit = to_unit(latlon)
    centre = weights @ unit
    length = float(np.linalg.norm(centre))
    centre = centre / length if length > 1e-9 * weights.sum() else unit[0]
    spread = (unit - centre) * np.sqrt(weights)[:, None]
    spread -= np.outer(spread @ centre, centre)
    axis = np.linalg.svd(spread, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[int(np.abs(axis).argmax())])
    # In the gnomonic projection great circles are straight lines; angles give the same order, and work everywhere.
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
    if not allowed.any():  # all points lie on one perpendicular line: rotate the axis
        return np.asarray(np.cross(centre, axis), dtype=np.float64)
    # A gap at the edge has a lower weight than one near the middle: a cut should also halve the points.
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
