"""Tables of places with photos or features: NPZ, CSV and Parquet in the usual layouts."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import InputError
from geoagent.optional import needs
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import Float, check_latlon
from geoagent.types import Float32, Int

_LAT = ("lat", "latitude", "lat_deg", "gps_lat", "gps_latitude", "y_lat", "true_lat")
_LON = ("lon", "lng", "long", "longitude", "lon_deg", "gps_lon", "gps_lng", "gps_longitude", "true_lon", "true_lng")
_IMAGE = ("image", "img", "path", "file", "filename", "filepath", "image_path", "img_path", "image_file", "img_file")
_ID = ("img_id", "image_id", "id", "panoid", "pano_id", "key", "name")
_SPLIT = ("split", "fold", "subset", "partition", "set")
_VECTOR = ("embedding", "embeddings", "emb", "feature", "features", "vector")
_NUMBERED = re.compile(r"^(?:e|emb|embed|embedding|f|feat|feature|dim|v|x)_?(\d+)$", re.IGNORECASE)
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SAMPLE = 400  # places sampled to check whether they lie on land


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """N places, each with V views, or with one photo yet to be embedded.

    Attributes:
        latlon: `(N, 2)` degrees.
        refs: N names of the places or photos.
        views: `(N, V, D)` features of any numeric type, or None.
        paths: N photos, or None.
        split: `(N,)` split of each row, "" if the table has none.
        notes: problems found in the file, and how they were handled.
    """

    latlon: Float
    refs: tuple[str, ...]
    views: NDArray[Any] | None = None
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
        return replace(
            self,
            latlon=self.latlon[index],
            refs=tuple(self.refs[i] for i in index),
            views=None if self.views is None else self.views[index],
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
        views = np.asarray(self.views, dtype=np.float32)
        length = np.linalg.norm(views, axis=2, keepdims=True)
        bad = np.flatnonzero(~(np.isfinite(length) & (length > 0)).all(axis=(1, 2)))
        if len(bad):
            raise InputError(f"features of row {int(bad[0])} are all zero or not finite ({len(bad)} such rows)")
        return np.asarray(views / length, dtype=np.float32)


def read_table(path: str | Path, *, images: str | Path | None = None) -> Table:
    """Read places with photos or features.

    An NPZ holds `lat (N,)`, `lon (N,)`, `views (N, V, D)` (or `embeddings (N, D)`) and optionally `split (N,)` and
    `refs (N,)`. A CSV or Parquet has one row per photo: a latitude, a longitude, and either a photo's path or id or its
    features (one column with lists, or numbered columns); column names as in IM2GPS3k, YFCC4k, MP-16 and GeoCLIP
    (IMG_ID, LAT, LON), OSV-5M (id, latitude, longitude), or plain. Swapped latitude and longitude are corrected and
    noted: the widespread file of IM2GPS3k has its LAT and LON headers swapped.

    Args:
        path: the file.
        images: folder that photo paths are relative to; the table's folder by default.

    Raises:
        InputError: the file cannot be read, lacks columns, or has invalid coordinates.
        MissingDependency: the table is Parquet and pyarrow is not installed.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"no table found at {source}")
    kind = source.suffix.lower()
    if kind == ".npz":
        return _checked(*_read_npz(source))
    if kind in (".csv", ".tsv", ".txt"):
        columns = _read_csv(source)
    elif kind in (".parquet", ".pq"):
        columns = _read_parquet(source)
    else:
        raise InputError(f"{source}: expected .npz, .csv, .tsv or .parquet, got {kind or 'no suffix'}")
    return _checked(*_from_columns(columns, source, Path(images) if images is not None else source.parent))


