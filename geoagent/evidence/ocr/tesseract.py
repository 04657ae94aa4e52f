"""Multi-script engine: RapidOCR detects the text and reads what it can, Tesseract's script models read the rest.

Tesseract only gets single rectified lines; it detects little text in whole photos. `_many` combines the two.
"""

from __future__ import annotations

from collections.abc import Sequence

from geoagent.evidence.ocr._lines import LineReader
from geoagent.evidence.ocr._many import ManyScripts
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
) -> ManyScripts:
    """Build the engine; nothing is loaded before the first photo, and each script model on first use.

    Args:
        assets: not used.
        scripts: ISO 15924 codes of the scripts to read with Tesseract; all installed ones if None.
        max_side_px: the longer side is downscaled to this before reading; above 2000 the detector misses large text.
        threads: number of onnxruntime threads; $OMP_NUM_THREADS or all cores if None.
        min_score: lines with a lower confidence are dropped, unless they have 4 or more letters to search for.
        join: join fragments on one baseline into one line.
        retry: also read lines upside down if they make little sense upright.
        thorough: rotate photos whose text makes little sense, and also read small ones enlarged; takes two to four
            times as long.

    Raises:
        ConfigError: an option is out of range, or Tesseract has no model for a script.
        MissingDependency: tesserocr is not installed.
        OcrError: a model is not installed.
    """
    reader = Reader(max_side_px=max_side_px, threads=threads, min_score=min_score, join=join, retry=retry)
    models = choose(scripts)
    require_package()
    return ManyScripts("tesseract", reader, LineReader(models), thorough)
