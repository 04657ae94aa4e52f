"""All photos of a file of answers on one map, with a small copy of each photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoagent.answer import Answer
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.types import Photo

_SIDE_PX = 900
_CAPPED = "this answer is capped at"


def write_album_map(
    answers: Sequence[Answer], target: Path, folder: Path | None, gazetteer: Gazetteer
) -> dict[str, Any]:
    """Write one page with all answers on one map, and return what it holds.

    A small copy of each photo that can be read is in the page; of none where an answer is capped, since a photo tells
    more than the cap allows.

    Args:
        answers: at least one; errors are listed without a place.
        target: the page.
        folder: where relative names of photos start from; the current folder where None.
        gazetteer: its outlines are the map.

    Raises:
        InputError: the file cannot be written.
    """
    from geoagent.filenames import written
    from geoagent.interfaces.cli.learn import progress_bar
    from geoagent.interfaces.outputs import whole
    from geoagent.interfaces.render.map import map_html

    capped = any(warning.startswith(_CAPPED) for answer in answers for warning in answer.warnings)
    photos: list[Photo | None] = []
    with progress_bar() as tell:
        for number, answer in enumerate(answers):
            tell("reading photos", number, len(answers))
            photos.append(None if capped else _photo(answer, folder))
    page = map_html(list(answers), outlines=gazetteer.outlines(), photo=photos)
    with whole(target) as temporary:
        temporary.write_text(page, "utf-8")
    named = sum(answer.best is not None and answer.best.lat is not None for answer in answers)
    shown = sum(photo is not None for photo in photos)
    return {"file": written(target), "answers": len(answers), "on_the_map": named, "photos": shown, "capped": capped}


def album_line(done: dict[str, Any]) -> str:
    """What the page holds, in one line."""
    with_what = "without photos, since answers are capped" if done["capped"] else f"{done['photos']} with their photo"
    return f"{done['file']}: {done['on_the_map']} of {done['answers']} answers on the map, {with_what}"


def _photo(answer: Answer, folder: Path | None) -> Photo | None:
    """The photo, made small; None for a text, and for a file that is not there or cannot be read any more."""
    from geoagent.errors import GeoAgentError
    from geoagent.evidence.photos import open_photo
    from geoagent.filenames import path_of

    if answer.status == "error" or answer.id is not None:
        return None
    try:
        return open_photo(path_of(answer.source, folder), max_side_px=_SIDE_PX)
    except GeoAgentError:
        return None