def _read_npz(source: Path) -> tuple[Float, Table]:
    try:
        with np.load(source, allow_pickle=False) as data:
            arrays = {name.lower(): data[name] for name in data.files}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{source} is not a readable NPZ: {error}") from error
    raw = _coordinates(arrays, source)
    views = next((arrays[name] for name in ("views", *_VECTOR) if name in arrays), None)
    if views is None:
        raise InputError(f"{source}: expected an array views (N, V, D), found {', '.join(arrays) or 'nothing'}")
    views = views[:, None, :] if views.ndim == 2 else views
    if views.dtype.kind not in "iuf":
        raise InputError(f"{source}: expected numbers in views, got {views.dtype}")
    refs = arrays["refs"].astype(str).tolist() if "refs" in arrays else [f"{source.stem}:{i}" for i in range(len(raw))]
    split = arrays["split"].astype(str) if "split" in arrays else None
    return raw, Table(np.zeros((len(raw), 2)), tuple(refs), views, None, split)


def _read_csv(source: Path) -> dict[str, list[str]]:
    try:
        text = source.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{source} cannot be read as UTF-8 text: {error}") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if len(rows) < 2:
        raise InputError(f"{source}: expected a line of column names and at least one row")
    head, body = rows[0], [row for row in rows[1:] if row]
    for number, row in enumerate(body, start=2):
        if len(row) != len(head):
            raise InputError(f"{source}, row {number}: expected {len(head)} columns, got {len(row)}")
    return {name.strip(): [row[i] for row in body] for i, name in enumerate(head)}


def _read_parquet(source: Path) -> dict[str, list[Any]]:
    with needs("train", "pyarrow"):
        import pyarrow
        import pyarrow.parquet as parquet
    try:
        read: dict[str, list[Any]] = parquet.read_table(source).to_pydict()
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{source} is not a readable Parquet file: {error}") from error
    return read


def _from_columns(columns: Mapping[str, Sequence[Any]], source: Path, images: Path) -> tuple[Float, Table]:
    names = {name.lower(): name for name in columns}
    raw = _coordinates({low: columns[name] for low, name in names.items()}, source)
    pick = next((names[n] for n in (*_IMAGE, *_ID) if n in names), None)
    refs = tuple(map(str, columns[pick])) if pick else tuple(f"{source.stem}:{i}" for i in range(len(raw)))
    part = next((names[n] for n in _SPLIT if n in names), None)
    split = np.array([str(v or "") for v in columns[part]]) if part else None
    views = _vectors(columns, names, source)
    paths = None
    if views is None:
        if pick is None:
            raise InputError(
                f"{source}: expected a column with photos ({', '.join(_IMAGE[:6])}, …) or features "
                f"({_VECTOR[0]}, or e0, e1, …); found {', '.join(columns)}"
            )
        paths = _find_images(refs, images)
    return raw, Table(np.zeros((len(raw), 2)), refs, views, paths, split)


def _vectors(columns: Mapping[str, Sequence[Any]], names: Mapping[str, str], source: Path) -> Float32 | None:
    """`(N, 1, D)` from a column of lists or from numbered columns; None if there are neither."""
    numbered = sorted((int(m[1]), name) for low, name in names.items() if (m := _NUMBERED.match(low)))
    one = next((names[n] for n in _VECTOR if n in names), None)
    try:
        if one is not None:
            cells = columns[one]
            rows = [json.loads(_listed(cell)) if isinstance(cell, str) else cell for cell in cells]
            found = np.array(rows, dtype=np.float32)
        elif len(numbered) >= 2:
            found = np.array([columns[name] for _, name in numbered], dtype=np.float32).T
        else:
            return None
    except (TypeError, ValueError) as error:
        raise InputError(f"{source}: features must be lists of numbers of one length: {error}") from error
    if found.ndim not in (2, 3):
        raise InputError(f"{source}: expected one list of numbers per row, got shape {found.shape}")
    return found[:, None, :] if found.ndim == 2 else found


def _listed(cell: str) -> str:
    """Parse a list in a CSV cell: with or without brackets, separated by commas or blanks."""
    inner = cell.strip().strip("[]()")
    return "[" + ",".join(inner.replace(",", " ").split()) + "]"


