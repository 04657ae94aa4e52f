"""An OCR engine whose photos say in their first pixel what it does with them, so that a test can have any text."""

from __future__ import annotations

import io
import os
import time
from typing import Any

import numpy as np
from PIL import Image

from geoagent.types import Photo, TextRegion

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
TEXTS: tuple[tuple[str, ...], ...] = (
    (),
    ("Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln", "Tel. 0221 4710 234", "Geöffnet"),
    (f"Köln {HOSTILE}", f"50672 Köln {HOSTILE}", HOSTILE, "Tel. 0221 4710 234", "javascript:window.pwned=1"),
    ("Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln", ""),
)
NOTHING, KOELN, EVIL, PARTLY_READ = range(4)
DEADLY = 255


def picture(text: int = KOELN, *, seconds: float = 0.0, deadly: bool = False, size: tuple[int, int] = (640, 480),
            kind: str = "PNG", **options: Any) -> bytes:  # fmt: skip
    """A photo for the engine below: which text, how long it takes, whether it kills its reader."""
    pixels = np.full((size[1], size[0], 3), 180, dtype=np.uint8)
    pixels[:] = np.linspace(60, 200, size[0])[None, :, None]
    pixels[0, 0] = (text, round(seconds * 20), DEADLY if deadly else 0)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


class Engine:
    """Finds what the first pixel says, in lines below each other; an empty one could not be read."""

    name = "stand-in"

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines; wait or end the process first, if the photo says so."""
        text, twentieths, deadly = photo.pixels[0, 0].tolist()
        time.sleep(twentieths / 20)
        if deadly == DEADLY:
            os._exit(9)
        lines = TEXTS[text] if text < len(TEXTS) else ()
        width, height = photo.original_px
        return tuple(
            TextRegion(line, np.array(corners(i, width, height), dtype=np.float32), 0.97, "Latn", unread=not line)
            for i, line in enumerate(lines)
        )


def corners(line: int, width: int, height: int) -> list[tuple[float, float]]:
    """Where a line stands."""
    top, bottom = height * (0.15 + 0.16 * line), height * (0.26 + 0.16 * line)
    return [(0.3 * width, top), (0.8 * width, top), (0.8 * width, bottom), (0.3 * width, bottom)]


def build(assets: Any) -> Engine:
    """Build the engine."""
    return Engine()
