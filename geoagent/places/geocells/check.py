"""Verification that geocells tile the land."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from geoagent.errors import InputError
from geoagent.places.geocells.cells import Geocells
from geoagent.places.geocells.units import Units

TOLERANCE_DEG2 = 1e-6
"""Tolerated gap between cells from cuts along curves, square degrees: about 0.01 km²."""
Kind = Literal["overlap", "gap", "spill", "invalid", "empty", "off_cell", "country"]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A problem with a cell.

    Attributes:
        kind: "invalid" geometry, "empty" geometry, "overlap" of two cells, "gap": part of a unit in no cell, "spill":
            part of a cell outside all units, "country": part of a cell in units of another country, "off_cell": a point
            inside the cell is assigned to another cell.
        cells: the affected cells; none for a gap.
        area_deg2: affected area in square degrees; 0 if not applicable.
        says: message.
    """

    kind: Kind
    cells: tuple[int, ...]
    area_deg2: float
    says: str


def check_cells(cells: Geocells, units: Units | None = None) -> tuple[CellProblem, ...]:
    """Return the problems of geocells; () if they tile the land without overlaps or gaps.

    Args:
        cells: geocells with polygons.
        units: the land that they should cover; if absent, gaps, spills and countries are not checked.

    Raises:
        InputError: the cells have no polygons.
    """
    import shapely

    if not cells.polygons:
        raise InputError("these geocells have no polygons to check; they have centroids only")
    shapes: Any = np.array(cells.polygons, dtype=object)
    problems: list[CellProblem] = []
    for c in np.flatnonzero(shapely.is_empty(shapes)).tolist():
        problems.append(CellProblem("empty", (c,), 0.0, f"cell {c} ({cells.country[c]}) has no land"))
    for c in np.flatnonzero(~shapely.is_valid(shapes)).tolist():
        reason = shapely.is_valid_reason(shapes[c])
        problems.append(CellProblem("invalid", (c,), 0.0, f"the polygon of cell {c} is not valid: {reason}"))
    if problems:
        return tuple(problems)  # areas of invalid polygons are meaningless
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
    """Return gaps, spills and land of other countries."""
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
