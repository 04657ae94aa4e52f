"""The weighted barycentre of all candidates, on the sphere, or optionally in the plane of degrees."""

from __future__ import annotations

import numpy as np

from geoagent.errors import CoordinateError
from geoagent.places.geo import Float, LatLon, spherical_mean
from geoagent.protocols import Assets, Refined
from geoagent.types import Candidates


class Barycentre:
    """x̂ = Σ wᵢ uᵢ / ‖Σ wᵢ uᵢ‖ over the unit vectors uᵢ of the candidates.

    With wᵢ ∝ exp(−α dᵢ) for neighbours at embedding distance dᵢ, this is the original refinement formula, with the
    mean taken on the sphere instead of in the plane of degrees.
    """

    name = "barycentre"

    def __init__(self, plane: bool = False) -> None:
        self.plane = plane

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the barycentre; `fallback` if all weights are zero or the candidates cancel out."""
        total = float(weights.sum()) if len(weights) else 0.0
        if not total > 0:
            return Refined(fallback, np.zeros(len(candidates)))
        share = weights / total
        if self.plane:
            return Refined(LatLon(*(share @ candidates.latlon).clip((-90, -180), (90, 180)).tolist()), share)
        try:
            return Refined(spherical_mean(candidates.latlon, share), share)
        except CoordinateError:  # antipodal candidates have no midpoint
            return Refined(fallback, np.zeros(len(candidates)))


def build(assets: Assets, *, plane: bool = False) -> Barycentre:
    """Build the refiner.

    Args:
        assets: not used.
        plane: average degrees directly, x̂ = Σ wᵢ xᵢ, as in the original formula. It reproduces
            published figures; across ±180° and near the poles it is wrong.
    """
    return Barycentre(plane)
