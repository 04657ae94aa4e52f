"""The manifest of a bulk run: every photo once, with a unique id, in blocks that are the shards of the output.

It is made once, from INPUT as it is then. A shard is a row group of it, so that no run holds all of it in memory.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import islice
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.interfaces.bulk.files import write_whole
from geoagent.optional import needs

NAME = "_manifest.parquet"
"""Its name; readers of data sets pass over names that begin with an underscore."""
FORMAT = "geoagent.manifest/1"
_KEY = b"geoagent"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one photo is.

    Attributes:
        id: unique in the manifest.
        path: file or URL: the photo, or the archive or table that holds it.
        start: first byte in an archive; -1 for none.
        size: bytes in an archive; -1 for none.
        row: row in a table that holds the photos themselves; -1 for none.
        lat: degrees, where the photo was taken, if INPUT says so.
        lon: degrees.
        split: part of the data that it belongs to, if INPUT says so.
    """

    id: str
    path: str
    start: int = -1
    size: int = -1
    row: int = -1
    lat: float | None = None
    lon: float | None = None
    split: str | None = None


class Manifest:
    """A manifest that was written.

    Attributes:
        url: INPUT it was made from.
        digest: of all entries.
        shards: how many there are.
        photos: how many there are.
    """

    def __init__(self, filesystem: Any, folder: str) -> None:
        """Open it.

        Raises:
            InputError: it is missing or none of ours.
        """
        with needs("bulk", "pyarrow"):
            import pyarrow.parquet as parquet
        self._path = f"{folder}/{NAME}"
        try:
            self._file = parquet.ParquetFile(self._path, filesystem=filesystem)
            said = json.loads(self._file.schema_arrow.metadata[_KEY])
            if said["format"] != FORMAT:
                raise ValueError(said["format"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self._path} is no manifest of geoagent ({error}); choose another --out") from error
        self.url, self.digest = str(said["input"]), str(said["digest"])
        self.shards, self.photos = int(self._file.num_row_groups), int(self._file.metadata.num_rows)

    def shard(self, number: int) -> list[Entry]:
        """The photos of one shard."""
        return [Entry(**row) for row in self._file.read_row_group(number).to_pylist()]

    def count(self, number: int) -> int:
        """How many photos one shard has."""
        return int(self._file.metadata.row_group(number).num_rows)


def write_manifest(entries: Iterable[Entry], url: str, filesystem: Any, folder: str, shard: int) -> None:
    """Write a manifest, whole or not at all.

    Args:
        entries: the photos.
        url: INPUT.
        filesystem: where the output is.
        folder: of the output.
        shard: photos a shard.

    Raises:
        InputError: there are no photos, or two have the same id.
    """
    with needs("bulk", "pyarrow"):
        import pyarrow
        import pyarrow.parquet as parquet
    kinds = {"start": pyarrow.int64(), "size": pyarrow.int64(), "row": pyarrow.int64()}
    kinds |= {"lat": pyarrow.float64(), "lon": pyarrow.float64()}
    schema = pyarrow.schema([(f.name, kinds.get(f.name, pyarrow.string())) for f in fields(Entry)])
    source, whole, ids = iter(entries), hashlib.blake2b(digest_size=16), bytearray()
    tables = []
    while block := list(islice(source, shard)):
        for entry in block:
            ids += hashlib.blake2b(entry.id.encode(), digest_size=16).digest()
            whole.update(json.dumps(asdict(entry)).encode())
        tables.append(pyarrow.Table.from_pylist(list(map(asdict, block)), schema=schema))
    if not tables:
        raise InputError(f"no photos in {url}")
    if (twice := _twice(bytes(ids))) is not None:
        name = tables[twice // shard]["id"][twice % shard].as_py()
        raise InputError(f"{url}: the id {name!r} stands there twice")
    said = {"format": FORMAT, "input": url, "digest": whole.hexdigest(), "shard": shard}
    buffer = io.BytesIO()
    with parquet.ParquetWriter(buffer, schema.with_metadata({_KEY: json.dumps(said).encode()})) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=shard)
    write_whole(filesystem, f"{folder}/{NAME}", buffer.getvalue())


def _twice(digests: bytes) -> int | None:
    """Number of an entry whose id stands there before; None if all differ."""
    pairs = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    same = np.flatnonzero((pairs[order[1:]] == pairs[order[:-1]]).all(axis=1))
    return int(order[same[0] + 1]) if len(same) else None
