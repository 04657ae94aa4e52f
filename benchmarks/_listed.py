"""An OCR engine that takes no time: the lines of a photo follow from its name. For measuring everything around it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from geoagent.types import Photo, TextRegion

SIGNS: tuple[tuple[str, ...], ...] = (
    (),
    ("Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln", "Tel. 0221 4710 234"),
    ("Boulangerie du Port", "12 rue Nationale, 37000 Tours"),
    ("SALIDA", "Calle de Alcalá 40"),
    ("EXIT 24", "Woodstock"),
)


class Listed:
    """Returns the lines of `SIGNS` by the digits at the end of a photo's name."""

    name = "listed"

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines."""
        digits = "".join(filter(str.isdigit, PurePath(photo.source).stem)) or "0"
        return tuple(TextRegion(line, script="Latn") for line in SIGNS[int(digits[-6:]) % len(SIGNS)])


def build(assets: Any) -> Listed:
    """Build the engine."""
    return Listed()
