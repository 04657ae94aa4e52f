"""Fonts by script: the Debian packages that have them, what the files on a machine can draw, and which are held out."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geoagent.errors import InputError
from geoagent.evidence.ocr.training.charset import ASCII_LETTERS, COMMON, block
from geoagent.optional import needs

Progress = Callable[[str, int, int], None]
"""Progress callback, called with (stage, done, total)."""

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "*": ("fonts-noto-core", "fonts-noto-extra", "fonts-noto-ui-core", "fonts-freefont-otf", "fonts-dejavu-core"),
    "Arab": ("fonts-hosny-amiri", "fonts-hosny-thabit", "fonts-kacst", "fonts-kacst-one", "fonts-farsiweb",
             "fonts-sil-scheherazade", "fonts-sil-lateef", "fonts-sil-harmattan", "fonts-lemonada", "fonts-paktype",
             "fonts-nafees", "fonts-arabeyes", "fonts-unikurdweb", "fonts-ukij-uyghur"),
    "Armn": ("fonts-mph-2b-damase", "fonts-dejavu-extra"),
    "Beng": ("fonts-beng-extra", "fonts-lohit-beng-bengali", "fonts-lohit-beng-assamese"),
    "Cyrl": ("fonts-paratype", "fonts-comfortaa", "fonts-tuffy", "fonts-roboto-unhinted", "fonts-open-sans",
             "fonts-sil-gentiumplus", "fonts-linuxlibertine", "fonts-oldstandard", "fonts-jura", "fonts-play"),
    "Deva": ("fonts-lohit-deva", "fonts-deva-extra", "fonts-gargi", "fonts-nakula", "fonts-sahadeva", "fonts-sarai",
             "fonts-samyak-deva", "fonts-sil-annapurna", "fonts-kalapi"),
    "Ethi": ("fonts-sil-abyssinica", "fonts-senamirmir-washra"),
    "Geor": ("fonts-bpg-georgian", "fonts-dejavu-extra"),
    "Grek": ("fonts-gfs-artemisia", "fonts-gfs-didot", "fonts-gfs-neohellenic", "fonts-gfs-olga", "fonts-gfs-porson"),
    "Gujr": ("fonts-lohit-gujr", "fonts-gujr-extra", "fonts-samyak-gujr", "fonts-kalapi"),
    "Guru": ("fonts-lohit-guru", "fonts-guru-extra"),
    "Hang": ("fonts-nanum", "fonts-nanum-extra", "fonts-unfonts-core", "fonts-unfonts-extra", "fonts-baekmuk",
             "fonts-alee", "fonts-woowa-bm"),
    "Hani": ("fonts-noto-cjk",),
    "Hebr": ("culmus", "culmus-fancy", "fonts-sil-ezra"),
    "Khmr": ("fonts-khmeros", "fonts-sil-mondulkiri"),
    "Knda": ("fonts-lohit-knda", "fonts-gubbi", "fonts-navilu"),
    "Laoo": ("fonts-lao", "fonts-dejavu-core"),
    "Mlym": ("fonts-smc", "fonts-lohit-mlym", "fonts-samyak-mlym"),
    "Mymr": ("fonts-sil-padauk", "fonts-mmcedar"),
    "Orya": ("fonts-lohit-orya", "fonts-orya-extra", "fonts-samyak-orya"),
    "Sinh": ("fonts-lklug-sinhala", "fonts-gemunu-libre"),
    "Taml": ("fonts-lohit-taml", "fonts-samyak-taml", "fonts-meera-inimai"),
    "Telu": ("fonts-lohit-telu", "fonts-telu-extra", "fonts-teluguvijayam"),
    "Thai": ("fonts-thai-tlwg", "fonts-arundina"),
}  # fmt: skip
"""Debian packages with free fonts by script; "*" for many scripts. Latin is in most of them."""

SYSTEM = tuple(Path(folder) for folder in ("/usr/share/fonts", "/usr/local/share/fonts"))
_LEAST = {"Arab": 0.45, "Cyrl": 0.5, "Hang": 0.7, "Ethi": 0.8, "Mymr": 0.8, "Grek": 0.85, "Hebr": 0.85, "Latn": 1.0}
_LEAST_OTHER = 0.9  # of a script's letters that a font must have
_QUOTA = {"Arab": 60, "Cyrl": 44, "Grek": 40, "Latn": 46, "Deva": 34, "Hebr": 34, "Thai": 30, "Hang": 26}
_QUOTA_OTHER, _HELD_FACES = 24, 6
_HELD = {
    "Cyrl": {"PT Sans Narrow", "Comfortaa", "Tuffy"},
    "Grek": {"GFS Neohellenic", "Comfortaa", "Tuffy"},
    "Hang": {"Baekmuk Dotum", "NanumSquareRound", "UnDinaru"},
    "Latn": {"PT Sans Narrow", "Comfortaa", "Tuffy"},
}
"""Families to hold out where they are there; of the other scripts, some by chance."""
_GENERIC = ("Noto", "Free", "DejaVu")  # families for many scripts: holding one out would take it from all of them
_UNSUITABLE = re.compile(
    "Thin|Hairline|Emoji|Symbol|Math|Music|Quran|Qurn|UnJamo|YetHangul|Guseul|hline|KeterAram|Stam|Taamey|Ahom|AmiriQ|"
    "Colored|KuChi|Tughra|3D|Mono|Ogham|Linear|Cuneif|Hierog|-Sm|Braille|Tifinagh|LinLibertine_[KMD]|UnPilgia|Awami",
    re.IGNORECASE,
)
_ITALIC = re.compile(r"Italic|Oblique|Slanted|-It\b", re.IGNORECASE)
_ITALICS = 0.12  # share of the italic faces that are used
_PLAIN_STYLES = frozenset(
    {"Regular", "Bold", "Black", "Light", "SemiBold", "ExtraBold", "Condensed", "CondensedBold", "ExtraCondensed"}
)
_FAMILY_NAME, _TYPOGRAPHIC_FAMILY = 1, 16  # entries of the name table


@dataclass(frozen=True, slots=True)
class Face:
    """One font file.

    Attributes:
        path: the file.
        family: name that its weights and widths share.
        lacks: characters of a script's blocks that it does not have, by script that it can draw all the same.
        common: digits, punctuation and Latin letters that it has.
    """

    path: Path
    family: str
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    common: frozenset[str] = frozenset()

    def drawable(self, text: str, script: str) -> str | None:
        """Return what the face can draw of a text, without marks it lacks; None where it lacks a letter."""
        if set(text) & self.lacks.get(script, frozenset()):
            return None
        return (
            "".join(c for c in text if c == " " or c in self.common or c not in COMMON + ASCII_LETTERS).strip() or None
        )


@dataclass(frozen=True, slots=True)
class Fonts:
    """Faces by script.

    Attributes:
        train: ISO 15924 code to faces to train with; "Hani" for Han and kana.
        held: likewise, of families that training never draws.
    """

    train: Mapping[str, tuple[Face, ...]]
    held: Mapping[str, tuple[Face, ...]]

    def of(self, held: bool) -> Mapping[str, tuple[Face, ...]]:
        """Return the faces held out, or those to train with."""
        return self.held if held else self.train


def find(folders: Sequence[Path]) -> list[Path]:
    """Find font files that suit signs, one of each name, sorted.

    Raises:
        InputError: a folder does not exist.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder of fonts")
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".ttf", ".otf", ".ttc") and not _UNSUITABLE.search(path.name):
                found.setdefault(path.name, path)
    return sorted(found.values())


