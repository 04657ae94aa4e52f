"""PaddleOCR recognisers for further scripts, from local ONNX files (RapidOCR's PP-OCRv4 and v5 models).

Nothing is downloaded. A model's script is determined from its character set ("character" in the file's metadata), not
from its name.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geoagent.errors import ConfigError, OcrError
from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.ocr._rapid import one_line, thread_count
from geoagent.evidence.scripts import clean, script_counts
from geoagent.types import UInt8

_LEAST = 20
"""Minimum number of letters of a script in a model's character set for the model to support that script."""
_RAPIDS = frozenset({"Latn", "Hani", "Jpan"})  # read better by RapidOCR's bundled recogniser


class OnnxLines:
    """Recognisers by script, each loaded on first use and kept in memory. Not thread-safe."""

    def __init__(self, models: dict[str, Path], threads: int | None) -> None:
        self.names = {script: f"rapidocr/{path.stem}" for script, path in models.items()}
        self._models, self._threads = models, threads
        self._loaded: dict[Path, Any] = {}

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read one line.

        Args:
            crop: `(H, W, 3)` BGR, rectified and upright.
            script: one of `names`.

        Raises:
            OcrError: the model cannot be loaded.
        """
        path = self._models[script]
        engine = self._loaded.get(path)
        if engine is None:
            engine = self._loaded[path] = _load(path, script, self._threads)
        found = engine.recognize_txt([crop])
        return Guess.of(script, clean(found.txts[0]), min(max(float(found.scores[0]), 0.0), 1.0))


def scripts_of(paths: Sequence[str | Path] | str | Path) -> dict[str, Path]:
    """Return the model file of each script, except scripts that RapidOCR's own recogniser reads better.

    Args:
        paths: *.onnx files, or folders that contain them; if two support a script, the first one wins.

    Raises:
        ConfigError: a path does not exist, a file has no character set in its metadata, or there is no model.
    """
    given = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    files: list[Path] = []
    for path in given:
        inside = sorted(path.glob("*.onnx")) if path.is_dir() else [path] if path.is_file() else []
        if not inside:
            raise ConfigError(f"models of the OCR engine: no ONNX file at {path}; check the path")
        files += inside
    models: dict[str, Path] = {}
    for file in files:
        known = _script_of_characters(file)
        if known is None and not any(path.is_dir() for path in given):
            raise ConfigError(f"models of the OCR engine: {file} has no character set; use a text recogniser")
        for script in known or ():
            models.setdefault(script, file)
    if not models:
        raise ConfigError(f"models of the OCR engine: none of {', '.join(map(str, files))} reads a further script")
    return models


def _script_of_characters(file: Path) -> list[str] | None:
    """Return the scripts of a model's character set, or None if it has no character set."""
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        characters = session.get_modelmeta().custom_metadata_map.get("character", "")
    except Exception as error:
        raise ConfigError(f"models of the OCR engine: {file} cannot be read ({one_line(error)})") from error
    if not characters:
        return None
    counts = Counter(script_counts(characters))
    return [script for script, count in counts.most_common() if count >= _LEAST and script not in _RAPIDS]


def _load(path: Path, script: str, threads: int | None) -> Any:
    try:
        import rapidocr
        from rapidocr.utils.typings import ModelType, OCRVersion

        params = {
            "Global.log_level": "error",
            "Global.use_cls": False,
            "EngineConfig.onnxruntime.intra_op_num_threads": thread_count(threads),
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Rec.model_path": str(path),
            "Rec.ocr_version": OCRVersion.PPOCRV5,
            "Rec.model_type": ModelType.MOBILE,
            # Arabic lines are output in visual order; the language code makes RapidOCR reverse them.
            "Rec.lang_type": "arabic" if script == "Arab" else "ch",
        }
        with contextlib.redirect_stdout(None):
            return rapidocr.RapidOCR(params=params)
    except Exception as error:
        lacks = "; run: pip install 'rapidocr[rtl]'" if "bidi" in str(error) else ""
        raise OcrError(f"rapidocr cannot load {path}: {one_line(error)}{lacks}") from error
