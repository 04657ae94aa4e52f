"""No refinement: the centroid of the leading cell."""

from __future__ import annotations

import numpy as np

from geoagent.places.geo import Float, LatLon
from geoagent.protocols import Assets, Refined
from geoagent.types import Candidates


class Centroid:
    """Returns the fallback, the leading cell's centroid; candidates are ignored."""

    name = "centroid"

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return `fallback` and zero weights."""
        return Refined(fallback, np.zeros(len(candidates)))


def build(assets: Assets) -> Centroid:
    """Build the refiner; it has no options."""
    return Centroid()
