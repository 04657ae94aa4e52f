"""Which places a world is trained on, and which are held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.places.geo import Float
from geoagent.worlds.training.places_table import Table

MOST = 20_000
"""Places that are held out at most: enough for figures to a third of a percent."""
_FEW = 1000
_LEAST = 1000
_NUMBERS = 1 << 26  # most probabilities of validation places that are held at once


def few(val: Table, cells: int) -> Table:
    """Return at most `MOST` validation places, evenly spread; fewer of many cells, whose probabilities fill memory.

    Args:
        val: the places.
        cells: C, number of cells.
    """
    most = int(np.clip(_NUMBERS // cells, _LEAST, MOST))
    if len(val) <= most:
        return val
    return val.take(np.linspace(0, len(val) - 1, most).astype(np.int64))


def split_table(table: Table, val_share: float = 0.08, seed: int = 0) -> tuple[Table, Table]:
    """Return the training and the validation places.

    The table's own splits are used if present. Otherwise `val_share` of the places are drawn, `MOST` at most; below
    `_FEW`, at least a quarter, in whole 1° blocks: small sets come from few photographers, and a random draw would only
    show how well the head knows those and make it overconfident elsewhere.

    Raises:
        InputError: too few places, or splits without one named "train".
    """
    if "train" in table.splits:
        rest = table.part("train")
        if "val" in table.splits:
            return rest, table.part("val")
    elif table.splits:
        raise InputError(f"expected a split named train, the table has {', '.join(table.splits)}")
    else:
        rest = table
    if len(rest) < 20:
        raise InputError(f"expected at least 20 places to train on, got {len(rest)}")
    rng = np.random.default_rng(seed)
    if len(rest) < _FEW:
        out = _whole_blocks(rest.latlon, max(val_share, 0.25), rng)
        if out.any():
            return rest.take(np.flatnonzero(~out)), rest.take(np.flatnonzero(out))
    order = rng.permutation(len(rest))
    held = min(max(1, round(val_share * len(rest))), MOST)
    return rest.take(np.sort(order[held:])), rest.take(np.sort(order[:held]))


def _whole_blocks(latlon: Float, share: float, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mask of the places in 1° blocks drawn until they hold `share` of all, skipping blocks that would exceed half."""
    _, member, size = np.unique(np.floor(latlon), axis=0, return_inverse=True, return_counts=True)
    out = np.zeros(len(latlon), dtype=bool)
    for block in rng.permutation(len(size)):
        if out.sum() + size[block] <= len(latlon) // 2:
            out |= member == block
        if out.sum() >= share * len(latlon):
            break
    return out
