"""Methods to combine picture and text, ours and the baselines, over one agent's world.

With v the picture's distribution over cells, t the text's (from the prior by our likelihoods), π the prior and T the
country predicted from the text alone:

=======================  =====================================================================
method                   log p(c) up to a constant
=======================  =====================================================================
text-aware               log v + Σ w log L, as in `Fusion` (the agent's answer)
vision-only              log v
text-only                log t
product of experts       log v + log t: the prior counts twice (Hinton 2002, section 1)
log-opinion pool         a log v + b log t (Genest & Zidek 1986, section 3), a = b = ½ or cross-fitted
linear pool              log(½ v + ½ t)
hard filter              log v inside T, nothing outside, if the text points to any place
oracle country           log v inside the true country: upper bound of any country filter
=======================  =====================================================================

Ablations are text-aware with one part changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from geoagent.agent.core import GeoAgent
from geoagent.belief.candidates import ALL, Refining
from geoagent.belief.estimate import Estimate, estimate
from geoagent.belief.fusion import Belief, Fusion
from geoagent.places.geo import Float
from geoagent.types import Candidates, Constraint, Posterior, log_normalise
from geoagent.worlds.evaluation.cases import Case

_TINY = -60.0  # log probability outside a filter: practically zero, but finite
_SURE = 0.985  # reliability of every cue in the ablation without reliabilities


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """Result of a method on one case."""

    log_probs: Float
    conclusion: Estimate


Method = Callable[[Case], Outcome]


@dataclass(frozen=True, eq=False)
class Methods:
    """Every method, over one agent.

    Attributes:
        agent: provides world, refiner and belief.
        crossed: text id to the agent over a world fitted without that text; empty if nothing was fitted.
        pools: text id to the weights of picture and text in the log-opinion pool fitted without it.
    """

    agent: GeoAgent
    crossed: Mapping[str, GeoAgent] = field(default_factory=dict)
    pools: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def main(self) -> Mapping[str, Method]:
        """The methods that are compared."""
        found: dict[str, Method] = {
            "text-aware": self.aware,
            "vision-only": self.vision,
            "text-only": self.text,
            "product of experts": self.product,
            "log-opinion pool": self.log_pool,
            "linear pool": self.linear_pool,
            "hard filter": self.hard_filter,
            "oracle country": self.oracle,
        }
        if self.pools:
            found["log-opinion pool, cross-fitted"] = self.fitted_pool
        if self.crossed:
            found["text-aware, cross-fitted"] = self.held_out
        return MappingProxyType(found)

    def ablations(self) -> Mapping[str, Method]:
        """Text-aware with one part changed."""
        belief = self.agent.fusion.belief
        return MappingProxyType(
            {
                "without fitted weights": self._with(replace(belief, weights={}, reliability=1.0)),
                "lines not pooled": self._with(replace(belief, same_region=0.0)),
                "strongest of a line alone": self._with(replace(belief, same_region=1.0)),
                "all cues alike reliable": self.unreliable,
                "neighbours not reweighed": self._refined(Refining(reweigh=False)),
                "no cities as candidates": self._refined(Refining(gazetteer=False)),
                "no neighbours": self.placed,
                "text on cells alone": self._refined(Refining(reweigh=False, gazetteer=False)),
                "text on neighbours alone": self.neighbour_level,
            }
        )

    def aware(self, case: Case) -> Outcome:
        """The agent's own answer."""
        return self._fused(case, self.agent.fusion)

    def vision(self, case: Case) -> Outcome:
        """The picture alone, with the same steps as text-aware but no text."""
        return self._infer(case, self.agent.fusion(case.observed.vision.log_probs, ()).log_probs, ())

    def text(self, case: Case) -> Outcome:
        """The text alone, over the prior."""
        return self._infer(case, self._t(case), case.observed.text.constraints, looked=False)

    def product(self, case: Case) -> Outcome:
        """Product of experts."""
        v, t = self.opinions(case)
        return self._infer(case, log_normalise(v + t), case.observed.text.constraints)

    def log_pool(self, case: Case) -> Outcome:
        """Log-opinion pool with equal weights."""
        v, t = self.opinions(case)
        return self._infer(case, log_normalise(0.5 * v + 0.5 * t), case.observed.text.constraints)

    def fitted_pool(self, case: Case) -> Outcome:
        """Log-opinion pool with weights fitted without this text."""
        a, b = self.pools.get(case.text, (0.5, 0.5))
        v, t = Methods(self.crossed.get(case.text, self.agent)).opinions(case)
        return self._infer(case, log_normalise(a * v + b * t), case.observed.text.constraints)

    def linear_pool(self, case: Case) -> Outcome:
        """Linear pool with equal weights."""
        pooled = np.logaddexp(*self.opinions(case)) - np.log(2.0)
        return self._infer(case, pooled, case.observed.text.constraints)

    def hard_filter(self, case: Case) -> Outcome:
        """The picture restricted to the country estimated from the text alone."""
        constraints = case.observed.text.constraints
        if not constraints:
            return self.vision(case)
        return self._inside(case, self._country(self._t(case)), constraints)

    def oracle(self, case: Case) -> Outcome:
        """The picture restricted to the true country."""
        return self._inside(case, case.country, ())

    def held_out(self, case: Case) -> Outcome:
        """Text-aware over the world fitted without this text."""
        return Methods(self.crossed.get(case.text, self.agent)).aware(case)

    def unreliable(self, case: Case) -> Outcome:
        """Text-aware with the same, near-certain reliability for every cue."""
        believed = tuple(replace(c, reliability=_SURE) for c in case.observed.text.constraints)
        posterior = self.agent.fusion(case.observed.vision.log_probs, believed)
        return self._infer(case, posterior.log_probs, believed)

    def placed(self, case: Case) -> Outcome:
        """Text-aware with places of the world instead of neighbours."""
        log_probs = self.agent.fusion(case.observed.vision.log_probs, case.observed.text.constraints).log_probs
        return self._infer(case, log_probs, case.observed.text.constraints, looked=False)

    def neighbour_level(self, case: Case) -> Outcome:
        """The text as a weight on the picture's neighbours, which then determine the cell probabilities."""
        observed, constraints = case.observed, case.observed.text.constraints
        near = self.agent.neighbours(observed.vision, self._v(case))
        if near is None:
            return self.aware(case)
        terms = sum(self.agent.fusion.terms(constraints).values(), np.zeros(len(self._v(case))))
        heard = np.full(len(terms), -np.inf)
        np.logaddexp.at(heard, near.cell, near.log_weight + terms[near.cell])
        # Neighbours cover few cells; mixing in 1 % of the picture's distribution keeps the others possible.
        log_probs = np.logaddexp(log_normalise(heard) + np.log(0.99), self._v(case) + np.log(0.01))
        return self._infer(case, log_normalise(log_probs), constraints)

    def opinions(self, case: Case) -> tuple[Float, Float]:
        """Log probabilities of picture and text on their own, `(C,)` each, over cells."""
        return self._v(case), self._t(case)

    def _v(self, case: Case) -> Float:
        return self.agent.fusion.base(case.observed.vision.log_probs)

    def _t(self, case: Case) -> Float:
        return self.agent.fusion(self.agent.assets.world.log_prior, case.observed.text.constraints).log_probs

    def _country(self, log_probs: Float) -> str:
        cells = self.agent.assets.world.cells
        return str(cells.country_codes[int(cells.by_country(np.exp(log_probs)).argmax())])

    def _inside(self, case: Case, country: str, constraints: Sequence[Constraint]) -> Outcome:
        """The picture's distribution within one country; unchanged if the world has no cell there."""
        rows = self.agent.assets.world.cells.inside(country)
        if len(rows) == 0:
            return self.vision(case)
        log_probs = np.full(len(self._v(case)), _TINY)
        log_probs[rows] = log_normalise(self._v(case)[rows])
        return self._infer(case, log_normalise(log_probs), constraints)

    def _fusion(self, belief: Belief) -> Fusion:
        mine = self.agent.fusion
        return Fusion(mine.world, belief, text_weight=mine.text_weight, vision_weight=mine.vision_weight)

    def _with(self, belief: Belief) -> Method:
        fusion = self._fusion(belief)
        return lambda case: self._fused(case, fusion)

    def _refined(self, using: Refining) -> Method:
        return lambda case: self._fused(case, self.agent.fusion, using)

    def _fused(self, case: Case, fusion: Fusion, using: Refining = ALL) -> Outcome:
        constraints = case.observed.text.constraints
        log_probs = fusion(case.observed.vision.log_probs, constraints).log_probs
        return self._infer(case, log_probs, constraints, using=using)

    def _infer(
        self,
        case: Case,
        log_probs: Float,
        constraints: Sequence[Constraint],
        *,
        looked: bool = True,
        using: Refining = ALL,
    ) -> Outcome:
        agent = self.agent
        near: Candidates | None = agent.neighbours(case.observed.vision, log_probs) if looked else None
        posterior = Posterior(log_probs, log_probs, {}, case.observed.vision.cells)
        found = estimate(posterior, constraints, agent.assets.world, agent.refiner, near, using=using)
        return Outcome(log_probs, found)
