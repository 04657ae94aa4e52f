"""INPUT of a bulk run: folders, tables of paths, tables of photos, and WebDataset tars, on any filesystem."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from geoagent.errors import InputError
from geoagent.evidence.folders import PHOTO_SUFFIXES, scan
from geoagent.filenames import written
from geoagent.interfaces.bulk.files import filesystem, is_local
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.interfaces.bulk.opening import SEEN, bytes_column
from geoagent.optional import needs
from geoagent.tables import ID, IMAGE, LAT, LON, number, plain, read_rows

_SPLIT = ("split", "fold", "subset", "partition", "set")
_ANSWER = "answer"
_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")
_PARQUET = (".parquet", ".pq")


def entries(url: str, images: str | None = None) -> Iterator[Entry]:
    """The photos of INPUT, in order.

    Args:
        url: a folder (photos; without any, tars or Parquet files), a CSV, TSV, JSON Lines or Parquet file with a column
            of paths, a Parquet file with a column of photos, a WebDataset tar, a photo, a pattern ("*.tar"), or a
            folder of `geoagent bulk --keep-seen`, whose photos are answered again from what was seen in them.
        images: folder that the paths of a table start from; that of the table where absent.

    Raises:
        InputError: nothing there, or not of such a form.
    """
    files, path = filesystem(url)
    if any(sign in path for sign in "*?["):
        found = sorted(files.glob(path))
        if not found:
            raise InputError(f"no file matches {url}")
        for each in found:
            yield from _of_file(files, each, _like(url, each, files), images)
    elif files.isdir(path):
        yield from _of_folder(files, path, url)
    elif files.exists(path):
        yield from _of_file(files, path, url, images)
    else:
        raise InputError(f"{url}: no such file or folder")


def _of_folder(files: Any, path: str, url: str) -> Iterator[Entry]:
    if is_local(files):
        photos = scan([Path(url.removeprefix("file://"))]).photos
        yield from (Entry(written(photo), written(photo)) for photo in photos)
        others = () if photos else sorted(map(str, Path(path).iterdir()))
    else:
        there = sorted(name for name in files.find(path) if "/." not in name[len(path) :])
        kept = [name for name in there if _suffix(name) in PHOTO_SUFFIXES]
        yield from (Entry(name, name) for name in (_like(url, each, files) for each in kept))
        others = () if kept else there
    for each in others:
        if _suffix(each) in _PARQUET and PurePosixPath(each).name.startswith("_"):
            continue  # of a data set, but not its rows
        if _suffix(each) in (".tar", *_PARQUET):
            yield from _of_file(files, each, _like(url, each, files), None)


def _of_file(files: Any, path: str, url: str, images: str | None) -> Iterator[Entry]:
    kind = _suffix(path)
    if kind == ".tar":
        yield from _of_tar(files, path, url)
    elif kind in _PARQUET:
        yield from _of_parquet(files, path, url, images)
    elif kind in _TABLES:
        yield from _of_table(files, path, url, images)
    elif path.endswith((".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")):
        raise InputError(f"{url}: a compressed tar cannot be read from its middle; unpack it to a plain .tar")
    else:
        yield Entry(written(url), written(url))


def _of_tar(files: Any, path: str, url: str) -> Iterator[Entry]:
    """Photos of a WebDataset tar; `KEY.json` beside `KEY.jpg` may hold their places."""
    waiting: list[Entry] = []
    key, said = None, dict[str, Any]()
    try:
        with files.open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                stem = str(name.parent / name.name.partition(".")[0])
                if stem != key:
                    yield from (_placed(entry, said) for entry in waiting)
                    key, said, waiting = stem, {}, []
                if not member.isfile():
                    continue
                if name.suffix.lower() in PHOTO_SUFFIXES:
                    waiting.append(Entry(f"{url}/{member.name}", url, member.offset_data, member.size))
                elif name.suffix.lower() == ".json" and (held := tar.extractfile(member)) is not None:
                    try:
                        read = json.loads(held.read())
                    except ValueError:
                        continue
                    said = read if isinstance(read, dict) else {}
            yield from (_placed(entry, said) for entry in waiting)
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{url} is no readable tar: {error}") from error


def _of_parquet(files: Any, path: str, url: str, images: str | None) -> Iterator[Entry]:
    with needs("bulk", "pyarrow"):
        import pyarrow
        import pyarrow.parquet as parquet
    try:
        file = parquet.ParquetFile(path, filesystem=files)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{url} is no readable Parquet file: {error}") from error
    column, struct = bytes_column(file.schema_arrow)
    if SEEN in file.schema_arrow.names:
        column, struct = SEEN, False
    elif _ANSWER in file.schema_arrow.names:
        raise InputError(f"{url} holds answers without what was seen; it was not made with --keep-seen")
    light = [f.name for f in file.schema_arrow if f.name != column and not pyarrow.types.is_nested(f.type)]
    light = ["id"] if column == SEEN else light  # its other columns are answers, not what is known
    named = [f"{column}.path"] if struct else []
    row = 0
    for batch in file.iter_batches(columns=[*light, *named] or None):
        for values in batch.to_pylist():
            if column is None:
                yield _of_row(values, url, images, f"row {row}")
            else:
                inner = values.get(column) if struct else None
                name = _value(values, ID) or (inner or {}).get("path") or f"{url}:{row}"
                yield _placed(Entry(str(name), url, row=row), values)
            row += 1


def _of_table(files: Any, path: str, url: str, images: str | None) -> Iterator[Entry]:
    with TemporaryDirectory() as folder:
        local = Path(path)
        if not is_local(files):
            local = Path(folder) / PurePosixPath(path).name
            files.get_file(path, str(local))
        for row in read_rows(local):
            yield _of_row(row.values, url, images, f"row {row.number}")


def _of_row(values: Mapping[str, Any], url: str, images: str | None, where: str) -> Entry:
    """A row of a table with paths."""
    path = _value(values, IMAGE)
    if path is None:
        raise InputError(f"{url}, {where}: no path of a photo; expected a column {', '.join(IMAGE[:4])}, …")
    text = str(path)
    if "://" not in text:
        base = images if images is not None else url.rpartition("/")[0]
        text = f"{base}/{text}" if "://" in base else written(Path(base) / text)
    return _placed(Entry(str(_value(values, ID) or path), text), values)


def _placed(entry: Entry, values: Mapping[str, Any]) -> Entry:
    lat, lon, split = _value(values, LAT), _value(values, LON), _value(values, _SPLIT)
    return replace(entry, lat=number(lat), lon=number(lon), split=None if split is None else str(split))


def _value(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    there = {plain(name): value for name, value in reversed(list(values.items()))}
    found = (there[key] for name in names if (key := plain(name)) in there)
    return next((value for value in found if value is not None and value != ""), None)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _like(url: str, path: str, files: Any) -> str:
    """A path of a filesystem in the form of the URL that led there."""
    if is_local(files):
        return written(Path(path)) if Path(url).is_absolute() else written(_relative(Path(path)))
    return str(files.unstrip_protocol(path))


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
