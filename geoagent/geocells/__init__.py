"""Semantic geocells: the classes of the classifier, cut from administrative polygons."""

from geoagent.geocells.build import PIGEON, PIGEOTTO, BuildReport, Built, build_geocells, schedule_for
from geoagent.geocells.cells import Geocells
from geoagent.geocells.check import CellProblem, check_cells
from geoagent.geocells.cover import Cover
from geoagent.geocells.files import read_units
from geoagent.geocells.quadtree import quadtree_cells
from geoagent.geocells.split import voronoi_split
from geoagent.geocells.units import Units, touching

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
