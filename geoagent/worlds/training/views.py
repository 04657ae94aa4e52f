"""Several views of one place: their mean embedding, and random subsets for training."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoagent.types import Float32


def mean_view(views: Float32) -> Float32:
    """One embedding per place, `(N, D)` of unit length: the direction of the mean of its unit views `(N, V, D)`.

    Used wherever views are pooled: in training, in the gallery and for queries.
    """
    total = np.asarray(views, dtype=np.float32).mean(axis=1)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def centre(views: Float32) -> Float32:
    """Mean of all views of all places, `(D,)`: used to centre embeddings."""
    return np.asarray(views.reshape(-1, views.shape[-1]).mean(axis=0, dtype=np.float64), dtype=np.float32)


def draw_views(torch: Any, views: Any, generator: Any) -> Any:
    """Means of random, non-empty subsets of each place's views, of unit length.

    A model trained on them works for any number of views.

    Args:
        torch: the torch module.
        views: `(B, V, D)` tensor of unit rows.
        generator: a torch generator on the CPU.

    Returns:
        `(B, D)` tensor.
    """
    count = views.shape[1]
    if count == 1:
        return views[:, 0]
    order = torch.rand(len(views), count, generator=generator).argsort(1)
    keep = order < torch.randint(1, count + 1, (len(views), 1), generator=generator)
    return torch.nn.functional.normalize((views * keep.to(views)[..., None]).sum(1), dim=1)
