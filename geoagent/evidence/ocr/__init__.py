"""OCR engines: read the lines of text in a photo.

An engine is one file in this folder with one function::

    def build(assets: stages.Assets, **options) -> stages.OcrEngine

The object that `build` returns has a `name` and is called with one `types.Photo`. It returns `types.TextRegion`s in
reading order. Polygons are in pixels of the upright original (the photo's pixels times `photo.scale`), text is passed
through `scripts.clean`, `script` is derived from the recognised letters (never from the model's name), and
`script_is_evidence` is set only if the script is reliable enough to locate the photo. An engine raises `OcrError`,
prints nothing, is deterministic and thread-safe. The plug is named after its file; an engine outside the package is
named by its dotted module path. No registration is needed.

This module holds the layout code that all engines share: `Piece`, `join_fragments`, `reading_order` and `polygon`. It
imports only numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from geoagent.evidence.scripts import UNKNOWN, script_of
from geoagent.types import Float32

_UNSPACED = frozenset({"Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"})
_COLUMNS = frozenset({"Hani", "Jpan", "Hang"})
_KIN = {"Hani": "Jpan"}  # Japanese lines often break between Han and kana


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A text fragment detected by an engine.

    Attributes:
        corners: `(4, 2)` pixels, clockwise from the top-left corner *of the text*: the first edge runs along the
            reading direction.
        text: recognised text.
        confidence: in [0, 1].
        trusted: whether the engine considers the reading reliable.
        right: probability that the text is right where that was fitted to the confidence, else None.
    """

    corners: Float32
    text: str
    confidence: float
    trusted: bool = True
    right: float | None = None

    @property
    def length_px(self) -> float:
        """Length along the reading direction."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0] + self.corners[2] - self.corners[3]) / 2)

    @property
    def height_px(self) -> float:
        """Height perpendicular to the reading direction."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0] + self.corners[2] - self.corners[1]) / 2)

    @property
    def is_column(self) -> bool:
        """Whether it is vertical text, read downwards."""
        width, height = np.ptp(self.corners, axis=0)
        return bool(height > 1.5 * width) and script_of(self.text) in _COLUMNS


def _direction(piece: Piece) -> Float32:
    along = piece.corners[1] - piece.corners[0] + piece.corners[2] - piece.corners[3]
    return np.asarray(along / max(float(np.linalg.norm(along)), 1e-6), dtype=np.float32)


def _as_column(piece: Piece, others: Sequence[Piece]) -> Piece:
    """Rotate a single character at the top or bottom of a vertical column to the column's reading direction."""
    if len(piece.text) != 1 or script_of(piece.text) not in _COLUMNS or abs(_direction(piece)[1]) > 0.5:
        return piece
    downwards = replace(piece, corners=np.roll(piece.corners, -1, axis=0))
    columns = [other for other in others if other.is_column]
    fits = any(_continues(downwards, other, 0.8) or _continues(other, downwards, 0.8) for other in columns)
    return downwards if fits else piece


def _continues(left: Piece, right: Piece, gap: float) -> bool:
    """Whether `right` continues `left`: same slant, size, baseline and script, at most `gap` heights apart."""
    if len({_KIN.get(script, script) for script in map(script_of, (left.text, right.text))} - {UNKNOWN}) > 1:
        return False  # an icon next to a word is often misread as one Han character
    height = (left.height_px + right.height_px) / 2
    if not 0.62 < left.height_px / max(right.height_px, 1e-6) < 1.6:
        return False
    along = _direction(left)
    if float(along @ _direction(right)) < 0.97:
        return False
    across = np.array([-along[1], along[0]], dtype=np.float32)
    end, start = (left.corners[1] + left.corners[2]) / 2, (right.corners[0] + right.corners[3]) / 2
    step = start - end
    return -0.5 * height <= float(step @ along) <= gap * height and abs(float(step @ across)) <= 0.3 * height


def _join(left: Piece, right: Piece) -> Piece:
    glue = "" if {script_of(left.text), script_of(right.text)} <= _UNSPACED else " "
    share = len(left.text) / max(len(left.text) + len(right.text), 1)
    return Piece(
        np.stack([left.corners[0], right.corners[1], right.corners[2], left.corners[3]]),
        left.text + glue + right.text,
        share * left.confidence + (1 - share) * right.confidence,
        (left if share >= 0.5 else right).trusted,
        None if left.right is right.right is None else _right(left) * _right(right),
    )


def _right(piece: Piece) -> float:
    return piece.confidence if piece.right is None else piece.right


def join_fragments(pieces: Sequence[Piece], gap: float = 1.0) -> list[Piece]:
    """Join fragments of the same size that are close together on one baseline into lines.

    Args:
        pieces: fragments in any order.
        gap: maximum gap between two fragments, in line heights.
    """
    turned = [_as_column(piece, pieces) for piece in pieces]
    rest = sorted(turned, key=lambda piece: float(piece.corners.mean(axis=0) @ _direction(piece)))
    lines: list[Piece] = []
    while rest:
        line = rest.pop(0)
        while True:
            follower = next((other for other in rest if _continues(line, other, gap)), None)
            if follower is None:
                break
            rest.remove(follower)
            line = _join(line, follower)
        lines.append(line)
    return lines


def reading_order(pieces: Sequence[Piece]) -> list[Piece]:
    """Sort pieces into rows top to bottom, left to right within a row; adjacent vertical columns go right to left."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda each: float(each.corners[:, 1].mean())):
        middle, height = float(piece.corners[:, 1].mean()), float(np.ptp(piece.corners[:, 1]))
        for row in rows[-1:]:
            first_middle, first_height = float(row[0].corners[:, 1].mean()), float(np.ptp(row[0].corners[:, 1]))
            if abs(middle - first_middle) <= 0.5 * min(height, first_height):
                row.append(piece)
                break
        else:
            rows.append([piece])
    ordered: list[Piece] = []
    for row in rows:
        row.sort(key=lambda each: float(each.corners[:, 0].mean()))
        for columns, run in groupby(row, key=lambda each: each.is_column):
            ordered.extend(list(run)[:: -1 if columns else 1])
    return ordered


def polygon(piece: Piece, scale: float, width_px: float, height_px: float) -> Float32:
    """Return the corners of a piece as the polygon of a `TextRegion`.

    Args:
        piece: a piece in pixels of the image that the engine processed.
        scale: pixels of the upright original per pixel of that image.
        width_px: width of the original; corners are clipped to it.
        height_px: height of the original; corners are clipped to it.

    Returns:
        `(4, 2)` float32, clockwise, starting with the corner nearest to the image's top-left.
    """
    corners = np.clip(piece.corners * scale, 0, [width_px, height_px])
    return np.asarray(np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0), dtype=np.float32)
