"""Many scripts: RapidOCR finds the text and reads what it can, Tesseract's script models read the rest.

Tesseract is asked about single straightened lines only; on whole photos it finds little. How the two are joined is in
`_many`.
"""

from __future__ import annotations

from collections.abc import Sequence

from geoagent.evidence.ocr._lines import LineReader
from geoagent.evidence.ocr._many import ManyScripts
from geoagent.evidence.ocr._rapid import Reader
from geoagent.evidence.ocr._tessdata import choose, has_package
from geoagent.optional import needs
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
    """Build the engine; nothing is loaded before the first photo, a model not before it is asked.

    Args:
        assets: not used.
        scripts: ISO 15924 codes of the scripts to ask Tesseract about; all that are installed where None.
        max_side_px: photos are reduced to this longer side before reading; above 2000 the detector loses large text.
        threads: of onnxruntime; all cores where None.
        min_score: lines below are dropped, unless they have 4 letters or more to search for.
        join: join fragments on one baseline to one line.
        retry: read lines upside down as well where upright they make little sense.
        thorough: turn photos whose text makes little sense, and read small ones enlarged as well; two to four times
            the time.

    Raises:
        ConfigError: an option out of range, or a script that Tesseract has no model for.
        MissingDependency: tesserocr is not installed.
        OcrError: a model is not installed.
    """
    reader = Reader(max_side_px=max_side_px, threads=threads, min_score=min_score, join=join, retry=retry)
    models = choose(scripts)
    with needs("tesseract", "tesserocr"):
        if not has_package():
            raise ModuleNotFoundError("tesserocr", name="tesserocr")
    return ManyScripts("tesseract", reader, LineReader(models), thorough)
