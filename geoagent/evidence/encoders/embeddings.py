"""Precomputed embeddings: nothing is encoded; each photo's row is looked up in a table.

A photo matches a row if one of the two paths is a suffix of the other, with or without the extension ("paris/1.jpg"
never matches "rome/1.jpg"), or by the SHA-256 of its file if the table uses hashes as names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from geoagent.errors import ConfigError, InputError
from geoagent.evidence.encoders import unit_row
from geoagent.filenames import path_of
from geoagent.optional import needs
from geoagent.tables import plain, read_sheet
from geoagent.types import Float32, Photo

NAMES = (
    "ref",
    "refs",
    "name",
    "names",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "image",
    "img_id",
    "id",
    "ids",
    "sha256",
)
"""Columns that may contain the names of the photos, in the order in which they are tried."""
ROWS = ("embeddings", "embedding", "features", "views")
"""Columns that may contain the embeddings."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class EmbeddingTable:
    """Embeddings by photo name.

    Attributes:
        name: "embeddings:FILE".
        dim: D.
    """

    def __init__(self, rows: np.ndarray[Any, Any], names: Sequence[str], file: Path) -> None:
        self.name = f"embeddings:{file.name}"
        self.dim = int(rows.shape[-1])
        self._rows, self._file, self._count = rows, file, len(names)
        self._hashed = any(_SHA256.fullmatch(name.lower()) for name in names)
        self._whole = {_plain(name): row for row, name in enumerate(names)}
        # Suffixes of longer paths; a suffix shared by two photos identifies neither.
        self._ends: dict[str, int | None] = {}
        for name, row in self._whole.items():
            for end in _ends(name)[1:]:
                self._ends[end] = None if end in self._ends else row

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length; several views of one photo are averaged.

        Raises:
            InputError: the table has no row for a photo, or several that match.
        """
        out = [unit_row(np.atleast_2d(self._rows[self._row(photo)]), self.name) for photo in photos]
        return np.array(out, dtype=np.float32).reshape(len(photos), self.dim)

    def _row(self, photo: Photo) -> int:
        ends = _ends(_plain(photo.source))
        for end in (_plain(photo.source), *ends, *(str(PurePosixPath(end).with_suffix("")) for end in ends)):
            if end in self._whole:
                return self._whole[end]
        if self._hashed and (file := path_of(photo.source)).is_file():
            row = self._whole.get(hashlib.sha256(file.read_bytes()).hexdigest())
            if row is not None:
                return row
        if ends and ends[0] in self._ends:
            row = self._ends[ends[0]]
            if row is None:
                raise InputError(f"{self._file}: several photos are called {ends[0]!r}; give more of the path")
            return row
        raise InputError(
            f"{self._file} has no embedding for {photo.source!r} among its {self._count}; add its row, or use an "
            "encoder that computes it"
        )


def build(assets: Any, *, file: str | Path, names: str | None = None, rows: str | None = None) -> EmbeddingTable:
    """Read a table.

    Args:
        assets: not used.
        file: an .npz with names and `(N, D)` or `(N, V, D)` numbers (V views), a .parquet with a column of lists, or an
            .npy with a .csv of the same name that has one line per row.
        names: the column with the names of the photos; by default one of `NAMES`.
        rows: the column with the embeddings; by default one of `ROWS`.

    Raises:
        ConfigError: the file cannot be read, or the columns are missing.
        MissingDependency: the file is a .parquet and pyarrow is not installed.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise ConfigError(f"no embeddings at {path}: give file= an .npz, a .parquet, or an .npy with its .csv")
    reader = {".npz": _npz, ".parquet": _parquet, ".npy": _npy}.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: embeddings are read from .npz, .parquet or .npy with .csv, not {path.suffix!r}")
    array, labels = reader(path, names, rows)
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise ConfigError(f"{path}: expected numbers of shape (N, D) or (N, V, D), got {array.dtype} {array.shape}")
    if len(labels) != len(array):
        raise ConfigError(f"{path}: {len(array)} embeddings, but {len(labels)} names")
    twice = len(labels) - len({_plain(label) for label in labels})
    if twice:
        raise ConfigError(f"{path}: {twice} names occur more than once; every photo needs a name of its own")
    return EmbeddingTable(array, labels, path)


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _ends(plain: str) -> list[str]:
    """Return a path and all its suffixes: a/b/c.jpg, b/c.jpg, c.jpg."""
    parts = plain.split("/")
    return ["/".join(parts[i:]) for i in range(len(parts)) if parts[i]]


def _npz(path: Path, names: str | None, rows: str | None) -> tuple[np.ndarray[Any, Any], list[str]]:
    try:
        with np.load(path, allow_pickle=False) as data:
            array = data[_column(path, data.files, rows, ROWS, "embeddings")]
            labels = data[_column(path, data.files, names, NAMES, "names")]
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} cannot be read as .npz: {error}") from error
    return array, [str(label) for label in labels.tolist()]


def _npy(path: Path, names: str | None, rows: str | None) -> tuple[np.ndarray[Any, Any], list[str]]:
    beside = path.with_suffix(".csv")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        sheet = read_sheet(beside)
        at = sheet.columns.index(_column(beside, sheet.columns, names, NAMES, "names"))
        labels = [cells[at] for cells in sheet.body]
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} needs to be an .npy file with {beside.name} beside it: {error}") from error
    return array, labels


def _parquet(path: Path, names: str | None, rows: str | None) -> tuple[np.ndarray[Any, Any], list[str]]:
    with needs("train", "pyarrow"):
        import pyarrow
        import pyarrow.parquet
    try:
        there = pyarrow.parquet.read_schema(path).names
        name_column, row_column = (
            _column(path, there, names, NAMES, "names"),
            _column(path, there, rows, ROWS, "embeddings"),
        )
        table = pyarrow.parquet.read_table(path, columns=[name_column, row_column])
        lists = table[row_column].combine_chunks()
        if not hasattr(lists, "flatten") or lists.null_count:
            raise ConfigError(f"{path}: column {row_column!r} must hold one list of numbers a row")
        array = np.asarray(lists.flatten()).reshape(len(lists), -1)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} cannot be read as embeddings: {error}") from error
    return array, [str(label) for label in table[name_column].to_pylist()]


def _column(path: Path, there: Iterable[str], asked: str | None, usual: Sequence[str], what: str) -> str:
    have = list(there)
    alike = {plain(name): name for name in reversed(have)}
    for name in (asked,) if asked else usual:
        if name in have or plain(name) in alike:
            return name if name in have else alike[plain(name)]
    wanted = repr(asked) if asked else f"one of {', '.join(usual)}"
    raise ConfigError(f"{path} has no column of {what}: wanted {wanted}, found {', '.join(have) or 'none'}")
