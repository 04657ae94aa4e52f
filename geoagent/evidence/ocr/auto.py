"""The best engine that is installed, which is `multiscript`: it reads as many scripts as all others together.

On photographed signs it finds as many words as Tesseract's script models and more Arabic and Hangul ones
(benchmarks/bench_ocr.py), so these are for those who name them.
"""

from __future__ import annotations

from typing import Any

from geoagent import plugs
from geoagent.evidence.ocr._classes import SCRIPTS
from geoagent.protocols import Assets, OcrEngine


def build(assets: Assets, **options: Any) -> OcrEngine:
    """Build the engine.

    Args:
        assets: handed on.
        options: of `multiscript`. `scripts` may name others too; RapidOCR alone is taken where it reads none of them.

    Raises:
        ConfigError: an option that the engine does not have, or out of range.
    """
    scripts = options.pop("scripts", None)
    if scripts is not None:
        options["scripts"] = [code for code in ([scripts] if isinstance(scripts, str) else scripts) if code in SCRIPTS]
    name = "multiscript" if options.get("scripts", SCRIPTS) else "rapidocr"
    if name == "rapidocr":
        del options["scripts"]
    engine: OcrEngine = plugs.build("ocr", name, assets, **options)
    return engine
