"""Opening the photos of a manifest, wherever they are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from geoagent.errors import GeoAgentError, PhotoError
from geoagent.evidence.observation import Observation
from geoagent.evidence.photos import open_photo
from geoagent.evidence.saved import observation_of
from geoagent.filenames import path_of
from geoagent.interfaces.bulk.files import filesystem
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.types import Photo

SEEN = "seen"
"""Column of what was seen in photos (`geoagent bulk --keep-seen`), each as JSON."""
_BYTES = ("image", "bytes", "content", "data", "photo", "jpg", "jpeg", "png", "picture")


class Opener:
    """Opens photos of a manifest; keeps the last block of a table, since its photos come one after another."""

    def __init__(self) -> None:
        self._block: tuple[str, int, list[Any]] | None = None
        self._tables: dict[str, tuple[Any, str, list[int]]] = {}

    def __call__(self, entry: Entry) -> Photo:
        """Open one photo; its source is its file, or its id where it has no file of its own.

        Raises:
            PhotoError: it cannot be read.
        """
        if entry.row < 0 and entry.start < 0 and "://" not in entry.path:
            return open_photo(path_of(entry.path))
        name = entry.path if entry.row < 0 and entry.start < 0 else entry.id
        try:
            content = self._content(entry)
        except GeoAgentError:
            raise
        except Exception as error:  # every filesystem has errors of its own
            raise PhotoError(f"{name}: cannot be read ({' '.join(str(error).split())})") from error
        try:
            return replace(open_photo(content), source=name)
        except GeoAgentError as error:
            raise type(error)(f"{name}: {str(error).removeprefix('bytes: ')}") from error

    def seen(self, entry: Entry) -> Observation | None:
        """What was seen in a photo before, where INPUT is that; None where it holds photos.

        Raises:
            PhotoError: nothing was seen, since the photo could not be read; or the file is damaged.
        """
        if entry.row < 0 or self._table(entry.path)[1] != SEEN:
            return None
        held = self._cell(entry.path, entry.row)
        if held is None:
            raise PhotoError(f"{entry.id}: it could not be looked at before; give the photos as INPUT")
        try:
            return observation_of(json.loads(held))
        except (ValueError, KeyError, TypeError) as error:
            raise PhotoError(f"{entry.path}, row {entry.row}: damaged ({error})") from error

    def _content(self, entry: Entry) -> bytes:
        if entry.row >= 0:
            found = self._cell(entry.path, entry.row)
            if self._table(entry.path)[1] == SEEN:
                raise PhotoError(f"{entry.id}: {entry.path} holds what was seen in photos, not the photos")
            if found is None:
                raise PhotoError(f"{entry.path}, row {entry.row}: there is no photo")
            return bytes(found)
        files, path = filesystem(entry.path)
        if entry.start < 0:
            return bytes(files.cat_file(path))
        return bytes(files.cat_file(path, entry.start, entry.start + entry.size))

    def _cell(self, url: str, row: int) -> Any:
        file, column, ends = self._table(url)
        group = next(i for i in range(len(ends) - 1) if row < ends[i + 1])
        if self._block is None or self._block[:2] != (url, group):
            self._block = url, group, file.read_row_group(group, columns=[column])[column].to_pylist()
        held = self._block[2][row - ends[group]]
        return held.get("bytes") if isinstance(held, dict) else held

    def _table(self, url: str) -> tuple[Any, str, list[int]]:
        """A table, its column of photos or of what was seen, and the first row of each of its groups."""
        if url not in self._tables:
            import pyarrow.parquet as parquet

            files, path = filesystem(url)
            file = parquet.ParquetFile(path, filesystem=files)
            column = SEEN if SEEN in file.schema_arrow.names else bytes_column(file.schema_arrow)[0]
            ends = [0]
            for group in range(file.num_row_groups):
                ends.append(ends[-1] + file.metadata.row_group(group).num_rows)
            self._tables = {url: (file, str(column), ends)}
        return self._tables[url]


def bytes_column(schema: Any) -> tuple[str | None, bool]:
    """The column that holds photos, and whether it is a struct of bytes and path, as Hugging Face writes it."""
    from pyarrow import types

    def holds(kind: Any) -> bool:
        return bool(types.is_binary(kind) or types.is_large_binary(kind))

    for field in sorted(schema, key=lambda f: f.name.lower() not in _BYTES):
        if holds(field.type):
            return field.name, False
        if types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0:
            return field.name, field.type.get_field_index("path") >= 0
    return None, False
