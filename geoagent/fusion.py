"""Fusing what the picture says with what its text says.

A constraint "with reliability r, the photo is in one of these places, with these weights" is a likelihood over cells,

    L(c) = (1 − r) + r · m(c) / π(c),

where m(c) is the constraint's mass on cell c and π(c) the world's prior mass. Its mean under π is 1, no cell ever
reaches zero, and with no other evidence the places of the constraint get probability r. Constraints that rest on the
same text are not independent: each one's log likelihood is weighted down by how much of its text a stronger one already
used (`pool_weights`). Then

    log p(c) = log v(c) + Σₖ wₖ log Lₖ(c) − log Z,      v: the picture's distribution, or the prior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.errors import ShapeError
from geoagent.geo import Float, haversine_km
from geoagent.types import Candidates, Constraint, Place, Posterior, log_normalise
from geoagent.world import World

SAME_REGION = 0.35
"""How much of a constraint counts as used up when a stronger one rests on other characters of the same line.

Two cues in one line are two observations of one sign: more than one observation, less than two independent ones.
"""
OTHER_KIND = 0.35
"""How much of a constraint counts as used up when a stronger one of another kind rests on the same characters."""
OPINIONS = frozenset({"llm", "llm-picture"})
"""Sources whose constraints never use up those of others, however sure they are.

