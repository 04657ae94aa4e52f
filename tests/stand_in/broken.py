"""An OCR engine that cannot be had."""

from __future__ import annotations

from typing import Any

from geoagent.errors import OcrError


def build(assets: Any) -> Any:
    """Fail, as an engine does whose models are damaged."""
    raise OcrError("this engine never starts")
