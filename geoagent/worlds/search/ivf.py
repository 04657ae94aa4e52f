"""Exact search inside the leading cells with FAISS: the geocells are the inverted lists of an IVF index.

Nothing is trained or approximated in selecting rows: each cell is a list, and the lists of the requested cells are
searched exhaustively. The index is built in memory, or memory-mapped if `save_index` wrote one next to the gallery.
Photos added since are indexed in a separate tail, so nothing is rebuilt.

Product quantisation (Jégou et al. 2011), storage "pq", is the exception: it keeps a byte for every four numbers, which
is an eighth of float16, and so may miss neighbours. Those it finds are ranked by the gallery's own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoagent.errors import ConfigError, WorldError
from geoagent.optional import needs
from geoagent.protocols import Assets
from geoagent.types import Candidates, Float32
from geoagent.worlds.gallery import Gallery, Storage
from geoagent.worlds.search import found, gallery_of
from geoagent.worlds.world import World

with needs("index", "faiss"):
    import faiss
    from faiss.contrib.ivf_tools import add_preassigned

IndexStorage = Storage | Literal["pq"]
"""How an index keeps its rows; "pq" is product quantisation."""
SPARE = 8
"""Rows that an index with product quantisation finds for each neighbour that is wanted."""
_CHUNK = 65536
_TRAIN = 100_000  # rows used to set the value range of an 8-bit index
_TRAIN_PQ = 16_384  # and for the codebooks of product quantisation: 64 for each code
_CODES = 256  # codes of a byte: no codebook can be trained on fewer rows
_PER_BYTE = 4  # numbers that a byte stands for
_QUANTIZERS = {"float16": faiss.ScalarQuantizer.QT_fp16, "8bit": faiss.ScalarQuantizer.QT_8bit}


class IvfSearch:
    """Cosine similarity to the gallery rows of the requested cells; the same candidates as the plug `exact`.

    An index with coarser storage than the gallery returns extra rows, which are re-ranked with the gallery's own rows.
    """

    def __init__(
        self, gallery: Gallery, cells: int, alpha: float, storage: IndexStorage | None = None, index: Any = None
    ) -> None:
        """Index the gallery.

        Args:
            gallery: the gallery.
            cells: C, number of cells.
            alpha: how fast a neighbour's weight falls with cosine distance.
            storage: of the index; None for the gallery's.
            index: an index that `build_index` made from the gallery's first rows.

        Raises:
            WorldError: `index` belongs to another gallery.
        """
        self._cells, self._alpha = cells, alpha
        self._storage = gallery.storage if storage is None else _checked(storage)
        self._gallery = gallery
        self._parts: list[Any] = []
        if index is not None:
            if index.ntotal > len(gallery) or index.d != gallery.dim or index.nlist != cells:
                raise WorldError(
                    f"the saved index has {index.ntotal} rows of {index.d} numbers in {index.nlist} cells, the gallery "
                    f"{len(gallery)} of {gallery.dim} in {cells}; save the index again"
                )
            self._parts.append(index)
        self._tail: Any = None
        self.grow(gallery)
        exact = self._storage in ("float32", gallery.storage) and self._storage != "8bit"
        self._spare = SPARE if self._storage == "pq" else 1 if exact else 3

    def __len__(self) -> int:
        return sum(int(part.ntotal) for part in self._parts)

    def grow(self, gallery: Gallery) -> None:
        """Index the new rows of `gallery`; earlier rows must be unchanged (`Gallery.append`)."""
        self._gallery = gallery
        known = len(self)
        if known == len(gallery):
            return
        if self._tail is None:
            self._tail = _empty(gallery, self._cells, self._storage, known)
            self._parts.append(self._tail)
        _add(self._tail, gallery, known)

    def __call__(self, embedding: Float32, cells: Sequence[int], count: int) -> Candidates:
        """Return at most `count` neighbours inside `cells`, most similar first."""
        query = self._gallery.query(embedding)
        lists = np.unique(np.asarray(cells, dtype=np.int64))
        rows = [self._nearest(part, query, lists, count * self._spare) for part in self._parts]
        some = np.sort(np.concatenate(rows)) if rows else np.zeros(0, dtype=np.int64)
        return found(self._gallery, some, query, count, self._alpha)

    @staticmethod
    def _nearest(index: Any, query: Float32, lists: Any, count: int) -> Any:
        count = min(count, int(index.ntotal))
        if count < 1 or len(lists) == 0:
            return np.zeros(0, dtype=np.int64)
        similarity, rows = np.empty(count, dtype=np.float32), np.empty(count, dtype=np.int64)
        nothing, where = np.zeros(len(lists), dtype=np.float32), faiss.swig_ptr
        # Per-call parameters, so that several threads can query the index concurrently.
        how = faiss.IVFSearchParameters(nprobe=len(lists))
        query = np.ascontiguousarray(query, dtype=np.float32)
        index.search_preassigned_c(
            1, where(query), count, where(lists), where(nothing), where(similarity), where(rows), False, how
        )
        return rows[rows >= 0]  # −1 pads missing results


def build_index(gallery: Gallery, cells: int, storage: IndexStorage | None = None) -> Any:
    """Return a FAISS index of the gallery with one inverted list per cell.

    Args:
        gallery: the gallery.
        cells: C, number of cells.
        storage: "float32", "float16", "8bit" or "pq"; None for the gallery's.
    """
    index = _empty(gallery, cells, gallery.storage if storage is None else _checked(storage), 0)
    _add(index, gallery, 0)
    return index


def save_index(world: World, storage: IndexStorage | None = None) -> Path:
    """Write the index of a world loaded from a folder next to its gallery; later loads memory-map it.

    Raises:
        WorldError: the world has no gallery, or was not loaded from a folder.
    """
    gallery = world.gallery
    if gallery is None or gallery.folder is None:
        raise WorldError(f"the world {world.name!r} has no gallery on disk; save and load it first")
    path = _path(gallery.folder, world.cells.fingerprint, gallery.storage if storage is None else _checked(storage))
    made = path.with_name(f".{path.name}.new")
    faiss.write_index(build_index(gallery, len(world.cells), storage), str(made))
    made.replace(path)
    return path


def build(assets: Assets, *, alpha: float | None = None, storage: IndexStorage | None = None) -> IvfSearch:
    """Build the search over `assets.world`'s gallery.

    Args:
        assets: the world must have a gallery.
        alpha: how fast a neighbour's weight falls with cosine distance; the world's fitted value, else 20.
        storage: of the index: "float32", "float16", "8bit" or "pq" (product quantisation); the gallery's by default.

    Raises:
        WorldError: the world has no gallery, or its index belongs to another gallery.
        MissingDependency: faiss is not installed.
    """
    gallery, chosen = gallery_of(assets, alpha)
    kind = gallery.storage if storage is None else _checked(storage)
    index = None
    if gallery.folder is not None:
        path = _path(gallery.folder, assets.world.cells.fingerprint, kind)
        if path.exists():
            try:
                index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
            except RuntimeError as error:
                raise WorldError(f"{path} is damaged: {' '.join(str(error).split())[:200]}; save it again") from error
    return IvfSearch(gallery, len(assets.world.cells), chosen, kind, index)


def _path(folder: Path, fingerprint: str, storage: IndexStorage) -> Path:
    return folder / f"ivf-{fingerprint}-{storage}.faiss"


def _checked(storage: IndexStorage) -> IndexStorage:
    if storage not in ("float32", "pq", *_QUANTIZERS):
        raise ConfigError(f"storage must be float32, float16, 8bit or pq, got {storage!r}")
    return storage


def _empty(gallery: Gallery, cells: int, storage: IndexStorage, start: int) -> Any:
    """An empty index; one that has to be trained is trained on the rows beginning at `start`."""
    quantizer = faiss.IndexFlatIP(gallery.dim)  # stays empty: the lists are passed in, not searched for
    if storage == "float32":
        index = faiss.IndexIVFFlat(quantizer, gallery.dim, cells, faiss.METRIC_INNER_PRODUCT)
    elif storage == "pq":
        index = _quantised(gallery, quantizer, cells)
    else:
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, gallery.dim, cells, _QUANTIZERS[storage], faiss.METRIC_INNER_PRODUCT, False
        )
        step = max(1, (len(gallery) - start) // _TRAIN)
        sample = np.ascontiguousarray(gallery.rows(slice(start, None, step)))
        index.sq.train(sample)
    index.is_trained = True
    return index


def _quantised(gallery: Gallery, quantizer: Any, cells: int) -> Any:
    """An empty index of bytes, with codebooks trained on rows from the whole gallery."""
    if len(gallery) < _CODES:
        raise ConfigError(f"storage pq needs {_CODES} photos to be trained on, the gallery has {len(gallery)}")
    bytes_a_row = max(n for n in range(1, gallery.dim // _PER_BYTE + 1) if gallery.dim % n == 0)
    index = faiss.IndexIVFPQ(quantizer, gallery.dim, cells, bytes_a_row, 8, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = False  # the cells' middles are not in the index
    step = -(-len(gallery) // _TRAIN_PQ)
    index.pq.cp.min_points_per_centroid = 1  # silences a warning about small galleries
    index.pq.train(np.ascontiguousarray(gallery.rows(slice(None, None, step))))
    return index


def _add(index: Any, gallery: Gallery, start: int) -> None:
    for begin in range(start, len(gallery), _CHUNK):
        part = slice(begin, min(begin + _CHUNK, len(gallery)))
        rows = np.ascontiguousarray(gallery.rows(part))
        ids = np.arange(part.start, part.stop, dtype=np.int64)
        add_preassigned(index, rows, np.ascontiguousarray(gallery.cell[part]), ids)
