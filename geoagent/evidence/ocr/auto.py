"""The best installed engine: multi-script if Tesseract's models are installed, else RapidOCR alone."""

from __future__ import annotations

from typing import Any

from geoagent import plugs
from geoagent.evidence.ocr._tessdata import has_package, installed
from geoagent.protocols import Assets, OcrEngine


def build(assets: Assets, **options: Any) -> OcrEngine:
    """Build the engine; its name is that of the chosen engine, "tesseract" or "rapidocr".

    Args:
        assets: passed on to the engine.
        options: options of that engine. `scripts`, which RapidOCR does not have, selects those of the given scripts
            that have an installed model; it is not an error if none has.

    Raises:
        ConfigError: an option is unknown to the engine or out of range.
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
