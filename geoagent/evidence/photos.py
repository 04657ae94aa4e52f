"""Files to photos: any picture that people have, upright, in RGB, with bounded memory.

Pillow's global switches (`MAX_IMAGE_PIXELS`, `LOAD_TRUNCATED_IMAGES`, registered openers) are left as they are: files
are opened through the format's own class, after this module's check of what decoding them would cost.
"""

from __future__ import annotations

import io
import math
import os
import stat
import threading
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence.exif import Said, exif_of, gps_of, said_by
from geoagent.optional import needs
from geoagent.types import Photo

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic"}
    | {".heif", ".hif", ".avif", ".jp2", ".ppm", ".pgm"}
)
MAX_SIDE_PX = 4000
SMALL_PX = 32

# What Pillow may hold while it decodes; with the rest of the process this keeps a photo below 1.2 GB.
_MAX_DECODE_BYTES = 1_000_000_000
# Decoders that build the whole picture in a buffer of their own before Pillow copies it.
_BUFFERED = {"WEBP": 3, "AVIF": 3, "JPEG2000": 3, "HEIF": 3}
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM")
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 12, "F": 12}  # else 4
_STRIP_PIXELS = 8_000_000
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_JPEG_END = b"\xff\xd9" * 8
_ORIENTATION = 0x0112


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
    part that is there is taken if it is at least half of the picture. Whatever was odd is in `Photo.warnings`.

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
        return _reduced(photo, max_side_px)
    with quiet:
        if isinstance(photo, Image.Image):
            return _from_image(photo, str(getattr(photo, "filename", "") or "image"), max_side_px)
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
        return _from_image(_heif(file, source), source, max_side_px)
    image = _opened(file, head, source)
    try:
        return _from_image(image, source, max_side_px)
    except PhotoError as error:
        if image.format not in ("JPEG", "MPO") or "truncated" not in str(error):
            raise
    # libjpeg fills what is missing with grey once it sees the end of the picture.
    file.seek(0)
    photo = _from_image(_opened(io.BytesIO(file.read() + _JPEG_END), head, source), source, max_side_px)
    there = _share_there(photo)
    if there < 0.5:
        raise PhotoError(f"{source}: the file is truncated, only {there:.0%} of the picture is there")
    note = f"the file is truncated: about {there:.0%} of the picture is there"
    return replace(photo, warnings=(*photo.warnings, note))


def _share_there(photo: Photo) -> float:
    """Share of the rows of a mended JPEG above the flat grey that stands for missing rows."""
    pixels = photo.pixels.astype(np.int16)
    flat = (np.ptp(pixels, axis=1) <= 2).all(axis=1)
    rows = np.flatnonzero(~flat)
    return float((rows[-1] + 1) / len(flat)) if rows.size else 0.0


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
            reasons.append(f"the {name} file is damaged ({_said(error)})")
            continue
        return image
    raise PhotoError(f"{source}: {reasons[0] if reasons else _what_it_is(head)}")


def _said(error: Exception) -> str:
    """What a decoder complained about, on one line of bounded length."""
    return " ".join(str(error).split())[:160] or type(error).__name__


def _what_it_is(head: bytes) -> str:
    """Say what a file that is no photo is, as far as its first bytes tell."""
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
        raise PhotoError(f"{source}: the HEIC file is damaged ({_said(error)})") from error
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
        _check_cost(container.size, container.mode, "HEIF", source)
        image: Image.Image = container.to_pillow()
    except PhotoError:
        raise
    except Exception as error:
        raise PhotoError(f"{source}: the HEIC file is damaged ({_said(error)})") from error
    image.format = "HEIF"
    return image


def _check_cost(size: tuple[int, int], mode: str, kind: str, source: str, coefficients: int = 0) -> None:
    """Refuse what cannot be decoded within `_MAX_DECODE_BYTES`, before anything is decoded."""
    cost = size[0] * size[1] * _MODE_BYTES.get(mode, 4) * _BUFFERED.get(kind, 1) + 2 * coefficients
    if cost > _MAX_DECODE_BYTES:
        raise PhotoError(
            f"{source}: a {kind} of {size[0]} × {size[1]} pixels ({mode}) needs {cost / 1e9:.1f} GB to decode, "
            f"more than the {_MAX_DECODE_BYTES / 1e9:.0f} GB allowed; reduce the picture first"
        )


