"""The estimate: from a posterior over cells to one place with its uncertainty."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from geoagent.answer import AnswerPrecision
from geoagent.belief.candidates import ALL, Refining, gazetteer_candidates, neighbour_candidates
from geoagent.belief.conformal import Group, group_of, radius_scales
from geoagent.belief.radii import Cloud, Vicinity
from geoagent.belief.ranking import Ranking, heaviest
from geoagent.belief.spreads import densest_point
from geoagent.places.geo import EARTH_RADIUS_KM, Float, LatLon, great_circle_km, haversine_km, to_unit
from geoagent.protocols import Refined, Refiner
from geoagent.types import Candidates, Constraint, Posterior, log_normalise
from geoagent.worlds.world import World

CITY_KM = 25.0
"""An answer has city precision if half of the probability lies within this distance: the standard city radius."""
POINT_KM = 1.0
"""An answer has full precision if half of the probability lies within this distance: the standard street radius."""
_IN_PLACE = 3.0  # radius of a place in multiples of its extent, the median distance of its photos
_SHARE_OF_NAMED = 0.05  # a place named in the text with a smaller share is not where the estimate stands
_APART_KM = 150.0  # closer places are the same answer
_SAME = 1e-10  # nats by which cells may shift relative to each other before their places' shares are recomputed


@dataclass(frozen=True, eq=False, slots=True)
class Spot:
    """A refined place, with what depends on that place alone.

    Attributes:
        refined: the place, and each candidate's share in it.
        cell: the cell containing it.
        named: whether a city named in the text is there.
        vicinity: the probability within `CITY_KM` and `POINT_KM`.
    """

    refined: Refined
    cell: int
    named: bool
    vicinity: Vicinity

    @classmethod
    def of(cls, refined: Refined, candidates: Candidates, top: int, world: World) -> Spot:
        """Build from a refined place; `top` is its cell if no candidate has a share in it."""
        here, towns = refined.latlon, candidates.latlon[candidates.named]
        cell = int(candidates.cell[int(refined.weights.argmax())]) if refined.weights.any() else top
        near = bool((haversine_km((here.lat, here.lon), towns) <= CITY_KM).any())
        return cls(refined, cell, near, Vicinity(world, candidates, here, (CITY_KM, POINT_KM)))


@dataclass(eq=False, slots=True)
class Memory:
    """Cache shared by the answers of one photo that differ by a cue; constraint ids must be unique.

    Attributes:
        candidates: by leading cells and named cities.
        spots: by candidates (kept alive by `candidates`): log probabilities of the leading cells, and the place.
    """

    candidates: dict[Hashable, Candidates] = field(default_factory=dict)
    spots: dict[int, tuple[Float, Spot]] = field(default_factory=dict)
    _names_city: dict[str, bool] = field(default_factory=dict)

    def naming(self, constraints: Sequence[Constraint]) -> list[str]:
        """Ids of the constraints that have a city among their places, or points."""
        for constraint in constraints:
            if constraint.id not in self._names_city:
                named = any(place.level == "city" for place in constraint.places)
                self._names_city[constraint.id] = named or constraint.spread is not None
        return [c.id for c in constraints if self._names_city[c.id]]


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """The estimate from a posterior.

    Attributes:
        latlon: the refined place.
        cell: the cell containing it.
        country: the most probable country; `latlon` lies in one of its cells.
        by_country: `(K,)` probability of every country.
        codes: K countries.
        p_admin1: probability of the cell's admin-1 unit.
        p_city: probability that the photo is within `CITY_KM` of `latlon`.
        p_point: probability that it is within `POINT_KM`.
        radius_50_km: radius around `latlon` that holds half of the probability.
        radius_90_km: radius that holds 90 %.
        candidates: the candidates from which `latlon` was computed.
        shares: `(M,)` each candidate's share in it.
        group: the evidence behind it, by which radii and sets are calibrated.
        scales: calibration factors applied to the radii.
    """

    latlon: LatLon
    cell: int
    country: str
    by_country: Float
    codes: tuple[str, ...]
    p_admin1: float
    p_city: float
    p_point: float
    radius_50_km: float
    radius_90_km: float
    candidates: Candidates
    shares: Float
    group: Group
    scales: tuple[float, float]

    @property
    def confidence(self) -> float:
        """Probability of `country`."""
        return float(self.by_country.max())

    @property
    def countries(self) -> tuple[tuple[str, float], ...]:
        """Every country with its probability, descending."""
        order = np.argsort(-self.by_country, kind="stable")
        return tuple((self.codes[i], p) for i, p in zip(order.tolist(), self.by_country[order].tolist(), strict=True))

    @property
    def named_place(self) -> str:
        """Name of the place in the text at which the estimate stands; "" if there is none.

        It is the one with the largest share, if the estimate lies within its extent: a quarter that a sign names is the
        answer, although most of the weight may lie on its city's other places.
        """
        candidates, here = self.candidates, self.latlon
        if candidates.kind != "place" or not candidates.named.any():
            return ""
        named = np.flatnonzero(candidates.named)
        first = int(named[int(self.shares[named].argmax())])
        if self.shares[first] < _SHARE_OF_NAMED:
            return ""
        away = float(haversine_km((here.lat, here.lon), candidates.latlon[first]))
        return candidates.refs[first] if away <= _IN_PLACE * float(candidates.extent_km[first]) else ""

    def level(self, sure: float = 0.5) -> AnswerPrecision:
        """The finest level with at least probability `sure`: none, country, region, city or full."""
        if self.confidence < sure:
            return "none"
        if self.p_city >= sure:
            return "full" if self.p_point >= sure else "city"
        return "region" if self.p_admin1 >= sure else "country"


def estimate(
    posterior: Posterior,
    constraints: Sequence[Constraint],
    world: World,
    refiner: Refiner,
    neighbours: Candidates | None = None,
    *,
    radii: bool = True,
    text_weight: float = 1.0,
    using: Refining = ALL,
    memory: Memory | None = None,
    ranking: Ranking | None = None,
) -> Estimate:
    """Choose the country, then the place in it, then compute the probability around it.

    Args:
        posterior: belief over the world's cells.
        constraints: the constraints behind it; cities among them favour places inside a cell.
        world: cells, prior and support.
        refiner: reduces weighted candidates to one place.
        neighbours: training photos near the embedding; if None, places of the gazetteer are used.
        radii: whether to compute the radii; they cost a sort and counterfactuals do not need them (NaN if False).
        text_weight: factor on constraints other than the user's, as in `Fusion`.
        using: how the text acts inside the cells.
        memory: cache of earlier answers for the same photo; updated.
        ranking: of the posterior, if already computed.
    """
    cells, ranking = world.cells, ranking or Ranking.of(posterior.log_probs, world)
    probs, country, leading = ranking.probs, ranking.country, ranking.leading
    top = int(leading[0])
    memory = Memory() if memory is None else memory
    key = (leading.tobytes(), id(neighbours), *memory.naming(constraints))
    candidates = memory.candidates.get(key)
    if candidates is None:
        candidates = None
        if neighbours:
            candidates = neighbour_candidates(world, neighbours, leading, constraints, text_weight, using)
        if candidates is None:
            candidates = gazetteer_candidates(world, leading.tolist(), constraints, text_weight, named=using.gazetteer)
        memory.candidates[key] = candidates
    weights = candidate_weights(candidates, posterior.log_probs, float(world.calibration.get("cell_weight", 1.0)))
    likely = np.sort(leading)
    known = memory.spots.get(id(candidates))
    if known is not None and np.ptp(posterior.log_probs[likely] - known[0]) <= _SAME:
        spot = known[1]  # a country-level cue shifts all cells of the country equally and does not move the place
    else:
        refined = refiner(candidates, weights, LatLon(*cells.centroids[top].tolist()))
        if any(c.spread is not None for c in constraints) and refined.weights.any():
            # Points are exact, and the barycentre of a town's points is none of the places where somebody was.
            at = densest_point(candidates, weights, np.flatnonzero(refined.weights))
            refined = Refined(LatLon(*candidates.latlon[at].tolist()), refined.weights)
        spot = Spot.of(refined, candidates, top, world)
        memory.spots[id(candidates)] = posterior.log_probs[likely], spot
    group = group_of(constraints if text_weight > 0 else (), named=spot.named)
    scales, here, admin1 = radius_scales(world.calibration, group), spot.refined.latlon, str(cells.admin1[spot.cell])
    p_city, p_point = spot.vicinity.holds(probs, weights)
    half, most = Cloud(world, probs, candidates, weights).radii(here, (0.5, 0.9)) if radii else (np.nan, np.nan)
    return Estimate(
        latlon=here,
        cell=spot.cell,
        country=country,
        by_country=ranking.by_country,
        codes=cells.country_codes,
        p_admin1=float(probs[cells.inside(country, admin1)].sum()) if admin1 else 0.0,
        p_city=p_city,
        p_point=p_point,
        radius_50_km=half * scales[0],
        radius_90_km=max(half * scales[0], most * scales[1]),
        candidates=candidates,
        shares=spot.refined.weights,
        group=group,
        scales=scales,
    )


def candidate_weights(candidates: Candidates, log_probs: Float, cell_weight: float) -> Float:
    """Posterior mass of each candidate, `(M,)`.

    Places divide the probability of their cell among themselves. Neighbours compete across cells with
    exp(−α dᵢ) · p(cellᵢ)^β, since visual similarity also indicates the cell; together they carry the probability of
    their cells.

    Args:
        candidates: M places or neighbours.
        log_probs: `(C,)` posterior over cells.
        cell_weight: β, fitted per world; not used for places.
    """
    if len(candidates) == 0 or candidates.kind == "place":
        return np.asarray(np.exp(candidates.log_weight + log_probs[candidates.cell]), dtype=np.float64)
    share = np.exp(log_normalise(candidates.log_weight + cell_weight * log_probs[candidates.cell]))
    theirs = np.zeros(len(log_probs), dtype=bool)
    theirs[candidates.cell] = True
    return np.asarray(share * np.exp(log_probs[theirs]).sum(), dtype=np.float64)


def alternatives(
    conclusion: Estimate, posterior: Posterior, world: World, count: int, *, own: bool = False
) -> list[tuple[LatLon, int, float]]:
    """At most `count` alternative places as `(place, cell, probability)`, most probable first.

    Cells are taken by probability, each at least `_APART_KM` from those taken before, including the answer itself.
    A place's probability is that of the cells of its country that are nearest to it, and within that distance.

    Args:
        conclusion: the estimate.
        posterior: the belief behind it.
        world: cells.
        count: maximum number of places.
        own: whether the place of the estimate is one of them, for an answer that does not name it.
    """
    cells, probs = world.cells, posterior.probs
    chosen: list[tuple[LatLon, int]] = [(conclusion.latlon, conclusion.cell)]
    leading = heaviest(posterior.log_probs, 400)
    places = world.densest[leading]
    unit = to_unit(places)
    free = great_circle_km(unit, to_unit((conclusion.latlon.lat, conclusion.latlon.lon))) >= _APART_KM
    while len(chosen) < count + (not own) and free.any():
        first = int(free.argmax())
        chosen.append((LatLon(*places[first].tolist()), int(leading[first])))
        free &= great_circle_km(unit, unit[first]) >= _APART_KM
    at = np.array([(p.lat, p.lon) for p, _ in chosen])
    close = cells.unit @ to_unit(at).T
    nearest = close.argmax(axis=1)
    near = close.max(axis=1) >= np.cos(_APART_KM / EARTH_RADIUS_KM)
    countries = cells.country_index[[cell for _, cell in chosen]]
    near &= cells.country_index == countries[nearest]
    near[[cell for _, cell in chosen]] = True  # a large cell's centre may be further from the place in it
    mass = np.bincount(nearest, weights=probs * near, minlength=len(chosen))
    found = [(place, cell, float(p)) for (place, cell), p in zip(chosen, mass, strict=True)]
    return sorted(found if own else found[1:], key=lambda item: -item[2])
