"""Embeddings and positions of training photos, as rows in memory or on disk.

::

    gallery/embeddings.npy    (M, D) float32, float16 or int8, memory-mapped on loading
    gallery/places.npz        places, cells, and the mean on which embeddings are centred
    gallery/refs.json         names of the photos

Rows are append-only, so structures built on the first rows (an index, prototypes) stay valid.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float, check_latlon
from geoagent.types import Float32, Int

Storage = Literal["float32", "float16", "8bit"]
FOLDER = "gallery"


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """Embeddings and positions of M training photos.

    Attributes:
        embeddings: `(M, D)` float32, float16 or int8, possibly memory-mapped. Rows are of unit length; only
            the direction of an int8 row matters.
        latlon: `(M, 2)` degrees.
        cell: `(M,)` the cell of each.
        refs: M names of the photos.
        mean: `(D,)` float32 subtracted from each embedding before normalisation, and from queries as well; None
            without centring.
        folder: folder that it was loaded from, or None.
    """

    embeddings: np.ndarray[Any, Any]
    latlon: Float
    cell: Int
    refs: tuple[str, ...]
    mean: Float32 | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2:
            raise ShapeError(f"Gallery.embeddings: expected (M, D), got shape {self.embeddings.shape}")
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        object.__setattr__(self, "cell", np.asarray(self.cell, dtype=np.int64))
        for name in ("latlon", "cell", "refs"):
            if len(getattr(self, name)) != len(self.embeddings):
                raise ShapeError(
                    f"Gallery.{name}: expected {len(self.embeddings)} rows, got {len(getattr(self, name))}"
                )
        if self.mean is not None:
            mean = np.array(self.mean, dtype=np.float32)
            if mean.shape != (self.dim,):
                raise ShapeError(f"Gallery.mean: expected ({self.dim},), got shape {mean.shape}")
            mean.setflags(write=False)
            object.__setattr__(self, "mean", mean)

    @classmethod
    def make(
        cls,
        embeddings: ArrayLike,
        latlon: ArrayLike,
        cell: ArrayLike,
        refs: Sequence[str],
        *,
        mean: ArrayLike | None = None,
        storage: Storage = "float16",
    ) -> Gallery:
        """Build a gallery from raw encoder embeddings.

        Args:
            embeddings: `(M, D)` numbers.
            latlon: `(M, 2)` degrees.
            cell: `(M,)` the cell of each.
            refs: M names.
            mean: `(D,)` to centre embeddings on: the mean of the training photos, if any.
            storage: "float32", "float16" (half the space, cosines to 4 digits) or "8bit" (a quarter, to 2).

        Raises:
            ShapeError: arrays of mismatched shapes.
            WorldError: an embedding that is zero or not finite.
        """
        centre = None if mean is None else np.asarray(mean, dtype=np.float32)
        rows = pack(np.asarray(embeddings), centre, storage)
        return cls(rows, np.asarray(latlon), np.asarray(cell), tuple(refs), centre)

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def dim(self) -> int:
        """D, the embedding dimension."""
        return int(self.embeddings.shape[1])

    @property
    def storage(self) -> Storage:
        """Storage type of the rows."""
        kinds: dict[str, Storage] = {"float16": "float16", "int8": "8bit"}
        return kinds.get(self.embeddings.dtype.name, "float32")

    def query(self, embedding: ArrayLike) -> Float32:
        """Convert an encoder's embedding `(D,)` to a query: `(D,)` float32.

        Raises:
            ShapeError: the embedding has the wrong length.
        """
        x = np.asarray(embedding, dtype=np.float32)
        if x.shape != (self.dim,):
            raise ShapeError(f"expected an embedding of shape ({self.dim},), got {x.shape}")
        if self.mean is None:
            return x
        x = x - self.mean
        return np.asarray(x / max(float(np.linalg.norm(x)), 1e-12), dtype=np.float32)

    def rows(self, which: Any) -> Float32:
        """Return some rows (indices or a slice) as `(n, D)` float32 of unit length."""
        rows = np.asarray(self.embeddings[which])
        if rows.dtype != np.int8:
            return rows.astype(np.float32, copy=False)
        wide = rows.astype(np.float32)
        return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True), dtype=np.float32)

    def save(self, folder: Path, cells: str) -> None:
        """Write the gallery into the world folder `folder`; `cells` is the fingerprint of its geocells."""
        home = folder / FOLDER
        home.mkdir()
        np.save(home / "embeddings.npy", self.embeddings)
        self._save_places(home, cells)

    def _save_places(self, home: Path, cells: str) -> None:
        """Names first, places last: the number of places is the number of valid rows."""
        _replace(home / "refs.json", json.dumps(self.refs, ensure_ascii=False).encode())
        arrays: dict[str, Any] = {"cells": np.str_(cells), "latlon": self.latlon, "cell": self.cell.astype(np.int32)}
        if self.mean is not None:
            arrays["mean"] = self.mean
        packed = io.BytesIO()
        np.savez_compressed(packed, **arrays)
        _replace(home / "places.npz", packed.getvalue())

    @classmethod
    def load(cls, folder: Path, cells: str) -> Gallery | None:
        """Read the gallery of a world folder; None if it has none.

        Raises:
            WorldError: it is damaged, or was made for other geocells.
        """
        home = folder / FOLDER
        if not home.is_dir():
            return None
        try:
            with np.load(home / "places.npz", allow_pickle=False) as data:
                made_for, latlon, cell = str(data["cells"]), data["latlon"], data["cell"]
                mean = data["mean"] if "mean" in data.files else None
            refs = tuple(map(str, json.loads((home / "refs.json").read_text("utf-8"))))
            embeddings = np.load(home / "embeddings.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{home} is damaged: {error}") from error
        if made_for != cells:
            raise WorldError(f"{home}: the gallery was made for geocells {made_for}, these are {cells}")
        count = len(cell)
        if len(refs) < count or len(embeddings) < count:
            raise WorldError(f"{home} is damaged: {count} places, {len(refs)} names, {len(embeddings)} embeddings")
        # An interrupted append leaves more embeddings and names than places; the surplus is ignored.
        return cls(embeddings[:count], latlon, cell, refs[:count], mean, home)

    def append(self, embeddings: ArrayLike, latlon: ArrayLike, cell: ArrayLike, refs: Sequence[str]) -> Gallery:
        """Return this gallery with photos appended, in memory; arguments as for `make`."""
        more = Gallery.make(embeddings, latlon, cell, refs, mean=self.mean, storage=self.storage)
        if more.dim != self.dim:
            raise ShapeError(f"expected embeddings of {self.dim} dimensions, got {more.dim}")
        return Gallery(
            np.concatenate([self.embeddings, more.embeddings]),
            np.concatenate([self.latlon, more.latlon]),
            np.concatenate([self.cell, more.cell]),
            (*self.refs, *more.refs),
            self.mean,
            self.folder,
        )

    def append_on_disk(
        self, cells: str, embeddings: ArrayLike, latlon: ArrayLike, cell: ArrayLike, refs: Sequence[str]
    ) -> None:
        """Append photos to the files that this gallery was loaded from, without rewriting existing rows.

        Raises:
            WorldError: it was not loaded from a folder.
        """
        if self.folder is None:
            raise WorldError("this gallery was not loaded from a folder; use append")
        grown = self.append(embeddings, latlon, cell, refs)
        path = self.folder / "embeddings.npy"
        with path.open("r+b") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            start = file.tell()
            file.seek(start + self.embeddings.nbytes)  # overwrites the remains of an interrupted append
            file.write(np.ascontiguousarray(grown.embeddings[len(self) :]).tobytes())
            file.truncate()
            # numpy reserves space in the header for the first axis to grow.
            header = io.BytesIO()
            described = np.lib.format.header_data_from_array_1_0(grown.embeddings)
            np.lib.format.write_array_header_1_0(header, described)
            if len(header.getvalue()) != start:
                raise WorldError(f"{path} has a numpy header that cannot grow; save the world again")
            file.seek(0)
            file.write(header.getvalue())
            file.flush()
            os.fsync(file.fileno())
        grown._save_places(self.folder, cells)


def pack(embeddings: np.ndarray[Any, Any], mean: Float32 | None, storage: Storage) -> np.ndarray[Any, Any]:
    """Return embeddings `(M, D)`, minus the mean, as rows of unit length in the requested storage.

    An int8 row is scaled by its largest value; only its direction matters, so the scale is not stored.

    Raises:
        ShapeError: not `(M, D)`, or a mean of the wrong length.
        WorldError: an embedding that is zero or not finite, or an unknown storage.
    """
    kinds = {"float32": np.float32, "float16": np.float16, "8bit": np.int8}
    if storage not in kinds:
        raise WorldError(f"storage must be one of {', '.join(kinds)}; got {storage!r}")
    if embeddings.ndim != 2 or (mean is not None and mean.shape != embeddings.shape[1:]):
        about = "" if mean is None else f" and {mean.shape}"
        raise ShapeError(f"expected embeddings (M, D) and a mean (D,), got {embeddings.shape}{about}")
    out = np.empty(embeddings.shape, dtype=kinds[storage])
    for begin in range(0, len(out), 65536):  # in chunks, so that a large float16 table is never converted whole
        part = embeddings[begin : begin + 65536].astype(np.float32)
        if mean is not None:
            part -= mean
        length = (
            np.abs(part).max(axis=1, keepdims=True)
            if storage == "8bit"
            else np.linalg.norm(part, axis=1, keepdims=True)
        )
        if not np.isfinite(length).all() or (length == 0).any():
            bad = begin + int(np.flatnonzero(~(np.isfinite(length) & (length > 0)).ravel())[0])
            raise WorldError(f"embedding {bad} is zero or not finite")
        out[begin : begin + 65536] = np.rint(part * (127 / length)) if storage == "8bit" else part / length
    return out


def _replace(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    made = path.with_name(f".{path.name}.new")
    made.write_bytes(content)
    made.replace(path)
