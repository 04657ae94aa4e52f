"""The barycentre of the strongest spatial mode, so candidates in two cities never average to a point between."""

from __future__ import annotations

import numpy as np

from geoagent.errors import ConfigError
from geoagent.places.geo import Float, LatLon, pairwise_km, spherical_mean
from geoagent.protocols import Assets, Refined
from geoagent.types import Candidates

_HEAVIEST = 400  # further candidates have too little weight to form a mode, and the distance matrix is M × M
_NOTHING = -100.0  # log density treated as zero; smaller numbers only cost time
_LIGHT = 1e-3  # share of the weight, in the lightest candidates, that is ignored as modes


class Mode:
    """Finds the candidate with the highest weight density, and returns the barycentre of its neighbourhood.

    The density at candidate i is Σⱼ wⱼ exp(−dᵢⱼ / h), dᵢⱼ the great-circle distance. Members of the mode lie within
    `reach` · h of its peak and weigh wⱼ exp(−(dᵢⱼ / h)²), so that the peak is not pulled towards the rim.
    """

    name = "mode"

    def __init__(self, bandwidth_km: float, reach: float) -> None:
        if not bandwidth_km > 0 or not reach > 0:
            raise ConfigError(f"mode: bandwidth_km and reach must be positive, got {bandwidth_km} and {reach}")
        self.bandwidth_km = bandwidth_km
        self.reach = reach

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the mode's barycentre; `fallback` if all weights are zero."""
        share = np.zeros(len(candidates))
        if len(weights) == 0 or not weights.max() > 0:
            return Refined(fallback, share)
        heavy = np.argsort(-weights, kind="stable")[:_HEAVIEST]
        held = np.cumsum(weights[heavy])
        heavy = heavy[: 1 + int(np.searchsorted(held, (1 - _LIGHT) * held[-1]))]
        distance, weight = pairwise_km(candidates.latlon[heavy]), weights[heavy]
        density = np.exp(np.maximum(-distance / self.bandwidth_km, _NOTHING)) @ weight
        peak = distance[int(density.argmax())]
        member = weight * np.exp(-((peak / self.bandwidth_km) ** 2)) * (peak <= self.reach * self.bandwidth_km)
        share[heavy] = member / member.sum()
        return Refined(spherical_mean(candidates.latlon, share), share)


def build(assets: Assets, *, bandwidth_km: float | None = None, reach: float = 2.0) -> Mode:
    """Build the refiner.

    Args:
        assets: the world's calibration may hold a fitted "bandwidth_km".
        bandwidth_km: h; by default the fitted value, else 25 km (the scale of a city).
        reach: radius of a mode, in bandwidths.
    """
    fitted = float(assets.world.calibration.get("bandwidth_km", 25.0))
    return Mode(fitted if bandwidth_km is None else bandwidth_km, reach)
