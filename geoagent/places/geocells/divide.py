"""Splitting of one cell until no part has too many places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoagent.places.geo import Float, lonlat_from_latlon, spherical_mean, to_unit
from geoagent.places.geocells.cluster import kmeans, optics_labels, widest_gap
from geoagent.places.geocells.cover import Cover
from geoagent.places.geocells.split import halves, land, voronoi_split
from geoagent.types import Int

_TORN_DEG = 0.002
"""Pieces within this many degrees of each other are neighbours."""

_SAME = 1.6e-7
"""Chord length of one metre on the unit sphere."""


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """An area of land and the training places in it.

    Attributes:
        shape: shapely polygon or multipolygon, lon, lat.
        index: indices of its training places.
        country: ISO 3166-1 alpha-2.
        level: first OPTICS setting to try.
    """

    shape: Any
    index: Int
    country: str
    level: int = 0


class Divider:
    """Splits parts by OPTICS clusters, else in two, and counts the cuts."""

    def __init__(
        self,
        places: Float,
        min_size: int,
        max_size: int,
        schedule: Sequence[tuple[int, float]],
        optics_limit: int,
        seed: int,
    ) -> None:
        self.places, self.min_size, self.max_size = places, min_size, max_size
        self.schedule, self.optics_limit, self.seed = schedule, optics_limit, seed
        self.optics = self.carved = self.halved = self.rejoined = 0

    def divide(self, part: Part, number: int) -> list[Part]:
        """Return parts that tile `part`, none above `max_size` unless its places are indistinguishable.

        Args:
            part: the part to split.
            number: index of the cell; seeds the random generator, so that results do not depend on earlier cuts.
        """
        rng = np.random.default_rng([self.seed, number])
        queue, done = [part], []
        while queue:
            here = queue.pop()
            pieces = self._cut(here, rng) if len(here.index) > self.max_size else []
            if pieces:
                queue += pieces[::-1]
            else:
                done.append(here)
        return self._rejoin(done) if len(done) > 1 else done

    def is_one_place(self, chosen: NDArray[np.bool_]) -> bool:
        """Whether all chosen places are at one location, within a metre; at a pole, longitude does not matter."""
        unit = to_unit(self.places[chosen])
        return bool(np.linalg.norm(unit - unit[0], axis=1).max() < _SAME)

    def _cut(self, part: Part, rng: np.random.Generator) -> list[Part]:
        if len(part.index) <= self.optics_limit:
            for level in range(part.level, len(self.schedule)):
                pieces = self._by_clusters(part, level)
                if pieces:
                    return pieces
        return self._in_two(part, rng)

    def _by_clusters(self, part: Part, level: int) -> list[Part]:
        at = self.places[part.index]
        labels = optics_labels(at, *self.schedule[level], self.min_size)
        count, noise = int(labels.max()) + 1, int((labels < 0).sum())
        if count == 1 and self.min_size <= noise <= self.max_size:
            shapes = _carve(part.shape, at, labels == 0)
        elif count > 1:
            middles = [tuple(spherical_mean(at[labels == c])) for c in range(count)]
            shapes = voronoi_split(part.shape, np.unique(np.array(middles), axis=0))
        else:
            return []
        pieces = self._filled(part, _whole(part.shape, shapes), level)
        if sum(len(p.index) >= self.min_size for p in pieces) < 2:
            return []
        self.carved += count == 1
        self.optics += count > 1
        return pieces

    def _in_two(self, part: Part, rng: np.random.Generator) -> list[Part]:
        """Bisect by k-means, or at the widest gap if k-means leaves one side below `min_size`."""
        at, weights = np.unique(self.places[part.index], axis=0, return_counts=True)
        if len(at) < 2:
            return []
        mass = weights.astype(np.float64)
        labels = kmeans(at, 2, rng, weights=mass)
        normals = []
        if len(np.unique(labels)) == 2 and np.bincount(labels, mass).min() >= self.min_size:
            a, b = (to_unit(tuple(spherical_mean(at[labels == c], mass[labels == c]))) for c in range(2))
            normals.append(a - b)
        normals.append(widest_gap(at, mass, float(self.min_size)))
        for normal in normals:
            pieces = self._filled(part, halves(part.shape, normal), part.level)
            if sum(len(p.index) > 0 for p in pieces) == 2:
                self.halved += 1
                return pieces
        return []

    def _filled(self, part: Part, shapes: Sequence[Any], level: int) -> list[Part]:
        """Return the shapes as parts with their places; empty shapes are dropped."""
        kept = [shape for shape in shapes if not shape.is_empty]
        if len(kept) < 2:
            return []
        where = Cover(kept).index(self.places[part.index])
        return [Part(shape, part.index[where == i], part.country, level) for i, shape in enumerate(kept)]

    def _rejoin(self, parts: list[Part]) -> list[Part]:
        """Join parts below `min_size` to a neighbour that has room; parts without places to any neighbour."""
        import shapely

        left = sorted(range(len(parts)), key=lambda i: len(parts[i].index))
        alive = dict(enumerate(parts))
        for i in left:
            part = alive[i]
            size = len(part.index)
            if size >= self.min_size:
                continue
            others = [j for j in alive if j != i and (size == 0 or size + len(alive[j].index) <= self.max_size)]
            if not others:
                continue
            shapes = np.array([alive[j].shape for j in others], dtype=object)
            apart = np.round(shapely.distance(shapes, part.shape), 6)
            beside = [j for j, gap in zip(others, apart.tolist(), strict=True) if gap == 0]
            if not beside and size:
                continue
            nearest = others[int(apart.argmin())]
            best = min(beside, key=lambda j: (len(alive[j].index), j)) if beside else nearest
            shape = land(shapely.union_all([alive[best].shape, part.shape]))
            alive[best] = Part(shape, np.sort(np.append(alive[best].index, part.index)), part.country)
            del alive[i]
            self.rejoined += 1
        return list(alive.values())


def _whole(parent: Any, shapes: Sequence[Any]) -> list[Any]:
    """Move pieces that were disconnected by a cut to the shape with the longest common border.

    Each shape keeps only its largest piece of each island of `parent`, so that cells are not scattered over neighbours.
    """
    import shapely

    islands = shapely.get_parts(parent)
    pieces, owner = shapely.get_parts(np.array(shapes, dtype=object), return_index=True)
    if len(pieces) <= len(shapes):
        return list(shapes)
    island = np.zeros(len(pieces), dtype=np.int64)
    if len(islands) > 1:
        which, found = shapely.STRtree(islands).query_nearest(shapely.point_on_surface(pieces), all_matches=False)
        island[which] = found
    order = np.lexsort((-shapely.area(pieces), island, owner))
    first = np.append(True, (np.diff(owner[order]) != 0) | (np.diff(island[order]) != 0))
    kept, torn = order[first], order[~first]
    owners = owner.copy()
    for t in sorted(torn.tolist(), key=lambda t: (-shapely.area(pieces[t]), t)):
        beside = kept[(island[kept] == island[t]) & (owner[kept] != owner[t])]
        if len(beside):
            common: Any = shapely.intersection(pieces[beside], pieces[t].buffer(_TORN_DEG))
            shared = shapely.area(common)
            if shared.max() > 0:
                owners[t] = owner[beside[int(shared.argmax())]]
    out = list(shapes)
    for i in np.unique(np.concatenate([owner[owners != owner], owners[owners != owner]])).tolist():
        out[i] = land(shapely.union_all(pieces[owners == i]))
    return out


def _carve(shape: Any, at: Float, chosen: NDArray[np.bool_]) -> list[Any]:
    """Cut the land nearest to the chosen places out of `shape`; return that land and the rest.

    Regions of single places are small, so they are computed in a plane centred on the chosen places.
    """
    import shapely

    inner, outer = np.unique(at[chosen], axis=0), np.unique(at[~chosen], axis=0)
    middle = tuple(spherical_mean(inner))
    squeeze = max(0.05, float(np.cos(np.radians(middle[0]))))
    lonlat = lonlat_from_latlon(np.vstack([inner, outer]))
    east = (lonlat[:, 0] - middle[1] + 180.0) % 360.0 - 180.0
    flat = np.unique(np.column_stack([east * squeeze, lonlat[:, 1]]), axis=0)
    own = {tuple(xy) for xy in np.column_stack([east * squeeze, lonlat[:, 1]])[: len(inner)].tolist()}
    regions = shapely.get_parts(
        shapely.voronoi_polygons(
            shapely.multipoints(flat), extend_to=shapely.box(-180 * squeeze, -91, 180 * squeeze, 91), ordered=True
        )
    )
    mine = [region for xy, region in zip(flat.tolist(), regions, strict=True) if tuple(xy) in own]
    region = shapely.transform(
        shapely.union_all(mine), lambda xy: xy / np.array([squeeze, 1.0]) + np.array([middle[1], 0.0])
    )
    around = [_moved(region, by) for by in (-360.0, 0.0, 360.0)]
    cluster = land(shapely.union_all([land(shapely.intersection(shape, copy)) for copy in around]))
    if cluster.geom_type == "Polygon" and shape.geom_type == "Polygon":
        filled = land(shapely.intersection(shape, shapely.Polygon(cluster.exterior)))
        cluster = filled if len(shapely.get_parts(filled)) == 1 else cluster
    return [cluster, land(shapely.difference(shape, cluster))]


def _moved(shape: Any, east_deg: float) -> Any:
    import shapely

    return shapely.transform(shape, lambda xy: xy + np.array([east_deg, 0.0]))
