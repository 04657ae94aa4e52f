"""GPX 1.1: one waypoint an answer that names a place, in order of time where all tell it, each marked as an estimate.

A GPX file is usually a record of where a receiver was. So the file, and every point in it, says that it is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from geoagent import __version__
from geoagent.interfaces.outputs._points import estimate_text, placed, utc_text, write_xml
from geoagent.interfaces.outputs._row import Row

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
    found = placed(rows)
    for row in found:
        point = ElementTree.SubElement(root, "wpt", lat=f"{row.lat:.5f}", lon=f"{row.lon:.5f}")
        if (taken := utc_text(row)) is not None:  # GPX has times in UTC alone
            ElementTree.SubElement(point, "time").text = taken
        ElementTree.SubElement(point, "name").text = row.id or row.source
        ElementTree.SubElement(point, "desc").text = estimate_text(row)
        ElementTree.SubElement(point, "type").text = "estimate"
    write_xml(root, target)
    return len(found)
