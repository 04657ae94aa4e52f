"""Location metadata of a photo's file (EXIF, XMP, IPTC), read without decoding pixels. Never used as evidence."""

from __future__ import annotations

import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from PIL import Image, ImageFile, IptcImagePlugin

from geoagent.evidence.gps import Gps, read_gps
from geoagent.evidence.taken import of_exif
from geoagent.places.geo import LatLon

ESTIMATES = "urn:x-geoagent:estimate:1#"
"""XMP namespace that marks a position as written by geoagent."""
METHOD = "geoagent estimate"
"""GPSProcessingMethod of positions written by geoagent."""

EXIF_IFD, GPS_IFD, _GPS_METHOD = 0x8769, 0x8825, 27
_IPTC_NAMES = ((2, 90), (2, 95), (2, 101))  # city, province or state, country
_SAME_DEGREES = 2e-5  # two metres: other programs write fewer digits than geoagent
_SIDECAR_BYTES = _CHUNK_BYTES = 4_000_000


State = Literal["none", "incomplete", "doubtful", "whole"]


@dataclass(frozen=True, slots=True)
class Said:
    """Location metadata found in a photo's file and its sidecars.

    Attributes:
        position: where a position or a part of one was found ("its EXIF data"); None if there is none, or only an
            estimate written by geoagent.
        named: whether the file contains place names (IPTC or XMP).
        state: whether the position is there, as a whole and without reason to doubt it.
        says: what was found, for the user; "" if there is none.
        latlon: the position; None unless it is whole and not 0, 0.
        taken: when the photo was taken, by the camera's clock.
    """

    position: str | None
    named: bool
    state: State = "none"
    says: str = ""
    latlon: LatLon | None = None
    taken: datetime | None = None


def said_by(image: Image.Image, path: Path, *, beside: bool = True) -> Said:
    """Return the location metadata of an opened, undecoded image and of its sidecars.

    A whole position counts before a part of one, wherever it was found.

    Args:
        image: the opened image.
        path: the image's file.
        beside: whether to look for sidecars.
    """
    exif, packet = metadata_of(image)
    said = [_of_exif(exif), _of_packet("its XMP data", packet)]
    if beside and not any(each.latlon for each in said):
        said += [_of_packet(f"the sidecar {side.name}", content_of(side)) for side in sidecars(path)]
    ranked = [each for state in ("whole", "doubtful", "incomplete") for each in said if each.state == state]
    best = ranked[0] if ranked else Said(None, False)
    names = ("photoshop:City", "photoshop:State", "photoshop:Country", "Iptc4xmpCore:Location")
    named = any(name.encode() in packet for name in names)
    taken = of_exif(exif, block_of(exif, EXIF_IFD))
    return replace(best, named=named or _iptc_names(image), taken=None if taken is None else taken.clock)


def metadata_of(image: Image.Image) -> tuple[Image.Exif, bytes]:
    """Return the EXIF data and the XMP data of an opened, undecoded image."""
    if image.format == "PNG":  # Pillow would decode the pixels to reach the chunks after them
        return _of_png(image)
    exif, found = exif_of(image, []), image.info.get("xmp") or b""
    return exif, found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)


def sidecars(path: Path) -> list[Path]:
    """Return a photo's existing XMP sidecars, named either photo.jpg.xmp or photo.xmp."""
    names = dict.fromkeys(f"{stem}{suffix}" for stem in (path.name, path.stem) for suffix in (".xmp", ".XMP"))
    return [side for side in map(path.with_name, names) if os.path.lexists(side)]  # of names too long as well


def exif_of(image: Image.Image, notes: list[str]) -> Image.Exif:
    """Return the EXIF data. If they are corrupt, append to `notes` and return empty data."""
    try:
        return image.getexif()
    except Exception:
        notes.append("the EXIF data are broken and were not used")
        return Image.Exif()


def gps_of(exif: Image.Exif, notes: list[str]) -> LatLon | None:
    """Return the position in the GPS block, or None; append to `notes` if it is not whole, or doubtful.

    The notes hold no numbers of the position, so that a capped answer may tell them.
    """
    gps = _gps(exif)
    if gps.lacks:
        notes.append(f"the EXIF position is incomplete or impossible and was not used: it is {gps.lacks}")
    notes += [f"the EXIF position is doubtful: {doubt}" for doubt in gps.doubts]
    return gps.position


def partial_gps(exif: Image.Exif) -> str:
    """Return what the GPS block holds of a position that is not whole, in words with numbers; "" otherwise."""
    return _gps(exif).partial


def _gps(exif: Image.Exif) -> Gps:
    return read_gps(block_of(exif, GPS_IFD))


def block_of(exif: Image.Exif, number: int) -> dict[int, Any]:
    """Return a block of EXIF data (`EXIF_IFD`, `GPS_IFD`); {} where there is none, or it is corrupt."""
    try:
        return dict(exif.get_ifd(number))
    except Exception:  # Pillow raises many kinds on corrupt data
        return {}


