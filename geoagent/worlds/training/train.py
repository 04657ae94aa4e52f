"""Training of a world from a table of places: cells, head, calibration, gallery, support, prior, card."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from geoagent import __version__
from geoagent.errors import ConfigError
from geoagent.places.geo import Float, haversine_km
from geoagent.places.geocells import Geocells
from geoagent.types import Float32, Int
from geoagent.worlds.head import CellHead
from geoagent.worlds.lens import Lens
from geoagent.worlds.search.prototype import build_prototypes
from geoagent.worlds.training.calibration import (
    country_temperature,
    fit_temperature,
    picture_reliability,
    smoothed_prior,
)
from geoagent.worlds.training.cells import make_cells
from geoagent.worlds.training.checkpoints import Checkpoints, mark_of
from geoagent.worlds.training.filling import gallery_of, indexed, support_of
from geoagent.worlds.training.group import Group
from geoagent.worlds.training.head import Fitted, HeadSettings, Progress, train_head
from geoagent.worlds.training.labels import Smoothing, labels_of
from geoagent.worlds.training.lens import LensSettings, train_lens
from geoagent.worlds.training.split import few, split_table
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.tune import tune
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import World

__all__ = ["TrainSettings", "calibrated", "split_table", "support_of", "train"]

_UNKNOWN = "features made elsewhere"


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


@overload
def train(
    table: Table,
    *,
    out: str | Path | None = ...,
    cells: Geocells | None = ...,
    settings: TrainSettings | None = ...,
    encoder: Mapping[str, Any] | None = ...,
    name: str | None = ...,
    progress: Progress | None = ...,
    checkpoints: str | Path | None = ...,
    resume: bool = ...,
    group: None = ...,
) -> World: ...


@overload
def train(
    table: Table,
    *,
    out: str | Path | None = ...,
    cells: Geocells | None = ...,
    settings: TrainSettings | None = ...,
    encoder: Mapping[str, Any] | None = ...,
    name: str | None = ...,
    progress: Progress | None = ...,
    checkpoints: str | Path | None = ...,
    resume: bool = ...,
    group: Group,
) -> World | None: ...


def train(
    table: Table,
    *,
    out: str | Path | None = None,
    cells: Geocells | None = None,
    settings: TrainSettings | None = None,
    encoder: Mapping[str, Any] | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    checkpoints: str | Path | None = None,
    resume: bool = False,
    group: Group | None = None,
) -> World | None:
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
        checkpoints: folder for the state of the training, deleted at the end; None to keep none.
        resume: go on from the state that an interrupted training left there.
        group: the processes that train together (`group.together`), all of which call this with the same arguments.

    Returns:
        The world. Of several processes the first one makes and saves it; the others return None once theirs is done.

    Raises:
        InputError: the table has no features, or too few places.
        ConfigError: a device that cannot be used, or a state of other data or settings.
        MissingDependency: torch is not installed.
    """
    how, group = settings or TrainSettings(), group or Group()
    tell = progress or (lambda what, done, total: None)
    started = time.perf_counter()
    kept = Checkpoints(
        None if checkpoints is None else Path(checkpoints), mark_of(how, table, cells), resume=resume, group=group
    )
    train_part, val_part = split_table(table, how.val_share, how.seed)
    views = train_part.unit_rows()
    if cells is None:
        tell("making geocells", 0, 1)
        cells = kept.cells(lambda: make_cells(train_part.latlon, how.cells, how.min_size, how.max_size))
    tell("assigning places to geocells", 0, 1)
    val_part = few(val_part, len(cells))
    val_views, known = val_part.unit_views(), cells
    cell, val_cell = group.given(lambda: (known.assign(train_part.latlon), known.assign(val_part.latlon)))
    made_s = time.perf_counter() - started
    fitted = train_head(
        views,
        labels_of(train_part.latlon, cell, cells.centroids, how.tau_km, how.smoothing),
        val_views,
        labels_of(val_part.latlon, val_cell, cells.centroids, how.tau_km, how.smoothing),
        country=cells.country_index,
        true_country=cells.country_index[cell],
        encoder=_UNKNOWN if encoder is None else str(encoder["name"]),
        cells=cells.fingerprint,
        settings=replace(how.head, seed=how.head.seed + how.seed),
        progress=progress,
        group=group,
        checkpoints=kept,
    )
    lens_began = time.perf_counter()
    lens: Lens | None = None
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
            group=group,
            checkpoints=kept,
        )
    lens_s = time.perf_counter() - lens_began
    if not group.first:
        return None
    tell("calibrating", 0, 1)
    prior = smoothed_prior(cell, len(cells))
    head, temperatures = calibrated(fitted.head, cells, prior, val_views, val_cell)
    head = replace(head, lens=lens)
    gallery = gallery_of(head, views, train_part, cell, kept.folder, tell)
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
        card=_card(how, table, train_part, cell, val_part, cells, fitted, made_s, lens_s, losses),
    )
    if how.tune:
        world = tune(world, val_part, progress=progress)
    card = {**world.card, "seconds": {**world.card["seconds"], "all": round(time.perf_counter() - started, 1)}}
    world = replace(world, card=card)
    if out is not None:
        world.save(out)
        indexed(out, progress)
    kept.clear()
    return world


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


def _card(
    how: TrainSettings,
    table: Table,
    train_part: Table,
    cell: Int,
    val_part: Table,
    cells: Geocells,
    fitted: Fitted,
    made_s: float,
    lens_s: float,
    losses: Mapping[str, float],
) -> dict[str, Any]:
    settings = asdict(how)
    spread = haversine_km(train_part.latlon, cells.centroids[cell])
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
