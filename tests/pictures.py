"""Small pictures with EXIF data."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ORIGINAL, OFFSET, FRACTION = 0x9003, 0x9011, 0x9291


def save(
    path: Path,
    *,
    original: str = "",
    offset: str = "",
    fraction: str = "",
    make: str = "",
    model: str = "",
    software: str = "",
    serial: str = "",
    details: dict[int, object] | None = None,
    gps: dict[int, object] | None = None,
    size: tuple[int, int] = (64, 48),
    **options: object,
) -> Path:
    """A small picture with EXIF data."""
    image = Image.new("RGB", size, "grey")
    exif = image.getexif()
    for tag, value in ((0x10F, make), (0x110, model), (0x131, software)):
        if value:
            exif[tag] = value
    block = exif.get_ifd(0x8769)
    block.update(details or {})
    for tag, value in ((ORIGINAL, original), (OFFSET, offset), (FRACTION, fraction), (0xA431, serial)):
        if value:
            block[tag] = value
    if gps:
        exif.get_ifd(0x8825).update(gps)
    image.save(path, exif=exif, **options)
    return path


GPS_LYON = {1: "N", 2: (45.0, 45.0, 50.4), 3: "E", 4: (4.0, 50.0, 8.5)}
