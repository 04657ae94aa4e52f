"""From the fragments of a photo to its lines of text: those that stand as they should, and those read mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geoagent.evidence.ocr import Piece
from geoagent.evidence.ocr._mirror import Read, mirror_back
from geoagent.evidence.ocr._rapid import Reader
from geoagent.evidence.ocr._unread import unread_regions
from geoagent.evidence.scripts import UNKNOWN, letters
from geoagent.types import Photo, TextRegion

_EVIDENT, _SIDE_BY_SIDE, _LETTERS_TOGETHER = 0.8, 0.6, 5
_ALONE = frozenset({"Latn", "Hani", "Jpan", UNKNOWN})


def lay_out(reader: Reader, photo: Photo, reads: Sequence[Read], scale: float) -> tuple[TextRegion, ...]:
    """Join fragments to lines, in reading order, and add the places with text that could not be read.

    Args:
        reader: the engine that found the fragments.
        photo: the photo that they were found in.
        reads: the fragments.
        scale: pixels of `photo` per pixel of the fragments' corners.
    """
    found: tuple[TextRegion, ...] = ()
    unread: tuple[TextRegion, ...] = ()
    width = photo.width_px * photo.scale
    for mirrored in (False, True):
        some = [read for read in reads if read.mirrored == mirrored]
        lines, places = _lines(reader, photo, some, scale)
        if mirrored:
            lines, places = (tuple(mirror_back(each, width) for each in part) for part in (lines, places))
        found, unread = found + lines, unread + places
    return found + unread


def _lines(
    reader: Reader, photo: Photo, reads: Sequence[Read], scale: float
) -> tuple[tuple[TextRegion, ...], tuple[TextRegion, ...]]:
    """Return the lines of fragments that all stand the same way, and their places that could not be read."""
    rapid = f"rapidocr/{reader.model}"
    pieces = [read.piece for read in reads]
    engines = {read.piece.text: read.engine for read in reads if read.engine != rapid}

    def engine_of(line: Piece) -> str:
        longest = max((text for text in engines if text in line.text), key=len, default="")
        return engines[longest] if len(longest) * 3 >= len(line.text) and longest else rapid

    lines = together(reader.regions(photo, pieces, scale, engine_of))
    crops, sure = [read.crop for read in reads], [reader.reads(piece) for piece in pieces]
    return lines, unread_regions(photo, crops, pieces, sure, scale, rapid)


def together(regions: tuple[TextRegion, ...]) -> tuple[TextRegion, ...]:
    """Mark lines of one script as evidence if they are evident only together.

    A script is rarely hallucinated twice in one photo. Required are two or more lines, one of them read confidently,
    with five letters in total. Han and kana, which RapidOCR sees in patterns, must be evident on their own.

    Args:
        regions: lines of one photo.
    """
    found: dict[str, list[TextRegion]] = {}
    for region in regions:
        if region.script not in _ALONE and region.score >= _SIDE_BY_SIDE and letters(region.text) >= 2:
            found.setdefault(region.script, []).append(region)
    sure = {
        script
        for script, lines in found.items()
        if len(lines) >= 2
        and max(line.score for line in lines) >= _EVIDENT
        and sum(letters(line.text) for line in lines) >= _LETTERS_TOGETHER
    }
    both = {id(line) for script in sure for line in found[script]}
    return tuple(replace(region, script_is_evidence=True) if id(region) in both else region for region in regions)
