"""One position written over a whole folder: told as doubtful, since nobody stands on one spot for hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from geoagent.evidence.exif import Said

_LEAST_PHOTOS = 3
_LEAST_SHARE = 0.9
"""Share of a folder's positions that are the same one."""
_LEAST_TIME = timedelta(hours=2)
"""A receiver that moves gives other last digits within minutes; a phone that lies still may repeat one."""


def copied_over(said: Mapping[Path, Said]) -> dict[Path, str]:
    """Photos whose position is that of nearly all of their folder, to every digit, though they were taken over hours.

    Args:
        said: what the files say, of one or of several folders.

    Returns:
        By photo, why its position is doubtful, in words without numbers of the position.
    """
    folders: dict[Path, list[tuple[Path, Said]]] = defaultdict(list)
    for path, each in said.items():
        if each.latlon is not None:
            folders[path.parent].append((path, each))
    found: dict[Path, str] = {}
    for positioned in folders.values():
        same: dict[object, list[tuple[Path, Said]]] = defaultdict(list)
        for path, each in positioned:
            same[each.latlon].append((path, each))
        group = max(same.values(), key=len)
        times = [each.taken for _, each in group if each.taken is not None]
        if len(group) < max(_LEAST_PHOTOS, _LEAST_SHARE * len(positioned)) or len(times) < _LEAST_PHOTOS:
            continue
        if (span := max(times) - min(times)) >= _LEAST_TIME:
            why = (
                f"the position in the file is doubtful: {len(group)} of the {len(positioned)} photos of its folder "
                f"that have one have the same, to every digit, though they were taken over {_words(span)}"
            )
            found |= dict.fromkeys((path for path, _ in group), why)
    return found


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
