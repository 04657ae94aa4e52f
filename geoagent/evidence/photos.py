"""Opening photos: files of any usual format to upright RGB pixels, with bounded memory.

Pillow's global switches (`MAX_IMAGE_PIXELS`, `LOAD_TRUNCATED_IMAGES`, registered openers) are left as they are: files
are opened through the format's own class, after this module's check of what decoding them would cost.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import Image

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence import raw
from geoagent.evidence.decoding import check_cost, one_line, photo_of, picture_of, reduced, share_there
from geoagent.evidence.exif import Said, said_by
from geoagent.evidence.folders import PHOTO_SUFFIXES, find_photos
from geoagent.evidence.opening import HEAD_BYTES, check_regular, is_heif, is_raw, opened, reason
from geoagent.evidence.quiet import quiet
from geoagent.filenames import written
from geoagent.optional import needs
from geoagent.types import Photo

__all__ = ["MAX_SIDE_PX", "PHOTO_SUFFIXES", "find_photos", "open_photo", "quiet", "what_it_says"]

MAX_SIDE_PX = 4000
Input = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray | Photo
"""What a photo may be given as; see `open_photo`."""
Read = TypeVar("Read")

_JPEG_END = b"\xff\xd9" * 8


def open_photo(photo: Input, *, max_side_px: int = MAX_SIDE_PX) -> Photo:
    """Read one photo.

    The EXIF orientation is applied, transparency is put on white, and the picture is reduced so that its longer side
    is at most `max_side_px`. Of an animation or a file of several pages the first is taken. Of a truncated JPEG the
    part that is there is taken if it is at least half of the picture. Of a RAW file the embedded preview is taken,
    never the mosaic. Anything unusual is in `Photo.warnings`.

    Args:
        photo: the path of a file, its bytes, a file opened for reading bytes (read from where it stands, and left
            open), a Pillow image, an array of pixels (see `picture_of`), or a `Photo` (returned as it is unless it is
            too large).
        max_side_px: longest side of the result.

    Raises:
        PhotoError: a file that is missing, no regular file, no photo, damaged, or too large to decode in 1.2 GB; or
            what was given can be none.
        MissingDependency: a HEIC file, and pillow-heif is not installed; or a RAW file without a preview that Pillow
            finds, and rawpy is not installed.
    """
    if max_side_px < 1:
        raise PhotoError(f"max_side_px must be at least 1, got {max_side_px}")
    if isinstance(photo, Photo):
        return reduced(photo, max_side_px)
    with quiet:
        if isinstance(photo, Image.Image):
            return photo_of(photo, written(getattr(photo, "filename", "") or "image"), max_side_px)
        if isinstance(photo, bytes | bytearray | memoryview):
            return _from_file(io.BytesIO(photo), "bytes", max_side_px)
        if callable(getattr(photo, "read", None)):
            return _from_opened(photo, max_side_px)
        if hasattr(photo, "__array__"):
            return photo_of(picture_of(photo), "array", max_side_px)
        if not isinstance(photo, str | os.PathLike):
            wanted = "a path, bytes, an opened file, a picture or an array of pixels"
            raise PhotoError(f"expected {wanted}, got {type(photo).__name__}")
        path, name = Path(photo), written(photo)
        check_regular(path)
        try:
            with path.open("rb") as file:
                return _from_file(file, name, max_side_px, path.suffix.lower())
        except OSError as error:
            raise PhotoError(f"{name}: {_unreadable(error)}") from error


def what_it_says(photo: str | os.PathLike[str]) -> Said:
    """Read what a photo's file and its sidecars say about where it was taken, without decoding the picture.

    An estimate that geoagent wrote itself says nothing.

    Raises:
        PhotoError: a file that is missing, no regular file, or no photo.
        MissingDependency: a HEIC file, and pillow-heif is not installed.
    """
    return from_header(photo, said_by)


def from_header(photo: str | os.PathLike[str], read: Callable[[Image.Image, Path], Read]) -> Read:
    """Read something from a photo's file without decoding the picture.

    Args:
        photo: the file.
        read: is given the opened, undecoded image (of a HEIC or RAW file an empty one with what it says) and the path.

    Raises:
        PhotoError: a file that is missing, no regular file, or no photo.
        MissingDependency: a HEIC file, and pillow-heif is not installed.
    """
    path, name = Path(photo), written(photo)
    check_regular(path)
    try:
        with path.open("rb") as file:
            return from_content(file, path, name, read)
    except OSError as error:
        raise PhotoError(f"{name}: {_unreadable(error)}") from error


def from_content(file: BinaryIO, path: Path, name: str, read: Callable[[Image.Image, Path], Read]) -> Read:
    """Read something from an opened photo without decoding the picture; see `from_header`.

    Args:
        file: opened for reading.
        path: its name, which need not exist.
        name: what it is called in errors.
        read: see `from_header`.
    """
    with quiet:
        try:
            return read(_header(file, name, path.suffix.lower()), path)
        except (PhotoError, MissingDependency, OSError):
            raise
        except Exception as error:
            raise PhotoError(f"{name}: what it says cannot be read ({one_line(error)})") from error


def _from_opened(file: Any, max_side_px: int) -> Photo:
    """Read an opened file, which need not be one on disk, to its end; named after the file where it has a name."""
    named = getattr(file, "name", None)
    name = written(named) if isinstance(named, str | os.PathLike) and str(named) else "opened file"
    try:
        content = file.read()
    except (OSError, ValueError) as error:  # closed, or not opened for reading
        raise PhotoError(f"{name}: {_unreadable(error) if isinstance(error, OSError) else one_line(error)}") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise PhotoError(f"{name}: was opened as text; open it for bytes, with mode 'rb'")
    return _from_file(io.BytesIO(content), name, max_side_px, Path(name).suffix.lower())


def _unreadable(error: OSError) -> str:
    """What is wrong with a file that is there and cannot be opened or read."""
    why = "permission denied" if isinstance(error, PermissionError) else reason(error)
    return f"may not be read ({why})" if isinstance(error, PermissionError) else f"cannot be read ({why})"


def _from_file(file: BinaryIO, source: str, max_side_px: int, suffix: str = "") -> Photo:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if is_heif(head):
        return photo_of(_heif(file, source), source, max_side_px)
    if is_raw(file, head, suffix):
        return _from_raw(file, head, source, max_side_px)
    image = opened(file, head, source)
    try:
        return photo_of(image, source, max_side_px)
    except PhotoError as error:
        if image.format not in ("JPEG", "MPO") or "truncated" not in str(error):
            raise
    # libjpeg fills what is missing with grey once it sees the end of the picture.
    file.seek(0)
    photo = photo_of(opened(io.BytesIO(file.read() + _JPEG_END), head, source), source, max_side_px)
    there = share_there(photo)
    if there < 0.5:
        raise PhotoError(f"{source}: the file is truncated, only {there:.0%} of the picture is there")
    note = f"the file is truncated: about {there:.0%} of the picture is there"
    return replace(photo, warnings=(*photo.warnings, note))


def _from_raw(file: BinaryIO, head: bytes, source: str, max_side_px: int) -> Photo:
    """Decode the largest preview of a RAW file that is whole."""
    failed: PhotoError | None = None
    for preview in raw.previews(file, head, source):
        try:
            photo = photo_of(preview.picture, source, max_side_px, preview.exif)
        except PhotoError as error:
            failed = failed or error
            continue
        return replace(photo, warnings=(preview.says, *photo.warnings))
    raise PhotoError(f"{source}: its embedded preview cannot be read ({failed})") from failed


def _header(file: BinaryIO, source: str, suffix: str) -> Image.Image:
    """Open for what stands before the pixels; of a HEIC or RAW file, an empty picture with what it says."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if is_raw(file, head, suffix):
        image = Image.new("L", (1, 1))
        image.info["xmp"] = raw.read_exif(file, head, image.getexif())
        return image
    if not is_heif(head):
        return opened(file, head, source)
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