def _of_exif(exif: Image.Exif) -> Said:
    gps, where = _gps(exif), "its EXIF data"
    if (not gps.position and not gps.lacks and not gps.doubts) or _by_our_method(exif):
        return Said(None, False)
    if gps.lacks:
        return Said(where, False, "incomplete", f"{where} hold {gps.partial}")
    if gps.doubts:
        says = f"{where} has a position, which is doubtful: {'; '.join(gps.doubts)}"
        return Said(where, False, "doubtful", says, gps.position)
    return Said(where, False, "whole", f"{where} has a position", gps.position)


def _of_packet(where: str, packet: bytes) -> Said:
    """What XMP data say; an estimate of geoagent says nothing."""
    if not _positioned(packet):
        return Said(None, False)
    lat, lon = _of_xmp(packet, b"GPSLatitude"), _of_xmp(packet, b"GPSLongitude")
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        there = [name for name in ("GPSLatitude", "GPSLongitude") if f":{name}".encode() in packet]
        lacks = "an impossible position" if len(there) == 2 else f"a position of which only {there[0]} is there"
        values = ", ".join(f"{value:.4f}" for value in (lat, lon) if value is not None)
        hold = "hold" if where.endswith("data") else "holds"
        return Said(where, False, "incomplete", f"{where} {hold} {lacks}" + (f": {values}" if values else ""))
    if lat == lon == 0:
        says = f"{where} has a position, which is doubtful: it is 0, 0, which devices write that have no position"
        return Said(where, False, "doubtful", says)
    return Said(where, False, "whole", f"{where} has a position", LatLon(lat, lon))


def _of_png(image: Image.Image) -> tuple[Image.Exif, bytes]:
    """Return the EXIF data and XMP packet of a PNG, in any position (PNG 3rd edition: chunks eXIf and iTXt)."""
    exif, packet = Image.Exif(), b""
    file = cast(ImageFile.ImageFile, image).fp
    if file is None:
        return exif, packet
    before = file.tell()
    try:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind not in (b"eXIf", b"iTXt") or size > _CHUNK_BYTES:
                file.seek(size + 4, 1)
                continue
            data = file.read(size)
            file.seek(4, 1)
            if kind == b"eXIf":
                with suppress(Exception):  # ignore corrupt data
                    exif.load(b"Exif\0\0" + data)
            elif data.startswith(b"XML:com.adobe.xmp\0"):
                packet = _inflated(data)
    finally:
        file.seek(before)
    return exif, packet


def _inflated(chunk: bytes) -> bytes:
    """Return the decompressed text of an iTXt chunk; uncompressed chunks are returned whole, header included."""
    name, _, rest = chunk.partition(b"\0")
    if not rest.startswith(b"\1"):
        return chunk
    compressed = rest[2:].split(b"\0", 2)[-1]
    try:
        return zlib.decompressobj().decompress(compressed, _CHUNK_BYTES)
    except zlib.error:
        return name


def content_of(side: Path) -> bytes:
    """Return the first bytes of a sidecar; b"" where it cannot be read."""
    try:
        with side.open("rb") as file:
            return file.read(_SIDECAR_BYTES)
    except OSError:
        return b""


def _positioned(packet: bytes) -> bool:
    """Whether XMP data contain a position, or half of one, that geoagent did not write.

    geoagent writes its estimate a second time, in its own namespace. If another program has since changed the standard
    properties, the two differ.
    """
    if not re.search(rb":GPSL(?:at|ong)itude\b", packet):
        return False
    if ESTIMATES.encode() not in packet:
        return METHOD.encode() not in packet  # copied by a program that keeps no properties it does not know
    if not re.search(rb":estimate\b[^<\w]*True", packet):
        return True
    noted = _of_xmp(packet, b"latitude"), _of_xmp(packet, b"longitude")
    if None in noted:
        return METHOD.encode() not in packet  # written by a version without the second copy
    said = _of_xmp(packet, b"GPSLatitude"), _of_xmp(packet, b"GPSLongitude")
    return any(a is None or b is None or abs(a - b) > _SAME_DEGREES for a, b in zip(said, noted, strict=True))


def _of_xmp(packet: bytes, name: bytes) -> float | None:
    """Parse an XMP property in degrees, "48,46.548N" or "48,46,32.9N", written as an element or an attribute."""
    found = re.search(rb":" + name + rb"""\s*(?:=\s*["']|>)\s*([\d.]+),([\d.]+)(?:,([\d.]+))?([NSEW])""", packet)
    if found is None:
        return None
    try:
        degrees, minutes, seconds = (float(part or 0) for part in found.group(1, 2, 3))
    except ValueError:
        return None
    return (-1 if found[4] in b"SW" else 1) * (degrees + minutes / 60 + seconds / 3600)


def _by_our_method(exif: Image.Exif) -> bool:
    """Whether the GPS block was written by geoagent."""
    method = block_of(exif, GPS_IFD).get(_GPS_METHOD, b"")
    return METHOD in (method.decode("ascii", "replace") if isinstance(method, bytes) else str(method))


def _iptc_names(image: Image.Image) -> bool:
    try:
        found = IptcImagePlugin.getiptcinfo(cast(ImageFile.ImageFile, image))
    except Exception:  # ignore a corrupt block
        return False
    return found is not None and any(key in found for key in _IPTC_NAMES)
