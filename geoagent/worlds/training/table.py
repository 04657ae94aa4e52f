"""Tables of places with photos or features: NPZ, CSV and Parquet in the usual layouts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.optional import needs
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import Float
from geoagent.tables import ID, IMAGE, LAT, LON, XY, number, plain, read_sheet
from geoagent.types import Float32, Int
from geoagent.worlds.training import stored
from geoagent.worlds.training.places_table import Table
from geoagent.worlds.training.stored import Stored, map_member, map_npy, parquet_features

__all__ = ["Table", "read_table", "unswap"]

_NAMED = (*ID, "names", "refs")
_SPLIT = ("split", "fold", "subset", "partition", "set")
_VECTOR = ("embedding", "embeddings", "emb", "feature", "features", "vector")
_NUMBERED = re.compile(r"^(?:e|emb|embed|embedding|f|feat|feature|dim|v|x)_?(\d+)$", re.IGNORECASE)
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SAMPLE = 400  # places sampled to check whether they lie on land


def read_table(path: str | Path, *, images: str | Path | None = None) -> Table:
    """Read places with photos or features.

    An NPZ holds `lat (N,)`, `lon (N,)`, `views (N, V, D)` (or `embeddings (N, D)`) and optionally `split (N,)` and
    `refs (N,)`. A CSV or Parquet has one row per photo: a latitude, a longitude, and either a photo's path or id or its
    features (one column with lists, or numbered columns); column names as in IM2GPS3k, YFCC4k, MP-16 and GeoCLIP
    (IMG_ID, LAT, LON), OSV-5M (id, latitude, longitude), or plain. Swapped latitude and longitude are corrected and
    noted: the widespread file of IM2GPS3k has its LAT and LON headers swapped.

    Features above half a gigabyte stay in their file (see `stored`), as do those of an NPY file, which has its
    coordinates in a CSV of the same name with one line per row.

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
        return _checked(*_read_npz(source), source)
    if kind == ".npy":
        return _checked(*_read_npy(source), source)
    views = None
    if kind in (".csv", ".tsv", ".tab", ".txt"):
        columns, numbers = _read_sheet(source)
    elif kind in (".parquet", ".pq"):
        columns, views = _read_parquet(source)
        numbers = None
    else:
        raise InputError(f"{source}: expected .npz, .npy, .csv, .tsv or .parquet, got {kind or 'no suffix'}")
    folder = Path(images) if images is not None else source.parent
    return _checked(*_from_columns(columns, source, folder, numbers, views), source, numbers)


def _read_sheet(source: Path) -> tuple[Mapping[str, Sequence[Any]], Sequence[int]]:
    sheet = read_sheet(source)
    if not sheet.body:
        raise InputError(f"{source}: expected a line of column names and at least one row")
    return dict(zip(sheet.columns, zip(*sheet.body, strict=True), strict=True)), sheet.numbers


def _read_npy(source: Path) -> tuple[Float, Table]:
    """Features in an NPY file, the rest in the CSV beside it."""
    beside = source.with_suffix(".csv")
    if not beside.is_file():
        raise InputError(f"{source}: expected {beside.name} beside it, with a latitude and a longitude for each row")
    views = map_npy(source)
    if views.ndim not in (2, 3) or views.dtype.kind not in "iuf":
        raise InputError(f"{source}: expected numbers (N, D) or (N, V, D), got {views.dtype} {views.shape}")
    columns, numbers = _read_sheet(beside)
    count = len(next(iter(columns.values())))
    if count != len(views):
        raise InputError(f"{source} has {len(views)} rows, but {beside.name} has {count}")
    stored = Stored(views[:, None, :] if views.ndim == 2 else views)
    return _from_columns(columns, beside, source.parent, numbers, stored)


def _read_npz(source: Path) -> tuple[Float, Table]:
    large = source.stat().st_size > stored.LARGE
    try:
        with np.load(source, allow_pickle=False) as data:
            features = {name for name in data.files if name.lower() in ("views", *_VECTOR)} if large else set()
            arrays = {name.lower(): data[name] for name in data.files if name not in features}
            for name in features:
                mapped = map_member(source, name)
                arrays[name.lower()] = data[name] if mapped is None else mapped
    except InputError:
        raise
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
    kept = Stored(views) if isinstance(views, np.memmap) else views
    return raw, Table(np.zeros((len(raw), 2)), tuple(refs), kept, None, split)


