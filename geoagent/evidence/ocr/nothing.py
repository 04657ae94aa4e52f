"""OCR disabled: an engine that reads nothing, so that the answer is based on the picture alone."""

from __future__ import annotations

from geoagent.protocols import Assets
from geoagent.types import Photo, TextRegion


class Nothing:
    """Finds no text in any photo."""

    name = "nothing"

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return ()."""
        return ()


def build(assets: Assets) -> Nothing:
    """Build the engine; it has no options."""
    return Nothing()
