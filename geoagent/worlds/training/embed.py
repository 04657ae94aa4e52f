"""Embed photos once: an on-disk cache keyed by file content and encoder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from geoagent.errors import InputError
from geoagent.evidence.opening import check_regular
from geoagent.evidence.photos import open_photo
from geoagent.filenames import safe, written
from geoagent.protocols import Encoder
from geoagent.resources import cache_dir
from geoagent.types import Float32, Photo
from geoagent.worlds.training.head import Progress
from geoagent.worlds.training.table import Table

_SHOWN = 3  # unreadable photos listed in a note


def embed_table(
    table: Table,
    encoder: Encoder,
    *,
    cache: str | Path | None = None,
    batch: int = 16,
    progress: Progress | None = None,
) -> Table:
    """Return the table with `views (N, 1, D)` of its photos; a table that already has features is returned unchanged.

    Every embedding is cached on disk at once, so an interrupted run resumes where it stopped, and a moved or renamed
    photo is not embedded again. Unreadable photos are skipped and noted.

    Args:
        table: with `paths`.
        encoder: the image encoder.
        cache: folder of the cache; a folder in the user's cache where absent.
        batch: photos that the encoder is given at once.
        progress: called with what is being done, how far it is and how far it goes.

    Raises:
        InputError: the table has neither features nor photos, or none of its photos can be read.
    """
    if table.views is not None:
        return table
    if table.paths is None:
        raise InputError("the table has neither features nor photos")
    store = _Store(Path(cache) if cache is not None else cache_dir() / "embeddings", encoder)
    found: dict[int, Float32] = {}
    waiting: list[tuple[int, str, Photo]] = []
    lost: list[str] = []
    for row, path in enumerate(table.paths):
        try:
            check_regular(path)
            raw = path.read_bytes()
            key = hashlib.sha256(raw).hexdigest()
            known = store.get(key)
            if known is not None:
                found[row] = known
            else:
                waiting.append((row, key, open_photo(path)))
        except Exception as error:  # whatever is wrong with one photo, the others are embedded
            lost.append(f"{written(path.name)} ({safe(str(error))})")
        if len(waiting) >= batch:
            _encode(encoder, waiting, store, found)
        if progress is not None:
            progress("embedding photos", row + 1, len(table))
    _encode(encoder, waiting, store, found)
    if not found:
        raise InputError(f"none of {len(table)} photos can be read; the first: {'; '.join(lost[:_SHOWN])}")
    rows = sorted(found)
    notes = table.notes
    if lost:
        notes = (*notes, f"{len(lost)} of {len(table)} photos cannot be read: {'; '.join(lost[:_SHOWN])}")
    return replace(table.take(rows), views=np.stack([found[row] for row in rows])[:, None, :], notes=notes)


def _encode(encoder: Encoder, waiting: list[tuple[int, str, Photo]], store: _Store, found: dict[int, Float32]) -> None:
    """Embed the pending photos, cache and store their embeddings, and clear the list."""
    if not waiting:
        return
    photos: Sequence[Photo] = [photo for _, _, photo in waiting]
    for (row, key, _), embedding in zip(waiting, encoder(photos), strict=True):
        store.put(key, embedding)
        found[row] = np.asarray(embedding, dtype=np.float32)
    waiting.clear()


class _Store:
    """One small file per photo, in folders named by the first two digits of its key."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in encoder.name)
        mark = hashlib.sha256(encoder.name.encode()).hexdigest()[:8]  # names that differ only in special characters
        self._home = folder / f"{safe}-{encoder.dim}-{mark}"
        self._dim = encoder.dim

    def _path(self, key: str) -> Path:
        return self._home / key[:2] / f"{key[2:]}.npy"

    def get(self, key: str) -> Float32 | None:
        try:
            found = np.load(self._path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):  # missing, or truncated when the disk was full
            return None
        return np.asarray(found, dtype=np.float32) if found.shape == (self._dim,) else None

    def put(self, key: str, embedding: Float32) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.save(file, np.asarray(embedding, dtype=np.float32))
        part.replace(path)
