"""Ranking of countries and cells by posterior probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoagent.places.geo import Float
from geoagent.types import Int
from geoagent.worlds.world import World

LEADING = 24
"""Default number of cells that provide candidates."""


@dataclass(frozen=True, eq=False, slots=True)
class Ranking:
    """Countries and leading cells of a posterior.

    Attributes:
        probs: `(C,)` posterior.
        by_country: `(K,)` probability of each country.
        country: the most probable one.
        leading: leading cells of that country, most probable first.
    """

    probs: Float
    by_country: Float
    country: str
    leading: Int

    @classmethod
    def of(cls, log_probs: Float, world: World) -> Ranking:
        """Rank the countries, and the cells of the most probable one."""
        cells, probs = world.cells, np.exp(log_probs)
        by_country = cells.by_country(probs)
        country = cells.country_codes[int(by_country.argmax())]
        inside = cells.inside(country)
        return cls(probs, by_country, country, inside[heaviest(log_probs[inside], leading_count(world))])


def leading_count(world: World) -> int:
    """Number of leading cells, as fitted for the world."""
    return int(world.calibration.get("leading", LEADING))


def heaviest(values: Float, count: int) -> Int:
    """Indices of the `count` largest finite values, largest first."""
    count = min(count, int(np.isfinite(values).sum()))
    best = np.argpartition(-values, count - 1)[:count] if count < len(values) else np.arange(len(values))
    return np.asarray(best[np.argsort(-values[best], kind="stable")], dtype=np.int64)
