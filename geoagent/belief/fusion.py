"""Fusion of the picture with the constraints from its text.

A constraint "with reliability r, the photo is in one of these places, with these weights" is a likelihood over cells,

    L(c) = (1 − r) + r · m(c) / π(c),

where m(c) is the constraint's mass on cell c and π(c) the world's prior mass. Its mean under π is 1, no cell ever
reaches zero, and with no other evidence the places of the constraint get probability r. Constraints based on the
same text are not independent: each one's log likelihood is weighted down by how much of its text a stronger one already
used (`pool_weights`). Then

    log p(c) = log v(c) + Σₖ wₖ log Lₖ(c) − log Z,      v: the picture's distribution, or the prior.

The picture is treated likewise: the head's distribution has share q and the prior makes up the rest, so that no
head, however confident, rules out a place that the text names. A few fitted numbers, which a world may hold (`Belief`),
set how much each source counts: q, a source's weight in the exponent, and a factor on every reliability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geoagent.belief.pooling import SAME_REGION, pool_weights, sharing
from geoagent.belief.spreads import spread_ratio
from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float, haversine_km
from geoagent.types import Constraint, Int, Place, Posterior, log_normalise
from geoagent.worlds.world import World

OWN_WEIGHT = frozenset({"user", "album"})
"""Sources that no weight of text changes: what the user states, and what other photos tell."""
RULED_OUT = -1000.0
"""Log likelihood, nats, of cells that the user rules out: no sum of other evidence outweighs it."""
_NEAR_KM = 30.0  # distance scale on which a city's mass extends into neighbouring cells of its country
_RULED_OUT_BELOW = 1e-9  # a rule's likelihood for a cell that it does not name is 1e-14
_NEAR_SHARE = 0.1  # share of the city's mass that extends


@dataclass(frozen=True, slots=True)
class Belief:
    """Exponents of the sources, fitted per world by log loss on pictures and texts of known places.

    Attributes:
        weights: exponent of the likelihoods of each source; 1 by default.
        reliability: factor on the reliability of every constraint but the user's, (0, 1].
        same_region: see `SAME_REGION`; 0 multiplies constraints of one line as if independent, 1 keeps the strongest.
        picture: share of the picture's distribution, (0, 1]; the prior makes up the rest.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    reliability: float = 1.0
    same_region: float = SAME_REGION
    picture: float = 1.0

    def __post_init__(self) -> None:
        within = 0.0 < self.reliability <= 1.0 and 0.0 < self.picture <= 1.0 and 0.0 <= self.same_region <= 1.0
        if not within or not all(0.0 <= w < np.inf for w in self.weights.values()):
            raise ValueError(f"belief out of range: {self}")

    @classmethod
    def of(cls, world: World) -> Belief:
        """The fitted values of a world, or the defaults.

        Raises:
            WorldError: it contains something other than numbers.
        """
        held = world.calibration.get("fusion", {})
        try:
            weights = {str(name): float(value) for name, value in held.get("weights", {}).items()}
            same = float(held.get("same_region", world.calibration.get("same_region", SAME_REGION)))
            return cls(weights, float(held.get("reliability", 1.0)), same, float(held.get("picture", 1.0)))
        except (AttributeError, TypeError, ValueError) as error:
            raise WorldError(f"the world {world.name!r}: calibration of the fusion is damaged ({error})") from error


