"""Evaluation of a world: the field's usual metrics with intervals, by the same steps as the agent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from geoagent.errors import InputError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import Float, haversine_km
from geoagent.protocols import Refiner
from geoagent.types import Float32
from geoagent.worlds.evaluation.metrics import (
    THRESHOLDS_KM,
    Bootstrap,
    Figure,
    ece,
    geoscore,
    log_loss,
    median_km,
    within_km,
)
from geoagent.worlds.evaluation.predict import Predictions, Predictor, cells_ranked
from geoagent.worlds.evaluation.report import Report, Rows
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import World

Progress = Callable[[str, int, int], None]


def evaluate(
    world: World,
    table: Table,
    *,
    views: Literal["1", "all"] = "all",
    split: str | None = None,
    refiner: str | Refiner = "mode",
    search: str = "auto",
    bootstrap: int = 1000,
    blocks: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Evaluate a world on places with features.

    Args:
        world: needs a head.
        table: places with `views`; see `training.embed.embed_table` for photos.
        views: "1" for the first view of each place, "all" for the mean of its views.
        split: only the rows of this split; all rows by default.
        refiner: name of a plug, or a refiner.
        search: name of the search plug.
        bootstrap: number of bootstrap resamples for the intervals; 0 for none.
        blocks: resample whole 1° blocks instead of places, since places of a block are not independent.
        seed: random seed.
        progress: called with (stage, done, total).

    Raises:
        InputError: no such split, no features, or features whose length does not match the head.
        WorldError: the world has no head.
    """
    part = table.part(split) if split is not None else table
    embeddings = choose_views(part.unit_views(), views)
    predict = Predictor(world, refiner, search=search)
    if embeddings.shape[1] != predict.head.dim:
        raise InputError(
            f"the head of {world.name!r} expects features of {predict.head.dim} dimensions, got {embeddings.shape[1]}"
        )
    started = time.perf_counter()
    found = predict(embeddings, progress=progress)
    seconds = time.perf_counter() - started
    settings = {
        "world": world.summary(),
        "views": views,
        "split": split,
        "refiner": predict.refiner.name,
        "neighbours": predict.count if predict.search is not None else 0,
        "bootstrap": bootstrap,
        "blocks": blocks,
        "seed": seed,
    }
    return measure(world, found, part.latlon, settings, seconds, bootstrap=bootstrap, blocks=blocks, seed=seed)


def choose_views(views: Float32, which: str) -> Float32:
    """Return one embedding per place, `(N, D)`: its first view, or the mean of all.

    Raises:
        InputError: neither "1" nor "all".
    """
    if which == "1":
        return np.ascontiguousarray(views[:, 0])
    if which == "all":
        return mean_view(views)
    raise InputError(f"expected views 1 or all, got {which!r}")


def measure(
    world: World,
    found: Predictions,
    truth: Float,
    settings: dict[str, Any],
    seconds: float,
    *,
    bootstrap: int = 1000,
    blocks: bool = False,
    seed: int = 0,
) -> Report:
    """Compare answers with the truth; a NaN answer counts as a miss in every metric.

    Args:
        world: its cells index the answers' probabilities.
        found: N answers.
        truth: `(N, 2)` degrees.
        settings: stored in the report.
        seconds: stored in the report.
        bootstrap: see `evaluate`.
        blocks: see `evaluate`.
        seed: see `evaluate`.
    """
    gazetteer = Gazetteer.load()
    answered = np.asarray(np.isfinite(found.latlon).all(axis=1))
    at = np.where(answered[:, None], found.latlon, 0.0)
    distance = np.where(answered, haversine_km(at, truth), np.nan)
    groups = np.floor(truth).astype(np.int64) @ np.array([1000, 1]) if blocks else None
    draw = Bootstrap(len(truth), bootstrap, seed, groups)
    country, admin1 = gazetteer.countries_at(truth), gazetteer.admin1s_at(truth)
    same_country = answered & (gazetteer.countries_at(at) == country) & (country != "")
    same_admin1 = answered & (gazetteer.admin1s_at(at) == admin1) & (admin1 != "")
    chosen_right = answered & (found.country == country)
    cell = world.cells.assign(truth)
    codes = {code: i for i, code in enumerate(world.cells.country_codes)}
    index = np.array([codes.get(str(code), -1) for code in country])
    figures: dict[str, Figure] = {}
    for limit in THRESHOLDS_KM:
        figures[f"within_{limit:g}_km"] = draw(within_km(distance, limit))
    figures["median_km"] = draw(distance, median_km)
    figures["mean_km"] = draw(distance, _mean_of_answered)
    figures["geoscore"] = draw(geoscore(distance))
    figures["country"] = draw(same_country)
    figures["head_country"] = draw(chosen_right)
    figures["admin1"] = draw(same_admin1)
    figures["cell_top_1"] = draw(cells_ranked(found.log_probs, cell, 1))
    figures["cell_top_5"] = draw(cells_ranked(found.log_probs, cell, 5))
    both = np.stack([found.p_country, chosen_right], axis=1)
    figures["ece"] = draw(both, lambda rows: ece(rows[:, 0], rows[:, 1]))
    figures["log_loss"] = draw(_country_log_loss(world, found.log_probs, index))
    figures["cell_log_loss"] = draw(log_loss(found.log_probs, cell))
    if np.isfinite(found.radius_50_km).any():
        with np.errstate(invalid="ignore"):
            figures["radius_50_holds"] = draw(distance <= found.radius_50_km)
            figures["radius_90_holds"] = draw(distance <= found.radius_90_km)
        figures["radius_50_km"] = draw(found.radius_50_km, median_km)
        figures["radius_90_km"] = draw(found.radius_90_km, median_km)
    figures["unanswered"] = draw(~answered)
    rows = Rows(truth, found.latlon, distance, found.p_country, chosen_right)
    return Report(figures, settings, seconds, rows)


def _mean_of_answered(distance_km: Any) -> float:
    """Mean distance of the answered rows; unanswered rows have none to average."""
    known = distance_km[np.isfinite(distance_km)]
    return float(known.mean()) if len(known) else float("nan")


def _country_log_loss(world: World, log_probs: Float32, truth: Any) -> Float:
    """Negative log of the true country's probability, `(N,)`, capped at 50 if the world has no cell in it."""
    member = np.zeros((len(world.cells), len(world.cells.country_codes) + 1), dtype=np.float32)
    member[np.arange(len(world.cells)), world.cells.country_index] = 1.0
    mass = np.exp(log_probs) @ member
    return np.asarray(-np.log(np.maximum(mass[np.arange(len(truth)), truth].astype(np.float64), np.exp(-50.0))))
