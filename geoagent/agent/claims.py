"""Claims about where a photo was taken: reading them, and their probability under a posterior."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from geoagent.belief.estimate import CITY_KM, Estimate
from geoagent.errors import InputError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.extents import finer_units, in_city, is_finer, nearest_unit
from geoagent.places.gazetteer.regions import places_of
from geoagent.places.gazetteer.table import city_radius_km
from geoagent.places.geo import LatLon
from geoagent.protocols import Assets
from geoagent.types import Place, Precision
from geoagent.worlds.world import World

_NUMBER = r"([+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|nan|inf))"
_COORDINATES = re.compile(
    rf"\s*{_NUMBER}\s*°?\s*([NS])?\s*,\s*{_NUMBER}\s*°?\s*([EW])?\s*(?:,\s*{_NUMBER}\s*(?:km)?)?\s*", re.I
)
_WORTH_NAMING = 20_000  # population from which a namesake is mentioned
_REACH_KM = 200.0  # places of support this far outside a circle may still have photos inside it
_UNSEEN = 0.05
"""Share of a cell's probability that is spread evenly over it, since photos are also taken away from known places."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed place.

    Attributes:
        said: as stated.
        name: as understood ("Kyiv, Kyiv City, UA", "50.45, 30.52 within 25 km").
        areas: countries, admin-1 units and finer units that make it up; () for a circle or a city.
        city: the city; None for others.
        centre: of the circle or the city; None for areas.
        radius_km: of the circle; of a city, how far places that belong to it may be from its centre.
        countries: ISO codes of what is claimed.
        level: of what is claimed; "full" for a position, "city" for a city or a unit finer than an admin-1 unit.
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
    city: Place | None = None


def read_claim(said: str, gazetteer: Gazetteer, world: World) -> Claim:
    """Parse a claim: "Kyiv, Ukraine", "DE", "the Balkans", "50.45,30.52" or "50.45,30.52,10" (a radius in km).

    Coordinates without a radius are claimed within `CITY_KM`, a city as far as it reaches.

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
        return _claim_of_city(said, name, first, _others(said, first, gazetteer))
    for place in inside:
        if place.level == "admin1" and not len(world.cells.inside(place.country, place.admin1)):
            raise InputError(
                f"claim {said!r}: the world {world.name!r} has no cells of its own for {place.name}; "
                f"claim {place.country}, a city, or LAT,LON,RADIUS_KM"
            )
    level: Precision = "region" if any(place.level == "admin1" for place in inside) else "country"
    namesakes: tuple[str, ...] = ()
    if any(is_finer(place, gazetteer) for place in inside):
        level, namesakes = "city", _others(said, first, gazetteer) if len(inside) == 1 else ()
    countries = tuple(dict.fromkeys(place.country for place in inside))
    return Claim(said, name, inside, None, 0.0, countries, level, namesakes)


def _claim_of_city(said: str, name: str, city: Place, notes: tuple[str, ...] = ()) -> Claim:
    reach = float(city_radius_km(city.population))
    return Claim(said, name, (), city.latlon, reach, (city.country,), "city", notes, city)


def _others(said: str, chosen: Place, gazetteer: Gazetteer) -> tuple[str, ...]:
    """Return a note if the claim is a bare name that other sizeable cities, or counties and the like, share."""
    if "," in said:
        return ()
    same = [m.place for m in gazetteer.lookup(said) if m.exactness == "primary" and m.place.admin1 != chosen.admin1]
    large = [
        str(place)
        for place in same
        if place.latlon != chosen.latlon and (place.population >= _WORTH_NAMING or is_finer(place, gazetteer))
    ][:3]
    are = "are" if len(large) > 1 else "is"
    return (f"“{said.strip()}” was taken as {chosen}; there {are} also {', '.join(large)}",) if large else ()


def rivals_of(claim: Claim, answered: Estimate, assets: Assets) -> tuple[Claim, ...]:
    """Return places of the claim's kind that contain the answer; none if the claimed one does.

    Of a finer unit, the city that the answer is in is one as well, unless the unit is a part of it.

    Args:
        claim: a circle, a city, countries or units.
        answered: the estimated position.
        assets: world and gazetteer.
    """
    gazetteer, here = assets.gazetteer, np.array([[answered.latlon.lat, answered.latlon.lon]])
    if claim.city is not None:
        town = gazetteer.reverse(answered.latlon)
        if town is None or town.level != "city" or in_city(claim.city, here, gazetteer)[0]:
            return ()
        return (_claim_of_city("", str(town), town),)
    if claim.centre is not None:
        if claim.centre.distance_km(answered.latlon) <= claim.radius_km:
            return ()
        return (Claim("", "", (), answered.latlon, claim.radius_km, (answered.country,)),)
    unit = str(assets.world.cells.admin1[answered.cell]) if claim.level != "country" else ""
    around = (gazetteer.admin1(unit) if unit else None, gazetteer.country(answered.country))
    finer = finer_units(gazetteer, answered.country, unit) if claim.level == "city" else ()
    place = finer[int(nearest_unit(finer, here)[0])] if finer else around[0] or around[1]
    if place is None or any(area in (place, *around) for area in claim.areas):
        return ()
    rivals = [Claim("", place.name, (place,), None, 0.0, (place.country,), claim.level)]
    town = gazetteer.reverse(answered.latlon) if claim.level == "city" else None
    if town is not None and town.level == "city" and not any(_around(town, area) for area in claim.areas):
        rivals.append(_claim_of_city("", str(town), town))
    return tuple(rivals)


def _around(city: Place, unit: Place) -> bool:
    """Whether a unit is a part of a city, as Southwark is of London: its centre is where most of the city is."""
    return city.latlon.distance_km(unit.latlon) <= float(city_radius_km(city.population)) / 3


def claim_of_position(position: LatLon, gazetteer: Gazetteer) -> Claim:
    """Return the claim that a file makes by its GPS position."""
    name = f"EXIF position {position.lat:.5f}, {position.lon:.5f} within {CITY_KM:g} km"
    return Claim("exif", name, (), position, CITY_KM, _codes(gazetteer.country_at(position)))


def _codes(code: str) -> tuple[str, ...]:
    return (code,) if code else ()
