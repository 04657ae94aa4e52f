"""Opening photos: files of any usual format to upright RGB pixels, with bounded memory.

Pillow's global switches (`MAX_IMAGE_PIXELS`, `LOAD_TRUNCATED_IMAGES`, registered openers) are left as they are: files
are opened through the format's own class, after this module's check of what decoding them would cost.
"""

from __future__ import annotations

import io
import os
import stat
import threading
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from PIL import Image

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence.decoding import check_cost, one_line, photo_of, reduced, share_there
from geoagent.evidence.exif import Said, said_by
from geoagent.optional import needs
from geoagent.types import Photo

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic"}
    | {".heif", ".hif", ".avif", ".jp2", ".ppm", ".pgm"}
)
MAX_SIDE_PX = 4000

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1")
_JPEG_END = b"\xff\xd9" * 8


class _Quiet:
    """Silence warnings of third parties, from any number of threads at once.

    `warnings.catch_warnings` puts back what it found; two threads that overlap would put back each other's silence.
    """

    def __init__(self) -> None:
        self._lock, self._depth = threading.Lock(), 0
        self._context = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._context = warnings.catch_warnings()
                self._context.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._context.__exit__(None, None, None)


quiet = _Quiet()


def open_photo(photo: str | os.PathLike[str] | bytes | Image.Image | Photo, *, max_side_px: int = MAX_SIDE_PX) -> Photo:
    """Read one photo.

    The EXIF orientation is applied, transparency is put on white, and the picture is reduced so that its longer side
    is at most `max_side_px`. Of an animation or a file of several pages the first is taken. Of a truncated JPEG the
    part that is there is taken if it is at least half of the picture. Anything unusual is in `Photo.warnings`.

    Args:
        photo: a file, its bytes, a Pillow image, or a `Photo` (returned as it is unless it is too large).
        max_side_px: longest side of the result.

    Raises:
        PhotoError: a file that is missing, no regular file, no photo, damaged, or too large to decode in 1.2 GB.
        MissingDependency: a HEIC file, and pillow-heif is not installed.
    """
    if max_side_px < 1:
        raise PhotoError(f"max_side_px must be at least 1, got {max_side_px}")
    if isinstance(photo, Photo):
        return reduced(photo, max_side_px)
    with quiet:
        if isinstance(photo, Image.Image):
            return photo_of(photo, str(getattr(photo, "filename", "") or "image"), max_side_px)
        if isinstance(photo, bytes | bytearray | memoryview):
            return _from_file(io.BytesIO(photo), "bytes", max_side_px)
        path = Path(photo)
        _check_regular(path)
        try:
            with path.open("rb") as file:
                return _from_file(file, str(photo), max_side_px)
        except PermissionError as error:
            raise PhotoError(f"{photo}: may not be read (permission denied)") from error


