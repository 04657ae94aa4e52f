"""Location metadata of a photo's file (EXIF, XMP, IPTC), read without decoding pixels. Never used as evidence."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageFile, IptcImagePlugin

from geoagent.errors import CoordinateError
from geoagent.places.geo import LatLon

ESTIMATES = "urn:x-geoagent:estimate:1#"
"""XMP namespace that marks a position as written by geoagent."""
METHOD = "geoagent estimate"
"""GPSProcessingMethod of positions written by geoagent."""

_GPS_IFD, _GPS_METHOD = 0x8825, 27
_IPTC_NAMES = ((2, 90), (2, 95), (2, 101))  # city, province or state, country
_SAME_DEGREES = 2e-5  # two metres: other programs write fewer digits than geoagent
_SIDECAR_BYTES = _CHUNK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """Location metadata found in a photo's file and its sidecars.

    Attributes:
        position: where the position was found ("its EXIF data"); None if there is none, or only an estimate written by
            geoagent.
        named: whether the file contains place names (IPTC or XMP).
    """

    position: str | None
    named: bool


def said_by(image: Image.Image, path: Path) -> Said:
    """Return the location metadata of an opened, undecoded image and of its sidecars.

    Args:
        image: the opened image.
        path: the image's file.
    """
    if image.format == "PNG":  # Pillow would decode the pixels to reach the chunks after them
        exif, packet = _of_png(path)
    else:
        exif, found = exif_of(image, []), image.info.get("xmp") or b""
        packet = found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)
    gps = gps_of(exif, [])
    measured = gps is not None and not _by_our_method(exif)
    position = "its EXIF data" if measured else "its XMP data" if _positioned(packet) else None
    if position is None:
        position = next((f"the sidecar {side.name}" for side in sidecars(path) if _has_position(side)), None)
    named = any(f"photoshop:{name}".encode() in packet for name in ("City", "State", "Country"))
    return Said(position, named or _iptc_names(image))


def sidecars(path: Path) -> list[Path]:
    """Return a photo's existing XMP sidecars, named either photo.jpg.xmp or photo.xmp."""
    names = dict.fromkeys(f"{stem}{suffix}" for stem in (path.name, path.stem) for suffix in (".xmp", ".XMP"))
    return [side for side in map(path.with_name, names) if side.exists() or side.is_symlink()]


def exif_of(image: Image.Image, notes: list[str]) -> Image.Exif:
    """Return the EXIF data. If they are corrupt, append to `notes` and return empty data."""
    try:
        return image.getexif()
    except Exception:
        notes.append("the EXIF data are broken and were not used")
        return Image.Exif()


def gps_of(exif: Image.Exif, notes: list[str]) -> LatLon | None:
    """Return the position in the GPS block, or None; append to `notes` if the block is incomplete or invalid."""
    try:
        block = exif.get_ifd(_GPS_IFD)
        if not {1, 2, 3, 4} & block.keys():
            return None
        lat, lon = _degrees(block[2], block[1], "NS"), _degrees(block[4], block[3], "EW")
        if lat == lon == 0:
            raise CoordinateError("0, 0")
        return LatLon(lat, lon)
    except Exception:
        notes.append("the EXIF position is incomplete or impossible and was not used")
        return None


def _degrees(parts: Any, ref: Any, signs: str) -> float:
    """Convert degrees, minutes, seconds and a hemisphere letter to signed degrees.

    Raises:
        ValueError: not three numbers, not finite, minutes or seconds out of range, or an invalid letter.
    """
    letter = (ref.decode("ascii", "replace") if isinstance(ref, bytes) else str(ref)).strip("\0 ").upper()[:1]
    degrees, minutes, seconds = (float(part) for part in parts)
    if not letter or letter not in signs or not (0 <= minutes < 60 and 0 <= seconds <= 60 and 0 <= degrees <= 180):
        raise ValueError(f"no position: {parts!r} {ref!r}")
    return (-1 if letter == signs[1] else 1) * (degrees + minutes / 60 + seconds / 3600)


def _of_png(path: Path) -> tuple[Image.Exif, bytes]:
    """Return the EXIF data and XMP packet of a PNG, in any position (PNG 3rd edition: chunks eXIf and iTXt)."""
    exif, packet = Image.Exif(), b""
    with path.open("rb") as file:
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


def _has_position(side: Path) -> bool:
    try:
        with side.open("rb") as file:
            return _positioned(file.read(_SIDECAR_BYTES))
    except OSError:
        return False


def _positioned(packet: bytes) -> bool:
    """Whether XMP data contain a position that geoagent did not write.

    geoagent writes its estimate a second time, in its own namespace. If another program has since changed the standard
    properties, the two differ.
    """
    if b"GPSLatitude" not in packet:
        return False
    if ESTIMATES.encode() not in packet or not re.search(rb":estimate\b[^<\w]*True", packet):
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
    method = exif.get_ifd(_GPS_IFD).get(_GPS_METHOD, b"")
    return METHOD in (method.decode("ascii", "replace") if isinstance(method, bytes) else str(method))


def _iptc_names(image: Image.Image) -> bool:
    try:
        found = IptcImagePlugin.getiptcinfo(cast(ImageFile.ImageFile, image))
    except Exception:  # ignore a corrupt block
        return False
    return found is not None and any(key in found for key in _IPTC_NAMES)
