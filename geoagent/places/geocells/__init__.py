"""Semantic geocells: the classes of the classifier, built from administrative polygons."""

from geoagent.places.geocells.build import PIGEON, PIGEOTTO, BuildReport, Built, build_geocells, schedule_for
from geoagent.places.geocells.cells import Geocells
from geoagent.places.geocells.check import CellProblem, check_cells
from geoagent.places.geocells.cover import Cover
from geoagent.places.geocells.files import read_units
from geoagent.places.geocells.quadtree import quadtree_cells
from geoagent.places.geocells.split import voronoi_split
from geoagent.places.geocells.units import Units, touching

__all__ = [
    "PIGEON",
    "PIGEOTTO",
    "BuildReport",
    "Built",
    "CellProblem",
    "Cover",
    "Geocells",
    "Units",
    "build_geocells",
    "check_cells",
    "quadtree_cells",
    "read_units",
    "schedule_for",
    "touching",
    "voronoi_split",
]
