"""Discovery of installed Tesseract models by file name; nothing is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from geoagent.errors import ConfigError, OcrError
from geoagent.optional import needs

FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",  # Debian, Ubuntu
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",  # Arch, Fedora, Alpine, openSUSE
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/usr/local/share/tesseract-ocr/*/tessdata",
    "/opt/homebrew/share/tessdata",
    "/opt/local/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
# ISO 15924 code: script model, suffix of the Debian package, and single-language models, most general first.
_MODELS = {
    "Arab": "Arabic arab ara fas urd pus uig snd kur_ara",
    "Armn": "Armenian armn hye",
    "Beng": "Bengali beng ben asm",
    "Cans": "Canadian_Aboriginal cans iku",
    "Cher": "Cherokee cher chr",
    "Cyrl": "Cyrillic cyrl rus ukr bul srp mkd bel kaz mon kir tgk tat uzb_cyrl aze_cyrl",
    "Deva": "Devanagari deva hin mar nep san",
    "Ethi": "Ethiopic ethi amh tir",
    "Geor": "Georgian geor kat",
    "Grek": "Greek grek ell grc",
    "Gujr": "Gujarati gujr guj",
    "Guru": "Gurmukhi guru pan",
    "Hang": "Hangul hang kor",
    "Hebr": "Hebrew hebr heb yid",
    "Khmr": "Khmer khmr khm",
    "Knda": "Kannada knda kan",
    "Laoo": "Lao laoo lao",
    "Mlym": "Malayalam mlym mal",
    "Mymr": "Myanmar mymr mya",
    "Orya": "Oriya orya ori",
    "Sinh": "Sinhala sinh sin",
    "Syrc": "Syriac syrc syr",
    "Taml": "Tamil taml tam",
    "Telu": "Telugu telu tel",
    "Thaa": "Thaana thaa div",
    "Thai": "Thai thai tha",
    "Tibt": "Tibetan tibt bod dzo",
}
_FIELDS = {code: row.split() for code, row in _MODELS.items()}
# Recommended for a new installation: the most common scripts of signs that RapidOCR does not read.
USUAL = ("Arab", "Armn", "Beng", "Cyrl", "Deva", "Geor", "Grek", "Hang", "Hebr", "Taml", "Telu", "Thai")


@dataclass(frozen=True, slots=True)
class Model:
    """A model file that reads one script.

    Attributes:
        script: ISO 15924 code.
        name: Tesseract's name of the model, "Cyrillic" or "script/Cyrillic".
        folder: the tessdata folder.
    """

    script: str
    name: str
    folder: Path


def folders() -> list[Path]:
    """Return the folders that may contain models, $TESSDATA_PREFIX first."""
    found: list[Path] = []
    own = os.environ.get("TESSDATA_PREFIX", "")
    if own:
        found += [Path(own), Path(own) / "tessdata"]
    for pattern in FOLDERS:
        anchor = Path(pattern).anchor
        if anchor and Path(anchor).is_dir():
            # The newest version first.
            found += sorted(Path(anchor).glob(pattern[len(anchor) :]), reverse=True)
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def installed() -> dict[str, Model]:
    """Return the installed Tesseract model of each script, by ISO 15924 code.

    A script model takes precedence over language models, and an earlier folder over a later one. Scripts that RapidOCR
    reads better (Latin, Han, Japanese) are left out.
    """
    places = folders()
    models: dict[str, Model] = {}
    for code, (script, _, *languages) in _FIELDS.items():
        names = [script, f"script/{script}", *languages]
        found = ((name, folder) for name in names for folder in places if (folder / f"{name}.traineddata").is_file())
        best = next(found, None)
        if best is not None:
            models[code] = Model(code, *best)
    return models


def script_name(code: str) -> str:
    """Return the name of a script's model ("Cyrl": "Cyrillic")."""
    return _FIELDS[code][0]


def has_package() -> bool:
    """Whether tesserocr is installed, without importing it."""
    try:
        return find_spec("tesserocr") is not None
    except ValueError:  # the entry in sys.modules has no spec
        return True


def require_package() -> None:
    """Check that tesserocr is installed.

    Raises:
        MissingDependency: it is not.
    """
    with needs("tesseract", "tesserocr"):
        if not has_package():
            raise ModuleNotFoundError("tesserocr", name="tesserocr")


def choose(scripts: Iterable[str] | None) -> dict[str, Model]:
    """Return the models of `scripts`, or of all scripts with an installed model if None.

    Raises:
        ConfigError: Tesseract has no model for one of the scripts.
        OcrError: a model is not installed, or no model is.
    """
    if isinstance(scripts, str):
        raise ConfigError(f"scripts must be a list of ISO 15924 codes, got {scripts!r}")
    wanted = None if scripts is None else list(dict.fromkeys(scripts))
    unknown = [code for code in wanted or () if code not in _FIELDS]
    if unknown or wanted == []:
        raise ConfigError(f"scripts: {', '.join(unknown) or 'none named'}; choose from {', '.join(_FIELDS)}")
    there = installed()
    missing = [code for code in (wanted if wanted is not None else () if there else USUAL) if code not in there]
    if missing:
        which = "any script" if wanted is None else ", ".join(missing)
        raise OcrError(
            f"no Tesseract model for {which}; run: {packages_command(missing)}, or put *.traineddata files in a folder "
            "and name it in TESSDATA_PREFIX"
        )
    return there if wanted is None else {code: there[code] for code in wanted}


def packages_command(scripts: Iterable[str]) -> str:
    """Return the command that installs the models of `scripts` on Debian and Ubuntu."""
    names = " ".join(f"tesseract-ocr-script-{_FIELDS[code][1]}" for code in scripts)
    return f"apt-get install --no-install-recommends {names}"
