"""Training of a world from a table of places: cells, head, calibration, gallery, support, prior, card."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from geoagent import __version__
from geoagent.errors import ConfigError, InputError
from geoagent.places.geo import Float, haversine_km
from geoagent.places.geocells import Geocells
from geoagent.types import Float32, Int
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.head import CellHead
from geoagent.worlds.search.prototype import build_prototypes
from geoagent.worlds.training.calibration import (
    country_temperature,
    fit_temperature,
    picture_reliability,
    smoothed_prior,
)
from geoagent.worlds.training.cells import make_cells
from geoagent.worlds.training.head import Fitted, HeadSettings, Progress, train_head
from geoagent.worlds.training.labels import Smoothing, smooth_labels
from geoagent.worlds.training.lens import LensSettings, train_lens
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.tune import tune
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import Support, World

_UNKNOWN = "features made elsewhere"
_FEW = 1000
_NEIGHBOURHOOD = 4  # rank of the neighbour that sets a place's extent


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings for training a world.

    Attributes:
        cells: "semantic" (from administrative units) or "quadtree"; custom geocells are passed to `train`.
        min_size: minimum training places per semantic cell.
        max_size: maximum training places per cell.
        tau_km: scale of the haversine smoothing.
        smoothing: see `labels.Smoothing`.
        head: see `HeadSettings`.
        lens: see `LensSettings`; the gallery is searched through it.
        tune: whether refinement and radii are fitted on the validation places.
        prototypes: whether PIGEON's prototypes are built for the gallery, for the search `prototype`.
        val_share: share of places held out for validation if the table has no split "val"; see `split_table`
            for small tables.
        seed: random seed.
    """

    cells: Literal["semantic", "quadtree"] = "semantic"
    min_size: int = 10
    max_size: int = 20
    tau_km: float = 75.0
    smoothing: Smoothing = "normalised"
    head: HeadSettings = field(default_factory=HeadSettings)
    lens: LensSettings = field(default_factory=LensSettings)
    tune: bool = True
    prototypes: bool = False
    val_share: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.val_share < 0.9:
            raise ConfigError(f"val_share must lie in (0, 0.9), got {self.val_share}")


