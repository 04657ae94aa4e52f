"""Training labels: haversine-smoothed over the geocells."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ConfigError, ShapeError
from geoagent.places.geo import EARTH_RADIUS_KM, check_latlon, to_unit
from geoagent.types import Float32

Smoothing = Literal["normalised", "released", "hard"]
"""Form of the targets: summing to 1, as in PIGEON's released code, or the true cell only."""
_TINY = 1e-9  # far cells would otherwise be denormal float32 numbers, which are slow


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
    soft = np.empty((len(places), len(g)), dtype=np.float32)
    unit = to_unit(g)
    for begin in range(0, len(places), 2048):  # the distances are float64; a block of them fits in memory
        # From cosines: exact to 0.1 km in float64, and ten times as fast as the haversine formula for all pairs.
        cosine = np.clip(to_unit(places[begin : begin + 2048]) @ unit.T, -1.0, 1.0)
        distance = EARTH_RADIUS_KM * np.arccos(cosine)
        block = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / tau_km)
        if smoothing == "normalised":
            block /= block.sum(axis=1, keepdims=True)
        block[block < _TINY] = 0.0
        soft[begin : begin + 2048] = block
    return soft
