"""Whether a file is a photo, a screenshot or a document, by what stands before its pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from geoagent.types.capture import Device, Form

_MAKE, _MODEL, _SOFTWARE = 0x010F, 0x0110, 0x0131
_EXPOSURE, _F_NUMBER, _COMMENT, _FILE_SOURCE = 0x829A, 0x829D, 0x9286, 0xA300
_SCREENS = frozenset(
    """
    750x1334 828x1792 1080x1920 1080x2160 1080x2220 1080x2280 1080x2340 1080x2400 1080x2408 1125x2436 1170x2532
    1179x2556 1206x2622 1242x2208 1242x2688 1284x2778 1290x2796 1320x2868 1440x2560 1440x2960 1440x3040 1440x3088
    1440x3120 1440x3200 640x1136 720x1280 720x1520 720x1600 1536x2048 1620x2160 1640x2360 1668x2224 1668x2388
    2048x2732 1280x800 1366x768 1440x900 1536x864 1600x900 1680x1050 1920x1080 1920x1200 2256x1504 2560x1440
    2560x1600 2880x1800 3024x1964 3440x1440 3456x2234 3840x2160
    """.split()  # noqa: SIM905
)
"""Sizes of screens in pixels; phones may be held either way."""
_SHOT = re.compile(
    r"screen[ _-]?(?:shot|capture|grab)|bildschirmfoto|capture d.?[ée]cran|captura de (?:pantalla|tela)|schermata|"
    r"zrzut ekranu|снимок экрана|截屏|屏幕截图|スクリーンショット|스크린샷",
    re.IGNORECASE,
)
_SCANNER = re.compile(
    r"epson (?:scan|perfection|expression)|canoscan|scansnap|scanjet|scanner|camscanner|adobe scan|office lens|"
    r"microsoft lens|genius scan|vuescan|silverfast|naps2|xsane|fujitsu fi-|plustek|scanbot|swiftscan|snapscan|"
    r"scanmate|opticfilm|\b(?:mfp|mfc|bizhub|taskalfa|workcentre|officejet|laserjet|aficio|imagerunner)\b",
    re.IGNORECASE,
)
_PAGES_IN = ((8.27, 11.69), (8.5, 11.0), (5.83, 8.27), (11.69, 16.54))  # A4, US letter, A5, A3
_DPI = (100, 150, 200, 240, 300, 400, 600)


def form_of(
    image: Image.Image, path: Path, exif: Mapping[int, Any], details: Mapping[int, Any], device: Device
) -> tuple[Form, str]:
    """Whether a file is a photo, a screenshot or a document, and why it is none.

    Args:
        image: the opened image; nothing is decoded.
        path: its file; only the name counts.
        exif: the main block of its EXIF data.
        details: the Exif block.
        device: what took it.
    """
    exposed = _EXPOSURE in details or _F_NUMBER in details
    if _scanned(exif, details, exposed):
        return "document", "it comes from a scanner"
    comment = cleaned(details.get(_COMMENT)).casefold()
    if "screenshot" in comment or (_SHOT.search(path.stem) and not exposed):
        return "screenshot", "it is a screenshot by its name or comment"
    if device.name or exposed or image.format is None:  # of HEIC and RAW files only what they say was read
        return "photo", ""
    width, height = image.size
    if image.format in ("PNG", "WEBP") and {f"{width}x{height}", f"{height}x{width}"} & _SCREENS:
        return "screenshot", f"it has the size of a screen ({width} × {height}) and no camera"
    if image.mode == "1":
        return "document", "it is black and white, as scans of text are"
    if image.format in ("TIFF", "PNG", "JPEG") and _is_page(width, height):
        return "document", f"it has the size of a scanned page ({width} × {height}) and no camera"
    return "unknown", ""


def _scanned(exif: Mapping[int, Any], details: Mapping[int, Any], exposed: bool) -> bool:
    """Whether a scanner made a file, by its names, or by FileSource (Exif 3.0, 4.6.6: 1 for film, 2 for prints)."""
    source = details.get(_FILE_SOURCE)
    if source in (1, 2, b"\x01", b"\x02"):
        return True
    make, model, software = (cleaned(exif.get(tag)) for tag in (_MAKE, _MODEL, _SOFTWARE))
    if make.casefold().startswith("epson") and not exposed:  # its cameras say SEIKO EPSON, and how they exposed
        return True
    return _SCANNER.search(f"{make} {model} {software}") is not None


def _is_page(width: int, height: int) -> bool:
    """Whether a size is that of a page at a usual resolution, within three pixels."""
    short, long = sorted((width, height))
    return any(
        abs(short - round(a * dpi)) <= 3 and abs(long - round(b * dpi)) <= 3 for a, b in _PAGES_IN for dpi in _DPI
    )


def cleaned(value: Any) -> str:
    """A text of EXIF data without its control characters, at most 80 characters; "" for what is none."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:80]
