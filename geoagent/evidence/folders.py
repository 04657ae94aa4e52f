"""The photos in folders, and what is passed over there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence import raw
from geoagent.evidence.opening import HEAD_BYTES, check_regular, is_raw, reason
from geoagent.evidence.quiet import quiet
from geoagent.filenames import written

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".heic"}
    | {".heif", ".hif", ".avif", ".jp2", ".ppm", ".pgm"}
)
_KINDS = {
    "JPEG XL": (".jxl",),
    "JPEG XR": (".jxr", ".wdp", ".hdp"),
    "Photoshop": (".psd", ".psb"),
    "GIMP": (".xcf",),
    "OpenEXR": (".exr",),
    "SVG": (".svg", ".svgz"),
    "PDF": (".pdf",),
    "video": (".3gp", ".avi", ".insv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm"),
}
_UNREAD = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes}


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that holds a picture and is not read, or a folder that cannot be listed.

    Attributes:
        path: where it is.
        kind: "RAW", "JPEG XL", "PDF", "video", … or "folder".
        why: what it is and why it is passed over, in words.
        extra: whether the extra `raw` might read it, and is not installed.
    """

    path: Path
    kind: str
    why: str
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What files and folders hold.

    Attributes:
        photos: the photos, in order, each once.
        passed_over: what is left out, in order. Files of other kinds, such as texts and sidecars, are not among it.
    """

    photos: tuple[Path, ...]
    passed_over: tuple[PassedOver, ...] = ()


def find_photos(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """List the photos in files and folders; see `scan`."""
    return list(scan(paths).photos)


def scan(paths: Iterable[str | os.PathLike[str]]) -> Found:
    """Find the photos in files and folders, and what is passed over.

    Folders are walked, sorted by name; hidden files and folders, unknown suffixes and links to folders are skipped.
    RAW files are photos where a preview is found in them. Files that are named outright are kept as they are, whatever
    their suffix and even if they are missing, so that reading them says what is wrong. What is named twice is listed
    once. Nothing that is wrong with a file or folder is an error here.
    """
    photos: dict[Path, None] = {}
    passed: dict[Path, PassedOver] = {}

    def unlisted(error: OSError) -> None:
        folder = Path(error.filename)
        passed[folder] = PassedOver(folder, "folder", f"cannot be listed ({reason(error)})")

    for path in map(Path, paths):
        if not os.path.isdir(path):  # of a path that may not be looked at, `Path.is_dir` raises an error
            photos[path] = None
            continue
        for folder, subfolders, files in os.walk(path, onerror=unlisted):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(files):
                suffix, file = os.path.splitext(name)[1].lower(), Path(folder) / name
                if name.startswith("."):
                    continue
                if suffix in _UNREAD:
                    passed[file] = PassedOver(file, _UNREAD[suffix], f"{_UNREAD[suffix]}, which is not read")
                elif suffix in raw.RAW_SUFFIXES and (found := _without_preview(file)) is not None:
                    passed[file] = found
                elif suffix in PHOTO_SUFFIXES or suffix in raw.RAW_SUFFIXES:
                    photos[file] = None
    return Found(tuple(photos), tuple(each for path, each in passed.items() if path not in photos))


def _without_preview(path: Path) -> PassedOver | None:
    """Why a RAW file is passed over; None where it is a photo, or where reading it will say what is wrong."""
    name = written(path)
    try:
        check_regular(path)
        with quiet, path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            if not is_raw(file, head, path.suffix.lower()):
                return None
            try:
                next(raw.previews(file, head, name))
            except (PhotoError, MissingDependency) as error:
                why = str(error).removeprefix(f"{name}: is ").partition(";")[0]
                return PassedOver(path, "RAW", why, extra=isinstance(error, MissingDependency))
    except Exception:
        return None
    return None
