"""Names of XMP sidecars: photo.jpg.xmp (darktable, digiKam) or photo.xmp (Lightroom, Capture One)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from geoagent.evidence.photos import what_it_says
from geoagent.filenames import written
from geoagent.interfaces.outputs._row import Row
from geoagent.places.geo import haversine_km

Style = Literal["auto", "darktable", "lightroom"]
STYLES: tuple[Style, ...] = get_args(Style)
_SAME_KM = 25.0
"""Estimates of one shot in two files, as RAW and JPEG, are this near to each other."""


class SidecarNames:
    """Where the sidecar of a photo goes. "auto" follows the sidecars that a folder has, and darktable without any."""

    def __init__(self, style: Style = "darktable") -> None:
        self._style = style
        self._folders: dict[Path, Style] = {}
        self._beside: dict[Path, dict[str, list[Path]]] = {}

    def target(self, photo: Path) -> Path:
        """The sidecar that is written for a photo."""
        if self.of(photo.parent) == "lightroom":
            return photo.with_name(photo.stem + ".xmp")
        return photo.with_name(photo.name + ".xmp")

    def of(self, folder: Path) -> Style:
        """The style of a folder, as it was when it was asked for first."""
        if self._style != "auto":
            return self._style
        if folder not in self._folders:
            self._folders[folder] = _style_there(folder)
        return self._folders[folder]

    def refused(self, rows: Iterable[tuple[Row, Path]], *, over_gps: bool = False) -> dict[Path, str]:
        """Photos that get no sidecar because another file has the same one, with the reason.

        A file photo.xmp speaks for photo.jpg and photo.dng alike. It is written for the first of them if the answers
        agree, and for none if they differ, or if one of the files has a position of its own.

        Args:
            rows: answers that name a place, and their photos.
            over_gps: whether positions of the photos do not matter.
        """
        sharing: dict[Path, list[tuple[Row, Path]]] = defaultdict(list)
        for row, photo in rows:
            group = sharing[self.target(photo)]
            if self.of(photo.parent) == "lightroom" and photo.is_file() and photo not in (known for _, known in group):
                group.append((row, photo))
        refused: dict[Path, str] = {}
        for target, group in sharing.items():
            positioned = [] if over_gps or not group else self._positioned(target)
            shared = written(target.name)
            for number, (row, photo) in enumerate(group):
                first = written(group[0][1].name)
                if photo in positioned:
                    continue  # which is reason enough
                if positioned:
                    refused[photo] = (
                        f"{written(positioned[0].name)}, which has the same sidecar {shared}, has a position"
                    )
                elif not all(_agree(row, other) for other, _ in group):
                    names = " and ".join(written(path.name) for _, path in group)
                    refused[photo] = (
                        f"{names} have one sidecar {shared} and different estimates; use --sidecar darktable"
                    )
                elif number:
                    refused[photo] = f"it has the same sidecar {shared} as {first}, whose estimate that holds"
        return refused

    def _positioned(self, target: Path) -> list[Path]:
        """Files that a sidecar photo.xmp speaks for and that have a position."""
        if target.parent not in self._beside:
            stems: dict[str, list[Path]] = defaultdict(list)
            for path in sorted(_listed(target.parent)):
                if path.suffix.lower() != ".xmp":
                    stems[path.stem].append(path)
            self._beside[target.parent] = stems
        found = []
        for path in self._beside[target.parent].get(target.stem, ()):
            try:
                if what_it_says(path).position is not None:
                    found.append(path)
            except Exception:  # a film, a text, a RAW file that cannot be read
                continue
        return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _style_there(folder: Path) -> Style:
    """The style of most sidecars in a folder that belong to a file there."""
    names = {path.name for path in _listed(folder)}
    sides = [name[:-4] for name in names if name.lower().endswith(".xmp")]
    stems = {Path(name).stem for name in names if not name.lower().endswith(".xmp")}
    full = sum(side in names for side in sides)
    bare = sum(side in stems and side not in names for side in sides)
    return "lightroom" if bare > full else "darktable"


def _agree(a: Row, b: Row) -> bool:
    if a.country != b.country or a.precision != b.precision:
        return False
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return (a.lat, a.place) == (b.lat, b.place)
    return float(haversine_km((a.lat, a.lon), (b.lat, b.lon))) <= _SAME_KM
