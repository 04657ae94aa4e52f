"""A photo, and the lines of text in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from geoagent.errors import ShapeError
from geoagent.evidence.scripts import evident_script, script_of
from geoagent.filenames import safe
from geoagent.places.geo import LatLon
from geoagent.types.arrays import Float32, UInt8, freeze


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """One upright photo.

    Attributes:
        pixels: `(H, W, 3)` uint8 RGB, EXIF orientation applied, possibly reduced.
        source: where it came from, as the user named it; `filenames.path_of` gives the file.
        exif_gps: the position that the file claims. Never evidence; shown beside the answer as a check.
        exif_partial: what the file's EXIF data hold of a position that is not whole, in words; "" otherwise.
        scale: pixels of the upright original per pixel here; 1 unless the photo was reduced on reading.
        warnings: what was odd about the file.
    """

    pixels: UInt8
    source: str = "array"
    exif_gps: LatLon | None = None
    scale: float = 1.0
    warnings: tuple[str, ...] = ()
    exif_partial: str = ""

    def __post_init__(self) -> None:
        freeze(self, "pixels", self.pixels, np.uint8, (None, None, 3), "(H, W, 3)")
        object.__setattr__(self, "source", safe(self.source))

    @property
    def width_px(self) -> int:
        """Width of `pixels`."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height of `pixels`."""
        return int(self.pixels.shape[0])

    @property
    def original_px(self) -> tuple[int, int]:
        """Width and height of the upright original."""
        return round(self.width_px * self.scale), round(self.height_px * self.scale)


@dataclass(frozen=True, eq=False, slots=True)
class TextRegion:
    """One line of text in a photo.

    Attributes:
        text: as read, Unicode NFC.
        polygon_px: `(4, 2)` float32 corners in the upright original, clockwise from top-left; `(0, 2)` where the text
            came without a picture.
        confidence: in [0, 1]; the probability that the line is right where that was fitted, else the engine's own.
        stated: the engine's own confidence where `confidence` was fitted to it; None where they are the same.
        script: ISO 15924 code of most letters ("Latn", "Cyrl", "Jpan", …), "Zyyy" where there are none.
        script_is_evidence: whether the script is read surely enough to say something about the place.
        engine: engine and model that read it.
        panel: colour of what it is written on ("white", "green", "blue", …), "" where that is not known.
        band: colour of the strip at its left (the blue one of European plates), "blue above" for a blue strip over it
            (plates of Mercosur), "" where that is not known.
        height: height of the line as a share of the photo's height, 0 where that is not known.
        at_edge: whether it lies along the lower or upper edge of the photo.
        contrast: difference in lightness between letters and ground, in [0, 1]; 0 where that is not known.
        unread: whether this is text that was detected and could not be read; `text` is "" then.
        mirrored: whether the text stands mirrored in the photo and was read so.
    """

    text: str
    polygon_px: Float32 = field(default_factory=lambda: np.zeros((0, 2), dtype=np.float32))
    confidence: float = 1.0
    script: str = "Zyyy"
    script_is_evidence: bool = False
    engine: str = "given"
    panel: str = ""
    band: str = ""
    height: float = 0.0
    at_edge: bool = False
    contrast: float = 0.0
    unread: bool = False
    mirrored: bool = False
    stated: float | None = None

    @property
    def score(self) -> float:
        """The engine's own confidence."""
        return self.confidence if self.stated is None else self.stated

    def __post_init__(self) -> None:
        freeze(self, "polygon_px", self.polygon_px, np.float32, (None, 2), "(4, 2) or (0, 2)")
        if len(self.polygon_px) not in (0, 4):
            raise ShapeError(f"TextRegion.polygon_px: expected (4, 2) or (0, 2), got shape {self.polygon_px.shape}")


def regions_from_lines(lines: Iterable[str]) -> tuple[TextRegion, ...]:
    """Text regions for lines that came without a picture, with their scripts."""
    return tuple(TextRegion(t, script=script_of(t), script_is_evidence=evident_script(t, 1.0)) for t in lines)
