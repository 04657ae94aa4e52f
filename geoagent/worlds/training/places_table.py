"""A table of places, each with views, or with a photo yet to be embedded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import InputError
from geoagent.places.geo import Float, check_latlon
from geoagent.types import Float32
from geoagent.worlds.training.stored import Stored
from geoagent.worlds.training.views import Rows, UnitRows, unit_views

_AT_ONCE = 1 << 31  # bytes up to which all views are held as float32


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """N places, each with V views, or with one photo yet to be embedded.

    Attributes:
        latlon: `(N, 2)` degrees.
        refs: N names of the places or photos.
        views: `(N, V, D)` features of any numeric type, in memory or in their file; or None.
        paths: N photos, or None.
        split: `(N,)` split of each row, "" if the table has none.
        notes: problems found in the file, and how they were handled.
    """

    latlon: Float
    refs: tuple[str, ...]
    views: NDArray[Any] | Stored | None = None
    paths: tuple[Path, ...] | None = None
    split: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.refs)
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        split = np.full(count, "") if self.split is None else np.asarray(self.split, dtype=np.str_)
        object.__setattr__(self, "split", split)
        if self.views is not None and (self.views.ndim != 3 or 0 in self.views.shape):
            raise InputError(f"expected views of shape (N, V, D), none of them 0; got shape {self.views.shape}")
        for name in ("latlon", "views", "paths", "split"):
            part = getattr(self, name)
            if part is not None and len(part) != count:
                raise InputError(f"table: expected {count} rows of {name}, got {len(part)}")

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, sorted; () if the table has none."""
        assert self.split is not None
        return tuple(name for name in np.unique(self.split).tolist() if name)

    def take(self, rows: ArrayLike) -> Table:
        """Return a table of the given rows, by index or mask, in order."""
        index = np.arange(len(self))[np.asarray(rows)]
        assert self.split is not None
        views: Any = self.views
        if views is not None:
            views = views.take(index) if isinstance(views, Stored) else views[index]
        return replace(
            self,
            latlon=self.latlon[index],
            refs=tuple(self.refs[i] for i in index),
            views=views,
            paths=None if self.paths is None else tuple(self.paths[i] for i in index),
            split=self.split[index],
        )

    def part(self, name: str) -> Table:
        """Return the rows of one split.

        Raises:
            InputError: the table has no such split.
        """
        assert self.split is not None
        if name not in self.splits:
            raise InputError(f"no split named {name!r}; the table has {', '.join(self.splits) or 'no splits'}")
        return self.take(self.split == name)

    def unit_views(self) -> Float32:
        """Return the views as float32 rows of unit length, `(N, V, D)`.

        Raises:
            InputError: the table has photos but no features yet, or a view is all zeros or not finite.
        """
        if self.views is None:
            raise InputError("the table has no features; embed its photos first")
        return unit_views(self.views[:] if isinstance(self.views, Stored) else self.views)

    def unit_rows(self) -> Rows:
        """Return the views as `unit_views` does, at once if they are few, else read and made when asked for.

        Raises:
            InputError: as for `unit_views`; of rows that are read later, when they are.
        """
        views = self.views
        small = views is None or (not isinstance(views, Stored) and 4 * int(np.prod(views.shape)) <= _AT_ONCE)
        return self.unit_views() if small else UnitRows(views)
