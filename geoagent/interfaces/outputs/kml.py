"""KML 2.2 for Google Earth and other globes: one placemark an answer that names a place, each marked as an estimate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from geoagent import __version__
from geoagent.interfaces.outputs._points import estimate_text, placed, utc_text, write_xml
from geoagent.interfaces.outputs._row import Row

SUFFIX = ".kml"
_SPACE = "http://www.opengis.net/kml/2.2"


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as KML, atomically; answers without a position are left out.

    Those name no place, or no more than a country.

    Returns:
        The number of placemarks.

    Raises:
        InputError: the file cannot be written.
    """
    root = ElementTree.Element("kml", xmlns=_SPACE)
    document = ElementTree.SubElement(root, "Document")
    ElementTree.SubElement(document, "name").text = "Estimated places of photos"
    says = f"Estimates, not measurements; made by geoagent {__version__}."
    ElementTree.SubElement(document, "description").text = says
    found = placed(rows)
    for row in found:
        mark = ElementTree.SubElement(document, "Placemark")
        ElementTree.SubElement(mark, "name").text = row.id or row.source
        ElementTree.SubElement(mark, "description").text = estimate_text(row)
        if (taken := utc_text(row)) is not None:
            stamp = ElementTree.SubElement(mark, "TimeStamp")
            ElementTree.SubElement(stamp, "when").text = taken
        told = ElementTree.SubElement(mark, "ExtendedData")
        for name, value in _data(row):
            data = ElementTree.SubElement(told, "Data", name=name)
            ElementTree.SubElement(data, "value").text = value
        point = ElementTree.SubElement(mark, "Point")
        ElementTree.SubElement(point, "coordinates").text = f"{row.lon:.5f},{row.lat:.5f}"
    write_xml(root, target)
    return len(found)


def _data(row: Row) -> Iterator[tuple[str, str]]:
    yield "estimate", "true"
    names = ("source", "precision", "confidence", "radius_50_km", "radius_90_km", "world", "world_fingerprint")
    for name in names:
        value = getattr(row, name)
        if value is not None:
            yield name, f"{value:.10g}" if isinstance(value, float) else value
    if row.cues:
        yield "cues", "; ".join(row.cues)
    if row.version is not None:
        yield "geoagent", row.version