def train(
    table: Table,
    *,
    out: str | Path | None = None,
    cells: Geocells | None = None,
    settings: TrainSettings | None = None,
    encoder: Mapping[str, Any] | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> World:
    """Train a world on places with features.

    Training uses the split "train"; early stopping, temperatures and tuning use the split "val"; other splits are not
    used. A table without splits is split at random.

    Args:
        table: places with `views`; see `embed.embed_table` for photos.
        out: folder to save the world in; None to keep it in memory.
        cells: custom geocells; None to build them from the training places according to the settings.
        settings: training settings.
        encoder: configuration of the encoder that made the features: {"name": …, options}; None if it is not one of
            geoagent's, in which case features must be supplied with photos.
        name: display name of the world.
        progress: see `Progress`.

    Raises:
        InputError: the table has no features, or too few places.
        MissingDependency: torch is not installed.
    """
    how = settings or TrainSettings()
    tell = progress or (lambda what, done, total: None)
    started = time.perf_counter()
    train_part, val_part = split_table(table, how.val_share, how.seed)
    views, val_views = train_part.unit_views(), val_part.unit_views()
    if cells is None:
        tell("making geocells", 0, 1)
        cells = make_cells(train_part.latlon, how.cells, how.min_size, how.max_size)
    tell("assigning places to geocells", 0, 1)
    cell, val_cell = cells.assign(train_part.latlon), cells.assign(val_part.latlon)
    made_s = time.perf_counter() - started
    targets = smooth_labels(train_part.latlon, cell, cells.centroids, how.tau_km, how.smoothing)
    val_targets = smooth_labels(val_part.latlon, val_cell, cells.centroids, how.tau_km, how.smoothing)
    fitted = train_head(
        views,
        targets,
        val_views,
        val_targets,
        country=cells.country_index,
        true_country=cells.country_index[cell],
        encoder=_UNKNOWN if encoder is None else str(encoder["name"]),
        cells=cells.fingerprint,
        settings=replace(how.head, seed=how.head.seed + how.seed),
        progress=progress,
    )
    del targets, val_targets
    tell("calibrating", 0, 1)
    joined = mean_view(views)
    prior = smoothed_prior(cell, len(cells))
    head, temperatures = calibrated(fitted.head, cells, prior, val_views, val_cell)
    lens_began = time.perf_counter()
    losses: dict[str, float] = {}
    if how.lens.dims:
        lens, losses = train_lens(
            views,
            train_part.latlon,
            val_views,
            val_part.latlon,
            settings=how.lens,
            seed=how.head.seed + how.seed,
            device=how.head.device,
            progress=progress,
        )
        head = replace(head, lens=lens)
    lens_s = time.perf_counter() - lens_began
    centre = head.mean if head.lens is None else None
    gallery = Gallery.make(head.query(joined), train_part.latlon, cell, train_part.refs, mean=centre)
    world = World(
        name=name or (Path(out).name if out is not None else "trained"),
        cells=cells,
        log_prior=prior,
        support=support_of(train_part.latlon, cell, cells),
        head=head,
        gallery=gallery,
        encoder=None if encoder is None else dict(encoder),
        calibration=temperatures,
        prototypes=build_prototypes(gallery) if how.prototypes else None,
        card=_card(how, table, train_part, val_part, cells, fitted, made_s, lens_s, losses),
    )
    if how.tune:
        world = tune(world, val_part, progress=progress)
    card = {**world.card, "seconds": {**world.card["seconds"], "all": round(time.perf_counter() - started, 1)}}
    world = replace(world, card=card)
    if out is not None:
        world.save(out)
    return world


def split_table(table: Table, val_share: float = 0.08, seed: int = 0) -> tuple[Table, Table]:
    """Return the training and the validation places.

    The table's own splits are used if present. Otherwise `val_share` of the places are drawn; below `_FEW`, at
    least a quarter, in whole 1° blocks: small sets come from few photographers, and a random draw would only show
    how well the head knows those and make it overconfident elsewhere.

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
    held = max(1, round(val_share * len(rest)))
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


def calibrated(
    head: CellHead, cells: Geocells, log_prior: Float, views: Float32, cell: Int
) -> tuple[CellHead, dict[str, Any]]:
    """Set the head's temperature so that its countries are calibrated, and return the other fitted values.

    Args:
        head: as trained.
        cells: its geocells.
        log_prior: `(C,)` of the world.
        views: `(N, V, D)` of validation places.
        cell: `(N,)` their cells.
    """
    log_p, country = head(mean_view(views)), cells.country_index
    by_country = country_temperature(log_p, country, country[cell])
    head, figures = (
        replace(head, temperature=by_country),
        {"temperature": by_country, "temperature_of_cells": fit_temperature(log_p, cell)},
    )
    # One view and all: a head that sees fewer views has a heavier tail.
    looked = np.concatenate([head(np.ascontiguousarray(views[:, 0])), head(mean_view(views))])
    picture = picture_reliability(looked, log_prior, country, np.tile(country[cell], 2))
    return head, {**figures, "fusion": {"picture": round(picture, 5)}}


def support_of(latlon: Float, cell: Int, cells: Geocells) -> Support:
    """Each training place as a support place; its extent is half the distance to its fourth neighbour in its cell.

    A cell without training places is represented by its centroid; in a cell with few places, the cell's radius is used.
    """
    counts = np.bincount(cell, minlength=len(cells))
    empty = np.flatnonzero(counts == 0)
    extent = cells.radius_km[cell].copy()
    order = np.argsort(cell, kind="stable")
    for mine in np.split(order, np.cumsum(counts)[:-1]):
        for rows in np.array_split(mine, len(mine) // 1000 + 1):
            if len(rows) > _NEIGHBOURHOOD:
                apart = haversine_km(latlon[rows, None, :], latlon[rows])
                extent[rows] = np.partition(apart, _NEIGHBOURHOOD, axis=1)[:, _NEIGHBOURHOOD]
    return Support(
        np.concatenate([latlon, cells.centroids[empty]]),
        np.concatenate([cell, empty]),
        np.concatenate([-np.log(counts[cell]), np.zeros(len(empty))]),
        np.concatenate([np.clip(extent / 2, 1.0, 200.0), np.maximum(cells.radius_km[empty], 1.0)]),
    )


def _card(
    how: TrainSettings,
    table: Table,
    train_part: Table,
    val_part: Table,
    cells: Geocells,
    fitted: Fitted,
    made_s: float,
    lens_s: float,
    losses: Mapping[str, float],
) -> dict[str, Any]:
    settings = asdict(how)
    spread = haversine_km(train_part.latlon, cells.centroids[cells.assign(train_part.latlon)])
    assert train_part.views is not None
    return {
        "made_by": f"geoagent {__version__}",
        "python": platform.python_version(),
        "settings": settings,
        "data": {
            "train": len(train_part),
            "val": len(val_part),
            "views": int(train_part.views.shape[1]),
            "dim": int(train_part.views.shape[2]),
            "notes": list(table.notes),
        },
        "cells": {
            "count": len(cells),
            "countries": len(cells.country_codes),
            "median_km_to_centroid": round(float(np.median(spread)), 1),
        },
        "history": [[[round(a, 4), round(b, 4)] for a, b in model] for model in fitted.history],
        "lens": dict(losses),
        "seconds": {"cells": round(made_s, 1), "head": round(fitted.seconds, 1), "lens": round(lens_s, 1)},
    }