def choose(
    folders: Sequence[Path],
    letters: Mapping[str, str],
    *,
    syllables: str = "",
    han: str = "",
    seed: int = 1,
    hold: bool = True,
    progress: Progress | None = None,
) -> Fonts:
    """Choose the faces of each script, and hold some families out.

    Faces are taken in turn from all families, so that display faces count as much as the weights of one large family.

    Args:
        folders: with font files, also in folders below.
        letters: by script, as from `charset.letters_of`.
        syllables: Hangul syllables that a Korean font must have.
        han: Han characters and kana.
        seed: of the choice.
        hold: hold families out: some that are named here, else one of a script with few and two of one with eight or
            more; none where there is only one.
        progress: see `Progress`.

    Raises:
        InputError: a folder does not exist, or no font in them can draw any of the scripts.
        MissingDependency: fonttools is not installed.
    """
    rng = random.Random(seed)
    wanted = {script: frozenset(chars) for script, chars in letters.items()}
    if "Hang" in wanted:
        wanted["Hang"] = frozenset(syllables)
    if "Latn" in wanted:
        wanted["Latn"] = frozenset(ASCII_LETTERS)
    wanted["Hani"] = frozenset(han)
    wanted = {script: chars for script, chars in wanted.items() if chars}
    by_script: dict[str, list[Face]] = {script: [] for script in wanted}
    files = [path for path in find(folders) if _wanted_style(path, rng)]
    with _quiet():
        for number, path in enumerate(files):
            face = read_face(path, wanted)
            if face is not None:
                for script in face.lacks:
                    by_script[script].append(face)
            if progress is not None:
                progress("reading fonts", number + 1, len(files))
    if not any(by_script.values()):
        names = " ".join(sorted({name for script in wanted for name in PACKAGES.get(script, ())}))
        raise InputError(
            f"no font in {', '.join(map(str, folders))} can draw {', '.join(wanted)}; on Debian: "
            f"apt install fonts-noto-core {names}".rstrip()
        )
    train, held = {}, {}
    for script, faces in sorted(by_script.items()):
        train[script], held[script] = _split(script, faces, rng, hold and script != "Hani")
    return Fonts({s: f for s, f in train.items() if f}, {s: f for s, f in held.items() if f})