def _from_image(image: Image.Image, source: str, max_side_px: int) -> Photo:
    """Decode, turn upright, reduce and describe an opened picture."""
    full, kind = max(image.size), image.format or "picture"
    if min(image.size) < 1:
        raise PhotoError(f"{source}: has no pixels ({image.width} × {image.height})")
    notes = []
    try:
        if getattr(image, "n_frames", 1) > 1 and kind != "MPO":
            notes.append(f"{image.n_frames} pictures in one {kind} file: only the first was read")  # type: ignore[attr-defined]
    except Exception:
        notes.append(f"the pages of the {kind} file cannot be counted: only the first was read")
    coefficients = 0
    if isinstance(image, JpegImageFile):
        if image.info.get("progressive"):  # libjpeg then keeps every coefficient of the full picture
            coefficients = image.width * image.height * len(image.getbands())
        share = max_side_px / full
        image.draft(None, (math.ceil(image.width * share), math.ceil(image.height * share)))
    _check_cost(image.size, image.mode, kind, source, coefficients)
    try:
        image.load()
        exif = exif_of(image, notes)
        pixels = _shrink(image, max_side_px, notes)
        turn = _TURNS.get(exif.get(_ORIENTATION, 1)) if kind != "HEIF" else None  # libheif has turned it
        if turn is not None:
            pixels = pixels.transpose(turn)
        values = np.asarray(pixels)  # where the size that a damaged TIFF states is found out
    except Exception as error:
        raise PhotoError(f"{source}: the {kind} file is damaged ({_said(error)})") from error
    if max(image.size) > max_side_px or full > max(image.size):
        notes.append(f"reduced from {full} to {max(pixels.size)} pixels on the longer side")
    if min(pixels.size) < SMALL_PX:
        notes.append(f"too small to read: {pixels.width} × {pixels.height} pixels")
    gps = gps_of(exif, notes)
    return Photo(values, source, gps, max(1.0, full / max(pixels.size)), tuple(notes))


def _reduced(photo: Photo, max_side_px: int) -> Photo:
    longest = max(photo.width_px, photo.height_px)
    if longest <= max_side_px:
        return photo
    pixels = _shrink(Image.fromarray(photo.pixels), max_side_px, [])
    return replace(photo, pixels=np.asarray(pixels), scale=photo.scale * longest / max(pixels.size))


def _shrink(image: Image.Image, max_side_px: int, notes: list[str]) -> Image.Image:
    """Return the picture in RGB, at most `max_side_px` long; strip by strip, so that no full copy is made."""
    levels = _levels(image, notes)
    factor = max(image.size) // max_side_px
    if factor > 1:
        rows = factor * max(1, _STRIP_PIXELS // (image.width * factor))
        small = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
        for top in range(0, image.height, rows):
            strip = image.crop((0, top, image.width, min(top + rows, image.height)))
            small.paste(_rgb(strip, levels).reduce(factor), (0, top // factor))
    else:
        small = _rgb(image, levels)
    share = max_side_px / max(small.size)
    if share < 1:
        size = (max(1, round(small.width * share)), max(1, round(small.height * share)))
        small = small.resize(size, Image.Resampling.LANCZOS)
    return small


def _levels(image: Image.Image, notes: list[str]) -> tuple[float, float] | None:
    """Black and white level of a picture whose values are no bytes; None where they are.

    The level is the smallest usual one that holds the brightest value (1, 255, 65,535), else the range itself.
    """
    if image.mode[0] not in "IF":
        return None
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    values = np.asarray(image)
    finite = values[np.isfinite(values)] if image.mode == "F" else values
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    for white in (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0):
        if low >= 0 and high <= white:
            return 0.0, white
    notes.append(f"values from {low:g} to {high:g} were stretched to black and white")
    return low, max(high, low + 1e-6)


def _rgb(image: Image.Image, levels: tuple[float, float] | None) -> Image.Image:
    """Convert any mode to RGB; what is transparent becomes white."""
    if levels is not None:
        low, high = levels
        values = (np.nan_to_num(np.asarray(image, dtype=np.float32), nan=low, posinf=high, neginf=low) - low) / (
            high - low
        )
        return Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)).convert("RGB")
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return cast(Image.Image, ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255, 255)), layer).convert("RGB")
    return image.convert("RGB")
