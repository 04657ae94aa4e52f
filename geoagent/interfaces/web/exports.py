"""Answers of the page as files of other programs. Answers are written to a temporary folder, photos are not."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geoagent.answer import Answer
from geoagent.errors import InputError
from geoagent.interfaces.outputs import FORMATS, row_of, write
from geoagent.places.gazetteer import Gazetteer

XMP = "xmp"
KINDS = (*FORMATS, XMP)
"""Formats by name: tables, and sidecars."""
_ENDINGS = {"geopackage": "gpkg", "geoparquet": "parquet"}


def exported(answers: Sequence[Answer], kind: str, gazetteer: Gazetteer) -> tuple[str, bytes]:
    """Return name and content of a file with answers; several sidecars come as an archive.

    Args:
        answers: of photos, each with the name of its file as source.
        kind: one of `KINDS`.
        gazetteer: names of countries.

    Raises:
        InputError: no such format, or no answer that fits it.
        MissingDependency: the format's packages are not installed.
    """
    if kind == XMP:
        return _sidecars(answers, gazetteer)
    if kind not in FORMATS:
        raise InputError(f"no format {kind!r}; choose from {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"answers.{_ENDINGS.get(kind, kind)}"
        if not write(kind, [row_of(answer) for answer in answers], target):
            raise InputError("none of the answers names a place")
        return target.name, target.read_bytes()


def _sidecars(answers: Sequence[Answer], gazetteer: Gazetteer) -> tuple[str, bytes]:
    from geoagent.interfaces.outputs.xmp import sidecar, unfit

    files: dict[str, str] = {}
    for answer in answers:
        row = row_of(answer)
        if unfit(row):
            continue
        country = gazetteer.country(row.country) if row.country else None
        number = sum(name.endswith(f"{row.source}.xmp") for name in files)
        name = f"{f'{number}-' if number else ''}{row.source}.xmp"
        files[name] = sidecar(row, country_name=None if country is None else country.name)
    if not files:
        raise InputError("none of the answers names a place, so there is nothing to write into a sidecar")
    if len(files) == 1:
        (name, text), *_ = files.items()
        return name, text.encode()
    return "sidecars.zip", zipped(files)


def zipped(files: dict[str, Any]) -> bytes:
    """An archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
