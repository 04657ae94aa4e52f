"""Places, their names in all scripts, and their polygons. See `Gazetteer`."""

from geoagent.places.gazetteer.gazetteer import Gazetteer
from geoagent.places.gazetteer.match import Exactness, Match, Mention
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.polygons import Areas
from geoagent.places.gazetteer.table import Cities

__all__ = ["Areas", "Cities", "Exactness", "Gazetteer", "Match", "Mention", "normalise"]
