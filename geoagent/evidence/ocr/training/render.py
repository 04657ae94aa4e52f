"""Drawing one line of text in a font.

Pillow draws; scripts whose letters join or change shape need its Raqm layout, which is in Pillow's wheels and loads
FriBiDi (Debian: libfribidi0) when it is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from geoagent.errors import InputError, MissingDependency
from geoagent.evidence.ocr.training.charset import BLOCKS, RIGHT_TO_LEFT, main_script
from geoagent.types import UInt8

SHAPED = frozenset(BLOCKS) - {"Armn", "Cyrl", "Ethi", "Geor", "Grek", "Hang", "Latn"}
"""Scripts that cannot be drawn one character after another: letters join, marks are placed, or lines run leftwards."""
_MAX_WIDTH_PX = 8000
_JOINED = {"Arab": "\u0645\u0633\u062a\u0634\u0641\u0649", "Deva": "\u0915\u094d\u0937\u0924\u094d\u0930\u093f\u092f"}
_ROOM = {"Arab": 0.95, "Deva": 0.9}  # of the letters drawn apart, which a word whose letters join does not reach


@dataclass(frozen=True, eq=False, slots=True)
class Ink:
    """A drawn line.

    Attributes:
        alpha: `(H, W)` how much of each pixel is covered, 0 to 255, cut to what is drawn.
        top_px: first row relative to the baseline; negative above it.
    """

    alpha: UInt8
    top_px: int


def shaping_works(font: Path | None = None, script: str = "Arab") -> bool:
    """Whether letters join: Pillow has Raqm and finds FriBiDi.

    Args:
        font: draw a word in this font as well, whose letters must then take less room together than apart.
        script: of that word: "Arab" or "Deva".
    """
    if not features.check("raqm"):
        return False
    if font is None:
        return True
    face, word = load_font(font, 40), _JOINED[script]
    direction = "rtl" if script in RIGHT_TO_LEFT else "ltr"
    apart = sum(face.getlength(c, direction="ltr") for c in word)
    return face.getlength(word, direction=direction) < _ROOM[script] * apart


def draw_line(
    text: str,
    font: Path,
    *,
    size_px: int = 48,
    index: int = 0,
    right_to_left: bool | None = None,
    stroke_px: int = 0,
    spacing_px: int = 0,
) -> Ink:
    """Draw one line of text.

    Args:
        text: in logical order, NFC; the font must have its characters, since a missing one is drawn as a box.
        font: a TrueType or OpenType file.
        size_px: of an em.
        index: of the face in a collection (*.ttc).
        right_to_left: direction of the line; by its script where None.
        stroke_px: outline that makes it bolder.
        spacing_px: gap between characters; above 0 each is drawn by itself, so not for scripts whose letters join.

    Raises:
        InputError: the font cannot be read, or draws nothing.
        MissingDependency: the script needs shaping, and Pillow has none here.
    """
    script = main_script(text)
    leftwards = script in RIGHT_TO_LEFT if right_to_left is None else right_to_left
    if (leftwards or script in SHAPED) and not shaping_works():
        raise MissingDependency(
            f"text in {script or 'this script'} needs complex shaping, which Pillow lacks here; install FriBiDi "
            "(Debian: apt install libfribidi0) and Pillow from its wheel"
        )
    try:
        face = load_font(font, size_px, index)
        if spacing_px > 0:
            return _apart(text[::-1] if leftwards else text, lambda c: _run(face, c, leftwards, stroke_px), spacing_px)
        return _run(face, text, leftwards, stroke_px)
    except (OSError, ValueError) as error:
        raise InputError(f"{font} cannot draw {text!r}: {error}") from error


@lru_cache(maxsize=4096)
def load_font(path: Path, size_px: int, index: int = 0) -> ImageFont.FreeTypeFont:
    """Load a font at a size, with Raqm where Pillow has it.

    Raises:
        OSError: the file cannot be read, or is no font.
    """
    engine = ImageFont.Layout.RAQM if shaping_works() else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size_px, index=index, layout_engine=engine)


def side_by_side(parts: list[Ink], gap_px: int) -> Ink:
    """Join drawn parts on one baseline, from left to right.

    Args:
        parts: at least one.
        gap_px: between two parts.
    """
    top = min(part.top_px for part in parts)
    height = max(part.top_px + len(part.alpha) for part in parts) - top
    width = sum(part.alpha.shape[1] for part in parts) + gap_px * (len(parts) - 1)
    alpha = np.zeros((height, width), dtype=np.uint8)
    x = 0
    for part in parts:
        h, w = part.alpha.shape
        y = part.top_px - top
        alpha[y : y + h, x : x + w] = part.alpha
        x += w + gap_px
    return Ink(alpha, top)


def _run(face: ImageFont.FreeTypeFont, text: str, leftwards: bool, stroke_px: int) -> Ink:
    # The basic layout refuses a direction, and draws from left to right anyway.
    direction = ("rtl" if leftwards else "ltr") if face.layout_engine == ImageFont.Layout.RAQM else None
    box = face.getbbox(text, direction=direction, anchor="ls", stroke_width=stroke_px)
    left, top, right, bottom = (int(np.floor(v)) if i < 2 else int(np.ceil(v)) for i, v in enumerate(box))
    if not (1 < right - left <= _MAX_WIDTH_PX and bottom - top > 1):
        raise ValueError(f"{right - left} × {bottom - top} px")
    image = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(image).text(
        (-left, -top), text, fill=255, font=face, direction=direction, anchor="ls", stroke_width=stroke_px
    )
    inked = image.getbbox()
    if inked is None:
        raise ValueError("nothing is drawn")
    return Ink(np.asarray(image.crop(inked), dtype=np.uint8), top + inked[1])


def _apart(text: str, draw: Callable[[str], Ink], gap_px: int) -> Ink:
    """Characters from left to right with a gap; a space is a gap as wide as an ordinary letter's half."""
    words = [side_by_side([draw(c) for c in word], gap_px) for word in text.split()]
    if not words:
        raise ValueError("only spaces")
    return side_by_side(words, gap_px + max(len(word.alpha) for word in words) // 2)
