"""Fitting the weights of picture and text, radii and credible sets, on pictures and texts with known places.

A belief (`fusion.Belief`) has four numbers: the picture's share, which is fitted on pictures alone; the exponent of the
text's likelihoods (its inverse temperature); a factor on every reliability; and the discount on other cues of one line.
They maximise the probability of the true countries, shrunk towards the defaults by normal priors, so that a handful of
texts has little effect. Radii and sets are fitted afterwards, on the resulting answers.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from geoagent.agent.core import GeoAgent
from geoagent.belief.conformal import GROUPS, LEAST, quantile, set_scores
from geoagent.belief.fusion import Belief, Fusion
from geoagent.belief.pooling import SAME_REGION
from geoagent.errors import InputError
from geoagent.places.geo import Float, LatLon, haversine_km
from geoagent.types import Constraint
from geoagent.worlds.evaluation.cases import Case
from geoagent.worlds.evaluation.methods import Methods, Outcome
from geoagent.worlds.training.calibration import picture_reliability
from geoagent.worlds.world import World

EXPONENTS = tuple(float(w) for w in np.round(np.geomspace(0.4, 1.8, 13), 3))
RELIABILITIES = (0.85, 0.9, 0.95, 0.98, 1.0)
SAME_REGIONS = (0.0, 0.2, SAME_REGION, 0.5, 0.7, 1.0)
_SPREAD = (0.1, 0.08, 0.3)
"""Standard deviations of the priors: of the exponent's logarithm, of the factor, of `same_region`.

