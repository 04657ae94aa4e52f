"""Candidates: exact places inside the leading cells, with the weight that the text gives each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geoagent.belief.spreads import left_to_others, points_in
from geoagent.places.gazetteer.table import city_radius_km
from geoagent.places.geo import Float, LatLon, haversine_km
from geoagent.types import Candidates, Constraint, Int, Place
from geoagent.worlds.world import World

_NO_ROWS = np.zeros(0, dtype=np.int64)
_NOTHING = -100.0  # log nearness treated as zero; smaller numbers only cost time
_POINT_KM = 8.0  # length scale of a city constraint's preference among the candidates of a cell
_SMALL_KM = 3.0  # the same for a village or a quarter
_LANDMARK_KM = 1.0  # the same for a landmark: its name is on signs beside it
_OF_NOTE = 3.0  # nats: a landmark is photographed about 20 times as often as a typical place of its cell


@dataclass(frozen=True, slots=True)
class Refining:
    """How the text acts inside the cells; evaluations switch parts off for ablations.

    Attributes:
        reweigh: neighbours near a city named in the text count more.
        gazetteer: cities named in the text are candidates themselves.
    """

    reweigh: bool = True
    gazetteer: bool = True


ALL = Refining()


def place_preference(latlon: Float, constraints: Sequence[Constraint], text_weight: float = 1.0) -> Float:
    """Log preference among places of one cell, `(M,)`, from constraints that name cities.

    A country or an admin-1 unit does not distinguish places within a cell; a city does, on the scale of a city, and a
    landmark on a smaller one.
    Constraints from the text count `text_weight` times, those from the user once.
    """
    total = np.zeros(len(latlon))
    for constraint in constraints:
        if constraint.spread is not None:
            continue  # its points are candidates themselves
        cities = [
            (p, w) for p, w in zip(constraint.places, constraint.weights, strict=True) if p.level == "city" and w > 0
        ]
        if not cities:
            continue
        at = np.array([(p.latlon.lat, p.latlon.lon) for p, _ in cities])
        scale = np.array([_scale_km(constraint, p) for p, _ in cities])
        nearness = np.maximum(-haversine_km(latlon[:, None, :], at) / scale, _NOTHING)
        kernel = np.exp(nearness) @ np.array([w for _, w in cities])
        counts = 1.0 if constraint.source == "user" else text_weight
        total += counts * np.log((1.0 - constraint.reliability) * 0.02 + constraint.reliability * kernel)
    return total


def _scale_km(constraint: Constraint, place: Place) -> float:
    if constraint.kind == "landmark":
        return _LANDMARK_KM
    if constraint.kind == "direction" or not place.population:
        return _POINT_KM  # a town that stands for those around it, or one of unknown size
    return min(_POINT_KM, max(_SMALL_KM, float(city_radius_km(place.population))))


def gazetteer_candidates(
    world: World,
    cells: Sequence[int],
    constraints: Sequence[Constraint],
    text_weight: float = 1.0,
    *,
    named: bool = True,
) -> Candidates:
    """Candidate places inside `cells`: the world's support, and the cities named in the text.

    A city not represented by any support place enters with the share of a typical place of its cell, so that a sign
    reading "Hallstatt" can win in a world without training photos there.

    Args:
        world: its support is used, and its fitted distance of photos from the cities named in their texts, if any.
        cells: cells to search.
        constraints: the constraints behind the posterior.
        text_weight: see `place_preference`.
        named: whether cities named in the text are candidates.

    Returns:
        Candidates whose `log_weight` is the log share of their cell, text included, logsumexp 0 within each cell.
    """
    order, start = world.support_of_cell
    rows = np.concatenate([order[start[c] : start[c + 1]] for c in cells]) if len(cells) else _NO_ROWS
    latlon, cell, log_share = world.support.latlon[rows], world.support.cell[rows], world.support.log_share[rows]
    extent = world.support.extent_km[rows]
    names = [""] * len(rows)
    towns = named_cities(world, cells, constraints, text_weight) if named else None
    if towns is not None:
        typical = [float(np.mean(log_share[cell == home])) if (cell == home).any() else 0.0 for home in towns.cell]
        latlon = np.concatenate([latlon, towns.latlon])
        cell = np.concatenate([cell, towns.cell])
        log_share = np.concatenate([log_share, typical + towns.log_weight])
        extent = np.concatenate([extent, towns.extent_km])
        names += towns.refs
    points = points_in(world, np.asarray(cells, dtype=np.int64), constraints)
    if points is not None:
        log_share = np.concatenate([log_share + left_to_others(points, cell), points.log_weight])
        latlon, cell = np.concatenate([latlon, points.latlon]), np.concatenate([cell, points.cell])
        extent = np.concatenate([extent, points.extent_km])
        names += points.refs
    log_weight = log_share + place_preference(latlon, constraints, text_weight)
    if len(cell):
        _, of = np.unique(cell, return_inverse=True)
        top = np.full(of.max() + 1, -np.inf)
        np.maximum.at(top, of, log_weight)
        log_weight -= top[of] + np.log(np.bincount(of, weights=np.exp(log_weight - top[of])))[of]
    return Candidates(
        latlon=latlon,
        cell=cell,
        log_weight=log_weight,
        similarity=np.full(len(latlon), np.nan, dtype=np.float32),
        refs=tuple(names),
        kind="place",
        extent_km=extent,
    )


def named_cities(
    world: World, cells: Sequence[int], constraints: Sequence[Constraint], text_weight: float = 1.0
) -> Candidates | None:
    """The cities and landmarks inside `cells` that the text names; None if there are none.

    Their `log_weight` is what they have more than a typical place of their cell.

    Args:
        world: gives the distance of photos from the cities in their texts: fitted, or from the spacing of its support.
        cells: cells to search.
        constraints: constraints that may name cities.
        text_weight: 0 for only those named by the user.
    """
    heard = [c for c in constraints if (text_weight > 0 or c.source == "user") and c.spread is None]
    towns: dict[LatLon, Place] = {}
    of_note: dict[LatLon, float] = {}
    for constraint in heard:
        for place, weight in zip(constraint.places, constraint.weights, strict=True):
            if place.level == "city" and weight > 0.02:
                towns.setdefault(place.latlon, place)
                if constraint.kind == "landmark":
                    of_note[place.latlon] = max(of_note.get(place.latlon, 0.0), constraint.reliability)
    inside = [(place, home) for place in towns.values() if (home := world.cells.at(place.latlon)) in cells]
    if not inside:
        return None
    order, start = world.support_of_cell
    fitted, extents = world.calibration.get("named_km"), []
    for place, home in inside:
        # Where a world's photos are sparse, they lie around the city that a sign names rather than in it.
        own = world.support.extent_km[order[start[home] : start[home + 1]]]
        least = float(fitted) if fitted is not None else float(np.median(own)) if len(own) else 0.0
        extents.append(max(least, city_extent_km(place.population)))
    return Candidates(
        latlon=np.array([(place.latlon.lat, place.latlon.lon) for place, _ in inside]),
        cell=np.array([home for _, home in inside]),
        log_weight=np.array([_OF_NOTE * of_note.get(place.latlon, 0.0) for place, _ in inside]),
        similarity=np.full(len(inside), np.nan, dtype=np.float32),
        refs=tuple(place.name for place, _ in inside),
        extent_km=np.array(extents),
    )


def neighbour_candidates(
    world: World,
    neighbours: Candidates,
    leading: Int,
    constraints: Sequence[Constraint],
    text_weight: float = 1.0,
    using: Refining = ALL,
) -> Candidates | None:
    """Neighbours in the leading cells, reweighted by the text, plus the cities that it names; None if there are none.

    A city enters like a typical neighbour of its cell located in it: the picture does not distinguish places of one
    cell as the name of a city does.

    Args:
        world: see `named_cities`.
        neighbours: training photos near the embedding.
        leading: cells.
        constraints: the constraints behind the posterior.
        text_weight: see `place_preference`.
        using: how the text acts.
    """
    keep = np.flatnonzero(np.isin(neighbours.cell, leading))
    if len(keep) == 0:
        return None
    looked, home = neighbours.log_weight[keep], neighbours.cell[keep]
    log_weight = looked
    if using.reweigh:
        log_weight = looked + place_preference(neighbours.latlon[keep], constraints, text_weight)
    found = replace(
        neighbours,
        latlon=neighbours.latlon[keep],
        cell=home,
        log_weight=log_weight,
        similarity=neighbours.similarity[keep],
        refs=tuple(neighbours.refs[i] for i in keep),
        extent_km=neighbours.extent_km[keep],
    )
    found = _with_points(found, points_in(world, leading, constraints), constraints, text_weight)
    towns = named_cities(world, leading.tolist(), constraints, text_weight) if using.gazetteer else None
    if towns is None:
        return found
    typical = np.array([_log_mean(looked[home == c] if (home == c).any() else looked) for c in towns.cell])
    of_towns = typical + towns.log_weight + place_preference(towns.latlon, constraints, text_weight)
    return replace(
        found,
        latlon=np.concatenate([found.latlon, towns.latlon]),
        cell=np.concatenate([found.cell, towns.cell]),
        log_weight=np.concatenate([found.log_weight, of_towns]),
        similarity=np.concatenate([found.similarity, towns.similarity]),
        refs=found.refs + towns.refs,
        extent_km=np.concatenate([found.extent_km, towns.extent_km]),
    )


def _with_points(
    found: Candidates, points: Candidates | None, constraints: Sequence[Constraint], text_weight: float
) -> Candidates:
    """Neighbours with the points of spreads beside them, which take their share of their cell's weight."""
    if points is None:
        return found
    weight, cell = found.log_weight, found.cell
    of_cells = np.array([_log_sum(weight[cell == c]) if (cell == c).any() else _log_mean(weight) for c in points.cell])
    preferred = place_preference(points.latlon, constraints, text_weight)
    return replace(
        found,
        latlon=np.concatenate([found.latlon, points.latlon]),
        cell=np.concatenate([cell, points.cell]),
        log_weight=np.concatenate([weight + left_to_others(points, cell), of_cells + points.log_weight + preferred]),
        similarity=np.concatenate([found.similarity, points.similarity]),
        refs=found.refs + points.refs,
        extent_km=np.concatenate([found.extent_km, points.extent_km]),
    )


def city_extent_km(population: float) -> float:
    """Median distance of a city's photos from its centre, km.

    A third of `city_radius_km`: 1 km for a village, 5 km for 100,000 people, 18 km for 5 million.
    """
    return float(city_radius_km(population)) / 3.0


def _log_mean(log_weight: Float) -> float:
    return _log_sum(log_weight) - float(np.log(len(log_weight)))


def _log_sum(log_weight: Float) -> float:
    top = float(log_weight.max())
    return top + float(np.log(np.exp(log_weight - top).sum()))
