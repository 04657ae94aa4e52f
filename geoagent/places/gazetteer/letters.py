"""Letter sets of the index keys: the prefilter for two edits."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoagent.places.gazetteer.names import Names

MAX_KEY = 40
_NAMES = ("present", "odd", "numbers", "begins")
_BITS16 = np.array([bin(i).count("1") for i in range(1 << 16)], dtype=np.uint8)


class Letters:
    """The letters of each key, and those that occur an odd number of times, sorted by key length.

    Columns: `present` and `odd` `(T,)` uint32, one bit per letter modulo 32; `numbers` `(T,)` int32, the keys' numbers
    in the trie; `begins`, the first row of each length.
    """

    def __init__(self, names: Names, cache: Path | None = None) -> None:
        """Read the columns from the file `cache`, or compute them (about a second) and write them to it."""
        columns = _read(cache, len(names)) if cache is not None else None
        if columns is None:
            columns = _count(names)
            if cache is not None:
                _write(cache, columns)
        self.present, self.odd, self.numbers, self.begins = (columns[c] for c in _NAMES)
        self._restore = names.trie.restore_key

    def near(self, key: str, edits: int) -> list[str]:
        """Return the keys that may be within `edits` of `key`: a superset, a few hundred at most."""
        present = odd = 0
        for c in key:
            bit = 1 << (ord(c) & 31)
            present |= bit
            odd ^= bit
        a, b = int(self.begins[max(len(key) - edits, 2)]), int(self.begins[min(len(key) + edits + 1, MAX_KEY + 4)])
        parity = np.flatnonzero(_popcount(self.odd[a:b] ^ np.uint32(odd)) <= 2 * edits) + a
        keep = parity[_popcount(self.present[parity] ^ np.uint32(present)) <= 2 * edits]
        return [self._restore(number) for number in self.numbers[keep].tolist()]


def _count(names: Names) -> dict[str, NDArray[Any]]:
    items = names.trie.items()
    points: NDArray[np.uint32] = np.frombuffer(
        ("\n".join([key for key, _ in items]) + "\n").encode("utf-32-le"), dtype="<u4"
    )
    ends = np.flatnonzero(points == 10)
    starts = np.concatenate([[0], ends[:-1] + 1])
    bits = np.left_shift(np.uint32(1), points & np.uint32(31), dtype=np.uint32)
    bits[ends] = 0
    lengths = ends - starts
    order = np.argsort(lengths, kind="stable")
    return {
        "present": np.bitwise_or.reduceat(bits, starts)[order],
        "odd": np.bitwise_xor.reduceat(bits, starts)[order],
        "numbers": np.array([number for _, number in items], dtype=np.int32)[order],
        "begins": np.searchsorted(lengths[order], np.arange(MAX_KEY + 5)),
    }


def _read(path: Path, count: int) -> dict[str, NDArray[Any]] | None:
    try:
        with np.load(path) as data:
            columns = {name: data[name] for name in _NAMES}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return columns if len(columns["numbers"]) == count else None


def _write(path: Path, columns: dict[str, NDArray[Any]]) -> None:
    """Write the columns to the cache; if the folder is not writable, the next run recomputes them (about a second)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **columns)  # type: ignore[arg-type]
            os.replace(name, path)
        except OSError:
            os.unlink(name)
    except OSError:
        return


def _popcount(values: NDArray[np.uint32]) -> NDArray[np.uint8]:
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(values), dtype=np.uint8)
    parts = _BITS16[np.ascontiguousarray(values).view(np.uint16)].reshape(-1, 2)
    return np.asarray(parts.sum(axis=1), dtype=np.uint8)
