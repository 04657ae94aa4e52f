"""The geocells of one world: their positions, countries and polygons, and the assignment of points to cells."""

from __future__ import annotations

import hashlib
import itertools
import lzma
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float, LatLon, check_latlon, to_unit
from geoagent.places.geocells.cover import Cover
from geoagent.types import Int

Text = NDArray[np.str_]
_POLYGONS = "polygons.wkb.xz"
PRESET = 6
"""Of xz: 4 s for the polygons of the starter world, and as small as with 9."""
_CELLS = "cells.npz"
_NONE: Int = np.zeros(0, dtype=np.int64)
_REMEMBERED = 100_000  # cached points of `at`


@dataclass(frozen=True, eq=False)
class Geocells:
    """C cells that tile the land.

    Attributes:
        centroids: `(C, 2)` degrees: spherical mean of the locations of the cell's photos.
        country: `(C,)` ISO 3166-1 alpha-2.
        admin1: `(C,)` GeoNames admin-1 code ("DE.07"), "" if unknown.
        radius_km: `(C,)` distance from the centroid that contains half of the cell's photos.
        wkb: C polygons as WKB in lon, lat order (the border format), or a function that reads them, or None.
    """

    centroids: Float
    country: Text
    admin1: Text
    radius_km: Float
    wkb: Sequence[bytes] | Callable[[], Sequence[bytes]] | None = None

    def __post_init__(self) -> None:
        count = len(self.centroids)
        arrays: dict[str, NDArray[Any]] = {
            "centroids": check_latlon(np.asarray(self.centroids, dtype=np.float64).reshape(-1, 2)),
            "country": np.array(self.country, dtype=np.str_),
            "admin1": np.array(self.admin1, dtype=np.str_),
            "radius_km": np.array(self.radius_km, dtype=np.float64),
        }
        if count == 0:
            raise ShapeError("a world needs at least one geocell")
        for name, array in arrays.items():
            if len(array) != count:
                raise ShapeError(f"Geocells.{name}: expected {count} rows, got {len(array)}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.centroids)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that must match those in the head, index and calibration of these cells."""
        # Rounded like in `save`, so that the fingerprint is the same before and after saving.
        kept = self.centroids.astype(np.float32).astype(np.float64)
        digest = hashlib.sha256(np.round(kept, 6).tobytes())
        digest.update("\n".join(self.country.tolist()).encode())
        return digest.hexdigest()[:16]

    @cached_property
    def country_codes(self) -> tuple[str, ...]:
        """Countries with cells, sorted."""
        return tuple(np.unique(self.country).tolist())

    @cached_property
    def country_number(self) -> Mapping[str, int]:
        """Index of each country in `country_codes`."""
        return MappingProxyType({code: i for i, code in enumerate(self.country_codes)})

    @cached_property
    def country_index(self) -> Int:
        """`(C,)` index of each cell's country in `country_codes`."""
        return np.searchsorted(np.array(self.country_codes), self.country).astype(np.int64)

    @cached_property
    def polygons(self) -> tuple[Any, ...]:
        """C shapely geometries, lon, lat; () if the world has no polygons.

        Raises:
            WorldError: the polygon file is damaged or has a different number of cells.
        """
        if self.wkb is None:
            return ()
        import shapely

        raw = self.wkb() if callable(self.wkb) else self.wkb
        try:
            shapes = shapely.from_wkb(list(raw))
        except (shapely.errors.ShapelyError, TypeError) as error:
            raise WorldError(f"the polygons of the geocells cannot be read: {error}") from error
        if len(shapes) != len(self):
            raise WorldError(f"expected polygons of {len(self)} geocells, got {len(shapes)}")
        return tuple(shapes)

    @cached_property
    def _cover(self) -> Cover:
        return Cover(self.polygons)

    def assign(self, latlon: ArrayLike) -> Int:
        """Return the cell of each point: the one whose polygon covers it, else the one with the nearest polygon.

        If the world has no polygons, the cell with the nearest centroid is returned.

        Args:
            latlon: `(N, 2)` degrees.

        Returns:
            `(N,)` int64 indices.
        """
        places = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
        if not self.polygons:
            return np.asarray((to_unit(places) @ self.unit.T).argmax(axis=1), dtype=np.int64)
        return self._cover.index(places)

    @cached_property
    def unit(self) -> Float:
        """`(C, 3)` unit vectors of the centroids: the nearest one has the largest dot product."""
        return to_unit(self.centroids)

    def at(self, place: LatLon) -> int:
        """Return the cell of one point, as by `assign`; results are cached."""
        return self._at(place)

    @cached_property
    def _at(self) -> Callable[[LatLon], int]:
        return lru_cache(maxsize=_REMEMBERED)(lambda place: int(self.assign([(place.lat, place.lon)])[0]))

    def inside(self, country: str, admin1: str = "") -> Int:
        """Return the indices of the cells of a country, or of one of its admin-1 units, ascending; may be empty."""
        return self._areas.get((country, admin1), _NONE)

    @cached_property
    def _areas(self) -> dict[tuple[str, str], Int]:
        rows: dict[tuple[str, str], list[int]] = {}
        for i, (country, unit) in enumerate(zip(self.country.tolist(), self.admin1.tolist(), strict=True)):
            rows.setdefault((country, ""), []).append(i)
            if unit:
                rows.setdefault((country, unit), []).append(i)
        return {key: np.array(found, dtype=np.int64) for key, found in rows.items()}

    def by_country(self, per_cell: Float) -> Float:
        """Sum `(C,)` values over the cells of each country: `(len(country_codes),)`."""
        return np.bincount(self.country_index, weights=per_cell, minlength=len(self.country_codes)).astype(np.float64)

    def save(self, folder: Path) -> None:
        """Write the cells into `folder`."""
        np.savez_compressed(
            folder / _CELLS,
            centroids=self.centroids.astype(np.float32),
            country=self.country,
            admin1=self.admin1,
            radius_km=self.radius_km.astype(np.float32),
        )
        if self.polygons:
            import shapely

            pack_wkb(folder / _POLYGONS, [shapely.to_wkb(shape) for shape in self.polygons])

    @classmethod
    def load(cls, folder: Path) -> Geocells:
        """Load cells written by `save`; polygons are read on first use.

        Raises:
            WorldError: files are missing or damaged.
        """
        try:
            with np.load(folder / _CELLS, allow_pickle=False) as data:
                arrays = {name: data[name] for name in ("centroids", "country", "admin1", "radius_km")}
        except FileNotFoundError as error:
            raise WorldError(f"{folder} is not a world: {_CELLS} is missing") from error
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{folder / _CELLS} is damaged: {error}") from error
        path = folder / _POLYGONS
        return cls(**arrays, wkb=(lambda: unpack_wkb(path)) if path.exists() else None)


def pack_wkb(path: Path, shapes: Sequence[bytes]) -> None:
    """Write byte strings to one xz file: their count, their lengths (little-endian uint32), then the strings."""
    head = struct.pack(f"<I{len(shapes)}I", len(shapes), *map(len, shapes))
    path.write_bytes(lzma.compress(head + b"".join(shapes), preset=PRESET))


def unpack_wkb(path: Path) -> list[bytes]:
    """Read a file written by `pack_wkb`.

    Raises:
        WorldError: the file is missing or damaged.
    """
    try:
        raw = lzma.decompress(path.read_bytes())
        (count,) = struct.unpack_from("<I", raw)
        lengths = struct.unpack_from(f"<{count}I", raw, 4)
    except (OSError, lzma.LZMAError, struct.error) as error:
        raise WorldError(f"{path} is damaged: {error}") from error
    ends = np.cumsum((4 + 4 * count, *lengths)).tolist()
    if ends[-1] != len(raw):
        raise WorldError(f"{path} is damaged: expected {ends[-1]} bytes, got {len(raw)}")
    return [raw[a:b] for a, b in itertools.pairwise(ends)]
