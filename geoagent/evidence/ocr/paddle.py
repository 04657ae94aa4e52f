"""PaddleOCR 3.x. Needs local model folders, or a network to download the models.

The PaddleOCR wheels contain no models. Without model folders PaddleOCR downloads them from a model hub on first use,
and without a network it takes minutes to give up. This module therefore first checks within seconds whether a hub is
reachable.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import ConfigError, GeoAgentError, OcrError
from geoagent.evidence.ocr import Piece, join_fragments, polygon, reading_order
from geoagent.evidence.photos import quiet
from geoagent.evidence.scripts import clean, evident_script, script_of
from geoagent.optional import needs
from geoagent.protocols import Assets
from geoagent.types import Photo, TextRegion

_TRUST = 0.85
_HUBS = ("huggingface.co", "www.modelscope.cn", "paddle-model-ecology.bj.bcebos.com")
_MODEL_FILE = "inference.yml"
_UNUSABLE = "PaddleOCR cannot be used"


class Paddle:
    """PaddleOCR's own pipeline without its document preprocessing steps."""

    name = "paddle"

    def __init__(
        self, folders: dict[str, str], language: str | None, min_score: float, join: bool, timeout_s: float
    ) -> None:
        self._folders, self._language = folders, language
        self._min_score, self._joins, self._timeout_s = min_score, join, timeout_s
        self._lock = threading.Lock()
        self._engine: Any = None
        recognition = folders.get("text_recognition_model_dir")
        self._model = Path(recognition).name if recognition else language or "default"

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines of `photo` in reading order; () if there is no text.

        Raises:
            OcrError: models are missing, or PaddleOCR failed on this photo.
            MissingDependency: PaddleOCR is not installed.
        """
        with self._lock, quiet:
            if self._engine is None:
                self._engine = self._load()
            try:
                pieces = self._read(photo)
            except Exception as error:
                raise OcrError(f"paddle failed on {photo.source}: {_one_line(error)}") from error
        lines = reading_order(join_fragments(pieces) if self._joins else pieces)
        width, height = photo.width_px * photo.scale, photo.height_px * photo.scale
        return tuple(
            TextRegion(
                text=line.text,
                polygon_px=polygon(line, photo.scale, width, height),
                confidence=line.confidence,
                script=script_of(line.text),
                script_is_evidence=line.trusted and evident_script(line.text, line.confidence),
                engine=f"paddle/{self._model}",
            )
            for line in lines
        )

    def _load(self) -> Any:
        with needs("paddle", "paddleocr", "paddle", "paddlex"):
            import paddleocr
        if len(self._folders) < 2 and not self._hub():
            raise OcrError(
                f"{_UNUSABLE}: it has no models, and none of {', '.join(_HUBS)} can be reached to fetch them; give "
                "folders as detection_dir and recognition_dir, or choose another OCR engine"
            )
        options: dict[str, Any] = dict(self._folders)
        if self._language is not None:
            options["lang"] = self._language
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return paddleocr.PaddleOCR(
                    use_doc_orientation_classify=False,
                    use_doc_unwarping=False,
                    use_textline_orientation=False,
                    **options,
                )
        except GeoAgentError:
            raise
        except Exception as error:
            raise OcrError(f"{_UNUSABLE}: {_one_line(error)}; check the model folders and the network") from error

    def _hub(self) -> bool:
        """Whether a model hub is reachable, or PaddleOCR's cache contains models."""
        cache = Path(os.environ.get("PADDLE_PDX_CACHE_HOME") or Path.home() / ".paddlex") / "official_models"
        if any(cache.glob(f"*/{_MODEL_FILE}")):
            return True
        found = threading.Event()
        # One thread per host: a DNS lookup can take far longer than any socket timeout.
        probes = [threading.Thread(target=_probe, args=(host, self._timeout_s, found), daemon=True) for host in _HUBS]
        for probe in probes:
            probe.start()
        deadline = time.monotonic() + self._timeout_s
        for probe in probes:
            while probe.is_alive() and not found.is_set() and time.monotonic() < deadline:
                probe.join(0.05)
        return found.is_set()

    def _read(self, photo: Photo) -> list[Piece]:
        results = list(self._engine.predict(np.ascontiguousarray(photo.pixels[:, :, ::-1])))
        pieces = []
        for result in results:
            rows = zip(result["rec_polys"], result["rec_texts"], result["rec_scores"], strict=True)
            for corners, written, score in rows:
                text, confidence = clean(str(written)), min(max(float(score), 0.0), 1.0)
                if text and confidence >= self._min_score:
                    box = np.asarray(corners, dtype=np.float32).reshape(-1, 2)
                    box = box if len(box) == 4 else _around(box)
                    pieces.append(Piece(box, text, confidence, confidence >= _TRUST))
        return pieces


def _around(corners: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the axis-aligned bounding box of a polygon."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def _probe(host: str, timeout_s: float, found: threading.Event) -> None:
    with contextlib.suppress(OSError), socket.create_connection((host, 443), timeout=timeout_s):
        found.set()


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def build(
    assets: Assets,
    *,
    detection_dir: str | None = None,
    recognition_dir: str | None = None,
    language: str | None = None,
    min_score: float = 0.5,
    join: bool = True,
    timeout_s: float = 3.0,
) -> Paddle:
    """Build the engine; nothing is loaded before the first photo.

    Args:
        assets: not used.
        detection_dir: folder of a text detection model; if None, PaddleOCR downloads its own.
        recognition_dir: folder of a text recognition model; if None, PaddleOCR downloads its own.
        language: PaddleOCR's code of the language whose model to download ("ru", "korean", "ar", …).
        min_score: lines with a lower confidence are dropped.
        join: join fragments on one baseline into one line.
        timeout_s: how long to wait for a model hub if models have to be downloaded.

    Raises:
        ConfigError: an option is out of range, or a folder contains no model.
    """
    if not 0.0 <= min_score <= 1.0:
        raise ConfigError(f"min_score of the OCR engine must lie in [0, 1], got {min_score}")
    if not timeout_s > 0:
        raise ConfigError(f"timeout_s of the OCR engine must be above 0, got {timeout_s}")
    folders = {}
    for part, folder in (("text_detection", detection_dir), ("text_recognition", recognition_dir)):
        if folder is None:
            continue
        if not (Path(folder) / _MODEL_FILE).is_file():
            raise ConfigError(
                f"{folder} contains no {part.replace('_', ' ')} model of PaddleOCR 3: {_MODEL_FILE} is missing"
            )
        folders[f"{part}_model_dir"] = str(folder)
    return Paddle(folders, language, min_score, join, timeout_s)