def _read_parquet(source: Path) -> tuple[dict[str, Any], Stored | None]:
    """The columns, and the features where they are too large to be among them."""
    with needs("train", "pyarrow"):
        import pyarrow
        import pyarrow.parquet as parquet
    try:
        if source.stat().st_size <= stored.LARGE:
            read: dict[str, Any] = parquet.read_table(source).to_pydict()
            return read, None
        names = parquet.read_schema(source).names
        one = next((name for name in names if plain(name) in _VECTOR), None)
        numbered = _numbered(names)
        if one is None and len(numbered) < 2:
            return parquet.read_table(source).to_pydict(), None
        rest = [name for name in names if name != one and name not in numbered]
        views = Stored(parquet_features(source, one, numbered))
        return parquet.read_table(source, columns=rest).to_pydict(), views
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{source} is not a readable Parquet file: {error}") from error


def _from_columns(
    columns: Mapping[str, Sequence[Any]],
    source: Path,
    images: Path,
    numbers: Sequence[int] | None,
    views: Any = None,
) -> tuple[Float, Table]:
    names = {plain(name): name for name in reversed(list(columns))}
    raw = _coordinates(columns, source, numbers)
    pick = next((names[plain(n)] for n in (*IMAGE, *_NAMED) if plain(n) in names), None)
    refs = tuple(map(str, columns[pick])) if pick else tuple(f"{source.stem}:{i}" for i in range(len(raw)))
    part = next((names[n] for n in _SPLIT if n in names), None)
    split = np.array([str(v or "") for v in columns[part]]) if part else None
    views = _vectors(columns, names, source, numbers) if views is None else views
    paths = None
    if views is None:
        if pick is None:
            raise InputError(
                f"{source}: expected a column with photos ({', '.join(IMAGE[:6])}, …) or features "
                f"({_VECTOR[0]}, or e0, e1, …); found {', '.join(columns)}"
            )
        paths = _find_images(refs, images)
    return raw, Table(np.zeros((len(raw), 2)), refs, views, paths, split)


def _vectors(
    columns: Mapping[str, Sequence[Any]], names: Mapping[str, str], source: Path, numbers: Sequence[int] | None
) -> Float32 | None:
    """`(N, 1, D)` from a column of lists or from numbered columns; None if there are neither."""
    numbered = _numbered(columns)
    one = next((names[n] for n in _VECTOR if n in names), None)
    try:
        if one is not None:
            cells = columns[one]
            rows = [json.loads(_listed(cell)) if isinstance(cell, str) else cell for cell in cells]
            found = np.array(rows, dtype=np.float32)
        elif len(numbered) >= 2:
            cells = [_numbers(columns[name], name, source, numbers) for name in numbered]
            found = np.array(cells, dtype=np.float32).T
        else:
            return None
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{source}: features must be lists of numbers of one length: {error}") from error
    if found.ndim not in (2, 3):
        raise InputError(f"{source}: expected one list of numbers per row, got shape {found.shape}")
    return found[:, None, :] if found.ndim == 2 else found


def _numbered(names: Iterable[str]) -> list[str]:
    """Names of numbered columns, in the order of their numbers."""
    found = [(int(m[1]), name) for name in names if (m := _NUMBERED.match(name))]
    return [name for _, name in sorted(found)]


def _listed(cell: str) -> str:
    """Parse a list in a CSV cell: with or without brackets, separated by commas or blanks."""
    inner = cell.strip().strip("[]()")
    return "[" + ",".join(inner.replace(",", " ").split()) + "]"


