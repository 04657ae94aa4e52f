"""Features that stay in their file: rows are read when they are asked for.

NPY files and the members of NPZ files that `numpy.savez` wrote are memory-mapped. A Parquet file is read once, row
group by row group, into an NPY file in the cache, since its rows cannot be read one by one.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.optional import needs
from geoagent.resources import cache_dir
from geoagent.types import Int
from geoagent.worlds.gallery.mapped import release

LARGE = 1 << 29
"""Bytes above which features stay in their file."""
_HELD = 1 << 28  # bytes that may have been read before their pages are given back
_AROUND = 1 << 18  # bytes that are mapped with a row: the kernel brings in its surroundings too
_SCATTERED = 512  # rows that are read at once


class Stored:
    """Features `(N, V, D)` of any numeric type in a file, all of its rows or some.

    Args:
        array: `(M, V, D)`, memory-mapped.
        index: `(N,)` rows of `array`; None for all.
    """

    ndim = 3

    def __init__(self, array: Any, index: Int | None = None) -> None:
        self._array, self._index = array, index
        self.shape: tuple[int, int, int] = (len(array) if index is None else len(index), *array.shape[1:])
        self.dtype = array.dtype
        self._read = 0

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: Any) -> Stored:
        """Return some rows, by index, mask or slice, without reading them."""
        mine = np.arange(len(self)) if self._index is None else self._index
        return Stored(self._array, mine[rows])

    def __getitem__(self, rows: Any) -> Any:
        """Read some rows, `(n, V, D)`, by index, mask or slice."""
        which = rows if self._index is None else self._index[rows]
        if isinstance(which, slice):
            found = np.array(self._array[which])
            self._seen(found.nbytes)
            return found
        which = np.arange(len(self._array))[which] if np.asarray(which).dtype == bool else np.asarray(which)
        found = np.empty((len(which), *self.shape[1:]), dtype=self.dtype)
        for begin in range(0, len(which), _SCATTERED):  # rows all over the file, each of which brings in others
            part = slice(begin, begin + _SCATTERED)
            found[part] = self._array[which[part]]
            self._seen(len(found[part]) * _AROUND)
        return found

    def _seen(self, size: int) -> None:
        self._read += size
        if self._read > _HELD:
            release(self._array)
            self._read = 0


def map_npy(path: Path, offset: int = 0) -> Any:
    """Map an array in NPY format that begins at a byte of a file.

    Raises:
        InputError: it is no such array.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
            start = file.tell()
        if dtype.hasobject or fortran:
            raise InputError(f"{path}: expected plain numbers in row order")
        return np.memmap(path, dtype, "r", start, shape)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a readable array: {error}") from error


def map_member(path: Path, name: str) -> Any:
    """Map an array of an NPZ file; None if it is compressed.

    Raises:
        InputError: it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED:
        return None
    with path.open("rb") as file:
        file.seek(member.header_offset)
        head = file.read(30)
    # The local header: 30 bytes, then the name and further fields, whose lengths stand at its end.
    name_length, extra = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    return map_npy(path, member.header_offset + 30 + name_length + extra)


def parquet_features(path: Path, column: str | None, numbered: list[str]) -> Any:
    """Return the features of a Parquet file, memory-mapped from the cache; copied there on first use.

    Args:
        path: the file.
        column: the column with a list per row, or None.
        numbered: else the columns with one number per row, in order.

    Raises:
        InputError: rows of different lengths, missing ones, or no numbers.
    """
    with needs("train", "pyarrow"):
        import pyarrow.parquet as parquet
    stat = path.stat()
    key = hashlib.sha256(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {column}".encode()).hexdigest()[:24]
    target = cache_dir() / "features" / f"{key}.npy"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            with parquet.ParquetFile(path, memory_map=True) as file:
                _copy(file, part, [column] if column is not None else numbered, path)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return map_npy(target)


def _copy(file: Any, target: Path, columns: list[str], path: Path) -> None:
    out: Any = None
    at = 0
    for number in range(file.num_row_groups):
        group = file.read_row_group(number, columns=columns)
        rows = _numbers(group, columns, path)
        if out is None:
            shape = (file.metadata.num_rows, *rows.shape[1:])
            out = np.lib.format.open_memmap(target, "w+", dtype=rows.dtype, shape=shape)
        if rows.shape[1:] != out.shape[1:]:
            raise InputError(f"{path}: features must be lists of numbers of one length")
        out[at : at + len(rows)] = rows
        at += len(rows)
        release(out)
    out.flush()


def _numbers(group: Any, columns: list[str], path: Path) -> Any:
    """`(n, V, D)` of one row group."""
    from pyarrow import compute

    count = group.num_rows
    try:
        if len(columns) > 1:
            return np.stack([group.column(name).to_numpy() for name in columns], axis=1)[:, None, :]
        flat, depth = group.column(columns[0]).combine_chunks(), 0
        flat = flat.combine_chunks() if hasattr(flat, "combine_chunks") else flat
        views = 1
        while str(flat.type).startswith(("list", "fixed_size_list", "large_list")):
            if flat.null_count:
                raise ValueError("a row has none")
            if len(compute.unique(compute.list_value_length(flat))) > 1:
                raise ValueError("their lengths differ")
            if depth == 1:
                views = len(flat) // count
            flat, depth = flat.flatten(), depth + 1
        rows = flat.to_numpy(zero_copy_only=False)
        if rows.dtype.kind not in "iuf" or depth == 0:
            raise ValueError(f"they are {flat.type}")
        return rows.reshape(count, views, -1)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: features must be lists of numbers of one length: {error}") from error
