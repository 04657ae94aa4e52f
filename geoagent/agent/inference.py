"""Inference: fuse, search and estimate, for every variant of a photo's evidence (without text, without each cue)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geoagent.belief.estimate import Estimate, Memory, estimate
from geoagent.belief.fusion import Fusion
from geoagent.belief.ranking import Ranking, heaviest, leading_count
from geoagent.places.geo import Float
from geoagent.protocols import NeighbourSearch, Refiner
from geoagent.types import Candidates, Constraint, Float32, Int, Posterior, VisionEvidence
from geoagent.worlds.world import World

NEIGHBOURS = 50
"""Default M, where neither the user nor the world sets it."""


@dataclass(frozen=True, eq=False)
class Inference:
    """How one agent chooses places and their radii.

    Attributes:
        world: cells, prior and gallery.
        fusion: weighs constraints.
        refiner: from weighted candidates to one place.
        user: constraints that the user stated.
        search: neighbours of an embedding, or None.
        neighbours: M; None for the number fitted for the world.
    """

    world: World
    fusion: Fusion
    refiner: Refiner
    user: tuple[Constraint, ...] = ()
    search: NeighbourSearch | None = None
    neighbours: int | None = None

    @cached_property
    def before(self) -> tuple[Posterior, Estimate]:
        """The belief before any evidence: the prior and what the user stated."""
        posterior = self.fusion(self.world.log_prior, self.user)
        return posterior, estimate(posterior, self.user, self.world, self.refiner)

    def leading(self, log_probs: Float, ranking: Ranking | None = None) -> Int:
        """Indices of the leading cells overall and of those in the estimated country, ascending."""
        ranking = ranking or Ranking.of(log_probs, self.world)
        chosen = np.zeros(len(log_probs), dtype=bool)
        chosen[heaviest(log_probs, leading_count(self.world))] = chosen[ranking.leading] = True
        return np.flatnonzero(chosen)

    def query(self, vision: VisionEvidence) -> Float32 | None:
        """The query for the gallery; None without a gallery or an embedding."""
        if self.search is None or vision.embedding is None:
            return None
        return vision.embedding if self.world.head is None else self.world.head.query(vision.embedding)

    def near(self, query: Float32 | None, leading: Int) -> Candidates | None:
        """Neighbours of a query inside cells; None where there are none."""
        if self.search is None or query is None:
            return None
        fitted = int(self.world.calibration.get("neighbours", NEIGHBOURS))
        found = self.search(query, leading.tolist(), self.neighbours or fitted)
        return found if len(found) else None

    def of(self, vision: VisionEvidence, constraints: Sequence[Constraint]) -> PhotoInference:
        """Return the inference for one photo, which takes any subset of these constraints."""
        return PhotoInference(self, vision, constraints)


class PhotoInference:
    """Inference for one photo; what its variants have in common is computed once.

    Args:
        how: the inference of the agent.
        vision: what the picture says.
        constraints: all constraints that a variant may contain.
    """

    def __init__(self, how: Inference, vision: VisionEvidence, constraints: Sequence[Constraint]) -> None:
        # A picture of weight zero contributes no neighbours either.
        self._how, self._query = how, how.query(vision) if how.fusion.vision_weight > 0 else None
        self._fused = how.fusion.over(constraints)
        self._near: dict[bytes, Candidates | None] = {}
        self._memory = Memory()

    def __call__(
        self, base: Float, constraints: Sequence[Constraint], *, looked: bool = True, radii: bool = True
    ) -> tuple[Posterior, Estimate]:
        """Return the posterior and the estimate.

        Args:
            base: `(C,)` log probabilities: the picture's, or the prior.
            constraints: a subset of those given at the start.
            looked: whether neighbours of the picture are candidates.
            radii: see `estimate`.
        """
        how = self._how
        if tuple(constraints) == how.user and np.array_equal(base, how.world.log_prior):
            return how.before
        posterior, near = self._fused(base, constraints), None
        ranking = Ranking.of(posterior.log_probs, how.world)
        if looked and self._query is not None:
            # Leaving out a cue rarely changes the leading cells, so neighbours are searched once for each set of cells.
            leading = how.leading(posterior.log_probs, ranking)
            if (key := leading.tobytes()) not in self._near:
                self._near[key] = how.near(self._query, leading)
            near = self._near[key]
        weight = how.fusion.text_weight
        return posterior, estimate(
            posterior,
            constraints,
            how.world,
            how.refiner,
            near,
            radii=radii,
            text_weight=weight,
            memory=self._memory,
            ranking=ranking,
        )
