"""Arrays of the values: types, the check that every value makes, and log-normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ShapeError
from geoagent.places.geo import Float

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Int = NDArray[np.int64]


def freeze(owner: Any, name: str, value: ArrayLike, dtype: Any, shape: tuple[int | None, ...], letters: str) -> None:
    """Cast, check and lock one array field of a frozen value."""
    array = np.array(value, dtype=dtype)
    if array.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, array.shape, strict=True)
    ):
        raise ShapeError(f"{type(owner).__name__}.{name}: expected {letters}, got shape {array.shape}")
    array.setflags(write=False)
    object.__setattr__(owner, name, array)


def log_normalise(log_weights: ArrayLike) -> Float:
    """Subtract the log of the sum of exponentials, so that the exponentials sum to 1.

    Raises:
        ShapeError: there is nothing to normalise, or no entry is finite.
    """
    x = np.asarray(log_weights, dtype=np.float64)
    top = x.max() if x.size else -np.inf
    if not np.isfinite(top):
        raise ShapeError("cannot normalise log weights: none of them is finite")
    return np.asarray(x - (top + np.log(np.exp(x - top).sum())), dtype=np.float64)
