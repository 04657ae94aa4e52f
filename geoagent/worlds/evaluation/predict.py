"""Batch prediction for many embeddings, by the same steps as the agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.agent.inference import NEIGHBOURS, Inference
from geoagent.belief.estimate import estimate
from geoagent.belief.fusion import Fusion
from geoagent.belief.ranking import leading_count
from geoagent.errors import WorldError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.geo import Float
from geoagent.protocols import Assets, NeighbourSearch, Refiner
from geoagent.types import Candidates, Float32, Int
from geoagent.worlds.world import World


@dataclass(frozen=True, eq=False, slots=True)
class Predictions:
    """N answers.

    Attributes:
        latlon: `(N, 2)` degrees.
        country: `(N,)` the chosen country.
        p_country: `(N,)` its probability, the answer's confidence.
        radius_50_km: `(N,)`; NaN unless radii were requested.
        radius_90_km: `(N,)`.
        log_probs: `(N, C)` float32 over the world's cells.
    """

    latlon: Float
    country: np.ndarray[Any, np.dtype[np.str_]]
    p_country: Float
    radius_50_km: Float
    radius_90_km: Float
    log_probs: Float32


class Predictor:
    """Head, search, fusion and refiner of one world.

    Args:
        world: needs a head.
        refiner: name of a plug, or a refiner.
        search: name of a plug; used if the world has a gallery and the refiner is not the centroid.
        neighbours: M; the world's fitted value by default.
    """

    def __init__(
        self, world: World, refiner: str | Refiner = "mode", *, search: str = "auto", neighbours: int | None = None
    ) -> None:
        if world.head is None:
            raise WorldError(
                f"the world {world.name!r} has no head and cannot judge pictures; train one with `geoagent train`"
            )
        self.world, self.head = world, world.head
        assets = Assets(world, Gazetteer.load(), Facts.load())
        self.refiner: Refiner = plugs.build("refiners", refiner, assets) if isinstance(refiner, str) else refiner
        wanted = world.gallery is not None and self.refiner.name != "centroid"
        self.search: NeighbourSearch | None = plugs.build("search", search, assets) if wanted else None
        fitted = int(world.calibration.get("neighbours", NEIGHBOURS))
        self.count = fitted if neighbours is None else neighbours
        self.leading = leading_count(world)
        self._fuse = Fusion(world)
        self._inference = Inference(world, self._fuse, self.refiner)

    def log_probs(self, embeddings: Float32) -> Float32:
        """Log probabilities over cells, `(N, C)` float32, in batches that fit in memory."""
        rows = [
            np.asarray(self.head(embeddings[i : i + 512]), dtype=np.float32) for i in range(0, len(embeddings), 512)
        ]
        return np.concatenate(rows)

    def queries(self, embeddings: Float32) -> Float32:
        """Gallery queries, `(N, Q)`, in batches that fit in memory."""
        return np.concatenate(
            [self.head.query(part) for part in np.array_split(embeddings, 1 + len(embeddings) // 512)]
        )

    def near(self, query: Float32, log_probs: Float) -> Candidates | None:
        """Neighbours of one query in the cells that the agent searches; None if there are none."""
        if self.search is None:
            return None
        found = self.search(query, self._inference.leading(log_probs).tolist(), self.count)
        return found if len(found) else None

    def __call__(
        self, embeddings: Float32, *, radii: bool = True, progress: Callable[[str, int, int], None] | None = None
    ) -> Predictions:
        """Return answers for embeddings `(N, D)` of unit length."""
        count = len(embeddings)
        log_probs = self.log_probs(embeddings)
        queries = self.queries(embeddings) if self.search is not None else embeddings
        latlon, circle = np.empty((count, 2)), np.empty((count, 2))
        country, p_country = [], np.empty(count)
        for row in range(count):
            posterior = self._fuse(log_probs[row].astype(np.float64), ())
            log_probs[row] = posterior.log_probs
            near = self.near(queries[row], posterior.log_probs)
            found = estimate(posterior, (), self.world, self.refiner, near, radii=radii)
            latlon[row] = found.latlon.lat, found.latlon.lon
            circle[row] = found.radius_50_km, found.radius_90_km
            country.append(found.country)
            p_country[row] = found.countries[0][1]
            if progress is not None and (row % 100 == 99 or row == count - 1):
                progress("answering", row + 1, count)
        return Predictions(latlon, np.array(country, dtype="<U2"), p_country, circle[:, 0], circle[:, 1], log_probs)


def cells_ranked(log_probs: Float32, cell: Int, k: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether the true cell is among the `k` most probable, `(N,)`."""
    true = log_probs[np.arange(len(cell)), cell]
    return np.asarray((log_probs > true[:, None]).sum(axis=1) < k)
