"""The candidate with the largest weight, without averaging."""

from __future__ import annotations

import numpy as np

from geoagent.places.geo import Float, LatLon
from geoagent.protocols import Assets, Refined
from geoagent.types import Candidates


class Nearest:
    """Returns the candidate with the largest weight; ties go to the first.

    With neighbours, that is the nearest one after weighting by cell probability; with the search `prototype`, it
    is PIGEON's refinement (Haas et al. 2024, section 3.5).
    """

    name = "nearest"

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the heaviest candidate; `fallback` if all weights are zero."""
        share = np.zeros(len(candidates))
        if len(weights) == 0 or not weights.max() > 0:
            return Refined(fallback, share)
        best = int(weights.argmax())
        share[best] = 1.0
        return Refined(LatLon(*candidates.latlon[best].tolist()), share)


def build(assets: Assets) -> Nearest:
    """Build the refiner; it has no options."""
    return Nearest()
