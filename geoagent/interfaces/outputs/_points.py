"""What the XML formats of points share: GPX and KML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from geoagent.interfaces.outputs._row import Row, in_order
from geoagent.interfaces.outputs._whole import whole
from geoagent.interfaces.render import km_text


def placed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows with a position; in order of time where all tell it."""
    return [row for row in in_order(rows) if row.lat is not None and row.lon is not None]


def estimate_text(row: Row) -> str:
    """Return that a point is an estimate: of where, how near, and from what."""
    where = ", ".join(part for part in (row.place, row.country) if part)
    within = "" if row.radius_90_km is None else f", 90 % within {km_text(row.radius_90_km)}"
    return f"estimate: {where}{within}, from {row.basis}"


def utc_text(row: Row) -> str | None:
    """Return when a photo was taken, in UTC; None without a zone, which readers would take for UTC or their own."""
    return row.taken if row.taken and row.taken.endswith("Z") else None


def write_xml(root: ElementTree.Element, target: Path) -> None:
    """Write a document, atomically.

    Raises:
        InputError: the file cannot be written.
    """
    ElementTree.indent(root)
    with whole(target) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)
