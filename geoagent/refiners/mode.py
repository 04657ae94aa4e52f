"""The barycentre of the strongest spatial mode, so that candidates in two cities never average to a field between."""

from __future__ import annotations

import numpy as np

from geoagent.errors import ConfigError
from geoagent.geo import Float, LatLon, pairwise_km, spherical_mean
from geoagent.stages import Assets, Refined
from geoagent.types import Candidates, Int

_HEAVIEST = 400  # beyond these the weights are too small to make a mode, and the distances are M × M
_LIGHT = 1e-3  # share of the weight, in the lightest candidates, that cannot make a mode either


class Mode:
    """Finds the candidate with most weight around it, and returns the barycentre of its surroundings.

    The density at candidate i is Σⱼ wⱼ exp(−dᵢⱼ / h), dᵢⱼ the great-circle distance. Members of the mode lie within
    `reach` · h of its peak and weigh wⱼ exp(−(dᵢⱼ / h)²), so that the peak is not dragged to its rim.
    """

    name = "mode"

    def __init__(self, bandwidth_km: float, reach: float) -> None:
        if not bandwidth_km > 0 or not reach > 0:
            raise ConfigError(f"mode: bandwidth_km and reach must be positive, got {bandwidth_km} and {reach}")
        self.bandwidth_km = bandwidth_km
        self.reach = reach
        self._last: tuple[Candidates, Int, Float, Float] | None = None

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the mode's barycentre; `fallback` where nothing has weight."""
        share = np.zeros(len(candidates))
        if len(weights) == 0 or not weights.max() > 0:
            return Refined(fallback, share)
        heavy = np.argsort(-weights, kind="stable")[:_HEAVIEST]
        held = np.cumsum(weights[heavy])
        heavy = heavy[: 1 + int(np.searchsorted(held, (1 - _LIGHT) * held[-1]))]
        rows, distance, kernel = self._pairs(candidates, weights, heavy)
        weight = np.zeros(len(kernel))
        weight[rows] = weights[heavy]
        peak = distance[rows[int((kernel @ weight)[rows].argmax())], rows]
        member = weights[heavy] * np.exp(-((peak / self.bandwidth_km) ** 2)) * (peak <= self.reach * self.bandwidth_km)
        share[heavy] = member / member.sum()
        return Refined(spherical_mean(candidates.latlon, share), share)

    def _pairs(self, candidates: Candidates, weights: Float, heavy: Int) -> tuple[Int, Float, Float]:
        """Which rows the heavy candidates have in what is known of pairs: distances, km, and exp(−d / h).

        Those of the last call serve where it was about the same candidates: a photo's answers with and without each of
        its cues weigh one set of them in many ways.
        """
        last = self._last
        if last is None or last[0] is not candidates or (last[1][heavy] < 0).any():
            known = np.argsort(-weights, kind="stable")[:_HEAVIEST]
            row = np.full(len(candidates), -1, dtype=np.int64)
            row[known] = np.arange(len(known))
            distance = pairwise_km(candidates.latlon[known])
            last = self._last = (candidates, row, distance, np.exp(-distance / self.bandwidth_km))
        return last[1][heavy], last[2], last[3]


def build(assets: Assets, *, bandwidth_km: float | None = None, reach: float = 2.0) -> Mode:
    """Build the refiner.

    Args:
        assets: the world's calibration may hold a fitted "bandwidth_km".
        bandwidth_km: h; 25 km (the scale of a city) where nothing was fitted.
        reach: how many bandwidths a mode is wide.
    """
    fitted = float(assets.world.calibration.get("bandwidth_km", 25.0))
    return Mode(fitted if bandwidth_km is None else bandwidth_km, reach)
