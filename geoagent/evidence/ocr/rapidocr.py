"""RapidOCR: PaddleOCR's detector and recogniser on onnxruntime, models in its wheel, nothing is downloaded.

Reads Latin, Han, Japanese, digits and plates. Everything else comes back empty, unsure, or as Latin look-alikes (Greek
above all), so what it reads passes a gate before it may count as evidence. Its models of other scripts, where they are
given by path, read what the gate holds back.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from geoagent.errors import OcrError
from geoagent.evidence.ocr._many import ManyScripts
from geoagent.evidence.ocr._onnx import OnnxLines, scripts_of
from geoagent.evidence.ocr._passes import look
from geoagent.evidence.ocr._rapid import Reader, one_line
from geoagent.evidence.photos import quiet
from geoagent.protocols import Assets
from geoagent.types import Photo, TextRegion


class RapidOcr:
    """The engine that needs nothing but what geoagent installs."""

    name = "rapidocr"

    def __init__(self, reader: Reader, thorough: bool = False) -> None:
        self._reader, self._thorough, self._lock = reader, thorough, threading.Lock()

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines of `photo` in reading order; () where there is no text.

        Raises:
            OcrError: RapidOCR is not installed as it should be, or failed on this photo.
        """
        with self._lock, quiet:
            self._reader.load()
            try:
                crops, scale = look(self._reader, photo, thorough=self._thorough)
            except Exception as error:
                raise OcrError(f"rapidocr failed on {photo.source}: {one_line(error)}") from error
        engine = f"rapidocr/{self._reader.model}"
        return self._reader.regions(photo, [crop.piece for crop in crops], scale, lambda line: engine)


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
    """Build the engine; nothing is loaded before the first photo, save that `models` are looked into for their scripts.

    Args:
        assets: not used.
        max_side_px: photos are reduced to this longer side before reading; above 2000 the detector loses large text.
        threads: of onnxruntime; all cores where None.
        min_score: lines below are dropped, unless they have 4 letters or more to search for.
        join: join fragments on one baseline to one line.
        retry: read lines upside down as well where upright they make little sense.
        thorough: turn photos whose text makes little sense, and read small ones enlarged as well; two to four times
            the time.
        models: ONNX recognisers of further scripts (RapidOCR's own, such as korean_PP-OCRv5_rec_mobile.onnx), or a
            folder of them.

    Raises:
        ConfigError: an option out of range, or a model that is not there or none.
    """
    reader = Reader(max_side_px=max_side_px, threads=threads, min_score=min_score, join=join, retry=retry)
    if models is not None:
        return ManyScripts("rapidocr", reader, OnnxLines(scripts_of(models), threads), thorough)
    return RapidOcr(reader, thorough)
