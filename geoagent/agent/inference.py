"""From beliefs to places, as often as one photo's answer needs it: with its text, without it, without each cue."""

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
"""M where neither the user nor the world says otherwise."""


@dataclass(frozen=True, eq=False)
class Inference:
    """How one agent chooses places and their radii.

    Attributes:
        world: cells, prior and gallery.
        fusion: weighs constraints.
        refiner: from weighted candidates to one place.
        user: what the user said about where the photo is.
        search: neighbours of an embedding, or None.
        neighbours: M; None for the world's fitted number.
    """

    world: World
    fusion: Fusion
    refiner: Refiner
    user: tuple[Constraint, ...] = ()
    search: NeighbourSearch | None = None
    neighbours: int | None = None

    @cached_property
    def before(self) -> tuple[Posterior, Estimate]:
        """What is believed before anything is seen: by where photos are taken, and what the user said."""
        posterior = self.fusion(self.world.log_prior, self.user)
        return posterior, estimate(posterior, self.user, self.world, self.refiner)

    def leading(self, log_probs: Float, ranking: Ranking | None = None) -> Int:
        """The leading cells of all, and those of the country that will be concluded, ascending."""
        ranking = ranking or Ranking.of(log_probs, self.world)
        chosen = np.zeros(len(log_probs), dtype=bool)
        chosen[heaviest(log_probs, leading_count(self.world))] = chosen[ranking.leading] = True
        return np.flatnonzero(chosen)

    def query(self, vision: VisionEvidence) -> Float32 | None:
        """What the gallery is searched with for a photo; None where there is no gallery, or no embedding."""
        if self.search is None or vision.embedding is None:
            return None
        return vision.embedding if self.world.head is None else self.world.head.query(vision.embedding)

    def near(self, query: Float32 | None, leading: Int) -> Candidates | None:
        """Training photos near a query inside cells; None where there are none."""
        if self.search is None or query is None:
            return None
        fitted = int(self.world.calibration.get("neighbours", NEIGHBOURS))
        found = self.search(query, leading.tolist(), self.neighbours or fitted)
        return found if len(found) else None

    def of(self, vision: VisionEvidence, constraints: Sequence[Constraint]) -> PhotoInference:
        """Infer one photo, with any choice of some constraints."""
        return PhotoInference(self, vision, constraints)


class PhotoInference:
    """Settles one photo; what its answers have in common is worked out once.

    Args:
        how: the agent's way.
        vision: what the picture says.
        constraints: all that may be chosen.
    """

    def __init__(self, how: Inference, vision: VisionEvidence, constraints: Sequence[Constraint]) -> None:
        # A picture that counts for nothing has no neighbours either.
        self._how, self._query = how, how.query(vision) if how.fusion.vision_weight > 0 else None
        self._fused = how.fusion.over(constraints)
        self._near: dict[bytes, Candidates | None] = {}
        self._memory = Memory()

    def __call__(
        self, base: Float, constraints: Sequence[Constraint], *, looked: bool = True, radii: bool = True
    ) -> tuple[Posterior, Estimate]:
        """Return the posterior and what it comes to.

        Args:
            base: `(C,)` log probabilities: the picture's, or the prior.
            constraints: some of those that may be chosen.
            looked: whether the picture's neighbours count.
            radii: see `estimate`.
        """
        how = self._how
        if tuple(constraints) == how.user and np.array_equal(base, how.world.log_prior):
            return how.before
        posterior, near = self._fused(base, constraints), None
        ranking = Ranking.of(posterior.log_probs, how.world)
        if looked and self._query is not None:
            # A cue that is left out rarely changes the leading cells, and what is near is found once for each set.
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