def read_face(path: Path, wanted: Mapping[str, frozenset[str]]) -> Face | None:
    """Read which characters a font has; None if it cannot be read or draws none of the scripts.

    Args:
        path: the file; the first face of a collection.
        wanted: characters by script.

    Raises:
        MissingDependency: fonttools is not installed.
    """
    with needs("reader", "fontTools"):
        from fontTools.ttLib import TTFont, TTLibError
    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            has = frozenset(map(chr, font.getBestCmap() or {}))
            family = _family(font, path)
    except (TTLibError, OSError, KeyError, ValueError, AssertionError):
        return None
    lacks = {
        script: (block(script) or chars) - has
        for script, chars in wanted.items()
        if len(chars & has) >= _LEAST.get(script, _LEAST_OTHER) * len(chars)
    }
    return Face(path, family, lacks, has & frozenset(COMMON + ASCII_LETTERS)) if lacks else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence fontTools, which warns of oddities that no reader of characters minds."""
    logger = logging.getLogger("fontTools")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _family(font: Any, path: Path) -> str:
    names = font["name"]
    name = names.getDebugName(_TYPOGRAPHIC_FAMILY) or names.getDebugName(_FAMILY_NAME) or path.stem
    return re.sub(r" UI$", "", str(name))


def _wanted_style(path: Path, rng: random.Random) -> bool:
    """Few of the many weights and widths of Noto, and few italics: signs seldom have them."""
    if path.name.startswith("Noto") and path.suffix.lower() != ".ttc":
        return not _ITALIC.search(path.name) and path.stem.rpartition("-")[2] in _PLAIN_STYLES
    return not _ITALIC.search(path.name) or rng.random() < _ITALICS


def _split(script: str, faces: list[Face], rng: random.Random, hold: bool) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
    families: dict[str, list[Face]] = {}
    for face in faces:
        families.setdefault(face.family, []).append(face)
    out: list[str] = []
    if hold and len(families) > 1:
        special = sorted(name for name in families if not name.startswith(_GENERIC))
        serif = sorted(name for name in families if "Serif" in name)
        known = sorted(families.keys() & _HELD.get(script, set()))
        if 0 < len(known) < len(families):
            out = known
        elif len(special) >= 3:
            out = rng.sample(special, 1 if len(special) < 8 else 2)
        else:
            out = special[:1] or serif[:1] or sorted(families)[-1:]
    held = [face for name in out for face in families[name]]
    rest = {name: rng.sample(families[name], len(families[name])) for name in sorted(families) if name not in out}
    order: list[Face] = []
    while any(rest.values()):
        order += [group.pop() for group in rest.values() if group]
    return tuple(order[: _QUOTA.get(script, _QUOTA_OTHER)]), tuple(rng.sample(held, min(len(held), _HELD_FACES)))
