"""Towns of a part of the map, by population."""

from __future__ import annotations

import numpy as np

from geoagent.interfaces.web.schemas import Town
from geoagent.places.gazetteer import Gazetteer

MOST = 400


def towns_within(gazetteer: Gazetteer, south: float, west: float, north: float, east: float) -> list[Town]:
    """Return the most populous towns of a box, at most `MOST`.

    Args:
        gazetteer: where they are from.
        south: degrees, as `north`.
        west: degrees; the box runs eastwards from here, also across ±180°.
        north: degrees.
        east: degrees, not less than `west`; a box of 360° or more holds all longitudes.
    """
    cities = gazetteer.cities
    lat, lon = cities.latlon[:, 0], cities.latlon[:, 1]
    inside = (
        (lat >= south) & (lat <= north) & ((lon - west) % 360.0 <= min(east - west, 360.0)) & (cities.population > 0)
    )
    found = np.flatnonzero(inside)
    most = found[np.argsort(-cities.population[found], kind="stable")[:MOST]]
    return [
        Town(
            name=cities.name(int(i)),
            lat=round(float(lat[i]), 4),
            lon=round(float(lon[i]), 4),
            population=int(cities.population[i]),
        )
        for i in most
    ]
