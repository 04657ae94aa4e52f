"""Training labels: haversine-smoothed over the geocells."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ConfigError, ShapeError
from geoagent.places.geo import EARTH_RADIUS_KM, Float, check_latlon, to_unit
from geoagent.types import Float32, Int

Smoothing = Literal["normalised", "released", "hard"]
"""Form of the targets: summing to 1, as in PIGEON's released code, or the true cell only."""
KEPT = 1 << 29
"""Bytes up to which the targets of all places are made at once; beyond, those of a batch when it is trained on."""
_TINY = 1e-9  # far cells would otherwise be denormal float32 numbers, which are slow
_FAR = 20.8  # scales beyond the nearest cell from which on a share is below `_TINY`: exp(-20.8) is 0.9e-9
_AT_ONCE = 1 << 23  # distances


def smooth_labels(
    latlon: ArrayLike,
    cell: ArrayLike,
    centroids: ArrayLike,
    tau_km: float = 75.0,
    smoothing: Smoothing = "normalised",
) -> Float32:
    """Return soft targets `(N, C)`: exp(−(d(gᵢ, x) − d(g_c*, x)) / τ), d the great-circle distance.

    This is eq. 2 of Haas et al. 2024 (PIGEON). "normalised" divides by the sum over cells, which cancels the term of
    the true cell and gives every photo equal weight. "released" is the form of the paper's released code, with the
    nearest centroid as g_c* and the sum left above 1, so that photos where cells are dense weigh more.

    Args:
        latlon: `(N, 2)` true positions of the photos, degrees.
        cell: `(N,)` their true cells c*; only used by "hard".
        centroids: `(C, 2)` degrees, g.
        tau_km: τ; PIGEON uses 75, PIGEOTTO 65.
        smoothing: see `Smoothing`.

    Raises:
        ConfigError: τ is not positive, or no such smoothing.
        ShapeError: places and cells of different length.
    """
    if not 0 < tau_km < np.inf:
        raise ConfigError(f"tau_km must be a positive number, got {tau_km}")
    places, g = check_latlon(latlon).reshape(-1, 2), check_latlon(centroids).reshape(-1, 2)
    true = np.asarray(cell, dtype=np.int64)
    if true.shape != (len(places),):
        raise ShapeError(f"expected the cell of each of {len(places)} photos, got shape {true.shape}")
    if smoothing == "hard":
        hard = np.zeros((len(places), len(g)), dtype=np.float32)
        hard[np.arange(len(places)), true] = 1.0
        return hard
    if smoothing not in ("normalised", "released"):
        raise ConfigError(f"no smoothing {smoothing!r}; choose normalised, released or hard")
    soft = np.zeros((len(places), len(g)), dtype=np.float32)
    unit = to_unit(g)
    size = max(1, min(2048, _AT_ONCE // len(g)))  # the distances are float64; a block of them fits in memory
    for begin in range(0, len(places), size):
        # From cosines: exact to 0.1 km in float64, and ten times as fast as the haversine formula for all pairs.
        cosine = np.clip(to_unit(places[begin : begin + size]) @ unit.T, -1.0, 1.0)
        least = np.arccos(cosine.max(axis=1))
        # Most cells are so far away that their share is nothing; the others alone are computed.
        near = cosine >= np.cos(np.minimum(least + _FAR * tau_km / EARTH_RADIUS_KM, np.pi))[:, None]
        row, column = np.nonzero(near)
        share = np.exp((least[row] - np.arccos(cosine[row, column])) * (EARTH_RADIUS_KM / tau_km))
        if smoothing == "normalised":
            share /= np.bincount(row, share, len(cosine))[row]
        share[share < _TINY] = 0.0
        soft[begin + row, column] = share
    return soft


class Labels:
    """The targets of `smooth_labels`, made for the rows that are asked for.

    Args:
        latlon: `(N, 2)` degrees.
        cell: `(N,)` true cells.
        centroids: `(C, 2)` degrees.
        tau_km: see `smooth_labels`.
        smoothing: see `Smoothing`.
    """

    def __init__(self, latlon: Float, cell: Int, centroids: Float, tau_km: float, smoothing: Smoothing) -> None:
        self._latlon, self._cell, self._centroids = latlon, cell, centroids
        self._tau_km, self._smoothing = tau_km, smoothing
        self.shape = (len(latlon), len(centroids))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Float32:
        """Return the targets `(n, C)` of some rows, by index or slice."""
        return smooth_labels(self._latlon[rows], self._cell[rows], self._centroids, self._tau_km, self._smoothing)


def labels_of(latlon: Float, cell: Int, centroids: Float, tau_km: float, smoothing: Smoothing) -> Float32 | Labels:
    """Return the targets as one array if they are few, else as `Labels`; arguments as there."""
    if 4 * len(latlon) * len(centroids) <= KEPT:
        return smooth_labels(latlon, cell, centroids, tau_km, smoothing)
    return Labels(latlon, cell, centroids, tau_km, smoothing)