A model's reading of a text is a second opinion on the same characters, and counts where nothing else does.
"""
_NEAR_KM = 30.0  # how far into the neighbouring cells of its country a city's mass reaches
_NEAR_SHARE = 0.1  # how much of it
_POINT_KM = 8.0  # scale on which a city's constraint prefers one candidate of a cell to another


@dataclass(frozen=True, slots=True)
class Fusion:
    """Fuses constraints over the cells of one world.

    Attributes:
        world: cells and prior.
        same_region: see `SAME_REGION`; 0 multiplies constraints of one line as if independent, 1 keeps the strongest.
    """

    world: World
    same_region: float = SAME_REGION

    def __call__(self, base: Float, constraints: Sequence[Constraint]) -> Posterior:
        """Return the posterior over cells.

        Args:
            base: `(C,)` log probabilities: the picture's, or the prior.
            constraints: may be empty; then the posterior equals `base`.

        Raises:
            ShapeError: `base` is over another number of cells.
        """
        return combine(base, self.terms(constraints), self.world)

    def terms(self, constraints: Sequence[Constraint]) -> dict[str, Float]:
        """Pooled log likelihoods `(C,)`, nats, by constraint id."""
        likelihoods = {c.id: np.log(likelihood(c, self.world)) for c in constraints}
        return self.pooled(constraints, likelihoods)

    def pooled(self, constraints: Sequence[Constraint], log_likelihoods: dict[str, Float]) -> dict[str, Float]:
        """Weigh raw log likelihoods down where constraints share text."""
        prior = np.exp(self.world.log_prior)
        # Strength: expected nats, that is the divergence from the prior to what the constraint alone would give.
        strength = []
        for constraint in constraints:
            log_l = log_likelihoods[constraint.id]
            strength.append(float((prior * np.exp(log_l)) @ log_l))
        weights = pool_weights(constraints, strength, self.same_region)
        return {c.id: w * log_likelihoods[c.id] for c, w in zip(constraints, weights, strict=True)}


def combine(base: Float, terms: dict[str, Float], world: World) -> Posterior:
    """Add pooled log likelihoods to `base` and normalise.

    Raises:
        ShapeError: `base` is over another number of cells than the world's.
    """
    if np.shape(base) != (len(world.cells),):
        raise ShapeError(f"expected log probabilities over {len(world.cells)} geocells, got shape {np.shape(base)}")
    total = np.array(base, dtype=np.float64)
    for term in terms.values():
        total += term
    return Posterior(log_normalise(total), base, terms, world.cells.fingerprint)


def likelihood(constraint: Constraint, world: World) -> Float:
    """L(c) of one constraint, `(C,)`, positive, mean at most 1 under the prior.

    Mass on countries that have no cells in this world is lost, and weakens the constraint accordingly.
    """
    prior = np.exp(world.log_prior)
    ratio = np.zeros(len(world.cells))
    for place, weight in zip(constraint.places, constraint.weights, strict=True):
        if weight > 0:
            ratio += weight * mass_ratio(place, world, prior)
    return np.asarray((1.0 - constraint.reliability) + constraint.reliability * ratio, dtype=np.float64)


def mass_ratio(place: Place, world: World, prior: Float) -> Float:
    """m(c) / π(c) for a unit mass on one place, `(C,)`; zero where the world has no cell of its country."""
    cells = world.cells
    inside = cells.country == place.country
    if not inside.any():
        return np.zeros(len(cells))
    if place.level == "admin1" and place.admin1:
        unit = inside & (cells.admin1 == place.admin1)
        if unit.any():
            inside = unit
    if place.level != "city":
        return np.asarray(inside / prior[inside].sum(), dtype=np.float64)
    home = int(cells.assign([(place.latlon.lat, place.latlon.lon)])[0])
    if cells.country[home] != place.country:  # a border town whose coordinates fall on the other side
        home = int(
            np.where(inside, haversine_km((place.latlon.lat, place.latlon.lon), cells.centroids), np.inf).argmin()
        )
    ratio = np.zeros(len(cells))
    ratio[home] = (1.0 - _NEAR_SHARE) / prior[home]
    near = np.exp(-haversine_km((place.latlon.lat, place.latlon.lon), cells.centroids) / _NEAR_KM) * inside
    near *= prior
    near[home] += 1e-12
    return np.asarray(ratio + _NEAR_SHARE * (near / near.sum()) / prior, dtype=np.float64)


def pool_weights(constraints: Sequence[Constraint], strength: Sequence[float], same_region: float) -> list[float]:
    """Weight of each constraint's log likelihood, in [0, 1].

    The strongest counts in full; of a weaker one, each character of its text counts as far as no stronger constraint
    has used it up. Adding a weak constraint never weakens a strong one, and constraints on different lines multiply.

    ======================================  ======================================  ===================
    a stronger constraint rests on          same kind of statement, or other source  another kind
    ======================================  ======================================  ===================
    the same characters                     used up                                  `OTHER_KIND`
    other characters of the same line       `same_region`                            `OTHER_KIND` of that
    ======================================  ======================================  ===================

    Statements of one kind are those about the language of the text (script, language, words for streets), and otherwise
    each kind of cue by itself: that "Pokhara" is written in Devanagari and that it names a city are two things.
    """
    order = sorted(
        range(len(constraints)),
        key=lambda i: (constraints[i].source in OPINIONS, -strength[i], constraints[i].id),
    )
    weights = [1.0] * len(constraints)
    for rank, i in enumerate(order):
        mine = constraints[i]
        length = sum(max(0, span.end - span.start) for span in mine.spans)
        if length == 0:
            continue
        left = 0.0
        for span in mine.spans:
            used = np.zeros(max(0, span.end - span.start))
            for j in order[:rank]:
                other = constraints[j]
                alike = _alike(mine, other)
                share = 1.0 if alike else OTHER_KIND
                for taken in other.spans:
                    if taken.region != span.region:
                        continue
                    np.maximum(used, same_region * share, out=used)
                    low, high = max(span.start, taken.start) - span.start, min(span.end, taken.end) - span.start
                    if low < high:
                        used[low:high] = np.maximum(used[low:high], share)
            left += float((1.0 - used).sum())
        weights[i] = left / length
    return weights


def _alike(mine: Constraint, other: Constraint) -> bool:
    """Whether two constraints are statements about the same thing.

    What a model reads in a text says more than its language; on everything else it repeats what the tables know.
    """
    if mine.source in OPINIONS or other.source in OPINIONS:
        return "language" not in (_statement(mine.kind), _statement(other.kind))
    return other.source != mine.source or _statement(other.kind) == _statement(mine.kind)


def _statement(kind: str) -> str:
    """What a kind of cue is a statement about."""
    return "language" if kind in ("script", "language", "street") else kind


def place_preference(latlon: Float, constraints: Sequence[Constraint]) -> Float:
    """Log preference among places of one cell, `(M,)`, from the constraints that name cities.

    A country or an admin-1 unit does not tell places of one cell apart; a city does, on the scale of a city.
    """
    total = np.zeros(len(latlon))
    for constraint in constraints:
        cities = [
            (p, w) for p, w in zip(constraint.places, constraint.weights, strict=True) if p.level == "city" and w > 0
        ]
        if not cities:
            continue
        at = np.array([(p.latlon.lat, p.latlon.lon) for p, _ in cities])
        kernel = np.exp(-haversine_km(latlon[:, None, :], at) / _POINT_KM) @ np.array([w for _, w in cities])
        total += np.log((1.0 - constraint.reliability) * 0.02 + constraint.reliability * kernel)
    return total


def gazetteer_candidates(world: World, cells: Sequence[int], constraints: Sequence[Constraint]) -> Candidates:
    """Places inside `cells` that compete for the answer: the world's support, and the cities that the text names.

    A city that no support place stands for enters with the share of a typical place of its cell, so that a sign that
    says "Hallstatt" can win over a world that never saw it.

    Returns:
        Candidates whose `log_weight` is their share of their cell, text included, logsumexp 0 within each cell.
    """
    order, start = world.support_of_cell
    wanted = [int(c) for c in cells]
    rows = np.concatenate([order[start[c] : start[c + 1]] for c in wanted]) if wanted else np.zeros(0, dtype=np.int64)
    latlon, cell, log_share = world.support.latlon[rows], world.support.cell[rows], world.support.log_share[rows]
    extent = world.support.extent_km[rows]
    names = [""] * len(rows)
    named = [p for c in constraints for p, w in zip(c.places, c.weights, strict=True) if p.level == "city" and w > 0.02]
    if named and wanted:
        at = np.array([(p.latlon.lat, p.latlon.lon) for p in named])
        home = world.cells.assign(at)
        keep, seen = [], set()
        for i, place in enumerate(named):
            if home[i] in wanted and place.latlon not in seen:
                seen.add(place.latlon)
                keep.append(i)
        if keep:
            typical = [float(np.mean(log_share[cell == home[i]])) if (cell == home[i]).any() else 0.0 for i in keep]
            latlon = np.concatenate([latlon, at[keep]])
            cell = np.concatenate([cell, home[keep]])
            log_share = np.concatenate([log_share, typical])
            extent = np.concatenate([extent, [city_extent_km(named[i].population) for i in keep]])
            names += [named[i].name for i in keep]
    log_weight = log_share + place_preference(latlon, constraints)
    for c in wanted:
        mine = cell == c
        if mine.any():
            log_weight[mine] = log_normalise(log_weight[mine])
    return Candidates(
        latlon=latlon,
        cell=cell,
        log_weight=log_weight,
        similarity=np.full(len(latlon), np.nan, dtype=np.float32),
        refs=tuple(names),
        kind="place",
        extent_km=extent,
    )


def city_extent_km(population: float) -> float:
    """How far from a city's centre its photos typically are (median), km.

    A third of the radius at which the reverse geocoder lets a city own a place, max(3, 10^(0.42 log₁₀ n − 1)) km for n
    people: 1 km for a village, 5 km for 100,000 people, 18 km for 5 million.
    """
    return float(max(3.0, 10 ** (0.42 * math.log10(max(population, 1.0)) - 1.0)) / 3.0)
