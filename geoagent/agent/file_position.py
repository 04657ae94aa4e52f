"""The position that a photo's file states: told beside the answer, never evidence."""

from __future__ import annotations

from geoagent.answer import ExifGps
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import LatLon


def file_position(gps: LatLon, here: LatLon | None, gazetteer: Gazetteer) -> ExifGps:
    """Return the position with its town and country.

    Args:
        gps: the position in the file.
        here: the place of the answer; None where none is named.
        gazetteer: names of towns and countries.
    """
    town = gazetteer.reverse(gps)
    country = None if town is None else gazetteer.country(town.country)
    names = dict.fromkeys(place.name for place in (town, country) if place is not None)
    away = None if here is None else round(gps.distance_km(here), 2)
    return ExifGps(lat=gps.lat, lon=gps.lon, distance_km=away, place=", ".join(names) or None)