def _find_images(refs: Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The file of each photo. OSV-5M and MP-16 name photos by id and store them in numbered folders."""
    by_stem: dict[str, Path] | None = None
    found = []
    for ref in refs:
        path = folder / ref.strip().replace("\\", "/")
        options = [path, *(path.with_name(path.name + suffix) for suffix in _SUFFIXES)]
        hit = next((p for p in options if p.is_file()), None)
        if hit is None:
            if by_stem is None:
                by_stem = {p.stem: p for p in sorted(folder.rglob("*")) if p.suffix.lower() in _SUFFIXES}
            hit = by_stem.get(Path(ref).name) or by_stem.get(Path(ref).stem)
        found.append(hit or path)  # a missing photo is reported by name when it is embedded
    return tuple(found)


def _coordinates(columns: Mapping[str, Any], source: Path, numbers: Sequence[int] | None = None) -> Float:
    """`(N, 2)` as in the file, unchecked; NaN for missing ones."""
    names = {plain(name): name for name in reversed(list(columns))}
    pair = []
    for what, aliases, other in (("latitude", LAT, XY[0]), ("longitude", LON, XY[1])):
        name = next((names[key] for alias in (*aliases, *other) if (key := plain(alias)) in names), None)
        if name is None:
            raise InputError(
                f"{source}: expected a column with the {what} ({', '.join(aliases[:4])}, …); "
                f"found {', '.join(list(columns)[:20]) or 'nothing'}"
            )
        pair.append(_numbers(columns[name], name, source, numbers))
    if len(pair[0]) != len(pair[1]):
        raise InputError(f"{source}: {len(pair[0])} latitudes but {len(pair[1])} longitudes")
    if not len(pair[0]):
        raise InputError(f"{source} has no rows")
    return np.stack(pair, axis=1)


def _numbers(cells: Any, column: str, source: Path, numbers: Sequence[int] | None) -> Float:
    """A column as numbers, NaN where one is missing."""
    try:
        return np.array(cells, dtype=np.float64)
    except (TypeError, ValueError):  # decimal commas, missing ones, or none at all: one by one
        found = [number(cell.item() if isinstance(cell, np.generic) else cell) for cell in cells]
    for i, value in enumerate(found):
        if value is not None and math.isnan(value) and cells[i] == cells[i]:
            raise InputError(f"{source}, {_row(i, numbers)}, column {column}: {cells[i]!r} is no number")
    return np.array([math.nan if value is None else value for value in found], dtype=np.float64)


def _row(i: int, numbers: Sequence[int] | None) -> str:
    return f"row {i} (counted from 0)" if numbers is None else f"row {numbers[i]}"


def _checked(raw: Float, table: Table, source: Path, numbers: Sequence[int] | None = None) -> Table:
    """Set the table's coordinates: rows without any are dropped, swapped ones corrected; both are noted."""
    notes: list[str] = []
    here = np.asarray(np.isfinite(raw).all(axis=1))
    kept: Int = np.flatnonzero(here)
    if not len(kept):
        raise InputError(f"{source}: no row has both a latitude and a longitude")
    if not here.all():
        notes.append(f"{int((~here).sum())} of {len(here)} rows have no coordinates and were left out")

    def named(i: int) -> str:
        return f"{source}, {_row(int(kept[i]), numbers)}"

    latlon, swapped = unswap(raw[here], named)
    far = np.flatnonzero(np.abs(latlon[:, 1]) > 360)
    if len(far):
        raise InputError(f"{named(int(far[0]))}: longitude {latlon[far[0], 1]:g} is beyond ±360°")
    if swapped:
        notes.append("latitude and longitude were swapped in the file; they were corrected")
    nowhere = int((latlon == 0).all(axis=1).sum())
    if nowhere:
        notes.append(f"{nowhere} rows lie at 0, 0, which usually means that the place is unknown")
    return replace(table.take(kept), latlon=latlon, notes=tuple(notes))


def unswap(latlon: Float, named: Callable[[int], str]) -> tuple[Float, bool]:
    """Return places in lat, lon order, and whether they were swapped.

    A latitude beyond ±90 proves a swap. Otherwise land decides: photos are taken on land, so a file whose places mostly
    fall into the sea as given and onto land when swapped is taken to be swapped.

    Args:
        latlon: `(N, 2)` degrees, as in the file.
        named: how messages name a row.

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
                f"{named(row)} has latitude {latlon[row, 0]:g} and longitude {latlon[row, 1]:g}; "
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
