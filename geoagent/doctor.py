"""What this installation can do, and what would let it do more."""

from __future__ import annotations

import os
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from geoagent import __version__, plugs
from geoagent.errors import GeoAgentError
from geoagent.gazetteer import Gazetteer
from geoagent.optional import DISTRIBUTION
from geoagent.resources import cache_dir
from geoagent.world import World

_PACKAGES = {
    "rapidocr": "reads Latin, Chinese and Japanese text",
    "onnxruntime": "runs the OCR models and ONNX encoders",
    "open_clip_torch": "image encoders of the CLIP family",
    "torch": "runs them",
    "pillow-heif": "opens HEIC photos",
}
_SCRIPTS = {"rapidocr": ("Latn", "Hani", "Jpan"), "nothing": ()}
_HUB = ("huggingface.co", 443)


def examine(*, timeout_s: float = 2.0) -> dict[str, Any]:
    """Look at this installation.

    Args:
        timeout_s: how long to wait for the model hub; nothing is downloaded.

    Returns:
        Sections of facts in plain JSON values, and "install_for_more": commands with what each brings.
    """
    packages = {name: _version(name) for name in _PACKAGES}
    engines = {name: _engine(name, packages) for name in plugs.names("ocr")}
    return {
        "geoagent": {
            "version": __version__,
            "python": platform.python_version(),
            "cores": os.cpu_count() or 1,
            "cache": str(cache_dir()),
        },
        "packages": {name: found or "not installed" for name, found in packages.items()},
        "data": _data(),
        "ocr_engines": engines,
        "scripts_readable": sorted(
            {s for name, state in engines.items() if state == "ready" for s in _SCRIPTS.get(name, ())}
        ),
        "encoders": _encoders(packages, timeout_s),
        "language_model": "none: this version sends nothing anywhere",
        "install_for_more": _advice(packages),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _engine(name: str, packages: dict[str, str | None]) -> str:
    if name == "rapidocr" and not (packages["rapidocr"] and packages["onnxruntime"]):
        return f"not installed: pip install --force-reinstall {DISTRIBUTION}"
    return "ready"


def _data() -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        gazetteer = Gazetteer.load()
        found["gazetteer"] = f"{gazetteer.version}, " + ", ".join(
            f"{count:,} {what}" for what, count in gazetteer.counts.items()
        )
    except GeoAgentError as error:
        found["gazetteer"] = f"broken: {error}"
    try:
        world = World.load()
        found["starter_world"] = (
            f"{len(world.cells):,} geocells in {len(world.cells.country_codes)} countries, no picture encoder"
        )
    except GeoAgentError as error:
        found["starter_world"] = f"broken: {error}"
    return found


def _encoders(packages: dict[str, str | None], timeout_s: float) -> dict[str, str]:
    clip = (
        "not installed"
        if not (packages["torch"] and packages["open_clip_torch"])
        else "installed; needs weights and a world with a head"
    )
    return {
        "open_clip": clip,
        "onnx": "installed; needs a model file and a world with a head",
        "model_hub": "reachable" if _reachable(timeout_s) else "not reachable: give encoders a local file",
    }


def _reachable(timeout_s: float) -> bool:
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        return False
    try:
        with socket.create_connection(_HUB, timeout=timeout_s):
            return True
    except OSError:
        return False


def _advice(packages: dict[str, str | None]) -> list[str]:
    advice = []
    if not packages["open_clip_torch"]:
        advice.append(f"pip install '{DISTRIBUTION}[vision]'   (image encoders; then a world with a head for one)")
    if not packages["pillow-heif"]:
        advice.append(f"pip install '{DISTRIBUTION}[heic]'   (photos from iPhones)")
    return advice