The first is deliberately narrow: on texts that the rules were written for, text looks more reliable than elsewhere."""
LEAST_TEXTS = 10
"""Minimum number of texts for a fit."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """A fitted belief.

    Attributes:
        belief: the fitted belief.
        figures: "before" and "fitted" mean −log p of the true country, nats; and the number of texts and cases.
    """

    belief: Belief
    figures: Mapping[str, float]


def fit_belief(cases: Sequence[Case], agent: GeoAgent, *, progress: Progress | None = None) -> Fitted:
    """Fit a belief on cases whose text has evidence; each text counts once, however many pictures it is paired with.

    Args:
        cases: see `cases.load_pairs`, `pair_up` and `load_photos`.
        agent: agent over their world.
        progress: called with (stage, done, total).

    Raises:
        InputError: too few texts with evidence.
    """
    mine = [case for case in cases if case.evidence and case.observed.text.constraints]
    texts = list(dict.fromkeys(case.text for case in mine))
    if len(texts) < LEAST_TEXTS:
        raise InputError(f"{len(texts)} texts with evidence are too few to fit the fusion; it needs {LEAST_TEXTS}")
    share = _share_of_text(mine)
    before = float(share @ np.array([_loss(agent.fusion, case) for case in mine]) / len(texts))
    picture = _picture(cases, agent)
    agent = _believing(agent, replace(Belief.of(agent.assets.world), picture=picture))
    options = list(itertools.product(RELIABILITIES, SAME_REGIONS))
    total = np.array([[_penalty(w, r, same) for w in EXPONENTS] for r, same in options])
    for column, (reliability, same) in enumerate(options):
        fusion = Fusion(agent.assets.world, Belief({}, reliability, same, picture))
        terms: dict[str, tuple[Float, Float]] = {}
        for case, weight in zip(mine, share, strict=True):
            if case.text not in terms:
                terms[case.text] = _terms(fusion, case.observed.text.constraints)
            total[column] += weight * _losses(case, agent, *terms[case.text])
        if progress is not None:
            progress("fitting the fusion", column + 1, len(options))
    chosen, exponent = divmod(int(total.argmin()), len(EXPONENTS))
    reliability, same = options[chosen]
    weights = {source: EXPONENTS[exponent] for source in _sources(mine)}
    belief = Belief(weights, reliability, same, picture)
    fitted = Fusion(agent.assets.world, belief)
    after = float(share @ np.array([_loss(fitted, case) for case in mine]) / len(texts))
    figures = {"texts": len(texts), "cases": len(mine), "before": round(before, 4), "fitted": round(after, 4)}
    return Fitted(belief, figures)


def fit_world(
    world: World, fitted: Fitted, cases: Sequence[Case], agent: GeoAgent, *, data: Mapping[str, Any] | None = None
) -> World:
    """Return the world with fitted weights, and with radii and sets that have the stated coverage on the cases.

    Args:
        world: its values are kept for groups with fewer than `conformal.LEAST` cases.
        fitted: the belief.
        cases: with and without evidence, with places where distances count.
        agent: agent over the world.
        data: description of the fitting data, stored with the values.
    """
    held = {
        "weights": dict(fitted.belief.weights),
        "reliability": fitted.belief.reliability,
        "same_region": fitted.belief.same_region,
        "picture": fitted.belief.picture,
        "from": {**(data or {}), **fitted.figures, "date": date.today().isoformat()},
    }
    original = world.calibration
    kept = {name: value for name, value in original.items() if name not in ("conformal", "named_km")}
    world = replace(world, calibration={**kept, "fusion": held})
    agent = over(agent, world)
    found = _apart(cases, agent)
    away = [_from_city(case, outcome) for case, outcome in found if outcome.conclusion.group == "city"]
    known = [km for km in away if km is not None]
    if len(known) >= LEAST:
        world = replace(world, calibration={**world.calibration, "named_km": round(float(np.median(known)), 1)})
        agent = over(agent, world)
        found = _apart(cases, agent)
    before, fresh = original.get("conformal", {}), _conformal(found, world)
    merged = {what: {**before.get(what, {}), **fresh[what]} for what in fresh}
    if len(known) < LEAST and "named_km" in original:
        world = replace(world, calibration={**world.calibration, "named_km": original["named_km"]})
    return replace(world, calibration={**world.calibration, "conformal": merged})


def _apart(cases: Sequence[Case], agent: GeoAgent) -> list[tuple[Case, Outcome]]:
    """Answer each case with and without its text, so that pictures alone are calibrated too."""
    methods = Methods(agent)
    found = [(case, methods.aware(case)) for case in cases]
    bare = [case for case in cases if case.observed.text.constraints and case.latlon is not None]
    return [*found, *((case, methods.vision(case)) for case in bare)]


def _conformal(found: Sequence[tuple[Case, Outcome]], world: World) -> dict[str, Any]:
    """Scales of radii and thresholds of sets by group, from answers whose radii are not yet scaled for text."""
    cells = world.cells
    codes = {code: i for i, code in enumerate(cells.country_codes)}
    radius: dict[str, list[float]] = {}
    sets: dict[str, dict[str, float]] = {"cells": {}, "countries": {}}
    for group in GROUPS:
        mine = [(case, outcome) for case, outcome in found if outcome.conclusion.group == group]
        placed = [(case, outcome) for case, outcome in mine if case.latlon is not None]
        texts, towns = len({case.text for case, _ in mine}), len({case.text for case, _ in placed})
        if group != "picture" and towns >= LEAST:
            ends = [outcome.conclusion for _, outcome in placed]
            away = np.array(
                [c.latlon.distance_km(e.latlon) for (c, _), e in zip(placed, ends, strict=True) if c.latlon]
            )
            half = away / np.array([end.radius_50_km / end.scales[0] for end in ends])
            most = away / np.array([end.radius_90_km / end.scales[1] for end in ends])
            radius[group] = [round(quantile(half, 0.5, towns), 4), round(quantile(most, 0.9, towns), 4)]
        if texts >= LEAST:
            at = [(o, codes[case.country]) for case, o in mine if case.country in codes]
            scores = [set_scores(cells.by_country(np.exp(o.log_probs)))[country] for o, country in at]
            sets["countries"][group] = round(quantile(scores, 0.9, texts), 6)
        if towns >= LEAST:
            inside = [(o, cells.at(case.latlon)) for case, o in placed if case.latlon is not None]
            scores = [set_scores(np.exp(o.log_probs))[cell] for o, cell in inside]
            sets["cells"][group] = round(quantile(scores, 0.9, towns), 6)
    return {"radius": radius, **sets}


def _picture(cases: Sequence[Case], agent: GeoAgent) -> float:
    """The picture's share: see `picture_reliability`; 1 if no picture was judged."""
    world = agent.assets.world
    codes = {code: i for i, code in enumerate(world.cells.country_codes)}
    mine = [c for c in cases if c.observed.vision.encoder is not None and c.country in codes]
    if len(mine) < LEAST:
        return Belief.of(world).picture
    logs = np.array([case.observed.vision.log_probs for case in mine])
    truth = [codes[case.country] for case in mine]
    return round(picture_reliability(logs, world.log_prior, world.cells.country_index, truth), 5)


