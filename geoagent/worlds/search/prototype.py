"""PIGEON's candidates: one photo from the best cluster of each leading cell.

Haas, Skreta, Alberti & Finn 2024, "PIGEON: Predicting Image Geolocations", section 3.4. With the refiner `nearest`, and
the cells' probabilities multiplied in as `estimate.candidate_weights` does, this is the paper's refinement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.errors import ConfigError, WorldError
from geoagent.optional import needs
from geoagent.places.geo import EARTH_RADIUS_KM, Float, haversine_km, spherical_mean
from geoagent.protocols import Assets
from geoagent.types import Candidates, Float32, Int, log_normalise
from geoagent.worlds.gallery import Gallery, Prototypes
from geoagent.worlds.search import gallery_of

TEMPERATURE = 0.1
"""Default T. The paper's 1.6 and 0.6 are for embeddings that are not normalised."""
_TOGETHER_KM = 1e-5  # OPTICS divides by distances, so photos at the same position are kept this far apart, as in PIGEON
_MATRIX = 4000  # above this many photos in a cell, distances come from a tree instead of a matrix


class PrototypeSearch:
    """One candidate per cell: a photo of the cluster whose mean embedding is nearest to the query's.

    Over the K requested cells, `log_weight` is the log softmax of −‖e − prototype‖ / T, the distance Euclidean.
    """

    def __init__(self, gallery: Gallery, prototypes: Prototypes, temperature: float, released: bool) -> None:
        self._gallery, self._prototypes = gallery, prototypes
        self._temperature, self._released = temperature, released

    def __call__(self, embedding: Float32, cells: Sequence[int], count: int) -> Candidates:
        """Return at most `count` photos, at most one per cell, most similar first; cells without clusters have none."""
        known, query = self._prototypes, self._gallery.query(embedding)
        asked = np.unique(np.asarray(cells, dtype=np.int64))
        first, last = (np.searchsorted(known.cell, asked, side) for side in ("left", "right"))
        asked_at = [np.arange(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if b > a]
        best, far = np.zeros(len(asked_at), dtype=np.int64), np.zeros(len(asked_at))
        for i, clusters in enumerate(asked_at):
            distance = np.linalg.norm(known.mean[clusters] - query, axis=1)
            best[i], far[i] = clusters[int(distance.argmin())], distance.min()
        log_weight = log_normalise(-far / self._temperature) if len(far) else far
        keep = np.argsort(-log_weight, kind="stable")[: max(count, 0)]
        picked = [self._photo(int(cluster), query) for cluster in best[keep]]
        rows = np.array([row for row, _ in picked], dtype=np.int64)
        similarity = np.array([s for _, s in picked], dtype=np.float32)
        order = np.argsort(-similarity, kind="stable")
        return Candidates(
            latlon=self._gallery.latlon[rows[order]],
            cell=self._gallery.cell[rows[order]],
            log_weight=log_weight[keep][order],
            similarity=similarity[order],
            refs=tuple(self._gallery.refs[row] for row in rows[order]),
            kind="neighbour",
        )

    def _photo(self, cluster: int, query: Float32) -> tuple[int, float]:
        """The member nearest to the query (or farthest, as in the released code) and its similarity."""
        members = self._prototypes.member[self._prototypes.start[cluster] : self._prototypes.start[cluster + 1]]
        similarity = self._gallery.rows(members) @ query  # rows of unit length: the nearest is the most similar
        chosen = int(similarity.argmin() if self._released else similarity.argmax())
        return int(members[chosen]), float(similarity[chosen])


def build_prototypes(gallery: Gallery, *, min_samples: int = 3, xi: float = 0.15) -> Prototypes:
    """Cluster the photos of each cell by position, and average the embeddings of each cluster.

    OPTICS (Ankerst et al. 1999) on great-circle distances. A cell with fewer than `min_samples` photos, or without any
    cluster, is one cluster; otherwise photos in no cluster are left out.

    Args:
        gallery: photos with their cells.
        min_samples: PIGEON's 3, PIGEOTTO's 100.
        xi: PIGEON's 0.15, PIGEOTTO's 0.1.

    Raises:
        ConfigError: invalid settings.
        MissingDependency: scikit-learn is not installed.
    """
    if min_samples < 2 or not 0 < xi < 1:
        raise ConfigError(f"min_samples must be at least 2 and xi in (0, 1), got {min_samples} and {xi}")
    order = np.argsort(gallery.cell, kind="stable")
    present, begin = np.unique(gallery.cell[order], return_index=True)
    clusters: list[Int] = []
    cells: list[int] = []
    for cell, rows in zip(present.tolist(), np.split(order, begin[1:]), strict=True):
        labels = _clusters(gallery.latlon[rows], min_samples, xi)
        inside = [rows[labels == label] for label in range(int(labels.max()) + 1)]
        clusters += inside
        cells += [cell] * len(inside)
    return Prototypes(
        mean=np.array([gallery.rows(rows).mean(axis=0) for rows in clusters]).reshape(-1, gallery.dim),
        cell=np.array(cells, dtype=np.int64),
        latlon=np.array([tuple(spherical_mean(gallery.latlon[rows])) for rows in clusters]).reshape(-1, 2),
        member=np.concatenate([*clusters, np.zeros(0, dtype=np.int64)]),
        start=np.concatenate([[0], np.cumsum([len(rows) for rows in clusters], dtype=np.int64)]),
    )


def _clusters(latlon: Float, min_samples: int, xi: float) -> Int:
    """Cluster of each place, from 0; −1 for those in none."""
    one = np.zeros(len(latlon), dtype=np.int64)
    if len(latlon) < min_samples:
        return one
    with needs("train", "sklearn"):
        from sklearn.cluster import OPTICS
    if len(latlon) <= _MATRIX:
        distance = np.maximum(haversine_km(latlon[:, None, :], latlon), _TOGETHER_KM)
        np.fill_diagonal(distance, 0.0)
        found = OPTICS(min_samples=min_samples, xi=xi, metric="precomputed").fit(distance)
    else:
        # Photos at the same position are spread along a meridian, one step each.
        order = np.lexsort(latlon.T)
        new = np.append(True, (np.diff(latlon[order], axis=0) != 0).any(axis=1))
        step = np.empty(len(latlon))
        step[order] = np.arange(len(latlon)) - np.maximum.accumulate(np.where(new, np.arange(len(latlon)), 0))
        places = np.radians(latlon)
        places[:, 0] -= np.copysign(step * _TOGETHER_KM / EARTH_RADIUS_KM, places[:, 0])
        found = OPTICS(min_samples=min_samples, xi=xi, metric="haversine", algorithm="ball_tree").fit(places)
    labels = np.asarray(found.labels_, dtype=np.int64)
    return labels if labels.max() >= 0 else one


def build(assets: Assets, *, temperature: float | None = None, released: bool = False) -> PrototypeSearch:
    """Build the search over `assets.world`'s prototypes.

    Args:
        assets: the world must have a gallery with prototypes.
        temperature: T; the world's fitted "prototype_temperature", else 0.1.
        released: pick the cluster's farthest photo instead of its nearest, as PIGEON's released code does by mistake;
            for comparison only.

    Raises:
        WorldError: the world has no gallery, or no prototypes.
        ConfigError: a temperature that is not positive.
    """
    gallery, _ = gallery_of(assets, None)
    prototypes = assets.world.prototypes
    if prototypes is None:
        raise WorldError(f"the world {assets.world.name!r} has a gallery but no prototypes; train it with prototypes")
    fitted = float(assets.world.calibration.get("prototype_temperature", TEMPERATURE))
    chosen = fitted if temperature is None else temperature
    if not 0 < chosen < np.inf:
        raise ConfigError(f"temperature must be a positive number, got {temperature}")
    return PrototypeSearch(gallery, prototypes, chosen, released)
