"""Arguments for ExifTool, for those who decide to write estimates into photos; geoagent itself never does.

`exiftool -@ FILE` then writes the position, its 90 % radius and the names of the place, each marked as an estimate: by
`GPSProcessingMethod`, which geoagent knows again and does not take for a position of the photo, and in words in
`XMP-photoshop:Instructions`. A photo that has got a position meanwhile is passed over, and ExifTool keeps the original
beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from geoagent.evidence.exif import METHOD
from geoagent.filenames import path_of, safe
from geoagent.interfaces.outputs._row import Row, plain
from geoagent.interfaces.outputs._whole import whole
from geoagent.interfaces.outputs.xmp import POSITIONED_ITSELF, Outcome, in_words, may_have, names_of, position_of

_TAGS = {
    "photoshop:City": "XMP-photoshop:City",
    "photoshop:State": "XMP-photoshop:State",
    "photoshop:Country": "XMP-photoshop:Country",
    "Iptc4xmpCore:Location": "XMP-iptcCore:Location",
    "Iptc4xmpCore:CountryCode": "XMP-iptcCore:CountryCode",
}
_HEAD = """\
# Estimates of places by geoagent, for ExifTool: exiftool -@ THIS_FILE
# They are guesses with their evidence, not measurements, and are marked so. Check them first. ExifTool keeps each
# original as PHOTO_original.
"""


def write(
    rows: Sequence[Row],
    target: Path,
    *,
    folder: Path | None = None,
    over_gps: bool = False,
    least: float = 0.0,
    country_name: Callable[[str], str | None] | None = None,
) -> list[Outcome]:
    """Write an argument file of ExifTool, atomically, and return an outcome for each answer.

    The rules are those of sidecars: `xmp.write`. A sidecar without a position is no obstacle.

    Args:
        rows: the answers.
        target: the file.
        folder: where relative names of photos start from; the current folder where None.
        over_gps: write also where the photo has a position of its own.
        least: least confidence of an answer.
        country_name: from a country's code to its name; without it the code alone is written.

    Raises:
        InputError: the file cannot be written.
    """
    outcomes, blocks, met = [], [], set[Path]()
    for row in rows:
        photo = path_of(row.source, folder)
        said = may_have(row, photo, least=least)
        if isinstance(said, Outcome):
            outcomes.append(said)
        elif said.position is not None and not over_gps:
            outcomes.append(Outcome(row.source, reason=safe(said.says), kind=POSITIONED_ITSELF))
        elif photo.resolve() in met:
            outcomes.append(Outcome(row.source, reason="an earlier answer is for the same file", kind="answered twice"))
        elif any(sign in os.fspath(photo.resolve()) for sign in "\r\n"):
            outcomes.append(Outcome.error(row.source, "ExifTool's argument files hold no names with line breaks"))
        else:
            met.add(photo.resolve())
            name = country_name(row.country) if country_name is not None and row.country else None
            blocks.append(_block(row, photo.resolve(), over_gps, name, names=not said.named))
            outcomes.append(Outcome(row.source, target))
    with whole(target) as temporary:
        temporary.write_bytes(_HEAD.encode() + b"".join(blocks))
    return outcomes


def _block(row: Row, photo: Path, over_gps: bool, country_name: str | None, *, names: bool) -> bytes:
    """The arguments for one photo, one a line, as bytes: names of files need not be UTF-8."""
    lines = list(_arguments(row, over_gps, country_name, names))
    return "\n".join(["", *map(plain, lines), ""]).encode() + os.fsencode(photo) + b"\n-execute\n"


def _arguments(row: Row, over_gps: bool, country_name: str | None, names: bool) -> Iterator[str]:
    yield from ("-charset", "filename=utf8") if os.name == "nt" else ()
    at = position_of(row)
    if at is not None:
        if not over_gps:
            yield from ("-if", f"not defined $GPSLatitude or $GPSProcessingMethod =~ /{METHOD}/")
        yield f"-EXIF:GPSLatitude={abs(at.lat):.6f}"
        yield f"-EXIF:GPSLatitudeRef={'N' if at.lat >= 0 else 'S'}"
        yield f"-EXIF:GPSLongitude={abs(at.lon):.6f}"
        yield f"-EXIF:GPSLongitudeRef={'E' if at.lon >= 0 else 'W'}"
        yield "-EXIF:GPSMapDatum=WGS-84"
        yield f"-EXIF:GPSProcessingMethod={METHOD}"
        if row.radius_90_km is not None:
            yield f"-EXIF:GPSHPositioningError={max(1, round(1000 * row.radius_90_km))}"
    for name, value in names_of(row, country_name) if names else ():
        yield f"-{_TAGS[name]}={safe(value)}"
    yield f"-XMP-photoshop:Instructions={safe(in_words(row, country_name))}"
