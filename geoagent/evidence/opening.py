"""Opening files for what stands before their pixels: which format, and what a file is that is no photo."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from geoagent.errors import PhotoError
from geoagent.evidence import raw
from geoagent.evidence.decoding import one_line
from geoagent.filenames import safe, written

HEAD_BYTES = 1024
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1")
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM")
_UNKNOWN = "is no photo of a known format (JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC, JPEG 2000, RAW)"
_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")


def check_regular(path: Path) -> None:
    """Refuse what is no file with something in it, without opening it: a pipe would wait for ever.

    Raises:
        PhotoError: it is missing, a folder, a pipe, or empty.
    """
    name = written(path)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else reason(error)
        raise PhotoError(f"{name}: {what}; name a photo that exists") from error
    if stat.S_ISDIR(status.st_mode):
        raise PhotoError(f"{name}: is a folder; name a photo in it")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError(f"{name}: is no regular file (a pipe, device or socket); copy it to a file first")
    if status.st_size == 0:
        raise PhotoError(f"{name}: is empty (0 bytes)")


def reason(error: OSError | ValueError) -> str:
    """What the system says about a file, in words."""
    return safe(str(getattr(error, "strerror", None) or error)) or type(error).__name__


def is_heif(head: bytes) -> bool:
    """Whether a file with these first bytes is a HEIC or HEIF photo."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def is_raw(file: BinaryIO, head: bytes, suffix: str) -> bool:
    """Whether a file is a RAW file; where nothing else knows what it holds, its suffix says so."""
    if raw.is_raw(file, head, suffix):
        return True
    return suffix in raw.RAW_SUFFIXES and not is_heif(head) and not _formats(head) and what_it_is(head) == _UNKNOWN


def opened(file: BinaryIO, head: bytes, source: str) -> Image.Image:
    """Open without decoding, by the format's own class: `Image.open` refuses large pictures by a global setting.

    Raises:
        PhotoError: it is no photo, or damaged.
    """
    reasons = []
    for name in _formats(head):
        try:
            file.seek(0)
            image: Image.Image = Image.OPEN[name][0](file, "")
        except Exception as error:
            reasons.append(f"the {name} file is damaged ({one_line(error)})")
            continue
        return image
    raise PhotoError(f"{source}: {reasons[0] if reasons else what_it_is(head)}")


def what_it_is(head: bytes) -> str:
    """Describe a file that is no photo by its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is empty (0 bytes)"
    if start.startswith(b"%pdf"):
        return "is a PDF, no photo; export its page as JPEG or PNG first"
    if b"<svg" in start:
        return "is an SVG drawing, no photo; export it as PNG first"
    if head.startswith(_JXL):
        return "is a JPEG XL picture, which cannot be read here; save it as JPEG or PNG first"
    if head.startswith(b"8BPS"):
        return "is a Photoshop document, no photo; export it as JPEG or PNG first"
    if head[4:8] == b"ftyp":
        kind = head[8:12].decode("ascii", "replace")
        return f"is a media file of type {kind!r} that cannot be read here; save a still picture as JPEG or PNG"
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "is a text file, no photo"
    return _UNKNOWN


def _formats(head: bytes) -> list[str]:
    """Names of the formats that take a file with these first bytes for theirs."""
    Image.init()
    found = []
    for name in _FORMATS:
        accept = Image.OPEN[name][1] if name in Image.OPEN else None
        verdict = accept(head[:16]) if accept else name in Image.OPEN
        if verdict and not isinstance(verdict, str):
            found.append(name)
    return found