def find_photos(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the photos in files and folders.

    Folders are walked, sorted by name; hidden files and folders, unknown suffixes and links to folders are skipped.
    Files that are named outright are kept as they are, whatever their suffix and even if they are missing, so that
    reading them says what is wrong. What is named twice is listed once.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        for folder, subfolders, files in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                    found[Path(folder) / name] = None
    return list(found)


def what_it_says(photo: str | os.PathLike[str]) -> Said:
    """Read what a photo's file and its sidecars say about where it was taken, without decoding the picture.

    An estimate that geoagent wrote itself says nothing.

    Raises:
        PhotoError: a file that is missing, no regular file, or no photo.
        MissingDependency: a HEIC file, and pillow-heif is not installed.
    """
    path = Path(photo)
    _check_regular(path)
    with quiet:
        try:
            with path.open("rb") as file:
                return said_by(_header(file, str(photo)), path)
        except PermissionError as error:
            raise PhotoError(f"{photo}: may not be read (permission denied)") from error


def _check_regular(path: Path) -> None:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        what = (
            "no such file" if isinstance(error, FileNotFoundError) else str(getattr(error, "strerror", None) or error)
        )
        raise PhotoError(f"{path}: {what}; name a photo that exists") from error
    if stat.S_ISDIR(status.st_mode):
        raise PhotoError(f"{path}: is a folder; name a photo in it")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError(f"{path}: is no regular file (a pipe, device or socket); copy it to a file first")
    if status.st_size == 0:
        raise PhotoError(f"{path}: is empty (0 bytes)")


def _from_file(file: BinaryIO, source: str, max_side_px: int) -> Photo:
    head = file.read(1024)
    file.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return photo_of(_heif(file, source), source, max_side_px)
    image = _opened(file, head, source)
    try:
        return photo_of(image, source, max_side_px)
    except PhotoError as error:
        if image.format not in ("JPEG", "MPO") or "truncated" not in str(error):
            raise
    # libjpeg fills what is missing with grey once it sees the end of the picture.
    file.seek(0)
    photo = photo_of(_opened(io.BytesIO(file.read() + _JPEG_END), head, source), source, max_side_px)
    there = share_there(photo)
    if there < 0.5:
        raise PhotoError(f"{source}: the file is truncated, only {there:.0%} of the picture is there")
    note = f"the file is truncated: about {there:.0%} of the picture is there"
    return replace(photo, warnings=(*photo.warnings, note))


def _opened(file: BinaryIO, head: bytes, source: str) -> Image.Image:
    """Open without decoding, by the format's own class: `Image.open` refuses large pictures by a global setting."""
    Image.init()
    reasons = []
    for name in _FORMATS:
        if name not in Image.OPEN:
            continue
        factory, accept = Image.OPEN[name]
        if accept and (not (verdict := accept(head[:16])) or isinstance(verdict, str)):
            continue
        try:
            file.seek(0)
            image: Image.Image = factory(file, "")
        except Exception as error:
            reasons.append(f"the {name} file is damaged ({one_line(error)})")
            continue
        return image
    raise PhotoError(f"{source}: {reasons[0] if reasons else _what_it_is(head)}")


def _what_it_is(head: bytes) -> str:
    """Describe a file that is no photo by its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "is empty (0 bytes)"
    if start.startswith(b"%pdf"):
        return "is a PDF, no photo; export its page as JPEG or PNG first"
    if b"<svg" in start:
        return "is an SVG drawing, no photo; export it as PNG first"
    if head[4:8] == b"ftyp":
        kind = head[8:12].decode("ascii", "replace")
        return f"is a media file of type {kind!r} that cannot be read here; save a still picture as JPEG or PNG"
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "is a text file, no photo"
    return "is no photo of a known format (JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC, JPEG 2000)"


def _header(file: BinaryIO, source: str) -> Image.Image:
    """Open for what stands before the pixels; of a HEIC file, an empty picture with what its boxes say."""
    head = file.read(1024)
    file.seek(0)
    if head[4:8] != b"ftyp" or head[8:12] not in _HEIF_BRANDS:
        return _opened(file, head, source)
    image = Image.new("L", (1, 1))
    try:
        image.info.update(_heif_library(source).open_heif(file).info)
    except MissingDependency:
        raise
    except Exception as error:
        raise PhotoError(f"{source}: the HEIC file is damaged ({one_line(error)})") from error
    return image


def _heif_library(source: str) -> Any:
    try:
        with needs("heic", "pillow_heif"):
            import pillow_heif
    except MissingDependency as error:
        raise MissingDependency(f"{source}: is a HEIC photo; {error}") from error
    return pillow_heif


def _heif(file: BinaryIO, source: str) -> Image.Image:
    library = _heif_library(source)
    try:
        container = library.open_heif(file, convert_hdr_to_8bit=True, bgr_mode=False)
        check_cost(container.size, container.mode, "HEIF", source)
        image: Image.Image = container.to_pillow()
    except PhotoError:
        raise
    except Exception as error:
        raise PhotoError(f"{source}: the HEIC file is damaged ({one_line(error)})") from error
    image.format = "HEIF"
    return image
