"""XMP sidecars: an answer beside its photo, marked as an estimate.

A sidecar is `photo.jpg.xmp` or `photo.xmp` (`_sidecar_names.py`). The photo itself is never touched, and a sidecar
that exists is never replaced. Names of properties are those of Adobe's XMP Specification Part 2 (exif, photoshop) and
of IPTC Core; what marks the estimate is in a namespace of our own. Keywords (`dc:subject`) are left alone, since
programs take a sidecar's list for the photo's whole list; the estimate is said in words in `photoshop:Instructions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from geoagent import __version__
from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence.exif import ESTIMATES, METHOD, Said, sidecars
from geoagent.evidence.photos import what_it_says
from geoagent.filenames import path_of, safe, written
from geoagent.interfaces.outputs._row import Row, plain
from geoagent.interfaces.outputs._sidecar_names import STYLES, SidecarNames, Style
from geoagent.interfaces.render import km_text, percent_text
from geoagent.places.geo import LatLon

__all__ = ["STYLES", "Outcome", "SidecarNames", "Style", "gps_text", "sidecar", "sidecars", "unfit", "write"]

NAMESPACE = ESTIMATES
NAMESPACES: Mapping[str, str] = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "geoagent": ESTIMATES,
}
LEAST_CONFIDENCE = 0.8
"""Confidence below which nothing is written beside a photo unless the user asks for less."""
POSITIONED_ITSELF = "has a position"
NEAR_KM = 100.0
"""90 % radius from which no position is written: programs show it as a point, whatever the radius beside it says."""
_PACKET = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n', '\n<?xpacket end="w"?>\n')

for _prefix, _address in NAMESPACES.items():
    register_namespace(_prefix, _address)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome for one answer.

    Attributes:
        photo: the photo, as the answer names it.
        sidecar: what was written, or None.
        reason: why nothing was written; "" if a sidecar was written.
        kind: the same in a few words, to be counted: "not sure enough".
        failed: whether that was because of an error rather than a rule.
    """

    photo: str
    sidecar: Path | None = None
    reason: str = ""
    kind: str = ""
    failed: bool = False

    @classmethod
    def error(cls, photo: str, reason: str) -> Outcome:
        """The outcome where something went wrong."""
        return cls(photo, reason=reason, kind="error", failed=True)


def write(
    row: Row,
    *,
    folder: Path | None = None,
    over_gps: bool = False,
    least: float = 0.0,
    names: SidecarNames | None = None,
    country_name: Callable[[str], str | None] | None = None,
) -> Outcome:
    """Write the sidecar of one answer, unless a rule forbids it.

    Nothing is written for an error, for a text without a photo, for an answer that names no place or is less sure than
    asked, beside a photo that does not exist, over a sidecar of any name that exists, or where the photo's own metadata
    have a position or a part of one.

    Args:
        row: the answer.
        folder: where relative names of photos start from; the current folder where None.
        over_gps: write also where the photo has a position of its own.
        least: least confidence of the answer, the probability of its country.
        names: how sidecars are named; photo.jpg.xmp where None.
        country_name: from a country's code to its name; without it the code alone is written.
    """
    photo = path_of(row.source, folder)
    said = may_have(row, photo, least=least)
    if isinstance(said, Outcome):
        return said
    if existing := sidecars(photo):
        return _exists(row, existing[0])
    if said.position is not None and not over_gps:
        return Outcome(row.source, reason=safe(said.says), kind=POSITIONED_ITSELF)
    target = (names or SidecarNames()).target(photo)
    name = country_name(row.country) if country_name is not None and row.country else None
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:  # exclusive: fails where a file exists
            try:
                file.write(sidecar(row, country_name=name, names=not said.named))
            except BaseException:  # also on interruption: a partial sidecar would never be repaired
                target.unlink(missing_ok=True)
                raise
    except FileExistsError:
        return _exists(row, target)
    except OSError as error:
        return Outcome.error(row.source, f"{written(target.name)} cannot be written: {error.strerror or error}")
    return Outcome(row.source, target)


def may_have(row: Row, photo: Path, *, least: float = 0.0) -> Outcome | Said:
    """Return what a photo says itself, if an estimate may be written for it, or else why not.

    Args:
        row: the answer.
        photo: its file.
        least: least confidence.
    """
    if refusal := unfit(row, least):
        return Outcome(row.source, reason=refusal.reason, kind=refusal.kind)
    try:
        return what_it_says(photo)
    except (PhotoError, MissingDependency) as error:
        return Outcome.error(row.source, str(error))


def _exists(row: Row, side: Path) -> Outcome:
    says = f"the sidecar {written(side.name)} exists and is left as it is"
    return Outcome(row.source, reason=says, kind="has a sidecar")


