"""Many scripts by default: RapidOCR finds the text and reads Latin, Han and Japanese, our own model reads the rest.

The model reads 22 further scripts, see `_multiscript`. How the two are joined is in `_many`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geoagent.errors import ConfigError
from geoagent.evidence.ocr._both import BothLines
from geoagent.evidence.ocr._classes import SCRIPTS
from geoagent.evidence.ocr._lines import LineReader
from geoagent.evidence.ocr._many import Lines, ManyScripts
from geoagent.evidence.ocr._multiscript import MODEL, MultiscriptLines
from geoagent.evidence.ocr._rapid import Reader
from geoagent.evidence.ocr._tessdata import choose, require_package
from geoagent.protocols import Assets


def build(
    assets: Assets,
    *,
    scripts: Sequence[str] | None = None,
    max_side_px: int = 2000,
    threads: int | None = None,
    min_score: float = 0.5,
    join: bool = True,
    retry: bool = True,
    thorough: bool = False,
    tesseract: bool = False,
    model: str | Path | None = None,
) -> ManyScripts:
    """Build the engine; nothing is loaded before the first photo.

    Args:
        assets: not used.
        scripts: ISO 15924 codes of the scripts to read beside Latin, Han and Japanese; all of them where None.
        max_side_px: photos are reduced to this longer side before reading; above 2000 the detector loses large text.
        threads: of onnxruntime; $OMP_NUM_THREADS or all cores where None.
        min_score: lines below are dropped, unless they have 4 letters or more to search for.
        join: join fragments on one baseline to one line.
        retry: read lines upside down as well where upright they make little sense.
        thorough: turn photos whose text makes little sense, and read small ones enlarged as well; two to four times
            the time.
        tesseract: read every such line with Tesseract's installed script models as well, and keep the surer reading;
            these also add scripts that our own model does not read.
        model: ONNX file of a model of your own, as `geoagent train-reader` makes it; the one that ships where None.

    Raises:
        ConfigError: an option out of range, a script that the model does not read, or no file where `model` says.
        MissingDependency: `tesseract` without tesserocr.
        OcrError: `tesseract` without an installed model.
    """
    wanted = SCRIPTS if scripts is None else (scripts,) if isinstance(scripts, str) else tuple(scripts)
    unknown = [script for script in wanted if script not in SCRIPTS]
    if unknown or not wanted:
        raise ConfigError(f"scripts: {', '.join(unknown) or 'none given'}; choose from {', '.join(SCRIPTS)}")
    path = MODEL if model is None else Path(model)
    if not path.is_file():
        raise ConfigError(f"model: {path} is no file; expected multiscript.onnx as `geoagent train-reader` makes it")
    reader = Reader(max_side_px=max_side_px, threads=threads, min_score=min_score, join=join, retry=retry)
    lines: Lines = MultiscriptLines(path, threads, wanted)
    if tesseract:
        models = choose(None)
        require_package()
        lines = BothLines(lines, LineReader({s: m for s, m in models.items() if scripts is None or s in wanted}))
    return ManyScripts("multiscript", reader, lines, thorough)
