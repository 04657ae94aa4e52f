"""The space in which a trained head searches its gallery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geoagent.head import CellHead
from geoagent.types import Float32

_SAMPLE = 8000  # rows that the projections are fitted to


def add_lens(head: CellHead, embeddings: Float32, dims: int, *, share: float = 0.5, seed: int = 0) -> CellHead:
    """Give a head a lens: projections of its hidden layer and of its √p that keep inner products as well as they can.

    The best projection for inner products is onto the leading right singular vectors (Eckart & Young 1936).

    Args:
        head: a trained head.
        embeddings: `(N, D)` of training places.
        dims: numbers that each of the two halves gets; fewer where the head has fewer units or cells.
        share: see `CellHead.lens_share`.
        seed: of the sample that projections are fitted to.
    """
    rows = np.random.default_rng(seed).permutation(len(embeddings))[:_SAMPLE]
    bare = replace(head, lens_mean=None, lens_hidden=None, lens_cells=None)
    hidden, root = bare.layers(embeddings[np.sort(rows)])
    mean = hidden.mean(axis=0)
    seen = hidden - mean
    seen = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-12)
    return replace(
        head, lens_mean=mean, lens_hidden=_leading(seen, dims), lens_cells=_leading(root, dims), lens_share=share
    )


def _leading(rows: Float32, dims: int) -> Float32:
    """Leading right singular vectors of `(n, F)`, `(min(dims, F), F)`."""
    values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    return np.asarray(vectors[:, np.argsort(-values)[:dims]].T, dtype=np.float32)
