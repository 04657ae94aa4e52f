"""Decoding: an opened picture to an upright photo in RGB, with bounded memory."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from geoagent.errors import PhotoError
from geoagent.evidence.exif import exif_of, gps_of, partial_gps
from geoagent.types import Photo

SMALL_PX = 32

# What Pillow may hold while it decodes; with the rest of the process this keeps a photo below 1.2 GB.
_MAX_DECODE_BYTES = 1_000_000_000
# Decoders that build the whole picture in a buffer of their own before Pillow copies it.
_BUFFERED = {"WEBP": 3, "AVIF": 3, "JPEG2000": 3, "HEIF": 3}
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 12, "F": 12}  # else 4
_STRIP_PIXELS = 8_000_000
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112


def photo_of(image: Image.Image, source: str, max_side_px: int, exif: Image.Exif | None = None) -> Photo:
    """Decode, turn upright, reduce and describe an opened picture.

    Args:
        image: the picture.
        source: its name.
        max_side_px: longest side of the result.
        exif: what is said of it elsewhere, in place of its own EXIF data.
    """
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
    check_cost(image.size, image.mode, kind, source, coefficients)
    try:
        image.load()
        exif = exif_of(image, notes) if exif is None else exif
        pixels = _shrink(image, max_side_px, notes)
        turn = _TURNS.get(exif.get(_ORIENTATION, 1)) if kind != "HEIF" else None  # libheif has turned it
        if turn is not None:
            pixels = pixels.transpose(turn)
        values = np.asarray(pixels)  # where the size that a damaged TIFF states is found out
    except Exception as error:
        raise PhotoError(f"{source}: the {kind} file is damaged ({one_line(error)})") from error
    if max(image.size) > max_side_px or full > max(image.size):
        notes.append(f"reduced from {full} to {max(pixels.size)} pixels on the longer side")
    if min(pixels.size) < SMALL_PX:
        notes.append(f"too small to read: {pixels.width} × {pixels.height} pixels")
    gps = gps_of(exif, notes)
    scale = max(1.0, full / max(pixels.size))
    return Photo(values, source, gps, scale, tuple(notes), exif_partial=partial_gps(exif))


def picture_of(array: Any, source: str = "array") -> Image.Image:
    """Return an array of pixels as an opened picture.

    Args:
        array: `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGB with alpha; uint8, uint16 or floating
            in [0, 1]. OpenCV has BGR: turn it with `array[..., ::-1]`.
        source: what it is called in errors.

    Raises:
        PhotoError: another shape or type, or values that are no colours.
    """
    values = np.asarray(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)) or 0 in values.shape:
        turned = "; the colours go last" if values.ndim == 3 and values.shape[0] in (1, 3, 4) else ""
        raise PhotoError(f"{source}: expected (H, W), (H, W, 3) or (H, W, 4), got shape {values.shape}{turned}")
    if values.dtype == np.uint16:
        values = values >> 8
    elif np.issubdtype(values.dtype, np.floating):
        least, most = float(values.min()), float(values.max())
        if not (least >= 0 and most <= 1):  # also where one of them is not a number
            raise PhotoError(f"{source}: floating values must be in [0, 1], got {least:g} to {most:g}; divide by 255?")
        values = np.round(values * 255)
    elif values.dtype != np.uint8:
        raise PhotoError(f"{source}: expected uint8, uint16 or floating values in [0, 1], got {values.dtype}")
    return Image.fromarray(np.ascontiguousarray(values, dtype=np.uint8))


def reduced(photo: Photo, max_side_px: int) -> Photo:
    """Return the photo, reduced so that its longer side is at most `max_side_px`."""
    longest = max(photo.width_px, photo.height_px)
    if longest <= max_side_px:
        return photo
    pixels = _shrink(Image.fromarray(photo.pixels), max_side_px, [])
    return replace(photo, pixels=np.asarray(pixels), scale=photo.scale * longest / max(pixels.size))


def check_cost(size: tuple[int, int], mode: str, kind: str, source: str, coefficients: int = 0) -> None:
    """Refuse a picture that cannot be decoded within `_MAX_DECODE_BYTES`, before decoding it."""
    cost = size[0] * size[1] * _MODE_BYTES.get(mode, 4) * _BUFFERED.get(kind, 1) + 2 * coefficients
    if cost > _MAX_DECODE_BYTES:
        raise PhotoError(
            f"{source}: a {kind} of {size[0]} × {size[1]} pixels ({mode}) needs {cost / 1e9:.1f} GB to decode, "
            f"more than the {_MAX_DECODE_BYTES / 1e9:.0f} GB allowed; reduce the picture first"
        )


def share_there(photo: Photo) -> float:
    """Share of the rows of a mended JPEG above the flat grey that stands for missing rows."""
    pixels = photo.pixels.astype(np.int16)
    flat = (np.ptp(pixels, axis=1) <= 2).all(axis=1)
    rows = np.flatnonzero(~flat)
    return float((rows[-1] + 1) / len(flat)) if rows.size else 0.0


def one_line(error: Exception) -> str:
    """The message of a decoder's error, on one line of bounded length."""
    return " ".join(str(error).split())[:160] or type(error).__name__


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
