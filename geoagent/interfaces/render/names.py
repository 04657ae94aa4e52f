"""Names of countries for people."""

from __future__ import annotations

from functools import cache

from geoagent.errors import ResourceError
from geoagent.places.gazetteer import Gazetteer


@cache
def country_name(code: str) -> str:
    """Return the English name of a country by its ISO 3166-1 alpha-2 code; the code where it is not known."""
    known = gazetteer()
    place = known.country(code) if known is not None else None
    return code if place is None else place.name


@cache
def gazetteer() -> Gazetteer | None:
    """The gazetteer that ships; None where it is damaged, since words must not fail."""
    try:
        return Gazetteer.load()
    except ResourceError:
        return None
