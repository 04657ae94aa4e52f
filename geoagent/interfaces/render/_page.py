"""Parts shared by the HTML pages: assets, content security policy, a photo without metadata."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from PIL import Image

from geoagent.types import Photo

PHOTO_SIDE_PX = 900
PHOTO_BYTES = 420_000


@cache
def asset(name: str) -> str:
    """Return the text of a file in this folder."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str | None = None, *, images: str = "data:") -> str:
    """Return a Content-Security-Policy that names the page's one style and its one script, if any, by their hashes.

    Args:
        style: the text between `<style>` and its end.
        script: the text of the script; None allows none.
        images: where pictures may come from.
    """
    rules = ["default-src 'none'", f"style-src '{_hash(style)}'", f"img-src {images}"]
    if script is not None:
        rules.insert(1, f"script-src '{_hash(script)}'")
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into `{{name}}`; in one pass, so that nothing in a value can be taken for a placeholder."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match.group(1)], template)


def small_photo(photo: Photo, budget: int = PHOTO_BYTES) -> dict[str, Any]:
    """Return the photo as a small JPEG made from its pixels alone, so that no metadata can travel with it.

    Args:
        photo: the photo.
        budget: most characters of its data URL.

    Returns:
        `src`, a data URL, and `width` and `height` of the upright original in pixels.
    """
    image = Image.fromarray(np.asarray(photo.pixels))
    side = PHOTO_SIDE_PX
    while True:
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=82 if side > 400 else 75, optimize=True)
        encoded = base64.b64encode(buffer.getvalue()).decode()
        if len(encoded) <= budget or side < 90:
            break
        side = int(side * 0.75)
    return {
        "src": "data:image/jpeg;base64," + encoded,
        "width": photo.width_px * photo.scale,
        "height": photo.height_px * photo.scale,
    }


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
