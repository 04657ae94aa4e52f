"""Tuning refinement and radii on validation places: K, M, α, β and the bandwidth."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.places.geo import EARTH_RADIUS_KM, Float, from_unit, haversine_km, to_unit
from geoagent.types import Float32
from geoagent.worlds.evaluation.metrics import geoscore, median_km, within_km
from geoagent.worlds.evaluation.predict import Predictor
from geoagent.worlds.training.calibration import radius_scale
from geoagent.worlds.training.head import Progress
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import World

_ROWS = 900  # validation places for the grid search, each with one view and with all
_CHUNK = 200  # queries processed per batch
_REACH = 2.0  # of the refiner, in bandwidths
_SHARES = {"within_25_km": 25.0, "within_200_km": 200.0, "within_750_km": 750.0, "within_2500_km": 2500.0}


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of settings that are tried."""

    alpha: Sequence[float] = (5.0, 10.0, 15.0, 20.0, 30.0, 50.0)
    cell_weight: Sequence[float] = (0.5, 0.75, 1.0)
    bandwidth_km: Sequence[float] = (60.0, 100.0, 150.0, 200.0, 300.0, 400.0)
    neighbours: Sequence[int] = (50, 200)
    leading: Sequence[int] = (12, 24, 48)


def tune(world: World, val: Table, *, grid: Grid | None = None, progress: Progress | None = None) -> World:
    """Return the world with refinement settings and radii fitted on validation places.

    The chosen settings have the largest mean of the shares within 25, 200 and 750 km and of the GeoScore (as a share of
    5000), among those that are no worse than the centroid at any threshold; one view and all views count alike.

    Args:
        world: needs a head; without a gallery only radii are fitted.
        val: places with features that the head was not trained on.
        grid: settings to evaluate.
        progress: see `Progress`.

    Raises:
        InputError: no validation places.
    """
    if len(val) == 0:
        raise InputError("there are no validation places to tune on; hold some out")
    views = val.unit_views()
    calibration: dict[str, Any] = dict(world.calibration)
    trials: list[dict[str, Any]] = []
    if world.gallery is not None:
        chosen, trials = _search(world, views, val.latlon, grid or Grid(), progress)
        calibration |= chosen
    calibration |= {"radius_scale_50": 1.0, "radius_scale_90": 1.0}
    bare = replace(world, calibration=calibration)
    found = Predictor(bare, search="exact")(mean_view(views), progress=progress)
    distance = haversine_km(found.latlon, val.latlon)
    calibration |= {
        "radius_scale_50": round(radius_scale(distance, found.radius_50_km, 0.5), 4),
        "radius_scale_90": round(radius_scale(distance, found.radius_90_km, 0.9), 4),
    }
    return replace(world, calibration=calibration, card={**world.card, "tuning": trials})