class Fusion:
    """Fuses constraints over the cells of one world.

    Args:
        world: cells and prior.
        belief: weights of the sources; the world's by default.
        text_weight: factor on the exponents of all sources but those of `OWN_WEIGHT`; 0 ignores them.
        vision_weight: factor on the picture's evidence; 0 leaves the prior.
    """

    def __init__(
        self, world: World, belief: Belief | None = None, *, text_weight: float = 1.0, vision_weight: float = 1.0
    ) -> None:
        self.world = world
        self.belief = Belief.of(world) if belief is None else belief
        self.text_weight = text_weight
        self.vision_weight = vision_weight

    def __call__(self, base: Float, constraints: Sequence[Constraint]) -> Posterior:
        """Return the posterior over cells.

        Args:
            base: `(C,)` log probabilities: the picture's, or the prior.
            constraints: may be empty; the posterior then equals `base`.

        Raises:
            ShapeError: `base` has another number of cells.
        """
        return self.over(constraints)(base, constraints)

    def over(self, constraints: Sequence[Constraint]) -> Fused:
        """Compute the likelihoods of constraints once, for every subset that will be combined."""
        return Fused(self, constraints)

    def terms(self, constraints: Sequence[Constraint]) -> Terms:
        """Pooled log likelihoods `(C,)`, nats, by constraint id."""
        return self.over(constraints).terms(constraints)

    def base(self, log_probs: Float) -> Float:
        """Log probabilities of the picture, scaled by its weight, `(C,)`.

        Raises:
            ShapeError: the number of cells differs from the world's.
        """
        count = len(self.world.cells)
        if np.shape(log_probs) != (count,):
            raise ShapeError(f"expected log probabilities over {count} geocells, got shape {np.shape(log_probs)}")
        prior, looked, share = self.world.log_prior, np.asarray(log_probs, dtype=np.float64), self.belief.picture
        if share < 1.0:
            looked = np.logaddexp(looked + np.log(share), prior + np.log1p(-share))
        if self.vision_weight == 1.0:
            return looked
        return log_normalise(prior + self.vision_weight * (looked - prior))

    def exponent(self, source: str) -> float:
        """Exponent of a source: the factor of its log likelihoods before pooling."""
        return 1.0 if source in OWN_WEIGHT else self.text_weight * self.belief.weights.get(source, 1.0)


