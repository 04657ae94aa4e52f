"""When, with what and as what a photo was taken, read from its file and its sidecars without decoding pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from pathlib import Path, PurePath
from typing import Any

from PIL import Image

from geoagent.errors import PhotoError
from geoagent.evidence.exif import EXIF_IFD, GPS_IFD, block_of, content_of, metadata_of, said_by, sidecars
from geoagent.evidence.photos import from_content, from_header
from geoagent.evidence.taken import GPS_S, Taken, of_exif, of_gps, of_name, of_xmp
from geoagent.evidence.takeout import Sidecar, sidecar_of
from geoagent.types.capture import Capture, Device, Form

_MAKE, _MODEL, _SOFTWARE, _SERIAL, _COMMENT = 0x010F, 0x0110, 0x0131, 0xA431, 0x9286
_ERROR_M = 31
_DISAGREE = timedelta(hours=26)
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
    r"microsoft lens|genius scan|vuescan|silverfast|naps2|xsane|fujitsu fi-|plustek",
    re.IGNORECASE,
)
_PAGES_IN = ((8.27, 11.69), (8.5, 11.0), (5.83, 8.27), (11.69, 16.54))  # A4, US letter, A5, A3
_DPI = (100, 150, 200, 240, 300, 400, 600)


def capture_of(path: Path) -> Capture:
    """Read when, with what and as what a photo was taken.

    The camera's clock comes from EXIF data before XMP, a sidecar of Google Takeout, and the name of the file; UTC from
    whatever tells it, the photo itself first.

    Raises:
        PhotoError: the file is no photo.
    """
    return from_header(path, _of_file)


def capture_of_bytes(content: bytes, name: str) -> Capture:
    """The same of a file in memory; nothing beside it is looked for.

    Raises:
        PhotoError: it is no photo.
    """
    path = Path(PurePath(name).name)
    try:
        return from_content(io.BytesIO(content), path, name, lambda image, at: _of_header(image, at, None, ()))
    except OSError as error:
        raise PhotoError(f"{name}: cannot be read ({error})") from error


def _of_file(image: Image.Image, path: Path) -> Capture:
    return _of_header(image, path, sidecar_of(path), [content_of(each) for each in sidecars(path)])


def _of_header(image: Image.Image, path: Path, side: Sidecar | None, beside: Sequence[bytes]) -> Capture:
    exif, packet = metadata_of(image)
    said = said_by(image, path, beside=bool(beside))
    details, gps = block_of(exif, EXIF_IFD), block_of(exif, GPS_IFD)
    device = Device(*(_clean(value) for value in (exif.get(_MAKE), exif.get(_MODEL), details.get(_SERIAL))))
    form, why = _form(image, path, exif, details, device)
    fix = of_gps(gps)
    told = [
        of_exif(exif, details),
        *(of_xmp(each) for each in (packet, *beside) if each),
        None if side is None else side.taken,
        of_name(path.name),
    ]
    found = [taken for taken in told if taken is not None]
    clock = next((taken for taken in found if taken.clock is not None), None)
    utc = next((taken for taken in found if taken.utc is not None), None)
    if utc is None and fix is not None:
        utc = Taken(None, fix, "gps", GPS_S)
    doubts = _doubts(clock, utc)
    if clock is not None and clock.never_set and utc is None:
        clock = None
    if clock is not None and utc is not None and clock is not utc and _apart(clock, utc) > _DISAGREE:
        # A GPS stamp or Google's own time is right where a clock was never set.
        clock = None
    first = utc if clock is None or (utc is not None and utc is clock) else clock
    best = min((taken for taken in (clock, utc) if taken is not None), key=lambda taken: taken.error_s, default=None)
    position, accuracy = said.latlon, _number(gps.get(_ERROR_M))
    if position is None and side is not None and side.position is not None:
        position, accuracy = side.position, None
    if said.state == "doubtful":
        doubts = (*doubts, said.says)
    return Capture(
        clock=None if clock is None else clock.clock,
        utc=None if utc is None else utc.utc,
        source=None if first is None else first.source,
        error_s=0.0 if best is None else best.error_s,
        device=device,
        position=position,
        accuracy_m=accuracy,
        position_utc=fix,
        form=form,
        why_form=why,
        doubts=doubts,
    )


def _apart(clock: Taken, utc: Taken) -> timedelta:
    assert clock.clock is not None
    assert utc.utc is not None
    return abs(clock.clock.replace(tzinfo=UTC) - utc.utc)


def _doubts(clock: Taken | None, utc: Taken | None) -> tuple[str, ...]:
    found = []
    if clock is not None and clock.never_set:
        found.append("the camera's clock seems never to have been set")
    if clock is not None and utc is not None and clock is not utc and _apart(clock, utc) > _DISAGREE:
        days = round(_apart(clock, utc) / timedelta(days=1))
        found.append(f"the camera's clock ({clock.source}) and UTC ({utc.source}) are {days} days apart; UTC is used")
    return tuple(found)


def _form(
    image: Image.Image, path: Path, exif: Mapping[int, Any], details: Mapping[int, Any], device: Device
) -> tuple[Form, str]:
    """Whether a file is a photo, a screenshot or a document, and why it is none."""
    maker = " ".join(_clean(exif.get(tag)) for tag in (_MAKE, _MODEL, _SOFTWARE))
    if _SCANNER.search(maker):
        return "document", "it comes from a scanner"
    if (device.make and device.model) or image.format is None:  # of HEIC and RAW files only what they say was read
        return "photo", ""
    comment = _clean(details.get(_COMMENT))
    if _SHOT.search(path.stem) or "screenshot" in comment.casefold():
        return "screenshot", "it is a screenshot by its name or comment"
    width, height = image.size
    if image.format in ("PNG", "WEBP") and {f"{width}x{height}", f"{height}x{width}"} & _SCREENS:
        return "screenshot", f"it has the size of a screen ({width} × {height}) and no camera"
    if image.mode == "1":
        return "document", "it is black and white, as scans of text are"
    if image.format in ("TIFF", "PNG", "JPEG") and _is_page(width, height):
        return "document", f"it has the size of a scanned page ({width} × {height}) and no camera"
    return "unknown", ""


def _is_page(width: int, height: int) -> bool:
    """Whether a size is that of a page at a usual resolution, within three pixels."""
    short, long = sorted((width, height))
    return any(
        abs(short - round(a * dpi)) <= 3 and abs(long - round(b * dpi)) <= 3 for a, b in _PAGES_IN for dpi in _DPI
    )


def _clean(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:80]


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if 0 < found < 1e6 else None
