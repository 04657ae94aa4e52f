"""Text detection and recognition with RapidOCR's models, shared by the engines that use them.

Detection and recognition are called separately instead of through RapidOCR's pipeline: the pipeline carries per-call
flags over to the next call, and its 180° classifier rotates upright lines (Han words found: 79 % with, 94 % without).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import ConfigError, OcrError
from geoagent.evidence.ocr import Piece, join_fragments, polygon, reading_order
from geoagent.evidence.scripts import LATIN_LIKE, clean, evident_script, letters, script_counts, script_of
from geoagent.types import Float32, Photo, TextRegion, UInt8

TRUST = 0.85
_FLOOR = 0.25
_MIN_SIDE_PX = 16
_MAX_ASPECT = 80.0  # beyond this it is a wire, not a line of text
_RIGHT_TO_LEFT = frozenset({"Arab", "Hebr", "Syrc", "Thaa"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of one crop, and the quarter turns (counter-clockwise) by which it was rotated for reading."""

    text: str
    score: float
    turns: int


@dataclass(frozen=True, eq=False, slots=True)
class Crop:
    """A detected text fragment.

    Attributes:
        box: `(4, 2)` pixels of the downscaled photo, clockwise from its top-left corner in that photo.
        pixels: the same area, rectified from the full photo, in BGR.
        reading: RapidOCR's reading.
        confidence: in [0, 1], after the gate.
        trusted: whether it passed the gate.
    """

    box: Float32
    pixels: UInt8
    reading: Reading
    confidence: float
    trusted: bool

    @property
    def piece(self) -> Piece:
        """RapidOCR's reading as a `Piece` with its position."""
        return Piece(
            np.roll(self.box, -self.reading.turns, axis=0), clean(self.reading.text), self.confidence, self.trusted
        )


