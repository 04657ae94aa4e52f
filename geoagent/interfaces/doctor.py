"""Report of this installation: what it can do, and what to install for more."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from geoagent import __version__, plugs
from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.evidence.cues.language_names import script_name
from geoagent.evidence.ocr import _tessdata
from geoagent.evidence.ocr._classes import SCRIPTS
from geoagent.evidence.ocr._onnx import scripts_of
from geoagent.interfaces.local_models import SERVERS, local_servers
from geoagent.optional import DISTRIBUTION
from geoagent.places.gazetteer import Gazetteer
from geoagent.resources import cache_dir
from geoagent.worlds import catalogue, home
from geoagent.worlds.world import World

_PACKAGES = {
    "rapidocr": "reads Latin, Chinese and Japanese text",
    "tesserocr": "reads the scripts whose Tesseract models are installed",
    "paddleocr": "PaddleOCR; needs its model files",
    "onnxruntime": "runs the OCR models and ONNX encoders",
    "open_clip_torch": "image encoders of the CLIP family",
    "torch": "runs them",
    "pillow-heif": "opens HEIC photos",
    "rawpy": "finds the previews in RAW files in which Pillow finds none",
    "openai": "talks to a language model that you configure",
    "fastapi": "the page and its API",
    "mcp": "tools for assistants",
}
_LABELS = {
    "ocr_engines": "OCR engines", "ocr_models_by_path": "OCR models by path", "starter_world": "starter world",
    "model_hub": "model hub",
}  # fmt: skip
_RAPID_SCRIPTS = ("Latn", "Hani", "Jpan")
_HUB = ("huggingface.co", 443)


def examine(config: Config | None = None, *, timeout_s: float = 2.0) -> dict[str, Any]:
    """Examine this installation.

    Args:
        config: settings to inspect as well: OCR models that they name by path are opened, and count among the
            readable scripts.
        timeout_s: how long to wait for the model hub, and for servers of language models on this machine; nothing is
            downloaded, and nothing is told to them.

    Returns:
        Sections of plain JSON values, and "install_for_more": commands with what each adds.
    """
    packages = {name: _version(name) for name in _PACKAGES}
    engines = {name: _engine(name, packages) for name in plugs.names("ocr")}
    own = _models_by_path(config)
    scripts = _scripts(engines, own)
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
        **({"ocr_models_by_path": own} if own else {}),
        "scripts_readable": sorted({code for codes in scripts.values() for code in codes}),
        "scripts_by_model": scripts,
        "encoders": _encoders(packages, timeout_s),
        "language_model": _language_model(packages),
        "local_language_models": _local_models(packages, timeout_s),
        "install_for_more": _advice(packages),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _engine(name: str, packages: dict[str, str | None]) -> str:
    """State of an OCR engine: "ready", optionally followed by details, or what is missing."""
    if name == "nothing":
        return "ready"
    if name == "paddle":
        return "installed; needs model folders or a model hub" if packages["paddleocr"] else "not installed"
    if not (packages["rapidocr"] and packages["onnxruntime"]):
        return f"not installed: pip install --force-reinstall {DISTRIBUTION}"
    models = _tessdata.installed()
    if name == "auto":
        return "ready: multiscript"
    if name == "tesseract" and not (models and _tessdata.has_package()):
        lacks = [] if _tessdata.has_package() else ["the package tesserocr"]
        lacks += [] if models else ["script models (*.traineddata)"]
        return f"not installed: {' and '.join(lacks)}"
    return "ready"


def _scripts(engines: dict[str, str], own: Collection[str]) -> dict[str, list[str]]:
    """ISO 15924 codes that each ready engine reads; `own` are the scripts of models given by path."""
    read = {
        "rapidocr": {*_RAPID_SCRIPTS, *own},
        "multiscript": set(SCRIPTS),
        "tesseract": set(_tessdata.installed()),
    }
    return {name: sorted(codes) for name, codes in read.items() if engines.get(name) == "ready" and codes}


def _models_by_path(config: Config | None) -> dict[str, str]:
    """Script -> ONNX file configured for RapidOCR.

    Raises:
        ConfigError: a file does not exist or is not a recogniser.
    """
    if config is None or config.ocr.name != "rapidocr" or "models" not in config.ocr.options:
        return {}
    return {script: str(path) for script, path in scripts_of(config.ocr.options["models"]).items()}


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


def _language_model(packages: dict[str, str | None]) -> str:
    if not packages["openai"]:
        return "none: nothing is sent anywhere (the client is not installed)"
    return f"none unless you ask with --llm or a configuration; client: openai {packages['openai']}"


def _local_models(packages: dict[str, str | None], timeout_s: float) -> dict[str, Any]:
    """Servers on this machine: what each has, and the command that uses it."""
    found = {server.name: server for server in local_servers(timeout_s)}
    report: dict[str, Any] = {}
    for name, url in SERVERS.items():
        if (server := found.get(name)) is None:
            report[name] = f"not found at {url}"
            continue
        report[name] = server.says()
        if command := server.command(client=packages["openai"] is not None):
            report[f"to use {name}"] = command
    return report


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
    if home.default() is None:
        eyes = catalogue.entry(catalogue.VISION)
        cost = f"{eyes.size_mb:,} MB and about {eyes.minutes} min, once" if isinstance(eyes, catalogue.Eyes) else ""
        advice.append(f"geoagent get vision   (a picture half, for photos without text; {cost})")
    if not packages["open_clip_torch"]:
        advice.append(f"pip install '{DISTRIBUTION}[vision]'   (image encoders; then a world with a head for one)")
    if not packages["openai"]:
        advice.append(f"pip install '{DISTRIBUTION}[llm]'   (a language model behind any OpenAI-compatible server)")
    if not packages["pillow-heif"]:
        advice.append(f"pip install '{DISTRIBUTION}[heic]'   (photos from iPhones)")
    if not packages["rawpy"]:
        advice.append(f"pip install '{DISTRIBUTION}[raw]'   (more RAW files: CR3, RAF, ORF)")
    if not (packages["fastapi"] and packages["mcp"]):
        advice.append(f"pip install '{DISTRIBUTION}[web]'   (a page, an HTTP API and tools for assistants)")
    return advice


def in_words(report: Mapping[str, Any]) -> tuple[str, dict[str, list[str]]]:
    """Return a report for people: one sentence, and lines by section, with names instead of codes.

    Args:
        report: of `examine`.
    """
    sections: dict[str, list[str]] = {}
    for name, value in report.items():
        if name == "scripts_readable":
            lines = [_listed(value)] if value else []
        elif name == "scripts_by_model":
            lines = [f"{model}: {_listed(codes)}" for model, codes in value.items()]
        elif isinstance(value, dict):
            lines = [f"{_label(key)}: {said}" for key, said in value.items()]
        else:
            lines = [value] if isinstance(value, str) else list(value)
        sections[_label(name).replace("_", " ")] = lines or ["nothing"]
    return _headline(report), sections


def _headline(report: Mapping[str, Any]) -> str:
    scripts, world = len(report["scripts_readable"]), home.default()
    broken = [_label(name) for name, said in report["data"].items() if str(said).startswith("broken")]
    if broken:
        return f"geoagent cannot work: the {' and the '.join(broken)} cannot be read."
    reads = f"reads text in {scripts} scripts" if scripts else "reads no text"
    looks = f"judges pictures by the world {world.name!r}" if world is not None else "judges no picture"
    more = " What can be installed for more is at the end." * bool(report["install_for_more"])
    return f"geoagent {report['geoagent']['version']} works: it {reads} and {looks}.{more}"


def _label(name: str) -> str:
    return _LABELS.get(name, name)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(script_name(code) for code in codes))