def _believing(agent: GeoAgent, belief: Belief) -> GeoAgent:
    held = {**agent.assets.world.calibration.get("fusion", {}), "picture": belief.picture}
    return over(agent, replace(agent.assets.world, calibration={**agent.assets.world.calibration, "fusion": held}))


def over(agent: GeoAgent, world: World) -> GeoAgent:
    """Return the agent with another calibration of fusion, radii and sets; its parts are shared."""
    return replace(agent, assets=replace(agent.assets, world=world))


def _from_city(case: Case, outcome: Outcome) -> float | None:
    """Distance of a photo from the nearest city that its text names near the answer, km."""
    end = outcome.conclusion
    towns = end.candidates.latlon[end.candidates.named]
    if case.latlon is None or len(towns) == 0:
        return None
    town = towns[int(haversine_km((end.latlon.lat, end.latlon.lon), towns).argmin())]
    return case.latlon.distance_km(LatLon(*town.tolist()))


def _sources(cases: Sequence[Case]) -> tuple[str, ...]:
    return tuple(sorted({c.source for case in cases for c in case.observed.text.constraints} - {"user"}))


def _terms(fusion: Fusion, constraints: Sequence[Constraint]) -> tuple[Float, Float]:
    """Pooled log likelihoods: of the text (scaled by the exponent) and of the user, `(C,)` each."""
    terms, count = fusion.terms(constraints), len(fusion.world.cells)
    of_user = {c.id for c in constraints if c.source == "user"}
    heard = sum((term for key, term in terms.items() if key not in of_user), np.zeros(count))
    return heard, sum((term for key, term in terms.items() if key in of_user), np.zeros(count))


def _loss(fusion: Fusion, case: Case) -> float:
    """−log p of the true country, nats."""
    probs = fusion(case.observed.vision.log_probs, case.observed.text.constraints).probs
    return -float(np.log(max(1e-12, probs[fusion.world.cells.inside(case.country)].sum())))


def _losses(case: Case, agent: GeoAgent, heard: Float, said: Float) -> Float:
    """−log p of the true country at every exponent, `(E,)` nats."""
    base = agent.fusion.base(case.observed.vision.log_probs) + said
    logs = base[None, :] + np.array(EXPONENTS)[:, None] * heard[None, :]
    return _country_loss(logs, case, agent)


def _country_loss(logs: Float, case: Case, agent: GeoAgent) -> Float:
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    inside = p[:, agent.assets.world.cells.inside(case.country)].sum(axis=1) / p.sum(axis=1)
    return np.asarray(-np.log(np.maximum(inside, 1e-12)), dtype=np.float64)


def _share_of_text(cases: Sequence[Case]) -> Float:
    """Weight of each case, `(N,)`: the cases of one text together count once."""
    pictures = Counter(case.text for case in cases)
    return np.array([1.0 / pictures[case.text] for case in cases])


def fit_pool(cases: Sequence[Case], agent: GeoAgent) -> tuple[float, float]:
    """Weights of a log-opinion pool a · log v + b · log t, a and b in [0, 1.5], with the loss of `fit_belief`.

    The picture's share is the one that `fit_belief` would choose.
    """
    agent = _believing(agent, replace(Belief.of(agent.assets.world), picture=_picture(cases, agent)))
    cases = [case for case in cases if case.evidence and case.observed.text.constraints]
    grid = np.array(list(itertools.product(np.arange(0.0, 1.51, 0.1), repeat=2)))[1:]
    total = np.zeros(len(grid))
    methods = Methods(agent)
    for case, weight in zip(cases, _share_of_text(cases), strict=True):
        v, t = methods.opinions(case)
        total += weight * _country_loss(grid[:, :1] * v + grid[:, 1:] * t, case, agent)
    a, b = grid[int(total.argmin())]
    return round(float(a), 2), round(float(b), 2)


def _penalty(exponent: float, reliability: float, same_region: float) -> float:
    scaled = np.array([np.log(exponent), 1.0 - reliability, same_region - SAME_REGION]) / np.array(_SPREAD)
    return float(0.5 * (scaled**2).sum())
