"""Recognition of single rectified text lines with Tesseract's script models."""

from __future__ import annotations

import itertools
import os
import re
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from geoagent.errors import OcrError
from geoagent.evidence.ocr._tessdata import Model
from geoagent.evidence.scripts import clean, native_digits, script_counts, script_of
from geoagent.optional import needs
from geoagent.types import UInt8

_HEIGHT_PX, _BORDER_PX, _MAX_WIDTH_PX = 64, 16, 4000
_SINGLE_LINE, _RAW_LINE = 7, 13  # Tesseract's page segmentation modes
_SURE = 0.9
_MIN_SHARE, _MIN_LETTERS = 0.6, 2
_LSTM = 1
_DOUBT, _MARGIN, _ALIKE = 0.25, 0.12, 0.5
_UNSPACED = {"Thai", "Hang", "Laoo", "Khmr", "Mymr", "Tibt"}
# Unify the models' variant output: presentation forms by NFKC, Persian yeh and kaf as the Arabic letters.
_ARABIC_FORMS = re.compile(r"[\ufb50-\ufdff\ufe70-\ufefc]+")
_ARABIC = str.maketrans({"\u06cc": "\u064a", "\u06a9": "\u0643"})
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Guess:
    """One model's reading of a line.

    Attributes:
        script: ISO 15924 code of the model.
        text: cleaned text.
        confidence: mean confidence of the words, in [0, 1].
        fits: whether most letters, and digits of a script, belong to the model's script.
        latin: confidence that the line is Latin; most of these models also know Latin.
        right: probability that the text is right where that was fitted to the confidence, else None.
        steady: whether a second reading, of the line without its margin, was similar, or none was needed.
    """

    script: str
    text: str = ""
    confidence: float = 0.0
    fits: bool = False
    latin: float = 0.0
    steady: bool = True
    right: float | None = None

    @classmethod
    def of(cls, script: str, text: str, confidence: float) -> Guess:
        """Make a guess from a model's output; if most letters are not of its script, keep at most `latin`."""
        counts = script_counts(text)
        for code, digits in native_digits(text).items():
            counts[code] = counts.get(code, 0) + digits
        enough = max(_MIN_LETTERS, _MIN_SHARE * sum(counts.values()))
        latin = confidence if counts.get("Latn", 0) >= enough else 0.0
        if counts.get(script, 0) < enough:
            return cls(script, latin=latin)
        return cls(script, text, confidence, True, latin)


class LineReader:
    """Models by script, each loaded on first use and kept in memory. Not thread-safe."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = dict(models)
        self.names = {script: f"tesseract/{model.name.rpartition('/')[2]}" for script, model in self.models.items()}
        self._loaded: dict[str, Any] = {}

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read one line; if the confidence is low, read it again without the margin that detectors leave.

        Args:
            crop: `(H, W, 3)` BGR, rectified and upright.
            script: one of `models`.

        Raises:
            OcrError: the model cannot be loaded.
            MissingDependency: tesserocr is not installed.
        """
        first = self._look(prepare(crop), script)
        if not _DOUBT <= first.confidence < _SURE:
            return first
        margin = round(_MARGIN * len(crop))
        second = self._look(prepare(crop[margin : len(crop) - margin]), script)
        alike = SequenceMatcher(None, first.text, second.text, autojunk=False).ratio() >= _ALIKE
        surer = second if second.confidence > first.confidence else first
        return replace(surer, latin=max(first.latin, second.latin), steady=alike)

    def _look(self, line: UInt8, script: str) -> Guess:
        api = self._loaded.get(script)
        if api is None:
            api = self._loaded[script] = _load(self.models[script])
        height, width = line.shape
        best, latin = Guess(script), 0.0
        for mode in (_SINGLE_LINE, _RAW_LINE):
            api.SetPageSegMode(mode)
            api.SetImageBytes(line.tobytes(), width, height, 1, width)
            api.SetSourceResolution(300)
            text = tidy(api.GetUTF8Text() or "", script)
            words = api.AllWordConfidences()
            api.Clear()
            confidence = min(max(float(np.mean(words)) / 100, 0.0), 1.0) if len(words) else 0.0
            guess = Guess.of(script, text, confidence)
            latin = max(latin, guess.latin)
            if guess.confidence > best.confidence:
                best = guess
            if max(best.confidence, latin) >= _SURE:
                break  # the other mode would not change the result
        return replace(best, latin=latin)


def _load(model: Model) -> Any:
    with needs("tesseract", "tesserocr"), _importing:
        # OpenMP threads slow down the reading of one line. OpenMP reads this variable only while it is loaded.
        before = os.environ.get("OMP_THREAD_LIMIT")
        os.environ["OMP_THREAD_LIMIT"] = "1"
        try:
            import tesserocr
        finally:
            if before is None:
                del os.environ["OMP_THREAD_LIMIT"]
            else:
                os.environ["OMP_THREAD_LIMIT"] = before
    try:
        api = tesserocr.PyTessBaseAPI(path=str(model.folder), lang=model.name, oem=_LSTM, psm=_SINGLE_LINE)
        api.SetVariable("debug_file", os.devnull)  # otherwise it writes to the terminal
    except Exception as error:
        raise OcrError(
            f"Tesseract cannot load {model.folder / model.name}.traineddata ({error}); install it again, or leave "
            f"{model.script} out of the option scripts"
        ) from error
    return api


def prepare(crop: UInt8) -> UInt8:
    """Prepare a rectified BGR crop for Tesseract: greyscale, fixed height, and a border in the colour of its edge."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    wide = int(np.clip(round(width * _HEIGHT_PX / height), 8, _MAX_WIDTH_PX))
    how = cv2.INTER_AREA if height > _HEIGHT_PX else cv2.INTER_CUBIC
    grey = cv2.resize(grey, (wide, _HEIGHT_PX), interpolation=how)
    edge = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    return np.asarray(np.pad(grey, _BORDER_PX, constant_values=int(edge)), dtype=np.uint8)


def tidy(text: str, script: str) -> str:
    """Normalise a model's output to ordinary typed text."""
    if script == "Arab":
        text = _ARABIC_FORMS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text).translate(_ARABIC)
    text = clean(text)
    # Marks that come together are put in their order by cleaning once more.
    return clean(_close_up(text)) if text and script in _UNSPACED else text


def _close_up(text: str) -> str:
    """Drop spaces between non-Latin letters or marks: the script has none, or the models insert them at random."""
    words = text.split(" ")
    line = words[0]
    for before, after in itertools.pairwise(words):
        line += after if _is_written(before[-1]) and _is_written(after[0]) else f" {after}"
    return line


def _is_written(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and script_of(char) != "Latn"