def _search(
    world: World, views: Float32, latlon: Float, grid: Grid, progress: Progress | None
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The best settings of the grid, and figures for the centroid, the best and the runners-up."""
    rows = np.linspace(0, len(views) - 1, min(_ROWS, len(views))).astype(np.int64)
    truth = np.concatenate([latlon[rows]] * 2)
    embeddings = np.concatenate([views[rows, 0], mean_view(views[rows])])
    combos = [(m, a, b) for m in grid.neighbours for a in grid.alpha for b in grid.cell_weight]
    distance = {key: np.empty(len(truth)) for key in itertools.product(grid.leading, grid.bandwidth_km, combos)}
    centroid = np.empty(len(truth))
    done, steps = 0, len(grid.leading) * -(-len(truth) // _CHUNK)
    for leading in grid.leading:
        calibration = {**world.calibration, "alpha": 1.0, "leading": leading}
        look = Predictor(
            replace(world, calibration=calibration), "mode", search="exact", neighbours=max(grid.neighbours)
        )
        for begin in range(0, len(truth), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            pool = _pool(look, world, embeddings[part])
            centroid[part] = haversine_km(pool.fallback, truth[part])
            for bandwidth in grid.bandwidth_km:
                at = _modes(pool, combos, bandwidth)
                off = haversine_km(at, truth[part][:, None, :])
                for number, combo in enumerate(combos):
                    distance[leading, bandwidth, combo][part] = off[:, number]
            done += 1
            if progress is not None:
                progress("tuning refinement", done, steps)
    baseline = _figures(centroid)
    trials = [
        {"leading": k, "neighbours": m, "alpha": a, "cell_weight": b, "bandwidth_km": h} | _figures(off)
        for (k, h, (m, a, b)), off in distance.items()
    ]
    sound = [t for t in trials if all(t[name] >= baseline[name] for name in _SHARES)] or trials
    best = max(sound, key=lambda t: t["objective"])
    names = ("leading", "neighbours", "alpha", "cell_weight", "bandwidth_km")
    runners = sorted(trials, key=lambda t: -t["objective"])[:10]
    return {name: best[name] for name in names}, [{"refiner": "centroid"} | baseline, best, *runners]


@dataclass(frozen=True, eq=False, slots=True)
class _Pool:
    """Neighbours of n queries, padded to M: unit vectors, similarity − 1, log p of their cells, mask of valid rows."""

    unit: Float
    similarity: Float32
    log_p: Float32
    real: Any
    fallback: Float


def _pool(look: Predictor, world: World, embeddings: Float32) -> _Pool:
    """Candidates that `estimate` would weigh for a query: neighbours in the leading cells of the leading country."""
    log_probs = look.log_probs(embeddings)
    queries = look.head.query(embeddings)
    shape = (len(embeddings), look.count)
    unit, similarity, log_p = (
        np.zeros((*shape, 3)),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    real, fallback = np.zeros(shape, dtype=bool), np.empty((len(embeddings), 2))
    for row, lp in enumerate(log_probs.astype(np.float64)):
        country = int(world.cells.by_country(np.exp(lp)).argmax())
        own = np.where(world.cells.country_index == country, lp, -np.inf)
        leading = np.argsort(-own, kind="stable")[: look.leading]
        fallback[row] = world.cells.centroids[leading[0]]
        near = look.near(queries[row], lp)
        if near is None:
            continue
        keep = np.flatnonzero(np.isin(near.cell, leading[np.isfinite(own[leading])]))
        n = len(keep)
        unit[row, :n] = to_unit(near.latlon[keep])
        similarity[row, :n], log_p[row, :n] = near.log_weight[keep], lp[near.cell[keep]]
        real[row, :n] = True
    return _Pool(unit, similarity, log_p, real, fallback)


def _modes(pool: _Pool, combos: Sequence[tuple[int, float, float]], bandwidth: float) -> Float:
    """`refiners.mode` for n queries and many settings at once: `(n, len(combos), 2)` degrees."""
    # In float64: float32 cosines of places a few kilometres apart are all 1.
    dot = np.clip(pool.unit @ pool.unit.transpose(0, 2, 1), -1.0, 1.0)
    apart = (EARTH_RADIUS_KM / bandwidth * np.arccos(dot)).astype(np.float32)
    weight = np.zeros((*pool.real.shape, len(combos)), dtype=np.float32)
    for number, (m, alpha, beta) in enumerate(combos):
        log_w = np.where(pool.real, alpha * pool.similarity + beta * pool.log_p, -np.inf)
        log_w[:, m:] = -np.inf
        top = log_w.max(axis=1, keepdims=True)
        weight[:, :, number] = np.exp(log_w - np.where(np.isfinite(top), top, 0.0))
    density = np.where(weight > 0, np.exp(-apart) @ weight, -1.0)
    peak = density.argmax(axis=1)
    from_peak = apart[np.arange(len(peak))[:, None], peak]  # (n, combos, M)
    member = weight.transpose(0, 2, 1) * np.exp(-(from_peak**2)) * (from_peak <= _REACH)
    at = from_unit(member @ pool.unit)
    return np.where(member.sum(axis=2, keepdims=True) > 0, at, pool.fallback[:, None, :])


def _figures(distance_km: Float) -> dict[str, float]:
    """Shares within the thresholds, median, GeoScore, and the objective used to choose settings."""
    shares = {name: round(float(within_km(distance_km, km).mean()), 4) for name, km in _SHARES.items()}
    score = float(geoscore(distance_km).mean())
    parts = [shares["within_25_km"], shares["within_200_km"], shares["within_750_km"], score / 5000.0]
    figures = {"median_km": round(median_km(distance_km), 1), "geoscore": round(score, 1)}
    return shares | figures | {"objective": round(float(np.mean(parts)), 5)}
