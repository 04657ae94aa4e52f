"""GPX 1.1: one waypoint an answer that names a place, in order of time where all tell it, each marked as an estimate.

A GPX file is usually a record of where a receiver was. So the file, and every point in it, says that it is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from geoagent import __version__
from geoagent.interfaces.outputs._row import Row, in_order
from geoagent.interfaces.outputs._whole import whole
from geoagent.interfaces.render import km_text

SUFFIX = ".gpx"
_SPACE = "http://www.topografix.com/GPX/1/1"


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as GPX, atomically; answers without a position are left out.

    Those name no place, or no more than a country.

    Returns:
        The number of points.

    Raises:
        InputError: the file cannot be written.
    """
    root = ElementTree.Element("gpx", version="1.1", creator=f"geoagent {__version__} (estimates)", xmlns=_SPACE)
    about = ElementTree.SubElement(root, "metadata")
    ElementTree.SubElement(about, "name").text = "Estimated places of photos"
    ElementTree.SubElement(about, "desc").text = "Estimates, not measurements; made by geoagent."
    placed = [row for row in in_order(rows) if row.lat is not None and row.lon is not None]
    for row in placed:
        point = ElementTree.SubElement(root, "wpt", lat=f"{row.lat:.5f}", lon=f"{row.lon:.5f}")
        if row.taken and row.taken.endswith("Z"):  # GPX has times in UTC alone
            ElementTree.SubElement(point, "time").text = row.taken
        ElementTree.SubElement(point, "name").text = row.id or row.source
        where = ", ".join(part for part in (row.place, row.country) if part)
        within = "" if row.radius_90_km is None else f", 90 % within {km_text(row.radius_90_km)}"
        ElementTree.SubElement(point, "desc").text = f"estimate: {where}{within}, from {row.basis}"
        ElementTree.SubElement(point, "type").text = "estimate"
    ElementTree.indent(root)
    with whole(target) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)
    return len(placed)