class Terms(Mapping[str, Float]):
    """Pooled log likelihoods `(C,)`, nats, by constraint id, computed on first use.

    Args:
        ids: of K constraints.
        rows: which row of `logs` each has.
        weights: exponent of each.
        logs: `(≥ K, C)` log likelihoods.
    """

    def __init__(self, ids: tuple[str, ...], rows: list[int], weights: list[float], logs: Float) -> None:
        self.rows, self.weights = rows, weights
        self._at = {key: i for i, key in enumerate(ids)}
        self._logs = logs

    def __getitem__(self, key: str) -> Float:
        i = self._at[key]
        return np.asarray(self.weights[i] * self._logs[self.rows[i]], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


class Fused:
    """The likelihoods of some constraints, and the posterior of any subset of them.

    Args:
        fusion: how they are weighted.
        constraints: all that may be selected.
    """

    def __init__(self, fusion: Fusion, constraints: Sequence[Constraint]) -> None:
        self.fusion = fusion
        self._row = {c.id: i for i, c in enumerate(constraints)}
        trust = [1.0 if c.source in OWN_WEIGHT else fusion.belief.reliability for c in constraints]
        likely = likelihoods(constraints, fusion.world, trust)
        self._logs = np.log(likely)
        for k, constraint in enumerate(constraints):
            if constraint.rule:
                self._logs[k, ruled_out(likely[k])] = RULED_OUT
        # Strength: expected nats, the divergence from the prior to the posterior of the constraint alone.
        self._strength = (likely * self._logs * fusion.world.prior).sum(axis=1).tolist()
        self._exponent = [fusion.exponent(c.source) for c in constraints]
        self._group = [0] * len(self._row)
        for number, group in enumerate(sharing(constraints)):
            for i in group:
                self._group[i] = number
        self._pooled: dict[tuple[int, ...], list[float]] = {}
        self._base: tuple[Float, Float] | None = None

    def __call__(self, base: Float, constraints: Sequence[Constraint]) -> Posterior:
        """Return the posterior of some of the constraints over `base`, `(C,)`."""
        if self._base is None or self._base[0] is not base:
            self._base = base, self.fusion.base(base)
        believed, terms = self._base[1], self.terms(constraints)
        exponents = np.zeros(len(self._row))
        exponents[terms.rows] = terms.weights
        total = believed + exponents @ self._logs if len(terms) else believed
        return Posterior(log_normalise(total), believed, terms, self.fusion.world.cells.fingerprint)

    def terms(self, constraints: Sequence[Constraint]) -> Terms:
        """Pooled log likelihoods of some of the constraints."""
        rows = [self._row[c.id] for c in constraints]
        weights = [0.0] * len(rows)
        groups: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            groups.setdefault(self._group[row], []).append(i)
        for group in groups.values():
            key = tuple([rows[i] for i in group])
            if key not in self._pooled:
                self._pooled[key] = self._pool([constraints[i] for i in group], key)
            for i, weight in zip(group, self._pooled[key], strict=True):
                weights[i] = weight
        return Terms(tuple([c.id for c in constraints]), rows, weights, self._logs)

    def _pool(self, constraints: Sequence[Constraint], rows: Sequence[int]) -> list[float]:
        """Exponent of each constraint of a group: its source's, times the share left by stronger ones on its text."""
        left = pool_weights(constraints, [self._strength[row] for row in rows], self.fusion.belief.same_region)
        return [weight * self._exponent[row] for weight, row in zip(left, rows, strict=True)]


def likelihoods(constraints: Sequence[Constraint], world: World, believed: Sequence[float]) -> Float:
    """L(c) of K constraints, each on its own, `(K, C)`: positive, mean at most 1 under the prior.

    Mass on countries that have no cells in this world is lost, and weakens the constraint accordingly.

    Args:
        constraints: the constraints.
        world: cells and prior.
        believed: factor on the reliability of each.
    """
    cells, prior = world.cells, world.country_prior
    by_country = [[0.0] * len(cells.country_codes) for _ in constraints]
    finer: list[tuple[int, Place, float]] = []
    for k, constraint in enumerate(constraints):
        mine = by_country[k]
        if constraint.spread is not None:
            continue
        for place, weight in zip(constraint.places, constraint.weights.tolist(), strict=True):
            if place.level == "country":
                if (number := cells.country_number.get(place.country)) is not None:
                    mine[number] += weight / prior[place.country]
            elif weight > 0:
                finer.append((k, place, weight))
    ratio = np.array(by_country).reshape(len(constraints), len(cells.country_codes))[:, cells.country_index]
    for k, place, weight in finer:
        rows, part = mass_ratio(place, world)
        ratio[k, rows] += weight * part
    for k, constraint in enumerate(constraints):
        if constraint.spread is not None:
            rows, part = spread_ratio(constraint, world)
            ratio[k, rows] += part
    reliability = np.array([c.reliability * share for c, share in zip(constraints, believed, strict=True)])[:, None]
    return np.asarray(reliability * ratio + (1.0 - reliability), dtype=np.float64)


def ruled_out(likely: Float) -> NDArray[np.bool_]:
    """Mask of the cells that a rule of the user excludes, `(C,)`, from its likelihood."""
    return np.asarray(likely < _RULED_OUT_BELOW, dtype=np.bool_)


def mass_ratio(place: Place, world: World) -> tuple[Int, Float]:
    """m(c) / π(c) for a unit mass on one place: the cells where it is not zero, and the ratio in each.

    Empty if the world has no cells of its country.
    """
    inside = world.cells.inside(place.country)
    if len(inside) == 0:
        return inside, np.zeros(0)
    prior = world.prior
    if place.level == "admin1" and place.admin1:
        unit = world.cells.inside(place.country, place.admin1)
        if len(unit):
            inside = unit
    if place.level != "city":
        return inside, np.full(len(inside), 1.0 / prior[inside].sum())
    distance = haversine_km((place.latlon.lat, place.latlon.lon), world.cells.centroids[inside])
    cell = world.cells.at(place.latlon)
    home = int(np.searchsorted(inside, cell))
    if home == len(inside) or inside[home] != cell:
        home = int(distance.argmin())  # a border town whose coordinates fall into the neighbouring country
    near = np.exp(-distance / _NEAR_KM) * prior[inside]
    near[home] += 1e-12
    ratio = _NEAR_SHARE * (near / near.sum()) / prior[inside]
    ratio[home] += (1.0 - _NEAR_SHARE) / prior[inside[home]]
    return inside, ratio
