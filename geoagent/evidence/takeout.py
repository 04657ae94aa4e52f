"""Google Takeout's sidecars: JSON files beside photos, which hold their time and place."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoagent.errors import CoordinateError
from geoagent.evidence.taken import Taken, of_timestamp
from geoagent.places.geo import LatLon

_MOST_BYTES = 1_000_000
_LONGEST = 46
"""Characters of a sidecar's name before ".json", since May 2015 at the latest; longer ones are cut off."""
_SUPPLEMENT = ".supplemental-metadata"
_EDITED = re.compile(
    r"-(?:edited|effects|smile|mix|bearbeitet|modifié|(?:ha )?editado|editat|modificato|bewerkt|edytowane|編集済み)"
    r"(?=$|\()",
    re.IGNORECASE,
)
"""What Google appends to the names of edited copies, by the user's language."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar tells."""

    path: Path
    taken: Taken | None
    position: LatLon | None


def sidecar_of(path: Path) -> Sidecar | None:
    """The sidecar of a photo; None where there is none, or one of something else."""
    for name in _names(path.name):
        side = path.with_name(name)
        if os.path.isfile(side) and (found := _read(side)) is not None:
            return found
    return None


def _names(photo: str) -> list[str]:
    """Names that a sidecar may have: that of IMG_1(2).jpg is IMG_1.jpg(2).json, an edited copy has the original's."""
    stem, dot, suffix = photo.rpartition(".")
    stem = stem if dot else photo
    suffix = f".{suffix}" if dot else ""
    found = []
    for base in dict.fromkeys((stem, _EDITED.sub("", stem))):
        number = re.search(r"\(\d+\)$", base)
        plain = base[: number.start()] if number else base
        count = number[0] if number else ""
        for extra in ("", _SUPPLEMENT):
            whole = f"{plain}{suffix}{extra}"
            found += [f"{whole}{count}.json", f"{whole[:_LONGEST]}{count}.json"]
        # Names with the supplement are cut within it: "IMG_1.jpg.supplemental-met.json".
        found += [f"{plain}{suffix}{_SUPPLEMENT[:end]}{count}.json" for end in range(len(_SUPPLEMENT), 1, -1)]
        # A photo whose own title ends in a number keeps it where it is: "Lake (2).jpg.json".
        found += [f"{whole[:_LONGEST]}.json" for whole in (f"{base}{suffix}", f"{base}{suffix}{_SUPPLEMENT}", base)]
    return list(dict.fromkeys(found))


def _read(side: Path) -> Sidecar | None:
    try:
        if side.stat().st_size > _MOST_BYTES:
            return None
        data = json.loads(side.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("photoTakenTime"), dict):
        return None
    taken = of_timestamp(data["photoTakenTime"].get("timestamp"))
    position = next((at for key in ("geoData", "geoDataExif") if (at := _place(data.get(key))) is not None), None)
    return Sidecar(side, taken, position)


def _place(data: Any) -> LatLon | None:
    if not isinstance(data, dict):
        return None
    try:
        lat, lon = float(data["latitude"]), float(data["longitude"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(lat) and math.isfinite(lon)) or lat == lon == 0:
        return None
    try:
        return LatLon(lat, lon)
    except CoordinateError:
        return None
