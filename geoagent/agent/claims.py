"""Claims about where a photo was taken: reading them, and their probability under a posterior."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.belief.candidates import gazetteer_candidates
from geoagent.belief.estimate import CITY_KM, Estimate
from geoagent.belief.radii import SPREAD
from geoagent.errors import InputError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.regions import places_of
from geoagent.places.geo import LatLon, haversine_km
from geoagent.protocols import Assets
from geoagent.types import Constraint, Place, Posterior, Precision
from geoagent.worlds.world import World

_NUMBER = r"([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|nan|inf))"
_COORDINATES = re.compile(
    rf"\s*{_NUMBER}\s*°?\s*([NS])?\s*,\s*{_NUMBER}\s*°?\s*([EW])?\s*(?:,\s*{_NUMBER}\s*(?:km)?)?\s*", re.I
)
_WORTH_NAMING = 50_000  # population from which a namesake is mentioned
_REACH_KM = 200.0  # places of support this far outside a circle may still have photos inside it
_UNSEEN = 0.05
"""Share of a cell's probability that is spread evenly over it, since photos are also taken away from known places."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed place.

    Attributes:
        said: as stated.
        name: as understood ("Kyiv, Kyiv City, UA", "50.45, 30.52 within 25 km").
        areas: countries and admin-1 units that make it up; () for a circle.
        centre: of the circle; None for areas.
        radius_km: of the circle.
        countries: ISO codes of what is claimed.
        level: of what is claimed; "full" for a position.
        notes: how the claim was understood, for the user.
    """

    said: str
    name: str
    areas: tuple[Place, ...] = ()
    centre: LatLon | None = None
    radius_km: float = CITY_KM
    countries: tuple[str, ...] = ()
    level: Precision = "full"
    notes: tuple[str, ...] = ()


def read_claim(said: str, gazetteer: Gazetteer, world: World) -> Claim:
    """Parse a claim: "Kyiv, Ukraine", "DE", "the Balkans", "50.45,30.52" or "50.45,30.52,10" (a radius in km).

    A city is claimed within `CITY_KM` of its centre.

    Raises:
        InputError: the place is not known, or the world has no cells there.
        CoordinateError: coordinates out of range.
    """
    found = _COORDINATES.fullmatch(said)
    if found:
        lat, lon = (float(found[i]) * (-1 if found[i + 1] and found[i + 1] in "SWsw" else 1) for i in (1, 3))
        if abs(lon) > 180:
            raise InputError(f"claim {said!r}: longitude {lon:g} is beyond ±180°")
        centre, radius = LatLon(lat, lon), float(found[5]) if found[5] else CITY_KM
        if not 0 < radius <= 20_000:
            raise InputError(f"claim {said!r}: the radius must lie between 0 and 20000 km, not {radius:g}")
        code = gazetteer.country_at(centre)
        notes = () if code else (f"{said.strip()} lies in no country; coordinates are latitude, then longitude",)
        return Claim(
            said, f"{centre.lat:g}, {centre.lon:g} within {radius:g} km", (), centre, radius, _codes(code), notes=notes
        )
    name, places = places_of(gazetteer, said)
    if not places:
        raise InputError(f"claim {said!r}: neither a place that the gazetteer knows nor LAT,LON[,RADIUS_KM]")
    inside = tuple(place for place in places if place.country in world.country_prior)
    if not inside:
        raise InputError(f"claim {said!r}: the world {world.name!r} has no cells in {name}")
    first = inside[0]
    if len(inside) > 1 and any(place.level == "city" for place in inside):
        raise InputError(f"claim {said!r}: claim one city at a time")
    if first.level == "city":
        return Claim(said, name, (), first.latlon, CITY_KM, (first.country,), "city", _others(said, first, gazetteer))
    for place in inside:
        if place.level == "admin1" and not len(world.cells.inside(place.country, place.admin1)):
            raise InputError(
                f"claim {said!r}: the world {world.name!r} has no cells of its own for {place.name}; "
                f"claim {place.country}, a city, or LAT,LON,RADIUS_KM"
            )
    level: Precision = "region" if any(place.level == "admin1" for place in inside) else "country"
    return Claim(said, name, inside, None, 0.0, tuple(dict.fromkeys(place.country for place in inside)), level)


def _others(said: str, chosen: Place, gazetteer: Gazetteer) -> tuple[str, ...]:
    """Return a note if the claim is a bare name that other sizeable cities share."""
    if "," in said:
        return ()
    same = [m.place for m in gazetteer.lookup(said) if m.place.level == "city" and m.place.latlon != chosen.latlon]
    large = [str(place) for place in same if place.population >= _WORTH_NAMING][:3]
    return (f"“{said.strip()}” was taken as {chosen}; there are also {', '.join(large)}",) if large else ()


def rival_of(claim: Claim, answered: Estimate, assets: Assets) -> Claim | None:
    """Return the place of the claim's kind that contains the answer; None if that is the claimed one.

    Args:
        claim: a circle, countries or admin-1 units.
        answered: the estimated position.
        assets: world and gazetteer.
    """
    if claim.centre is not None:
        if claim.centre.distance_km(answered.latlon) <= claim.radius_km:
            return None
        return Claim("", "", (), answered.latlon, claim.radius_km, (answered.country,))
    unit = str(assets.world.cells.admin1[answered.cell]) if claim.level == "region" else ""
    place = (assets.gazetteer.admin1(unit) if unit else None) or assets.gazetteer.country(answered.country)
    if place is None or any(place == area or area == assets.gazetteer.country(place.country) for area in claim.areas):
        return None
    return Claim("", place.name, (place,), None, 0.0, (place.country,), claim.level)


def claim_of_position(position: LatLon, gazetteer: Gazetteer) -> Claim:
    """Return the claim that a file makes by its GPS position."""
    name = f"EXIF position {position.lat:.5f}, {position.lon:.5f}"
    return Claim("exif", name, (), position, CITY_KM, _codes(gazetteer.country_at(position)))


def _codes(code: str) -> tuple[str, ...]:
    return (code,) if code else ()


class Probability:
    """Probability of one claim under a posterior; what depends on the claim alone is computed once.

    Areas hold the probability of their cells. A circle holds what of the cloud of places where photos are, and of the
    cities that the text names, lies in it; a small share of each cell's probability is spread evenly over the cell.

    Args:
        claim: the claim.
        world: cells and support.
        text_weight: what constraints other than the user's count for, as in `Fusion`.
    """

    def __init__(self, claim: Claim, world: World, text_weight: float = 1.0) -> None:
        self._claim, self._world, self._text_weight = claim, world, text_weight
        cells = world.cells
        if claim.centre is None:
            parts = [cells.inside(p.country, p.admin1 if p.level == "admin1" else "") for p in claim.areas]
            self._rows = np.unique(np.concatenate(parts))
            return
        self._here = (claim.centre.lat, claim.centre.lon)
        home = cells.at(claim.centre)
        near = haversine_km(self._here, world.support.latlon) <= claim.radius_km + _REACH_KM
        self._rows = np.union1d(world.support.cell[near], [home])
        # Half of a cell's photos lie within its radius: its area is taken as a circle of twice that.
        reach = 2.0 * np.maximum(cells.radius_km, 1.0)
        share = np.minimum(1.0, (claim.radius_km / reach) ** 2)
        away = haversine_km(self._here, cells.centroids)
        self._covered = share * ((away <= reach + claim.radius_km) | (np.arange(len(cells)) == home))

    def __call__(self, posterior: Posterior, constraints: Sequence[Constraint]) -> float:
        """Probability that the claim is true, in (0, 1).

        Args:
            posterior: belief over the world's cells.
            constraints: those that made it.
        """
        probs = posterior.probs
        if self._claim.centre is None:
            return _inside_unit(float(probs[self._rows].sum()))
        places = gazetteer_candidates(self._world, self._rows.tolist(), constraints, self._text_weight)
        mass = np.exp(places.log_weight) * probs[places.cell]
        spread = np.hypot(haversine_km(self._here, places.latlon)[:, None], places.extent_km[:, None] * SPREAD)
        seen = float((mass[:, None] * (spread <= self._claim.radius_km)).sum() / len(SPREAD))
        return _inside_unit((1.0 - _UNSEEN) * seen + _UNSEEN * float(probs @ self._covered))


def _inside_unit(p: float) -> float:
    return min(max(p, 1e-15), 1.0 - 1e-15)
