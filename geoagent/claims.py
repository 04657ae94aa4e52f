"""A claim about where a photo was taken, and how probable a belief over cells makes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.candidates import gazetteer_candidates
from geoagent.conclude import CITY_KM
from geoagent.errors import InputError
from geoagent.gazetteer import Gazetteer
from geoagent.gazetteer.regions import places_of
from geoagent.geo import LatLon, haversine_km
from geoagent.spread import SPREAD
from geoagent.types import Constraint, Place, Posterior, Precision
from geoagent.world import World

_COORDINATES = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?)\s*(?:,\s*(\d+(?:\.\d+)?)\s*(?:km)?)?\s*", re.I
)
_REACH_KM = 200.0  # how far beyond a circle places are that may still have photos in it
_UNSEEN = 0.05
"""Share of a cell's probability that is spread evenly over it: photos are also taken where none is known to be."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Where a photo is said to be.

    Attributes:
        said: as stated.
        name: as understood ("Kyiv, Kyiv City, UA", "50.45, 30.52 within 25 km").
        areas: countries and admin-1 units that make it up; () for a circle.
        centre: of the circle; None for areas.
        radius_km: of the circle.
        countries: ISO codes of what is claimed.
        level: of what is claimed; "full" for a position.
    """

    said: str
    name: str
    areas: tuple[Place, ...] = ()
    centre: LatLon | None = None
    radius_km: float = CITY_KM
    countries: tuple[str, ...] = ()
    level: Precision = "full"


def read_claim(said: str, gazetteer: Gazetteer, world: World) -> Claim:
    """Understand a claim: "Kyiv, Ukraine", "DE", "the Balkans", "50.45,30.52" or "50.45,30.52,10" (a radius in km).

    A city is claimed within `CITY_KM` of its centre.

    Raises:
        InputError: the place is not known, or the world has no cells there.
        CoordinateError: coordinates out of range.
    """
    found = _COORDINATES.fullmatch(said)
    if found:
        centre = LatLon(float(found[1]), float(found[2]))
        radius = float(found[3]) if found[3] else CITY_KM
        if not 0 < radius <= 20_000:
            raise InputError(f"claim {said!r}: a radius must lie between 0 and 20000 km")
        code = gazetteer.country_at(centre)
        return Claim(said, f"{centre.lat:g}, {centre.lon:g} within {radius:g} km", (), centre, radius, _codes(code))
    name, places = places_of(gazetteer, said)
    if not places:
        raise InputError(f"claim {said!r}: neither a place that the gazetteer knows nor LAT,LON[,RADIUS_KM]")
    inside = tuple(place for place in places if place.country in world.country_prior)
    if not inside:
        raise InputError(f"claim {said!r}: the world {world.name!r} has no cells in {name}")
    first = inside[0]
    if first.level == "city":
        return Claim(said, name, (), first.latlon, CITY_KM, (first.country,), "city")
    for place in inside:
        if place.level == "admin1" and not len(world.cells.inside(place.country, place.admin1)):
            raise InputError(
                f"claim {said!r}: the world {world.name!r} has no cells of its own for {place.name}; "
                f"claim {place.country}, a city, or LAT,LON,RADIUS_KM"
            )
    level: Precision = "region" if any(place.level == "admin1" for place in inside) else "country"
    return Claim(said, name, inside, None, 0.0, tuple(dict.fromkeys(place.country for place in inside)), level)


def claim_of_position(position: LatLon, gazetteer: Gazetteer) -> Claim:
    """The claim that a file makes about itself by its GPS position."""
    name = f"EXIF position {position.lat:.5f}, {position.lon:.5f}"
    return Claim("exif", name, (), position, CITY_KM, _codes(gazetteer.country_at(position)))


def _codes(code: str) -> tuple[str, ...]:
    return (code,) if code else ()


class Probability:
    """How probable a belief over cells makes one claim; what depends on the claim alone is worked out once.

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
