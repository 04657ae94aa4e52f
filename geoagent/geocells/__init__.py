"""Semantic geocells: the classes of the classifier, cut from administrative polygons."""

from geoagent.geocells.cells import Geocells
from geoagent.geocells.split import voronoi_split

__all__ = ["Geocells", "voronoi_split"]
