"""RapidOCR: PaddleOCR's detector and recogniser on onnxruntime. The models are in its wheel; nothing is downloaded.

Reads Latin, Han, Japanese, digits and plates. Other scripts are returned empty, with low confidence, or as Latin
look-alikes (Greek above all), so readings must pass a gate before they count as evidence. RapidOCR models of other
scripts, if given by path, read the lines that fail the gate.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from geoagent.errors import OcrError
from geoagent.evidence.ocr._layout import lay_out
from geoagent.evidence.ocr._many import ManyScripts
from geoagent.evidence.ocr._mirror import Read, settle
from geoagent.evidence.ocr._onnx import OnnxLines, scripts_of
from geoagent.evidence.ocr._passes import look
from geoagent.evidence.ocr._rapid import Crop, Reader, one_line
from geoagent.evidence.photos import quiet
from geoagent.protocols import Assets
from geoagent.types import Photo, TextRegion


class RapidOcr:
    """The default engine; needs no packages beyond geoagent's own dependencies."""

    name = "rapidocr"

    def __init__(self, reader: Reader, thorough: bool = False) -> None:
        self._reader, self._thorough, self._lock = reader, thorough, threading.Lock()

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines of `photo` in reading order; () if there is no text.

        Raises:
            OcrError: RapidOCR is not installed correctly, or failed on this photo.
        """
        with self._lock, quiet:
            self._reader.load()
            try:
                crops, scale = look(self._reader, photo, thorough=self._thorough)
                width = photo.width_px / scale
                reads = settle(
                    self._finally(crops), lambda some: self._finally(self._reader.flipped(some, width), mirrored=True)
                )
            except Exception as error:
                raise OcrError(f"rapidocr failed on {photo.source}: {one_line(error)}") from error
        return lay_out(self._reader, photo, reads, scale)

    def _finally(self, crops: Sequence[Crop], *, mirrored: bool = False) -> list[Read]:
        engine = f"rapidocr/{self._reader.model}"
        return [Read(crop, crop.piece, engine, mirrored) for crop in crops]


def build(
    assets: Assets,
    *,
    max_side_px: int = 2000,
    threads: int | None = None,
    min_score: float = 0.5,
    join: bool = True,
    retry: bool = True,
    thorough: bool = False,
    models: Sequence[str] | str | None = None,
) -> RapidOcr | ManyScripts:
    """Build the engine; models are loaded with the first photo, but the scripts of `models` are determined now.

    Args:
        assets: not used.
        max_side_px: the longer side is downscaled to this before reading; above 2000 the detector misses large text.
        threads: number of onnxruntime threads; $OMP_NUM_THREADS or all cores if None.
        min_score: lines with a lower confidence are dropped, unless they have 4 or more letters to search for.
        join: join fragments on one baseline into one line.
        retry: also read lines upside down if they make little sense upright.
        thorough: rotate photos whose text makes little sense, and also read small ones enlarged; takes two to four
            times as long.
        models: ONNX recognisers of further scripts (RapidOCR's own, such as korean_PP-OCRv5_rec_mobile.onnx), or a
            folder of them.

    Raises:
        ConfigError: an option is out of range, or a model is missing or invalid.
    """
    reader = Reader(max_side_px=max_side_px, threads=threads, min_score=min_score, join=join, retry=retry)
    if models is not None:
        return ManyScripts("rapidocr", reader, OnnxLines(scripts_of(models), threads), thorough)
    return RapidOcr(reader, thorough)
