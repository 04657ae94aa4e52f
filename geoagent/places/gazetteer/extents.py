"""Extents of named places without borders in the gazetteer: cities, and the finer units inside an admin-1 unit.

Finer units are counties, departments and boroughs. Only their centres are known: a point belongs to the unit of its
admin-1 unit whose centre is nearest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geoagent.places.gazetteer.table import city_radius_km
from geoagent.places.geo import Float, haversine_km, to_unit
from geoagent.types import Place

if TYPE_CHECKING:
    from geoagent.places.gazetteer.gazetteer import Gazetteer

_PART = 1 / 8  # largest part of a city: its population, relative to the city's
_CENTRE_KM = 1.0  # this near its centre a place is in the city, whatever larger city is around it


def in_city(city: Place, latlon: Float, gazetteer: Gazetteer) -> NDArray[np.bool_]:
    """Return whether each place is in a city, `(N,)`.

    It is where the place belongs to the city rather than to another one (see `Gazetteer.reverse`), or to a much
    smaller one of the same admin-1 unit within a third of the city's radius: Nippes is in Köln, and Leverkusen is not.

    Args:
        city: a city.
        latlon: `(N, 2)` degrees.
        gazetteer: other cities.
    """
    away = haversine_km((city.latlon.lat, city.latlon.lon), latlon)
    reach = float(city_radius_km(city.population))
    inside = away <= _CENTRE_KM
    for i in np.flatnonzero(~inside & (away <= reach)).tolist():
        town = gazetteer.reverse(latlon[i].tolist())
        if town is not None:
            small = town.admin1 == city.admin1 and town.population <= _PART * city.population
            inside[i] = town.latlon == city.latlon or (small and away[i] <= reach / 3)
    return np.asarray(inside, dtype=np.bool_)


def is_finer(place: Place, gazetteer: Gazetteer) -> bool:
    """Whether a place is a unit inside an admin-1 unit, and not an admin-1 unit itself."""
    return place.level == "admin1" and place != gazetteer.admin1(place.admin1)


def finer_units(gazetteer: Gazetteer, country: str, admin1: str) -> tuple[Place, ...]:
    """Return the finer units inside an admin-1 unit ("GB", "GB.ENG"); empty where none is known."""
    table = gazetteer.table
    inside = (table.place(i) for i in range(table.first_sub, table.first_city) if table.admin1_of(i) == admin1)
    return tuple(place for place in inside if place.country == country)


def nearest_unit(units: tuple[Place, ...], latlon: Float) -> NDArray[np.int64]:
    """Return the index of the unit that each point belongs to, `(N,)`.

    Args:
        units: the finer units of one admin-1 unit, at least one.
        latlon: `(N, 2)` degrees; points in that admin-1 unit.
    """
    centres = to_unit(np.array([(unit.latlon.lat, unit.latlon.lon) for unit in units]))
    return np.asarray((to_unit(latlon) @ centres.T).argmax(axis=1), dtype=np.int64)


def people_of(place: Place, gazetteer: Gazetteer) -> int:
    """Return the population of a place; of a finer unit, that of the known cities that belong to it."""
    if not is_finer(place, gazetteer):
        return place.population
    units, table = finer_units(gazetteer, place.country, place.admin1), gazetteer.table
    rows = table.cities_of(place.admin1 or place.country)
    own = nearest_unit(units, table.latlon[rows]) == units.index(place)
    return int(table.population[rows][own].sum())
