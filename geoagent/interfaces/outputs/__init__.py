"""Answers as files for other programs: one module per format.

A table is a module here with `write(rows, target) -> count`; `FORMATS` names those that ship. XMP sidecars (`xmp`)
stand beside, since they are one file a photo and never replace anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from pydantic import ValidationError

from geoagent import plugs
from geoagent.answer import Answer
from geoagent.errors import InputError
from geoagent.interfaces.outputs._row import Row, row_of
from geoagent.interfaces.outputs._whole import whole
from geoagent.tables import lines_of

__all__ = ["FORMATS", "Row", "read_answers", "read_folder", "row_of", "whole", "write"]

FORMATS = ("csv", "geojson", "geoparquet", "gpkg", "gpx", "kml")
"""Tables by name; each is a module of this folder."""


def write(name: str, rows: Sequence[Row], target: Path) -> int:
    """Write rows in the format `name`, atomically.

    Args:
        name: one of `FORMATS`, or the dotted path of a module outside the package with the same function `write`.
        rows: what to write.
        target: the file.

    Returns:
        How many rows the file holds; all but CSV leave errors out.

    Raises:
        InputError: no such format, or the file cannot be written.
        UnknownPlug: there is no such module, or it has no function `write`.
        MissingDependency: the format's packages are not installed.
    """
    if "." not in name and name not in FORMATS:
        raise InputError(f"no format {name!r}; choose from {', '.join(FORMATS)}, or give a dotted module path")
    function = plugs.attribute(name if "." in name else f"{__name__}.{name}", "write")
    return cast(Callable[[Sequence[Row], Path], int], function)(rows, target)


def read_answers(file: IO[bytes]) -> Iterator[tuple[int, Answer | str]]:
    """Read a file of answers, as `geoagent locate --out` writes it.

    Args:
        file: opened; in UTF-8, or in UTF-16 with a byte order mark, as PowerShell writes. Empty lines are passed over.

    Yields:
        The number of each line, from 1, with its answer, or with what is wrong with it.
    """
    return _answers(lines_of(file))


def read_folder(folder: Path) -> Iterator[tuple[int, Answer | str]]:
    """Read the answers in a folder that `geoagent bulk` wrote; see `read_answers`.

    Yields:
        The number of each photo, from 1, with its answer, or with what is wrong with it.

    Raises:
        InputError: there are none.
        MissingDependency: pyarrow is not installed.
    """
    from geoagent.interfaces.bulk.answering import answer_lines

    return _answers(line.encode() for line in answer_lines(str(folder)))


def _answers(lines: Iterable[bytes]) -> Iterator[tuple[int, Answer | str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, Answer.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            yield number, f"not an answer of geoagent ({where + ': ' if where else ''}{first['msg']})"
