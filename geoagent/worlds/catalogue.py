"""What `geoagent get` can fetch: picture halves by name, and OCR models by script.

Sizes are those of the download. A revision or checksum that could not be looked up when the entry was written is None
and said to be "not pinned"; what the hub then gives is recorded in the card of the world that is made of it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geoagent.errors import ConfigError
from geoagent.evidence.cues.language_names import language_name
from geoagent.resources import cache_dir
from geoagent.worlds.home import default as home_default
from geoagent.worlds.home import home

_ENGINES = {"rapidocr": "RapidOCR", "paddle": "PaddleOCR"}
_READS = {
    "ch": "Chinese, Japanese and English", "korean": "Korean", "latin": "Latin", "eslav": "East Slavic",
    "arabic": "Arabic", "cyrillic": "Cyrillic", "devanagari": "Devanagari",
}  # fmt: skip
"""What the recognisers read whose names are no codes of languages."""
RECOMMENDED = "best"
VISION = "vision"
"""Another name of the recommended picture half."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """A picture half: an image-text model of a hub, from which a world without training is made.

    Attributes:
        name: name of the entry and of the world.
        kind: "zeroshot" (sentences about each geocell) or "geoclip" (GeoCLIP's gallery).
        repository: hub repository with open_clip's configuration and both towers.
        size_mb: megabytes to download.
        licence: SPDX identifier or name of the weights' licence.
        for_what: what it is for.
        measured: published or measured figures, and whose.
        revision: pinned commit, or None.
        sha256: checksum of the weights file, or None.
        rank: the best world that is here has the highest.
        minutes: rough time of making the world on two CPU cores, after the download.
    """

    name: str
    kind: Literal["zeroshot", "geoclip"]
    repository: str
    size_mb: int
    licence: str
    for_what: str
    measured: str
    rank: int
    minutes: int
    revision: str | None = None
    sha256: str | None = None

    @property
    def world(self) -> Path:
        """Folder of its world in `home()`."""
        return home() / self.name


@dataclass(frozen=True, slots=True)
class OcrModel:
    """A recogniser of lines for further scripts, as the package rapidocr lists it.

    Attributes:
        name: name of the entry: engine and model.
        engine: "rapidocr" (one ONNX file) or "paddle" (a folder).
        script: what it reads, as the package names it.
        files: address of each file and its SHA-256.
        licence: licence of PaddleOCR's models.
    """

    name: str
    engine: Literal["rapidocr", "paddle"]
    script: str
    files: Mapping[str, str]
    licence: str = "Apache-2.0"

    @property
    def folder(self) -> Path:
        """Where its files go by default."""
        return cache_dir() / "ocr" / self.name


EYES: tuple[Eyes, ...] = (
    Eyes(
        name="best",
        kind="zeroshot",
        repository="timm/PE-Core-B-16",
        size_mb=1790,
        licence="Apache-2.0",
        for_what="the recommended picture half: PE-Core B/16, zero-shot",
        measured="Country211 zero-shot 30.5 %; 674 ms a photo and CPU thread",
        rank=3,
        minutes=25,
    ),
    Eyes(
        name="fast",
        kind="zeroshot",
        repository="laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
        size_mb=605,
        licence="MIT",
        for_what="a smaller and quicker picture half: DataComp ViT-B/32-256, zero-shot",
        measured="Country211 zero-shot 19.7 %; 236 ms a photo and CPU thread",
        rank=1,
        minutes=6,
    ),
    Eyes(
        name="geoclip",
        kind="geoclip",
        repository="timm/vit_large_patch14_clip_224.openai",
        size_mb=1710,
        licence="MIT",
        for_what="GeoCLIP's gallery of 100,000 places on CLIP L/14; also needs the package geoclip",
        measured="Country211 zero-shot 31.9 % (CLIP L/14 alone); about 2,000 ms a photo and CPU thread",
        rank=2,
        minutes=10,
    ),
)


def eyes(name: str) -> Eyes | None:
    """Return the picture half of that name, or None; "vision" is the recommended one."""
    wanted = RECOMMENDED if name == VISION else name
    return next((entry for entry in EYES if entry.name == wanted), None)


def ocr_models() -> tuple[OcrModel, ...]:
    """Return the recognisers that the package rapidocr lists, with its addresses and checksums; () without it."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        return ()
    listing = Path(spec.origin).with_name("default_models.yaml")
    try:
        text = listing.read_text("utf-8")
        listed = importlib.import_module("yaml").safe_load(text)  # a requirement of rapidocr
    except (OSError, ImportError, ValueError):
        return ()
    found = []
    for engine, section in (("rapidocr", "onnxruntime"), ("paddle", "paddle")):
        models: Mapping[str, Any] = listed.get(section, {}).get("PP-OCRv5", {}).get("rec", {})
        for name, facts in models.items():
            files = _files(dict(facts))
            if files and name.endswith("_mobile"):
                script = name.partition("_")[0]
                found.append(OcrModel(f"{engine}-{script}", engine, script, files))  # type: ignore[arg-type]
    return tuple(found)


def _files(facts: dict[str, Any]) -> dict[str, str]:
    address = str(facts.pop("model_dir", ""))
    if not address.startswith("https://"):
        return {}
    if "SHA256" in facts:
        return {address: str(facts["SHA256"])}
    return {f"{address}/{name}": str(sha) for name, sha in facts.items() if isinstance(sha, str) and len(sha) == 64}


def entry(name: str) -> Eyes | OcrModel:
    """Return an entry by name.

    Raises:
        ConfigError: there is none; the message lists the names.
    """
    found = eyes(name) or next((model for model in ocr_models() if model.name == name), None)
    if found is None:
        known = [VISION, *(each.name for each in EYES), *(model.name for model in ocr_models())]
        raise ConfigError(f"nothing named {name!r} can be fetched; choose from {', '.join(known)}")
    return found


def is_here(entry: Eyes | OcrModel, folder: Path | None = None) -> bool:
    """Whether an entry need not be fetched.

    Args:
        entry: the entry.
        folder: where it would be put; geoagent's own folder where None.
    """
    if isinstance(entry, Eyes):
        return ((entry.world if folder is None else folder / entry.name) / "world.json").is_file()
    root = entry.folder if folder is None else folder / entry.name
    return all((root / address.rsplit("/", 1)[-1]).is_file() for address in entry.files)


def rows() -> list[dict[str, Any]]:
    """Return all entries as plain values, with "here"."""
    default = home_default()
    out: list[dict[str, Any]] = []
    for each in EYES:
        out.append(
            {
                "name": each.name,
                "kind": "picture half",
                "recommended": each.name == RECOMMENDED,
                "for": each.for_what,
                "size_mb": each.size_mb,
                "minutes": each.minutes,
                "licence": each.licence,
                "from": each.repository,
                "revision": each.revision or "not pinned",
                "sha256": each.sha256 or "not pinned; the hub's own is verified",
                "measured": each.measured,
                "here": is_here(each) or (default is not None and default.name == each.name),
            }
        )
    for model in ocr_models():
        out.append(
            {
                "name": model.name,
                "kind": "OCR model",
                "recommended": False,
                "for": f"{_ENGINES[model.engine]} for {_READS.get(model.script, language_name(model.script))}",
                "licence": model.licence,
                "from": next(iter(model.files)),
                "revision": "in the address",
                "sha256": ", ".join(model.files.values()),
                "here": is_here(model),
            }
        )
    return out
