"""Places, their names in all scripts, and their polygons. See `Gazetteer`."""

from geoagent.gazetteer.gazetteer import Gazetteer
from geoagent.gazetteer.match import Exactness, Match, Mention
from geoagent.gazetteer.normalise import normalise
from geoagent.gazetteer.polygons import Areas
from geoagent.gazetteer.table import Cities

__all__ = ["Areas", "Cities", "Exactness", "Gazetteer", "Match", "Mention", "normalise"]