def sidecar(row: Row, *, country_name: str | None = None, names: bool = True) -> str:
    """Return a sidecar's text: an XMP packet.

    Args:
        row: an answer that names a place.
        country_name: the name of its country.
        names: write the place's names (landmark or city, state, country); a photo that has names keeps its own.
    """
    root = Element(_name("x:xmpmeta"), {_name("x:xmptk"): f"geoagent {__version__}"})
    about = SubElement(SubElement(root, _name("rdf:RDF")), _name("rdf:Description"), {_name("rdf:about"): ""})
    for name, value in _properties(row, country_name, names):
        SubElement(about, _name(name)).text = plain(value)
    return tostring(root, encoding="unicode").join(_PACKET)


def gps_text(degrees: float, signs: str) -> str:
    """Return degrees as XMP writes them, "48,46.548000N": degrees, minutes to a millionth (2 mm), hemisphere.

    Args:
        degrees: signed.
        signs: letters of the positive and the negative hemisphere, "NS" or "EW".
    """
    whole, millionths = divmod(round(abs(degrees) * 60_000_000), 60_000_000)
    return f"{whole},{millionths // 1_000_000}.{millionths % 1_000_000:06d}{signs[degrees < 0]}"


class Refusal(NamedTuple):
    """Why an answer is not written, in full and in a few words."""

    reason: str
    kind: str


def unfit(row: Row, least: float = 0.0) -> Refusal | None:
    """Return why an answer gets no sidecar whatever its photo is; None if it may get one.

    Args:
        row: the answer.
        least: least confidence; an answer that tells none passes.
    """
    if row.status == "error":
        return Refusal("has no answer", "no answer")
    if row.id is not None:
        return Refusal("is a text without a photo", "no photo")
    if row.precision in (None, "none") or not (row.country or row.lat is not None):
        return Refusal("the answer names no place", "no place named")
    if row.confidence is not None and row.confidence < least:
        sure = f"its country is {percent_text(row.confidence)} sure"
        return Refusal(f"{sure}, less than the {percent_text(least)} of --min-confidence", "not sure enough")
    return None


def _properties(row: Row, country_name: str | None, names: bool) -> Iterator[tuple[str, str]]:
    at = position_of(row)
    if at is not None:
        yield "exif:GPSVersionID", "2.3.0.0"
        yield "exif:GPSLatitude", gps_text(at.lat, "NS")
        yield "exif:GPSLongitude", gps_text(at.lon, "EW")
        yield "exif:GPSMapDatum", "WGS-84"
        yield "exif:GPSProcessingMethod", METHOD
        if row.radius_90_km is not None:
            yield "exif:GPSHPositioningError", f"{max(1, round(1000 * row.radius_90_km))}/1"  # metres
    if names:
        yield from names_of(row, country_name)
    yield "photoshop:Instructions", in_words(row, country_name)
    yield "geoagent:estimate", "True"
    if at is not None:
        # A copy: if it differs from the `exif:` position, somebody has entered another position.
        yield "geoagent:latitude", gps_text(at.lat, "NS")
        yield "geoagent:longitude", gps_text(at.lon, "EW")
    values = {
        "status": row.status,
        "precision": row.precision,
        "radius_50_km": row.radius_50_km,
        "radius_90_km": row.radius_90_km,
        "confidence": row.confidence,
        "world": row.world,
        "world_fingerprint": row.world_fingerprint,
        "version": row.version,
    }
    for key, value in values.items():
        if value is not None:
            yield f"geoagent:{key}", f"{value:.10g}" if isinstance(value, float) else value


def position_of(row: Row) -> LatLon | None:
    """Return the position that is written for an answer; None where its 90 % radius is too large, or not known."""
    if row.lat is None or row.lon is None or row.radius_90_km is None or row.radius_90_km >= NEAR_KM:
        return None
    return LatLon(row.lat, row.lon)


def names_of(row: Row, country_name: str | None) -> Iterator[tuple[str, str]]:
    """Names of properties with the names of the place, as far as its precision goes."""
    if row.place and row.precision in ("city", "full"):
        yield "Iptc4xmpCore:Location" if row.landmark else "photoshop:City", row.place
    if row.admin1:
        yield "photoshop:State", row.admin1
    if row.country:
        yield "photoshop:Country", country_name or row.country
        yield "Iptc4xmpCore:CountryCode", row.country


def in_words(row: Row, country_name: str | None = None) -> str:
    """Say in a sentence that this is an estimate, from what, and how sure it is.

    Args:
        row: the answer.
        country_name: the name of its country; the code where None.
    """
    within = "" if row.radius_50_km is None else f" Half of the probability lies within {km_text(row.radius_50_km)}."
    sure = f" {percent_text(row.confidence)} sure of {country_name or row.country}." if row.country else ""
    sure = "" if row.confidence is None else sure
    return (
        f"Place ESTIMATED by geoagent {row.version or __version__} from {row.basis}, not measured "
        f"(precision: {row.precision}).{within}{sure} Check it before use."
    )


def _name(qualified: str) -> str:
    prefix, _, local = qualified.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"
