"""Several views of one place: mean embedding, random subsets for training, and rows that are made when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from geoagent.errors import InputError
from geoagent.types import Float32

BLOCK = 8192
"""Places that are read at once where all are gone through."""


class Rows(Protocol):
    """Unit views of N places, `(N, V, D)` float32: an array, or rows that are read when asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, V and D."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Some places, `(n, V, D)` float32, by index, mask or slice."""
        ...


class UnitRows:
    """Views of any numeric type as `Rows`, without a copy of all.

    Args:
        views: `(N, V, D)`, an array or `stored.Stored`.
    """

    def __init__(self, views: Any) -> None:
        self._views = views
        self.shape: tuple[int, ...] = tuple(views.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Float32:
        """Return some places, `(n, V, D)` float32 rows of unit length.

        Raises:
            InputError: a view is all zeros or not finite.
        """
        return unit_views(self._views[rows], rows)


def unit_views(views: Any, named: Any = None) -> Float32:
    """Return views `(n, V, D)` of any numeric type as float32 rows of unit length.

    Args:
        views: the numbers.
        named: rows of the table that they are, for messages.

    Raises:
        InputError: a view is all zeros or not finite.
    """
    wide = np.asarray(views, dtype=np.float32)
    length = np.linalg.norm(wide, axis=2, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(length) & (length > 0)).all(axis=(1, 2)))
    if len(bad):
        row = int(bad[0])
        if isinstance(named, slice):
            row += named.start or 0
        elif named is not None:
            row = int(np.asarray(named)[row])
        raise InputError(f"features of row {row} are all zero or not finite ({len(bad)} such rows)")
    return np.asarray(wide / length, dtype=np.float32)


def blocks(rows: Rows, size: int = BLOCK) -> Iterator[tuple[slice, Float32]]:
    """Go through all places, block by block: where a block is, and its views."""
    for begin in range(0, len(rows), size):
        part = slice(begin, min(begin + size, len(rows)))
        yield part, rows[part]


def mean_view(views: Float32) -> Float32:
    """One embedding per place, `(N, D)` of unit length: the direction of the mean of its unit views `(N, V, D)`.

    Used wherever views are pooled: in training, in the gallery and for queries.
    """
    total = np.asarray(views, dtype=np.float32).mean(axis=1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def centre(views: Rows) -> Float32:
    """Mean of all views of all places, `(D,)`: used to centre embeddings."""
    if isinstance(views, np.ndarray):
        return np.asarray(views.reshape(-1, views.shape[-1]).mean(axis=0, dtype=np.float64), dtype=np.float32)
    total = np.zeros(views.shape[-1])
    for _, block in blocks(views):
        total += block.reshape(-1, block.shape[-1]).sum(axis=0, dtype=np.float64)
    return np.asarray(total / (len(views) * views.shape[1]), dtype=np.float32)


def draw_views(torch: Any, views: Any, generator: Any, part: slice | None = None, count: int | None = None) -> Any:
    """Means of random, non-empty subsets of each place's views, of unit length.

    A model trained on them works for any number of views.

    Args:
        torch: the torch module.
        views: `(B, V, D)` tensor of unit rows.
        generator: a torch generator on the CPU.
        part: `views` are these rows of a larger batch, for which numbers are drawn; None for the whole batch.
        count: size of the larger batch.

    Returns:
        `(B, D)` tensor.
    """
    several = views.shape[1]
    if several == 1:
        return views[:, 0]
    drawn = len(views) if count is None else count
    order = torch.rand(drawn, several, generator=generator).argsort(1)
    keep = order < torch.randint(1, several + 1, (drawn, 1), generator=generator)
    if part is not None:
        keep = keep[part]
    return torch.nn.functional.normalize((views * keep.to(views)[..., None]).sum(1), dim=1)