def _find_images(refs: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The file of each photo. OSV-5M and MP-16 name photos by id and store them in numbered folders."""
    by_stem: dict[str, Path] | None = None
    found = []
    for ref in refs:
        path = folder / ref
        options = [path, *(path.with_name(path.name + suffix) for suffix in _SUFFIXES)]
        hit = next((p for p in options if p.is_file()), None)
        if hit is None:
            if by_stem is None:
                by_stem = {p.stem: p for p in sorted(folder.rglob("*")) if p.suffix.lower() in _SUFFIXES}
            hit = by_stem.get(Path(ref).name) or by_stem.get(Path(ref).stem)
        found.append(hit or path)  # a missing photo is reported by name when it is embedded
    return tuple(found)


def _coordinates(columns: Mapping[str, Any], source: Path) -> Float:
    """`(N, 2)` as in the file, unchecked; NaN for missing ones."""
    pair = []
    for what, aliases in (("latitude", _LAT), ("longitude", _LON)):
        name = next((alias for alias in aliases if alias in columns), None)
        if name is None:
            raise InputError(
                f"{source}: expected a column with the {what} ({', '.join(aliases[:4])}, …); "
                f"found {', '.join(list(columns)[:20]) or 'nothing'}"
            )
        cells = [None if isinstance(v, str) and not v.strip() else v for v in np.asarray(columns[name]).tolist()]
        try:
            pair.append(np.array([np.nan if v is None else float(v) for v in cells], dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise InputError(f"{source}: the column {name} must hold degrees: {error}") from error
    if len(pair[0]) != len(pair[1]):
        raise InputError(f"{source}: {len(pair[0])} latitudes but {len(pair[1])} longitudes")
    if not len(pair[0]):
        raise InputError(f"{source} has no rows")
    return np.stack(pair, axis=1)


def _checked(raw: Float, table: Table) -> Table:
    """Set the table's coordinates: rows without any are dropped, swapped ones corrected; both are noted."""
    notes: list[str] = []
    here = np.asarray(np.isfinite(raw).all(axis=1))
    if not here.any():
        raise InputError("no row has both a latitude and a longitude")
    if not here.all():
        notes.append(f"{int((~here).sum())} of {len(here)} rows have no coordinates and were left out")
    latlon, swapped = unswap(raw[here])
    if swapped:
        notes.append("latitude and longitude were swapped in the file; they were corrected")
    nowhere = int((latlon == 0).all(axis=1).sum())
    if nowhere:
        notes.append(f"{nowhere} rows lie at 0, 0, which usually means that the place is unknown")
    kept: Int = np.flatnonzero(here)
    return replace(table.take(kept), latlon=latlon, notes=tuple(notes))


def unswap(latlon: Float) -> tuple[Float, bool]:
    """Return places in lat, lon order, and whether they were swapped.

    A latitude beyond ±90 proves a swap. Otherwise land decides: photos are taken on land, so a file whose places mostly
    fall into the sea as given and onto land when swapped is taken to be swapped.

    Args:
        latlon: `(N, 2)` degrees, as in the file.

    Raises:
        InputError: some rows are valid only one way and some only the other.
    """
    first, second = np.abs(latlon[:, 0]), np.abs(latlon[:, 1])
    if (first > 90).any():
        bad = np.flatnonzero((first > 90) & ((second > 90) | (first > 360)))
        # In a swapped file, the longitude column would never exceed 90.
        if len(bad) or (second > 90).any():
            row = int(bad[0]) if len(bad) else int(np.flatnonzero(first > 90)[0])
            raise InputError(
                f"row {row} (counted from 0) has latitude {latlon[row, 0]:g} and longitude {latlon[row, 1]:g}; "
                "a latitude lies within ±90, and the rows do not agree on which column is which"
            )
        return np.ascontiguousarray(latlon[:, ::-1]), True
    if (second > 90).any() or len(latlon) < 5:
        return latlon, False
    sample = latlon[np.linspace(0, len(latlon) - 1, min(len(latlon), _SAMPLE)).astype(np.int64)]
    gazetteer = Gazetteer.load()
    given = float(np.mean(gazetteer.countries_at(sample) != ""))
    other = float(np.mean(gazetteer.countries_at(sample[:, ::-1]) != ""))
    if given < 0.5 and other > 0.8:
        return np.ascontiguousarray(latlon[:, ::-1]), True
    return latlon, False