class Reader:
    """Detector and recogniser, loaded with the first photo. Not thread-safe."""

    def __init__(self, *, max_side_px: int, threads: int | None, min_score: float, join: bool, retry: bool) -> None:
        if max_side_px < 64:
            raise ConfigError(f"max_side_px of the OCR engine must be at least 64, got {max_side_px}")
        if not 0.0 <= min_score <= 1.0:
            raise ConfigError(f"min_score of the OCR engine must lie in [0, 1], got {min_score}")
        self._max_side_px, self._min_score, self._joins, self._retry = max_side_px, min_score, join, retry
        self._threads = thread_count(threads)
        self._engine: Any = None
        self.model = ""

    def load(self) -> None:
        """Load the models on the first call.

        Raises:
            OcrError: RapidOCR is not installed correctly.
        """
        if self._engine is None:
            self._engine, self.model = _load(self._threads)

    def find(self, photo: Photo) -> tuple[list[Crop], float]:
        """Return the recognised text of `photo`, and pixels of `photo` per pixel of the downscaled photo."""
        import cv2

        if min(photo.width_px, photo.height_px) < _MIN_SIDE_PX:
            return [], 1.0
        scale = max(1.0, max(photo.width_px, photo.height_px) / self._max_side_px)
        image = photo.pixels
        if scale > 1:
            size = (max(1, round(photo.width_px / scale)), max(1, round(photo.height_px / scale)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        boxes = self._detect(np.ascontiguousarray(image[:, :, ::-1]))
        # Crops are taken at full resolution, so that small letters of a large photo stay legible.
        crops = [_crop(photo.pixels, np.asarray(box * scale, dtype=np.float32)) for box in boxes]
        readings = self._recognise(crops)
        return [
            Crop(box, crop, reading, *_judge(clean(reading.text), reading.score, crop))
            for box, crop, reading in zip(boxes, crops, readings, strict=True)
        ], scale

    def flipped(self, crops: Sequence[Crop], width: float) -> list[Crop]:
        """Read crops flipped left to right, and return them as they are in the mirrored photo.

        Args:
            crops: of `find`.
            width: of the downscaled photo in pixels.
        """
        pixels = [np.ascontiguousarray(crop.pixels[:, ::-1]) for crop in crops]
        readings = self._best_of(pixels, [(1, 3) if is_tall(crop) else (0,) for crop in pixels])
        return [
            Crop(mirror_box(crop.box, width), over, reading, *_judge(clean(reading.text), reading.score, over))
            for crop, over, reading in zip(crops, pixels, readings, strict=True)
        ]

    def _detect(self, image: UInt8) -> list[Float32]:
        """Return text quads, clockwise from top-left, in pixels of `image`."""
        height, width = image.shape[:2]
        # The detector enlarges the shorter side to 736 px: a strip of 2000 × 100 would become 14,720 px long.
        pad_x, pad_y = max(0, height // 4 - width), max(0, width // 4 - height)
        if pad_x or pad_y:
            image = np.pad(image, ((0, pad_y), (0, pad_x), (0, 0)), mode="edge")
        found = self._engine(image, use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None:
            return []
        boxes = np.clip(np.asarray(found.boxes), 0, [width, height]).astype(np.float32)
        return [box for box in boxes if min(_sides(box)) >= 3 and max(_sides(box)) <= _MAX_ASPECT * min(_sides(box))]

    def _recognise(self, crops: Sequence[UInt8]) -> list[Reading]:
        """Read every crop; tall ones in both sideways rotations, and all upside down if little makes sense upright."""
        if not crops:
            return []
        turns = [(1, 3) if is_tall(crop) else (0,) for crop in crops]
        best = self._best_of(crops, turns)
        chars = sum(len(reading.text) for reading in best)
        mean = sum(reading.score * len(reading.text) for reading in best) / max(chars, 1)
        if self._retry and len(crops) >= 2 and chars >= 6 and mean < TRUST:
            other = self._best_of(crops, [(2,) if turn == (0,) else () for turn in turns])
            best = [max(pair, key=lambda reading: reading.score) for pair in zip(best, other, strict=True)]
        return best

    def _best_of(self, crops: Sequence[UInt8], turns: Sequence[Sequence[int]]) -> list[Reading]:
        """Read each crop in each of its rotations and keep the most confident reading ("" if it has no rotation)."""
        jobs = [(index, turn) for index, ways in enumerate(turns) for turn in ways]
        best = [Reading("", 0.0, 0)] * len(crops)
        if jobs:
            read = self._engine.recognize_txt([np.ascontiguousarray(np.rot90(crops[i], turn)) for i, turn in jobs])
            for (index, turn), text, score in zip(jobs, read.txts, read.scores, strict=True):
                if text.strip() and float(score) > best[index].score:
                    best[index] = Reading(text, float(score), turn)
        return best

    def regions(
        self, photo: Photo, pieces: Sequence[Piece], scale: float, engine_of: Callable[[Piece], str]
    ) -> tuple[TextRegion, ...]:
        """Join pieces into lines and return them in reading order.

        Args:
            photo: the photo they were found in.
            pieces: pieces in pixels of the downscaled photo.
            scale: pixels of `photo` per pixel of the downscaled photo.
            engine_of: returns the engine and model name of a line.
        """
        kept = [_as_read(piece) for piece in pieces if self._keeps(piece)]
        lines = reading_order(join_fragments(kept) if self._joins else kept)
        # If one sign is Greek, neighbouring words that both alphabets could spell are taken as Greek, too.
        greek = any("Grek" in script_counts(piece.text) for piece in pieces)
        width, height = photo.width_px * photo.scale, photo.height_px * photo.scale
        regions = []
        for line in lines:
            alike = greek and LATIN_LIKE["Grek"].issuperset(char for char in line.text if char.isalpha())
            regions.append(
                TextRegion(
                    text=line.text,
                    polygon_px=polygon(_as_read(line), scale * photo.scale, width, height),
                    confidence=line.confidence if line.right is None else line.right,
                    stated=None if line.right is None else line.confidence,
                    script=script_of(line.text),
                    script_is_evidence=line.trusted and not alike and evident_script(line.text, line.confidence),
                    engine=engine_of(line),
                )
            )
        return tuple(regions)

    def _keeps(self, piece: Piece) -> bool:
        """Whether a piece is confident enough, or has enough letters that a search may still match it."""
        return self.reads(piece) or (letters(piece.text) >= 4 and piece.confidence >= _FLOOR)

    def reads(self, piece: Piece) -> bool:
        """Whether a piece has a reading that counts as one."""
        return bool(piece.text) and piece.confidence >= self._min_score


def _as_read(piece: Piece) -> Piece:
    """Flip the edges of a right-to-left line to its reading direction, so that it is joined at its left; or back."""
    if script_of(piece.text) not in _RIGHT_TO_LEFT:
        return piece
    return replace(piece, corners=piece.corners[[1, 0, 3, 2]])


def mirror_box(box: Float32, width: float) -> Float32:
    """Return a quad in the mirrored picture, clockwise from its top-left corner there; or back again.

    Args:
        box: `(4, 2)` pixels, clockwise from its top-left corner.
        width: of the picture in pixels.
    """
    return np.asarray(box[[1, 0, 3, 2]] * [-1, 1] + [width, 0], dtype=np.float32)


def thread_count(asked: int | None) -> int:
    """Return how many threads onnxruntime may use: those asked for, else $OMP_NUM_THREADS, else one a core.

    Onnxruntime does not read the variable, and silently ignores a count above the number of cores and uses all.
    """
    cores, named = os.cpu_count() or 1, os.environ.get("OMP_NUM_THREADS", "")
    wanted = asked or (int(named) if named.isdecimal() else 0) or cores
    return max(1, min(wanted, cores))


def one_line(error: BaseException) -> str:
    """Return the last line of an error message."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def is_tall(crop: UInt8) -> bool:
    """Whether a crop is tall: a vertical column, or a line rotated sideways."""
    return bool(crop.shape[0] >= 1.5 * crop.shape[1])


def _load(threads: int) -> tuple[Any, str]:
    """Load the models bundled with RapidOCR; return the engine and the recogniser's name."""
    try:
        import rapidocr

        models = Path(rapidocr.__file__).parent / "models"
        # Given by path, so that a missing file raises an error instead of starting a download.
        paths = {part: max(models.glob(f"*_{part}_*.onnx"), default=None) for part in ("det", "rec")}
        if None in paths.values():
            raise FileNotFoundError(f"no detection and recognition models in {models}")
        params = {
            "Global.log_level": "error",
            "Global.use_cls": False,
            "Global.max_side_len": 100_000,
            "Global.min_side_len": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(paths["det"]),
            "Rec.model_path": str(paths["rec"]),
        }
        with contextlib.redirect_stdout(None):
            engine = rapidocr.RapidOCR(params=params)
            blank = np.full((64, 64, 3), 255, dtype=np.uint8)
            engine(blank, use_det=True, use_cls=False, use_rec=False)
            engine.recognize_txt([blank])
    except Exception as error:
        raise OcrError(
            f"rapidocr cannot be used: {one_line(error)}; run: pip install --force-reinstall 'rapidocr>=3.10,<4' "
            "onnxruntime, or choose the OCR engine 'nothing'"
        ) from error
    return engine, Path(str(paths["rec"])).stem


def _sides(box: Float32) -> tuple[float, float]:
    """Return the width and height of a quad: the longer of each pair of opposite sides."""
    edges = np.linalg.norm(np.roll(box, -1, axis=0) - box, axis=1)
    return float(max(edges[0], edges[2])), float(max(edges[1], edges[3]))


def _crop(pixels: UInt8, box: Float32) -> UInt8:
    """Rectify a quad of an RGB image to BGR without a margin: a margin would include neighbouring text."""
    import cv2

    width, height = (max(2, int(side)) for side in _sides(box))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(box, corners)
    straight = cv2.warpPerspective(
        pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(straight[:, :, ::-1], dtype=np.uint8)


def _judge(text: str, score: float, crop: UInt8) -> tuple[float, bool]:
    """Return the confidence of a reading and whether to trust it.

    A line in an unsupported script is read as a few look-alikes and blanks, with scores up to 0.98. It is detected by
    having too few characters for its length. Greek letters are read without accents and mixed with Latin ones.
    """
    seen = sum(not char.isspace() for char in text)
    aspect = max(crop.shape[:2]) / max(min(crop.shape[:2]), 1)
    script = script_of(text)
    dense = seen >= (0.35 if script in {"Hani", "Jpan"} else 0.6) * aspect
    greek = "Grek" in script_counts(text)
    if not dense or greek:
        return score / 2, False
    return score, score >= TRUST
