"""Comparison of the ways to combine picture and text, on the same photos, by stratum, with intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoagent.agent.core import GeoAgent
from geoagent.belief.conformal import credible, threshold
from geoagent.places.geo import Float
from geoagent.worlds.evaluation.believe import fit_belief, fit_pool, fit_world, over
from geoagent.worlds.evaluation.cases import Case
from geoagent.worlds.evaluation.methods import Method, Methods
from geoagent.worlds.evaluation.metrics import Bootstrap, Figure, ece, median_km, within_km

SCHEMA = "geoagent.comparison/1"
EVERYTHING = "all"
RIVALS = (
    "vision-only",
    "text-only",
    "product of experts",
    "log-opinion pool",
    "log-opinion pool, cross-fitted",
    "linear pool",
    "hard filter",
)
"""Baselines for text-aware in log loss; the oracle is an upper bound for countries."""
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """Results of one method on N cases; NaN where a case has no kilometres.

    Attributes:
        right: `(N,)` whether the predicted country is the true one.
        confidence: `(N,)` its probability.
        loss: `(N,)` −log p of the true country, nats.
        km: `(N,)` distance from the answer to the truth.
        holds_50: `(N,)` 1 if the 50 % radius covers the truth, else 0.
        holds_90: `(N,)`.
        in_cells: `(N,)` whether the 90 % credible set of cells contains the true one; NaN if the world has none fitted.
        in_countries: `(N,)` likewise of countries.
        countries: `(N,)` size of that set of countries.
        latlon: `(N, 2)` the answers, degrees.
    """

    right: NDArray[np.bool_]
    confidence: Float
    loss: Float
    km: Float
    holds_50: Float
    holds_90: Float
    in_cells: Float
    in_countries: Float
    countries: Float
    latlon: Float


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Methods × strata.

    Attributes:
        columns: by set of cases ("one view", "photos signs", …) and method.
        strata: by set of cases and stratum: mask of its cases, `(N,)`.
        figures: by set of cases, stratum and method: figures by name, each with its 95 % interval.
        changes: by set of cases, stratum and text-aware variant: its difference to the others.
        settings: world, data, seed and so on.
        ablations: names of the ablations of text-aware.
    """

    columns: Mapping[str, Mapping[str, Column]]
    strata: Mapping[str, Mapping[str, NDArray[np.bool_]]]
    figures: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Figure]]]]
    changes: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Figure]]]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    ablations: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict; non-finite figures become null."""
        return {
            "schema": SCHEMA,
            "settings": dict(self.settings),
            "ablations": list(self.ablations),
            "figures": _plain(self.figures),
            "changes": _plain(self.changes),
            "risk_coverage": {
                name: {method: risk_coverage(column) for method, column in columns.items()}
                for name, columns in self.columns.items()
            },
        }

    def save(self, path: Path) -> None:
        """Write the JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", "utf-8")


