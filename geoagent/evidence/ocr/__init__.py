"""OCR engines: a photo in, its lines of text out.

An engine is one file in this folder with one function::

    def build(assets: stages.Assets, **options) -> stages.OcrEngine

What `build` returns has a `name` and is called with one `types.Photo`. It returns `types.TextRegion`s in reading order,
with polygons in pixels of the upright original (its own pixels times `photo.scale`), text through `scripts.clean`,
`script` from the letters that were read (never from the model's name), and `script_is_evidence` only where the engine
would stake the place on it. It raises `OcrError`, prints nothing, gives the same answer twice, and may be called from
two threads. The file's name is the plug's name; an engine outside the package is named by its dotted module path.
Nothing has to be registered.

What every engine needs after reading, the layout of lines on the page, is here: `Piece`, `join_fragments`,
`reading_order` and `polygon`. Only numpy is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from geoagent.evidence.scripts import UNKNOWN, script_of
from geoagent.types import Float32

_UNSPACED = frozenset({"Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"})
_COLUMNS = frozenset({"Hani", "Jpan", "Hang"})
_KIN = {"Hani": "Jpan"}  # Japanese lines often break between Han and kana


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A run of text as an engine found it.

    Attributes:
        corners: `(4, 2)` pixels, clockwise from the top-left corner *of the text*: the first edge runs along the
            reading direction.
        text: as read.
        confidence: in [0, 1].
        trusted: whether the engine believes it.
    """

    corners: Float32
    text: str
    confidence: float
    trusted: bool = True

    @property
    def length_px(self) -> float:
        """Extent along the line."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0] + self.corners[2] - self.corners[3]) / 2)

    @property
    def height_px(self) -> float:
        """Extent across the line."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0] + self.corners[2] - self.corners[1]) / 2)

    @property
    def is_column(self) -> bool:
        """Whether it is a column of characters, read downwards."""
        width, height = np.ptp(self.corners, axis=0)
        return bool(height > 1.5 * width) and script_of(self.text) in _COLUMNS


def _direction(piece: Piece) -> Float32:
    along = piece.corners[1] - piece.corners[0] + piece.corners[2] - piece.corners[3]
    return np.asarray(along / max(float(np.linalg.norm(along)), 1e-6), dtype=np.float32)


def _as_column(piece: Piece, others: Sequence[Piece]) -> Piece:
    """Turn a lone character that stands at the head or foot of a column downwards, as the column is."""
    if len(piece.text) != 1 or script_of(piece.text) not in _COLUMNS or abs(_direction(piece)[1]) > 0.5:
        return piece
    downwards = Piece(np.roll(piece.corners, -1, axis=0), piece.text, piece.confidence, piece.trusted)
    columns = [other for other in others if other.is_column]
    fits = any(_continues(downwards, other, 0.8) or _continues(other, downwards, 0.8) for other in columns)
    return downwards if fits else piece


def _continues(left: Piece, right: Piece, gap: float) -> bool:
    """Whether `right` goes on where `left` ends: same slant, size, baseline and script, at most `gap` heights apart."""
    if len({_KIN.get(script, script) for script in map(script_of, (left.text, right.text))} - {UNKNOWN}) > 1:
        return False  # an icon beside a word is often read as one Han character
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
    )


def join_fragments(pieces: Sequence[Piece], gap: float = 1.0) -> list[Piece]:
    """Join pieces that stand on one baseline, close together and of one size, into lines.

    Args:
        pieces: in any order.
        gap: widest space between two of them, in line heights.
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
    """Sort pieces top to bottom in rows and left to right within a row; columns side by side go right to left."""
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
    """Return a piece's corners for a `TextRegion`.

    Args:
        piece: in pixels of the picture that the engine looked at.
        scale: pixels of the upright original per pixel of that picture.
        width_px: of the original; nothing lies outside.
        height_px: of the original.

    Returns:
        `(4, 2)` float32, clockwise, beginning with the corner nearest to the picture's top-left.
    """
    corners = np.clip(piece.corners * scale, 0, [width_px, height_px])
    return np.asarray(np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0), dtype=np.float32)
