"""Our own recogniser of single lines: one small CTC network for 22 scripts that RapidOCR does not read.

The network reads a straightened line, grey, 48 px high, `(B, 1, 48, W)` scaled to [-1, 1], and gives probabilities
`(B, W / 4, K)` over classes: CTC's blank and K − 1 characters, which stand in the file's metadata. Hangul comes as
conjoining jamo, Arabic and Hebrew in visual order from left to right, and every Han character or kana as the one class
"〓": text for RapidOCR. It is trained by
`geoagent.evidence.ocr.training`; its figures are in models/multiscript.json.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import OcrError
from geoagent.evidence.ocr._classes import SCRIPTS, Classes
from geoagent.evidence.ocr._lines import Guess, tidy
from geoagent.evidence.ocr._rapid import one_line, thread_count
from geoagent.types import Float32, UInt8

MODEL = Path(__file__).resolve().parent / "models" / "multiscript.onnx"
_HEIGHT_PX, _MIN_WIDTH_PX, _MAX_WIDTH_PX, _STEP_PX = 48, 24, 1600, 16
_GREY = 128  # of the padding in training
_DOUBT, _SURE, _MARGIN, _ALIKE = 0.25, 0.9, 0.12, 0.5
_LEAST_SHARE = 0.1  # of a line's characters in a script, below which the line is not decoded in it
_EDGE = 1e-3  # no confidence is taken to be nearer to 0 or 1
_KEPT = 8  # lines whose probabilities are kept: each line is read once a script, one line after another


class MultiscriptLines:
    """Reads lines with the model, which is loaded on first use; not safe for two threads at once.

    Args:
        path: the ONNX file.
        threads: of onnxruntime; $OMP_NUM_THREADS or all cores where None.
        scripts: ISO 15924 codes of the scripts to read.
    """

    def __init__(self, path: Path = MODEL, threads: int | None = None, scripts: Sequence[str] = SCRIPTS) -> None:
        self.names = {script: f"multiscript/{script}" for script in scripts}
        self._path, self._threads = path, threads
        self._session: Any = None
        self._classes = Classes(())
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, tuple[Float32, Float32 | None]] = OrderedDict()

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read one line; where it is unsure, a second look without its margin counts as well.

        Args:
            crop: `(H, W, 3)` BGR, straightened and upright.
            script: one of `SCRIPTS`.

        Raises:
            OcrError: the model cannot be loaded.
        """
        probs, second = self._looks(crop)
        shares = self._classes.shares(probs)
        total = sum(shares.values())
        latin = self._latin(probs, shares)
        if total <= 0 or shares.get(script, 0.0) < _LEAST_SHARE * total:
            return Guess(script, latin=latin)
        text, confidence = self._classes.decode(probs, script)
        steady = True
        if second is not None:
            other, again = self._classes.decode(second, script)
            steady = SequenceMatcher(None, text, other, autojunk=False).ratio() >= _ALIKE
            if again > confidence:
                text, confidence = other, again
        guess = Guess.of(script, tidy(text, script), confidence)
        right = self._right(script, guess.confidence) if guess.fits else None
        return replace(guess, steady=steady, latin=max(guess.latin, latin), right=right)

    def _right(self, script: str, stated: float) -> float | None:
        """Probability that a line is right, by the fit on the model's card; None where it has none."""
        if script not in self._fits:
            return None
        intercept, slope = self._fits[script]
        odds = intercept + slope * math.log(max(stated, _EDGE) / max(1 - stated, _EDGE))
        return 1 / (1 + math.exp(-odds))

    @cached_property
    def _fits(self) -> dict[str, tuple[float, float]]:
        try:
            card = json.loads(self._path.with_suffix(".json").read_text("utf-8"))
            return {code: (float(fit["intercept"]), float(fit["slope"])) for code, fit in card["confidence"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # a model without a card states its own confidences

    def _latin(self, probs: Float32, shares: dict[str, float]) -> float:
        """How surely the line is Latin, or Han or kana: text that another recogniser reads."""
        text, confidence = self._classes.decode(probs, "Latn")
        latin = confidence if sum(c.isalpha() for c in text) >= 2 else 0.0
        if shares and max(shares, key=lambda s: shares[s]) == "Hani":
            latin = max(latin, self._classes.decode(probs, "Hani")[1])
        return latin

    def _looks(self, crop: UInt8) -> tuple[Float32, Float32 | None]:
        """Probabilities of a line, and those of a second look where the first is unsure; kept for the next script."""
        key = crop.tobytes()
        if key in self._seen:
            self._seen.move_to_end(key)
            return self._seen[key]
        probs = self._probs(crop)
        shares = self._classes.shares(probs)
        main = max(shares, key=lambda s: shares[s], default="Latn")
        second = None
        margin = round(_MARGIN * len(crop))
        if _DOUBT <= self._classes.decode(probs, main)[1] < _SURE and len(crop) > 2 * margin:
            second = self._probs(crop[margin : len(crop) - margin])
        self._seen[key] = probs, second
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
        return probs, second

    def _probs(self, crop: UInt8) -> Float32:
        """`(T, K)` probabilities of one line."""
        import cv2

        session = self._load()
        grey = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_BGR2GRAY)
        height, width = grey.shape
        wide = int(np.clip(round(width * _HEIGHT_PX / height), _MIN_WIDTH_PX, _MAX_WIDTH_PX))
        how = cv2.INTER_AREA if height > _HEIGHT_PX else cv2.INTER_LINEAR
        line = cv2.resize(grey, (wide, _HEIGHT_PX), interpolation=how)
        # To a multiple of the step, so that onnxruntime meets few shapes.
        full = np.full((1, 1, _HEIGHT_PX, -(-wide // _STEP_PX) * _STEP_PX + _STEP_PX), _GREY, dtype=np.float32)
        full[0, 0, :, :wide] = line
        return np.asarray(session.run(None, {"line": full / 127.5 - 1})[0][0], dtype=np.float32)

    def _load(self) -> Any:
        with self._lock:
            if self._session is None:
                try:
                    import onnxruntime

                    options = onnxruntime.SessionOptions()
                    options.intra_op_num_threads = thread_count(self._threads)
                    options.inter_op_num_threads = 1
                    options.log_severity_level = 3
                    session = onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
                    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
                except Exception as error:
                    raise OcrError(
                        f"{self._path} cannot be loaded ({one_line(error)}); reinstall geoagent, or name a model that "
                        "geoagent train-reader made"
                    ) from error
                self._session, self._classes = session, Classes(tuple(characters))
        return self._session