def compare(
    cases: Mapping[str, Sequence[Case]],
    agent: GeoAgent,
    *,
    folds: int = 5,
    bootstrap: int = 1000,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Answer every case with every method, and evaluate.

    Args:
        cases: by name of the set: the same pictures with one view or all views, photos from pixels, …
        agent: agent over the world with which they were observed.
        folds: number of parts that texts are split into; fusion, radii and sets for each part are fitted on the
            others, so that the rows "… cross-fitted" never use the text that they answer. 0 for none.
        bootstrap: number of bootstrap resamples for the intervals; 0 for none.
        seed: random seed of splits and resamples.
        settings: stored in the report.
        progress: called with (stage, done, total).

    Raises:
        InputError: too few texts to fit on.
    """
    crossed, pools = _crossed(cases, agent, folds, seed, progress) if folds else ({}, {})
    ways = Methods(agent, crossed, pools)
    methods = {**ways.main(), **ways.ablations()}
    columns: dict[str, dict[str, Column]] = {}
    for name, mine in cases.items():
        columns[name] = {}
        for done, (method, join) in enumerate(methods.items(), start=1):
            judge = crossed if method == "text-aware, cross-fitted" else {}
            columns[name][method] = _column(mine, join, agent, judge)
            if progress is not None:
                progress(f"comparing, {name}", done, len(methods))
    strata = {name: _strata(mine) for name, mine in cases.items()}
    figures: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for name, groups in strata.items():
        figures[name], changes[name] = {}, {}
        for stratum, rows in groups.items():
            draw = Bootstrap(int(rows.sum()), bootstrap, seed)
            picked = {method: _take(column, rows) for method, column in columns[name].items()}
            figures[name][stratum] = {method: _measured(column, draw) for method, column in picked.items()}
            ours = [method for method in ways.main() if method.startswith("text-aware")]
            changes[name][stratum] = {method: _changes(method, picked, draw) for method in ours}
    said = {"world": agent.assets.world.summary(), "bootstrap": bootstrap, "folds": folds, "seed": seed}
    return Comparison(columns, strata, figures, changes, {**said, **(settings or {})}, tuple(ways.ablations()))


def risk_coverage(column: Column) -> dict[str, Any]:
    """Risk-coverage: share of wrong countries among the answers kept when the least confident abstain.

    Returns:
        "aurc", the mean of that share over all coverages (Geifman & El-Yaniv 2017, section 2), and at `COVERAGES` the
        share and the abstention threshold on confidence.
    """
    order = np.argsort(-column.confidence, kind="stable")
    wrong = np.cumsum(~column.right[order]) / np.arange(1, len(order) + 1)
    rows = []
    for coverage in COVERAGES:
        last = max(1, math.ceil(coverage * len(order))) - 1
        rows.append(
            {
                "coverage": coverage,
                "risk": round(float(wrong[last]), 4),
                "abstain_below": round(float(column.confidence[order[last]]), 4),
            }
        )
    return {"aurc": round(float(wrong.mean()), 5), "at": rows}


def _crossed(
    cases: Mapping[str, Sequence[Case]], agent: GeoAgent, folds: int, seed: int, progress: Progress | None
) -> tuple[dict[str, GeoAgent], dict[str, tuple[float, float]]]:
    """For each text, an agent over a world fitted without it, and log-opinion pool weights fitted without it."""
    every = [case for mine in cases.values() for case in mine]
    texts = list(dict.fromkeys(case.text for case in every))
    dealt = dict(zip(texts, np.random.default_rng(seed).permutation(len(texts)) % folds, strict=True))
    agents: dict[str, GeoAgent] = {}
    pools: dict[str, tuple[float, float]] = {}
    for fold in range(folds):
        others = [case for case in every if dealt[case.text] != fold]
        fitted = fit_belief(others, agent)
        own = over(agent, fit_world(agent.assets.world, fitted, others, agent))
        agents |= {text: own for text in texts if dealt[text] == fold}
        pool = fit_pool(others, own)
        pools |= {text: pool for text in texts if dealt[text] == fold}
        if progress is not None:
            progress("cross-fitting", fold + 1, folds)
    return agents, pools


def _column(cases: Sequence[Case], join: Method, agent: GeoAgent, crossed: Mapping[str, GeoAgent]) -> Column:
    rows: list[tuple[Any, ...]] = []
    places = []
    for case in cases:
        outcome, world = join(case), crossed.get(case.text, agent).assets.world
        end, probs = outcome.conclusion, np.exp(outcome.log_probs)
        mass = world.cells.by_country(probs)
        codes = list(world.cells.country_codes)
        true = codes.index(case.country) if case.country in codes else -1
        km = math.nan if case.latlon is None else case.latlon.distance_km(end.latlon)
        least = threshold(world.calibration, "countries", end.group)
        in_cells, in_countries, size = math.nan, math.nan, math.nan
        if least is not None:
            chosen = credible(mass, least)
            size = len(chosen)
            in_countries = float(true >= 0 and true in chosen)
        enough = threshold(world.calibration, "cells", end.group)
        if enough is not None and case.latlon is not None:
            in_cells = float(world.cells.at(case.latlon) in credible(probs, enough))
        p = float(mass[true]) if true >= 0 else 0.0
        holds = [math.nan if case.latlon is None else float(km <= r) for r in (end.radius_50_km, end.radius_90_km)]
        row = (end.country == case.country, end.countries[0][1], -math.log(max(p, 1e-12)), km, *holds)
        rows.append((*row, in_cells, in_countries, size))
        places.append((end.latlon.lat, end.latlon.lon))
    right, *rest = np.array(rows, dtype=np.float64).T
    columns: list[Any] = [right.astype(bool), *rest, np.array(places)]
    return Column(*columns)


def _strata(cases: Sequence[Case]) -> dict[str, NDArray[np.bool_]]:
    names = sorted({stratum for case in cases for stratum in case.strata}, key=_order)
    found = {EVERYTHING: np.ones(len(cases), dtype=bool)}
    return found | {name: np.array([name in case.strata for case in cases]) for name in names}


def _order(stratum: str) -> tuple[int, str]:
    first = ("evidence in the text", "no evidence in the text", "misleading text", "city named")
    return (first.index(stratum) if stratum in first else len(first), stratum)


def _take(column: Column, rows: NDArray[np.bool_]) -> Column:
    return Column(*(getattr(column, name)[rows] for name in Column.__dataclass_fields__))


def _measured(column: Column, draw: Bootstrap) -> dict[str, Figure]:
    known = np.isfinite(column.km)
    found = {
        "n": Figure(float(len(column.right))),
        "country": draw(column.right),
        "log_loss": draw(column.loss),
        "ece": draw(np.stack([column.confidence, column.right], axis=1), lambda rows: ece(rows[:, 0], rows[:, 1])),
        "confidence": draw(column.confidence),
        "n_km": Figure(float(known.sum())),
    }
    if known.any():
        found |= {
            "median_km": draw(column.km, _median_of_known),
            "within_25_km": draw(_where(known, within_km(column.km, 25.0)), _mean_of_known),
            "within_200_km": draw(_where(known, within_km(column.km, 200.0)), _mean_of_known),
            "radius_50_holds": draw(column.holds_50, _mean_of_known),
            "radius_90_holds": draw(column.holds_90, _mean_of_known),
        }
    for name in ("in_cells", "in_countries", "countries"):
        if np.isfinite(getattr(column, name)).any():
            found[name] = draw(getattr(column, name), _mean_of_known)
    return found


def _changes(method: str, picked: Mapping[str, Column], draw: Bootstrap) -> dict[str, Figure]:
    """Paired differences of text-aware to the others: the same draws for both, since they answer the same photos."""
    aware, vision, text = (picked[name] for name in (method, "vision-only", "text-only"))
    errors = np.stack([~vision.right, ~aware.right], axis=1)
    found = {
        "country_errors_cut": draw(errors, lambda rows: _cut(rows[:, 0].sum(), rows[:, 1].sum())),
        "for_the_better": draw(~vision.right & aware.right),
        "for_the_worse": draw(vision.right & ~aware.right),
        "same_answer_as_vision_only": draw((aware.latlon == vision.latlon).all(axis=1)),
    }
    if np.isfinite(aware.km).any():
        apart = np.stack([aware.km, vision.km, text.km], axis=1)
        found["median_km_of_vision_only"] = draw(apart, lambda rows: _ratio(rows[:, 0], rows[:, 1]))
        found["median_km_of_text_only"] = draw(apart, lambda rows: _ratio(rows[:, 0], rows[:, 2]))
    for name, other in picked.items():
        if name in RIVALS:
            found[f"log_loss_against {name}"] = draw(aware.loss - other.loss)
    return found


def _cut(before: float, after: float) -> float:
    return 1.0 - after / before if before else math.nan


def _ratio(mine: Float, other: Float) -> float:
    below = _median_of_known(other)
    return _median_of_known(mine) / below if below else math.nan


def _where(known: NDArray[np.bool_], values: NDArray[np.bool_]) -> Float:
    return np.where(known, values.astype(np.float64), np.nan)


def _median_of_known(values: Any) -> float:
    known = values[np.isfinite(values)]
    return median_km(known) if len(known) else math.nan


def _mean_of_known(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _plain(value: Any) -> Any:
    if isinstance(value, Figure):
        return {key: round(v, 6) if math.isfinite(v) else None for key, v in asdict(value).items()}
    return {key: _plain(v) for key, v in value.items()}
