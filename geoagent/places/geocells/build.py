"""Construction of semantic geocells from administrative units and training places.

The algorithm follows PIGEON (Haas et al. 2024, appendix A), but is computed on the sphere, deterministic, and assigns
every place to exactly one cell. Units with places become cells, small cells are merged within their country, and large
ones are split along clusters of their places, or by bisecting k-means if there are no clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import InputError
from geoagent.places.geo import Float, check_latlon, haversine_km, latlon_from_lonlat, spherical_mean
from geoagent.places.geocells.cells import Geocells
from geoagent.places.geocells.divide import Divider, Part
from geoagent.places.geocells.merge import Merger
from geoagent.places.geocells.units import Units
from geoagent.types import Int

Schedule = Sequence[tuple[int, float]]
Progress = Callable[[str, int, int], None]
"""Progress callback: called with the current step, the amount done, and the total."""

PIGEON: Schedule = ((8, 0.05), (10, 0.025), (15, 0.015))
"""OPTICS settings (min_samples, xi) from coarse to fine, for cells of 30 to 60 places."""
PIGEOTTO: Schedule = ((300, 0.05), (400, 0.005), (1000, 0.0001))
"""The same for cells of 1,000 to 2,000 places."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """Statistics of building the cells.

    Attributes:
        locations: number of training places.
        off_land: places outside all polygons, assigned to the nearest cell.
        units: number of administrative units at the start.
        joined: units without places that were joined to a cell.
        merged: number of merges of small cells.
        before_split: number of cells after merging.
        split_optics: cuts into the Voronoi regions of OPTICS clusters.
        split_carve: cuts of one cluster out of its surroundings.
        split_kmeans: cuts in two by k-means, or at the widest gap.
        rejoined: parts below `min_size` that were given back to a neighbour after the cuts.
        cells: final number of cells.
        without_places: number of them in countries without any training place.
        below_min: cells with at least one but fewer than `min_size` places.
        above_max: cells with more than `max_size` places: all at the same location, or off the land.
        sizes: quantiles (0, 25, 50, 75, 100 %) of places per cell, over cells with any.
        radius_km: radius of a cell that contains half of its places, median over cells.
        settings: build settings.
    """

    locations: int
    off_land: int
    units: int
    joined: int
    merged: int
    before_split: int
    split_optics: int
    split_carve: int
    split_kmeans: int
    rejoined: int
    cells: int
    without_places: int
    below_min: int
    above_max: int
    sizes: tuple[int, ...]
    radius_km: float
    settings: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for a model card."""
        return asdict(self)


@dataclass(frozen=True, eq=False, slots=True)
class Built:
    """Geocells with the assignment of the training places.

    Attributes:
        cells: the geocells.
        assigned: `(N,)` cell of each training place, equal to `cells.assign(latlon)`.
        sizes: `(C,)` number of training places in each cell.
        report: statistics of the build.
    """

    cells: Geocells
    assigned: Int
    sizes: Int
    report: BuildReport


def schedule_for(max_size: int) -> Schedule:
    """Return the OPTICS settings for cells of at most `max_size` places: PIGEON's or PIGEOTTO's, scaled to the size."""
    base, whole = (PIGEON, 60) if max_size < 500 else (PIGEOTTO, 2000)
    return tuple((max(3, round(samples * max_size / whole)), xi) for samples, xi in base)


