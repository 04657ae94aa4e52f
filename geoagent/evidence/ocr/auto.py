"""The best engine that is installed: many scripts where Tesseract's models are there, else RapidOCR alone."""

from __future__ import annotations

from typing import Any

from geoagent import plugs
from geoagent.evidence.ocr._tessdata import has_package, installed
from geoagent.protocols import Assets, OcrEngine


def build(assets: Assets, **options: Any) -> OcrEngine:
    """Build the engine; its name tells which it is, "tesseract" or "rapidocr".

    Args:
        assets: handed on.
        options: of that engine. `scripts`, which RapidOCR does not have, asks for the scripts among them that can be
            read here, and is no error where none can.

    Raises:
        ConfigError: an option that the engine does not have, or out of range.
    """
    scripts = options.pop("scripts", None)
    there = installed() if has_package() else {}
    if scripts is not None and not isinstance(scripts, str):
        there = {code: there[code] for code in scripts if code in there}
    name = "tesseract" if there else "rapidocr"
    if there and scripts is not None:
        options["scripts"] = scripts if isinstance(scripts, str) else list(there)
    engine: OcrEngine = plugs.build("ocr", name, assets, **options)
    return engine
