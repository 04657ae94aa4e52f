"""Verifying that geocells tile the land."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from geoagent.errors import InputError
from geoagent.places.geocells.cells import Geocells
from geoagent.places.geocells.units import Units

TOLERANCE_DEG2 = 1e-6
"""Area that cuts along curves may leave between cells, square degrees: about 0.01 km²."""
Kind = Literal["overlap", "gap", "spill", "invalid", "empty", "off_cell", "country"]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Something wrong with a cell.

    Attributes:
        kind: "invalid" geometry, "empty" geometry, "overlap" of two cells, "gap" of a unit that no cell covers, "spill"
            of a cell over land of no unit, "country" of a cell that lies in units of another one, "off_cell" for a
            cell that a place inside it is not assigned to.
        cells: the cells concerned; none for a gap.
        area_deg2: how much, square degrees; 0 where area is not the point.
        says: the same in words.
    """

    kind: Kind
    cells: tuple[int, ...]
    area_deg2: float
    says: str


def check_cells(cells: Geocells, units: Units | None = None) -> tuple[CellProblem, ...]:
    """Return what is wrong with geocells; () where they tile the land without overlap or gap.

    Args:
        cells: geocells with polygons.
        units: the land that they should cover; gaps, spills and countries are not checked where absent.

    Raises:
        InputError: the cells have no polygons.
    """
    import shapely

    if not cells.polygons:
        raise InputError("these geocells have no polygons to check; they are known by their centroids only")
    shapes: Any = np.array(cells.polygons, dtype=object)
    problems: list[CellProblem] = []
    for c in np.flatnonzero(shapely.is_empty(shapes)).tolist():
        problems.append(CellProblem("empty", (c,), 0.0, f"cell {c} ({cells.country[c]}) has no land"))
    for c in np.flatnonzero(~shapely.is_valid(shapes)).tolist():
        reason = shapely.is_valid_reason(shapes[c])
        problems.append(CellProblem("invalid", (c,), 0.0, f"the polygon of cell {c} is not valid: {reason}"))
    if problems:
        return tuple(problems)  # areas of broken polygons mean nothing
    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    common: Any = shapely.intersection(shapes[a], shapes[b])
    shared = shapely.area(common)
    for i in np.flatnonzero(shared > TOLERANCE_DEG2).tolist():
        pair = (int(a[i]), int(b[i]))
        problems.append(
            CellProblem("overlap", pair, float(shared[i]), f"cells {pair[0]} and {pair[1]} share {shared[i]:.2g} deg²")
        )
    inside: Any = shapely.point_on_surface(shapes)
    latlon = shapely.get_coordinates(inside)[:, ::-1]
    for c in np.flatnonzero(cells.assign(latlon) != np.arange(len(cells))).tolist():
        problems.append(CellProblem("off_cell", (c,), 0.0, f"a place inside cell {c} is assigned to another cell"))
    return tuple(problems) if units is None else tuple(problems + _against(cells, shapes, tree, units))


def _against(cells: Geocells, shapes: Any, tree: Any, units: Units) -> list[CellProblem]:
    """Gaps, spills and foreign land."""
    import shapely

    unit, cell = tree.query(units.shapes, predicate="intersects")
    common: Any = shapely.intersection(units.shapes[unit], shapes[cell])
    shared = shapely.area(common)
    covered = np.bincount(unit, shared, len(units))
    landed = np.bincount(cell, shared, len(shapes))
    foreign = np.bincount(cell, shared * (units.country[unit] != cells.country[cell]), len(shapes))
    problems = []
    missing = shapely.area(units.shapes) - covered
    for u in np.flatnonzero(missing > TOLERANCE_DEG2).tolist():
        says = f"{missing[u]:.2g} deg² of unit {units.codes[u]} belong to no cell"
        problems.append(CellProblem("gap", (), float(missing[u]), says))
    extra = shapely.area(shapes) - landed
    for c in np.flatnonzero(extra > TOLERANCE_DEG2).tolist():
        says = f"{extra[c]:.2g} deg² of cell {c} are land of no unit"
        problems.append(CellProblem("spill", (c,), float(extra[c]), says))
    for c in np.flatnonzero(foreign > TOLERANCE_DEG2).tolist():
        says = f"{foreign[c]:.2g} deg² of cell {c} ({cells.country[c]}) belong to units of another country"
        problems.append(CellProblem("country", (c,), float(foreign[c]), says))
    return problems
