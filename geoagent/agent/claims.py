"""Claims about where a photo was taken: reading them, and their probability under a posterior."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geoagent.belief.estimate import CITY_KM, Estimate
from geoagent.errors import InputError
from geoagent.places.coordinates import read_coordinates
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.extents import finer_units, in_city, is_finer, nearest_unit
from geoagent.places.gazetteer.readings import Reading, readings_of, why_unknown
from geoagent.places.gazetteer.table import city_radius_km
from geoagent.places.geo import LatLon
from geoagent.protocols import Assets
from geoagent.types import Place, Precision
from geoagent.worlds.world import World

_REACH_KM = 200.0  # places of support this far outside a circle may still have photos inside it
_UNSEEN = 0.05
"""Share of a cell's probability that is spread evenly over it, since photos are also taken away from known places."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed place.

    Attributes:
        said: as stated.
        name: as understood ("Kyiv, Kyiv City, Ukraine", "50.45, 30.52 within 25 km").
        areas: countries, admin-1 units and finer units that make it up; () for a circle or a city.
        city: the city; None for others.
        centre: of the circle or the city; None for areas.
        radius_km: of the circle; of a city, how far places that belong to it may be from its centre.
        countries: ISO codes of what is claimed.
        level: of what is claimed; "full" for a position, "city" for a city or a unit finer than an admin-1 unit.
        notes: how the claim was understood, for the user.
        weight: how likely this reading is meant, relative to the likeliest.
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
    weight: float = 1.0


def read_claims(said: str, gazetteer: Gazetteer, world: World) -> tuple[Claim, ...]:
    """Parse a claim: "Kyiv, Ukraine", "DE", "the Balkans", "50.45,30.52,10" (a radius in km), or coordinates.

    Returns:
        Its readings, likeliest first; at least one.

    Coordinates are what `read_coordinates` reads; without a radius they are claimed within `CITY_KM`. A city is claimed
    as far as it reaches.

    Raises:
        InputError: the place is not known, or the world has no cells there.
        CoordinateError: coordinates that are out of range or have two readings.
    """
    found = read_coordinates(said)
    if found is not None:
        centre, radius = found.position, CITY_KM if found.radius_km is None else found.radius_km
        if not 0 < radius <= 20_000:
            raise InputError(f"claim {said!r}: the radius must lie between 0 and 20000 km, not {radius:g}")
        code = gazetteer.country_at(centre)
        alone = () if code else (f"{said.strip()} lies in no country; coordinates are latitude, then longitude",)
        name = f"{centre.lat:g}, {centre.lon:g} within {radius:g} km"
        return (Claim(said, name, (), centre, radius, _codes(code), notes=(*found.notes, *alone)),)
    readings = readings_of(gazetteer, said)
    if not readings:
        unknown = why_unknown(gazetteer, said)
        raise InputError(f"claim {said!r}: {unknown}; a position is LAT,LON[,RADIUS_KM]")
    claims: list[Claim] = []
    refused: list[InputError] = []
    for reading in readings:
        try:
            claims.append(_claim_of(said, reading, gazetteer, world))
        except InputError as error:
            refused.append(error)
    if not claims:
        raise refused[0]
    return tuple(claims)


def _claim_of(said: str, reading: Reading, gazetteer: Gazetteer, world: World) -> Claim:
    """One reading of a claim.

    Raises:
        InputError: the world has no cells there, or it is two cities.
    """
    inside = tuple(place for place in reading.places if place.country in world.country_prior)
    if not inside:
        raise InputError(f"claim {said!r}: the world {world.name!r} has no cells in {reading.name}")
    first, notes = inside[0], (reading.note,) if reading.note else ()
    if len(inside) > 1 and any(place.level == "city" for place in inside):
        raise InputError(f"claim {said!r}: claim one city at a time")
    if first.level == "city":
        return replace(_claim_of_city(said, reading.name, first, notes), weight=reading.weight)
    for place in inside:
        if place.level == "admin1" and not len(world.cells.inside(place.country, place.admin1)):
            raise InputError(
                f"claim {said!r}: the world {world.name!r} has no cells of its own for {place.name}; "
                f"claim {place.country}, a city, or LAT,LON,RADIUS_KM"
            )
    level: Precision = "region" if any(place.level == "admin1" for place in inside) else "country"
    level = "city" if any(is_finer(place, gazetteer) for place in inside) else level
    countries = tuple(dict.fromkeys(place.country for place in inside))
    return Claim(said, reading.name, inside, None, 0.0, countries, level, notes, weight=reading.weight)


def _claim_of_city(said: str, name: str, city: Place, notes: tuple[str, ...] = ()) -> Claim:
    reach = float(city_radius_km(city.population))
    return Claim(said, name, (), city.latlon, reach, (city.country,), "city", notes, city)


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
        return (_claim_of_city("", gazetteer.full_name(town), town),)
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
        rivals.append(_claim_of_city("", gazetteer.full_name(town), town))
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
