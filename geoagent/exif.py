"""What a photo's file says about itself, read without decoding a pixel. None of it is ever evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageFile, IptcImagePlugin

from geoagent.errors import CoordinateError
from geoagent.geo import LatLon

_GPS_IFD = 0x8825
_IPTC_NAMES = ((2, 90), (2, 95), (2, 101))  # city, province or state, country
_SIDECAR_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a photo's file and its sidecars say about where it was taken.

    Attributes:
        position: where a position stands, in words ("its EXIF data"); None where there is none.
        named: whether names of a place stand in the file (IPTC or XMP).
    """

    position: str | None
    named: bool


def said_by(image: Image.Image, path: Path) -> Said:
    """Return what an opened, undecoded picture and the sidecars beside it say.

    Of a PNG only what stands before its pixels is read.

    Args:
        image: as opened.
        path: its file.
    """
    info = image.info
    late = image.format == "PNG" and not {"exif", "Raw profile type exif"} & info.keys()  # Pillow would decode it
    gps = None if late else gps_of(exif_of(image, []), [])
    packet = info.get("xmp") or b""
    packet = packet.encode("utf-8", "replace") if isinstance(packet, str) else bytes(packet)
    position = "its EXIF data" if gps is not None else "its XMP data" if b"GPSLatitude" in packet else None
    if position is None:
        position = next((f"the sidecar {side.name}" for side in sidecars(path) if _has_position(side)), None)
    named = any(f"photoshop:{name}".encode() in packet for name in ("City", "State", "Country"))
    return Said(position, named or _iptc_names(image))


def sidecars(path: Path) -> list[Path]:
    """Return the XMP sidecars of a photo that exist, whether named photo.jpg.xmp or photo.xmp."""
    names = dict.fromkeys(f"{stem}{suffix}" for stem in (path.name, path.stem) for suffix in (".xmp", ".XMP"))
    return [side for side in map(path.with_name, names) if side.exists() or side.is_symlink()]


def exif_of(image: Image.Image, notes: list[str]) -> Image.Exif:
    """Return the EXIF data; empty, and a note, where they are broken."""
    try:
        return image.getexif()
    except Exception:
        notes.append("the EXIF data are broken and were not used")
        return Image.Exif()


def gps_of(exif: Image.Exif, notes: list[str]) -> LatLon | None:
    """Return the position of the GPS block, which any program may have written in any state."""
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
    """Degrees, minutes, seconds and a hemisphere letter to signed degrees.

    Raises:
        ValueError: not three numbers, not finite, minutes or seconds of 60 or more, or another letter.
    """
    letter = (ref.decode("ascii", "replace") if isinstance(ref, bytes) else str(ref)).strip("\0 ").upper()[:1]
    degrees, minutes, seconds = (float(part) for part in parts)
    if not letter or letter not in signs or not (0 <= minutes < 60 and 0 <= seconds <= 60 and 0 <= degrees <= 180):
        raise ValueError(f"no position: {parts!r} {ref!r}")
    return (-1 if letter == signs[1] else 1) * (degrees + minutes / 60 + seconds / 3600)


def _has_position(side: Path) -> bool:
    try:
        with side.open("rb") as file:
            return b"GPSLatitude" in file.read(_SIDECAR_BYTES)
    except OSError:
        return False


def _iptc_names(image: Image.Image) -> bool:
    try:
        found = IptcImagePlugin.getiptcinfo(cast(ImageFile.ImageFile, image))
    except Exception:  # a broken block names nothing
        return False
    return found is not None and any(key in found for key in _IPTC_NAMES)