def build_geocells(
    latlon: ArrayLike,
    units: Units | None = None,
    *,
    min_size: int = 30,
    max_size: int = 60,
    schedule: Schedule | None = None,
    optics_limit: int = 4000,
    keep_empty_countries: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Built:
    """Build semantic geocells.

    `max_size` takes precedence over `min_size`: a cell stays larger only if its places are indistinguishable, and stays
    smaller if its country has no more places or no neighbour has room for it.

    Args:
        latlon: `(N, 2)` degrees, N ≥ 1, the training places; duplicates count.
        units: administrative units that cover the land; by default the gazetteer's admin-1 units.
        min_size: cells with fewer places are merged.
        max_size: cells with more places are split; at least twice `min_size` allows both limits to be met.
        schedule: OPTICS settings (min_samples, xi) from coarse to fine; by default `schedule_for(max_size)`.
        optics_limit: cells with more places are halved first, since OPTICS is quadratic in their number.
        keep_empty_countries: whether a country without places becomes a cell, which text evidence can select; if not,
            its land goes to the nearest cell.
        seed: seed of k-means.
        progress: progress callback.

    Raises:
        InputError: there are no places, or the sizes are invalid.
        MissingDependency: scikit-learn is not installed and a cell has to be split.
    """
    places = check_latlon(np.asarray(latlon, dtype=np.float64).reshape(-1, 2))
    if not len(places):
        raise InputError("geocells need at least one training place, got none")
    if not 1 <= min_size <= max_size:
        raise InputError(f"expected 1 ≤ min_size ≤ max_size, got min_size {min_size} and max_size {max_size}")
    # OPTICS starts at the first place, and sums depend on their order; sorting makes the cells independent of it.
    order = np.lexsort((places[:, 1], places[:, 0]))
    places = places[order]
    tell = progress or (lambda what, done, total: None)
    units = units or Units.from_gazetteer()
    tell("locations to units", 0, 1)
    home = units.cover.inside(places)
    off_land = int((home < 0).sum())
    if off_land:
        home[home < 0] = units.cover.nearest(places[home < 0])
    merger = Merger(units, places, home, min_size)
    tell("merging", 0, 1)
    merger.join_empty()
    merger.merge_small()
    groups = merger.cells()
    parts = _merged(units, groups, home)
    if not keep_empty_countries:
        parts = _without_empty(parts, places)
    divider = Divider(places, min_size, max_size, schedule or schedule_for(max_size), optics_limit, seed)
    done: list[Part] = []
    for number, part in enumerate(parts):
        tell("splitting", number, len(parts))
        done += divider.divide(part, number)
    tell("splitting", len(parts), len(parts))
    cells, assigned, sizes = _finish(done, places, units, home)
    for _ in range(3):
        # Places exactly on the border of two parts can move to the other cell when all cells are queried together.
        again = [c for c in np.flatnonzero(sizes > max_size).tolist() if not divider.is_one_place(assigned == c)]
        if not again:
            break
        before = len(done)
        done = _again(done, assigned, set(again), divider)
        cells, assigned, sizes = _finish(done, places, units, home)
        if len(done) == before:
            break
    filled = sizes[sizes > 0]
    report = BuildReport(
        locations=len(places),
        off_land=off_land,
        units=len(units),
        joined=merger.joined,
        merged=merger.merged,
        before_split=len(parts),
        split_optics=divider.optics,
        split_carve=divider.carved,
        split_kmeans=divider.halved,
        rejoined=divider.rejoined,
        cells=len(cells),
        without_places=int((sizes == 0).sum()),
        below_min=int((filled < min_size).sum()),
        above_max=int((sizes > max_size).sum()),
        sizes=tuple(int(q) for q in np.quantile(filled, (0, 0.25, 0.5, 0.75, 1), method="nearest")),
        radius_km=round(float(np.median(cells.radius_km[sizes > 0])), 2),
        settings={
            "min_size": min_size,
            "max_size": max_size,
            "schedule": [list(step) for step in schedule or schedule_for(max_size)],
            "optics_limit": optics_limit,
            "keep_empty_countries": keep_empty_countries,
            "seed": seed,
        },
    )
    as_given = np.empty_like(assigned)
    as_given[order] = assigned
    return Built(cells, as_given, sizes, report)


def _merged(units: Units, groups: list[list[int]], home: Int) -> list[Part]:
    """Return one part per group: the union of its units, and the places inside."""
    import shapely

    group_of_unit = np.empty(len(units), dtype=np.int64)
    for g, members in enumerate(groups):
        group_of_unit[members] = g
    of_place = group_of_unit[home]
    order = np.argsort(of_place, kind="stable")
    start = np.searchsorted(of_place[order], np.arange(len(groups) + 1))
    parts = []
    for g, members in enumerate(groups):
        shape = units.shapes[members[0]] if len(members) == 1 else shapely.union_all(units.shapes[members])
        parts.append(Part(shape, order[start[g] : start[g + 1]], str(units.country[members[0]])))
    return parts


def _without_empty(parts: list[Part], places: Float) -> list[Part]:
    """Add the land of countries without places to the cell with the nearest centre."""
    import shapely

    full = [part for part in parts if len(part.index)]
    middles = np.array([tuple(spherical_mean(places[part.index])) for part in full])
    extra: dict[int, list[Any]] = {}
    for part in parts:
        if not len(part.index):
            for piece in shapely.get_parts(part.shape):
                here = latlon_from_lonlat(shapely.get_coordinates(shapely.point_on_surface(piece)))[0]
                extra.setdefault(int(haversine_km(here, middles).argmin()), []).append(piece)
    return [
        Part(shapely.union_all([part.shape, *extra[i]]), part.index, part.country) if i in extra else part
        for i, part in enumerate(full)
    ]


def _finish(done: list[Part], places: Float, units: Units, home: Int) -> tuple[Geocells, Int, Int]:
    """Build the cells from the parts: assign the places by the final polygons, then compute the centroids."""
    import shapely

    shapes = np.array([part.shape for part in done], dtype=object)
    country = np.array([part.country for part in done])
    inside = latlon_from_lonlat(shapely.get_coordinates(shapely.point_on_surface(shapes)))
    wkb = [bytes(raw) for raw in shapely.to_wkb(shapes)]
    count = len(done)
    rough = Geocells(inside, country, np.full(count, ""), np.zeros(count), wkb)
    assigned = rough.assign(places)
    sizes = np.bincount(assigned, minlength=count)
    order = np.argsort(assigned, kind="stable")
    start = np.searchsorted(assigned[order], np.arange(count + 1))
    # Round to the stored precision of a world's folder, so that the fingerprint survives saving and loading.
    centroids, radii, admin1 = inside.astype(np.float32).astype(np.float64), np.zeros(count), []
    unit_inside = units.cover.index(inside)
    for c in range(count):
        mine = order[start[c] : start[c + 1]]
        if len(mine):
            centre = tuple(spherical_mean(places[mine])) if len(mine) > 1 else places[mine[0]]
            centroids[c] = np.asarray(centre, dtype=np.float32)
            radii[c] = np.float32(np.median(haversine_km(centroids[c], places[mine])))
            own = units.admin1[home[mine]]
            own = own[units.country[home[mine]] == country[c]]
            names, votes = np.unique(own, return_counts=True) if len(own) else ([units.admin1[unit_inside[c]]], [1])
            admin1.append(str(names[int(np.argmax(votes))]))
        else:
            radii[c] = np.float32(np.sqrt(_area_km2(shapes[c]) / (2 * np.pi)))
            admin1.append(str(units.admin1[unit_inside[c]]))
    return Geocells(centroids, country, np.array(admin1), radii, wkb), assigned, sizes


def _again(done: list[Part], assigned: Int, chosen: set[int], divider: Divider) -> list[Part]:
    """Return the parts, with the chosen ones divided again by the places actually assigned to them."""
    out = []
    for c, part in enumerate(done):
        whole = Part(part.shape, np.flatnonzero(assigned == c), part.country)
        out += divider.divide(whole, len(done) + c) if c in chosen else [part]
    return out


def _area_km2(shape: Any) -> float:
    return float(shape.area * 111.195**2 * np.cos(np.radians(shape.centroid.y)))
