"""One straightened line of text read by Tesseract's models, script by script."""

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
from geoagent.evidence.scripts import clean, script_counts, script_of
from geoagent.optional import needs
from geoagent.types import UInt8

_HEIGHT_PX, _BORDER_PX, _MAX_WIDTH_PX = 64, 16, 4000
_SINGLE_LINE, _RAW_LINE = 7, 13  # Tesseract's page segmentation modes
_SURE = 0.9
_MIN_SHARE, _MIN_LETTERS = 0.6, 2
_LSTM = 1
_DOUBT, _MARGIN, _ALIKE = 0.25, 0.12, 0.5
_UNSPACED = {"Thai", "Hang", "Laoo", "Khmr", "Mymr", "Tibt"}
# Letters that models write in a way of their own: presentation forms by NFKC, Persian yeh and kaf as Arabic ones.
_ARABIC_FORMS = re.compile(r"[\ufb50-\ufdff\ufe70-\ufefc]+")
_ARABIC = str.maketrans({"\u06cc": "\u064a", "\u06a9": "\u0643"})
_importing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Guess:
    """What one model makes of a line.

    Attributes:
        script: ISO 15924 code of the model.
        text: cleaned.
        confidence: mean of the words', in [0, 1].
        fits: whether most of its letters are of the model's script.
        latin: how surely the model takes the line for Latin; most of these models know Latin as well.
        steady: whether a second look, at the line without its margin, read much the same, or none was called for.
    """

    script: str
    text: str = ""
    confidence: float = 0.0
    fits: bool = False
    latin: float = 0.0
    steady: bool = True

    @classmethod
    def of(cls, script: str, text: str, confidence: float) -> Guess:
        """What a model of `script` read: a guess where most letters are its own, else at most a sign of Latin."""
        counts = script_counts(text)
        enough = max(_MIN_LETTERS, _MIN_SHARE * sum(counts.values()))
        latin = confidence if counts.get("Latn", 0) >= enough else 0.0
        if counts.get(script, 0) < enough:
            return cls(script, latin=latin)
        return cls(script, text, confidence, True, latin)


class LineReader:
    """Models by script, each loaded when it is first asked and kept; not to be called by two threads at once."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = dict(models)
        self.names = {script: f"tesseract/{model.name.rpartition('/')[2]}" for script, model in self.models.items()}
        self._loaded: dict[str, Any] = {}

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read one line, and look again without the margin that detectors leave where it is not read surely.

        Args:
            crop: `(H, W, 3)` BGR, straightened and upright.
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
                break  # the other mode would not change the verdict
        return replace(best, latin=latin)


def _load(model: Model) -> Any:
    with needs("tesseract", "tesserocr"), _importing:
        # Its OpenMP threads cost more than they bring on one line. OpenMP looks at the variable only while it loads.
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
        api.SetVariable("debug_file", os.devnull)  # else it writes to the terminal
    except Exception as error:
        raise OcrError(
            f"Tesseract cannot load {model.folder / model.name}.traineddata ({error}); install it again, or leave "
            f"{model.script} out of the option scripts"
        ) from error
    return api


def prepare(crop: UInt8) -> UInt8:
    """Return a straightened BGR crop as Tesseract reads it best: grey, of one height, with a border like its edge."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    wide = int(np.clip(round(width * _HEIGHT_PX / height), 8, _MAX_WIDTH_PX))
    how = cv2.INTER_AREA if height > _HEIGHT_PX else cv2.INTER_CUBIC
    grey = cv2.resize(grey, (wide, _HEIGHT_PX), interpolation=how)
    edge = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    return np.asarray(np.pad(grey, _BORDER_PX, constant_values=int(edge)), dtype=np.uint8)


def tidy(text: str, script: str) -> str:
    """Return what a model wrote as the words would be typed."""
    if script == "Arab":
        text = _ARABIC_FORMS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text).translate(_ARABIC)
    text = clean(text)
    return _close_up(text) if text and script in _UNSPACED else text


def _close_up(text: str) -> str:
    """Drop spaces between letters or marks that are not Latin: their script has none, or models set them at random."""
    words = text.split(" ")
    line = words[0]
    for before, after in itertools.pairwise(words):
        line += after if _is_written(before[-1]) and _is_written(after[0]) else f" {after}"
    return line


def _is_written(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and script_of(char) != "Latn"
