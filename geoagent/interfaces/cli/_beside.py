"""What `geoagent export` writes for single photos: XMP sidecars and arguments for ExifTool, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._positions import what_they_say

if TYPE_CHECKING:
    from geoagent.interfaces.outputs import Row
    from geoagent.interfaces.outputs.xmp import Outcome, Style
    from geoagent.places.gazetteer import Gazetteer


@dataclass(frozen=True, slots=True)
class Rules:
    """For which photos something is written.

    Attributes:
        photos: folder that relative names refer to; the current folder where None.
        over_gps: also where the photo has a position of its own.
        least: least confidence of an answer.
    """

    photos: Path | None
    over_gps: bool
    least: float

    def path(self, row: Row) -> Path:
        """The file of an answer's photo."""
        from geoagent.filenames import path_of

        return path_of(row.source, self.photos)


def sidecars(rows: Sequence[Row], rules: Rules, style: Style, gazetteer: Gazetteer | None) -> list[Outcome]:
    """Write sidecars; what is wrong with one photo stops no other."""
    from geoagent.evidence.exif import sidecars as existing
    from geoagent.interfaces.outputs import xmp

    names = xmp.SidecarNames(style)
    fit = [(row, rules.path(row)) for row in rows if xmp.unfit(row, rules.least) is None]
    refused = names.refused(fit, over_gps=rules.over_gps)
    shared = {photo: why for photo, why in refused.items() if not existing(photo)}

    def outcome(row: Row) -> Outcome:
        if rules.path(row) in shared and xmp.unfit(row, rules.least) is None:
            return xmp.Outcome(row.source, reason=shared[rules.path(row)], kind="shares a sidecar")
        try:
            return xmp.write(
                row,
                folder=rules.photos,
                over_gps=rules.over_gps,
                least=rules.least,
                names=names,
                country_name=_names(gazetteer),
            )
        except Exception as error:
            return xmp.Outcome.error(row.source, f"unexpected {type(error).__name__}: {error}")

    return _with_doubts([outcome(row) for row in rows], rows, rules)


def arguments(rows: Sequence[Row], rules: Rules, target: Path, gazetteer: Gazetteer | None) -> list[Outcome]:
    """Write an argument file of ExifTool."""
    from geoagent.interfaces.outputs import exiftool

    done = exiftool.write(
        rows,
        target,
        folder=rules.photos,
        over_gps=rules.over_gps,
        least=rules.least,
        country_name=_names(gazetteer),
    )
    return _with_doubts(done, rows, rules)


def written_beside(report: dict[str, Any], name: str, done: Iterable[Outcome]) -> int:
    """Report outcomes under `name`, and those left out on stderr; returns the number that failed with an error."""
    from geoagent.filenames import written
    from geoagent.interfaces.render import shown

    done = list(done)
    left = [each for each in done if each.sidecar is None]
    made = [(written(each.sidecar), each.photo) for each in done if each.sidecar is not None]
    report[name] = {
        "written": [side if name == "xmp" else photo for side, photo in made],
        "left_out": [{"photo": each.photo, "reason": each.reason} for each in left],
        "counts": dict(Counter(each.kind for each in left).most_common()),
    }
    for each in left:
        reason = each.reason.removeprefix(f"{each.photo}: ")
        click.echo(f"{'Error: ' if each.failed else ''}{shown(each.photo)}: {reason}", err=True)
    return sum(each.failed for each in left)


def counts_line(name: str, done: dict[str, Any], target: Path | None) -> str:
    """One line with how many were written, and how many were left out for which reason."""
    from geoagent.filenames import written

    made, left = len(done["written"]), len(done["left_out"])
    photos = "photo" if made == 1 else "photos"
    if name == "xmp":
        says = f"XMP: {made} sidecar{'' if made == 1 else 's'} written, {left} left out"
    else:
        says = f"{written(target) if target is not None else ''}: arguments for {made} {photos}, {left} left out"
    why = ", ".join(f"{count} {kind}" for kind, count in done["counts"].items())
    return f"{says} ({why})" if why else says


def _names(gazetteer: Gazetteer | None) -> Callable[[str], str | None]:
    def name(code: str) -> str | None:
        place = gazetteer.country(code) if gazetteer is not None else None
        return place.name if place is not None else None

    return name


def _with_doubts(done: Sequence[Outcome], rows: Sequence[Row], rules: Rules) -> list[Outcome]:
    """Outcomes that tell, beside why nothing was written, that a position is that of the whole folder."""
    from geoagent.evidence.copied import copied_over

    copied = copied_over(what_they_say(dict.fromkeys(rules.path(row) for row in rows if row.id is None)))
    doubts = [copied.get(rules.path(row), "") for row in rows]
    return [
        replace(each, reason=f"{each.reason}; {doubt}") if doubt and each.reason else each
        for each, doubt in zip(done, doubts, strict=True)
    ]
