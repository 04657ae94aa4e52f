"""Embeddings in bulk, for `geoagent train`: shards of vectors, then one table of places with features."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.agent.batch import attempt, told
from geoagent.agent.workers import Serve
from geoagent.config import Plug
from geoagent.errors import InputError
from geoagent.filenames import safe
from geoagent.interfaces.bulk.files import filesystem
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.interfaces.bulk.opening import Opener
from geoagent.interfaces.bulk.plan import Kind, Plan, Row, part
from geoagent.interfaces.outputs import whole
from geoagent.optional import needs
from geoagent.protocols import Assets, Encoder
from geoagent.types import Photo

_COLUMNS = {name: "string" for name in ("id", "status", "error", "split")} | {"lat": "double", "lon": "double"}


def encoder_of(plug: dict[str, Any]) -> Encoder:
    """Build an encoder outside of any agent.

    Raises:
        UnknownPlug: there is no such encoder.
        GeoAgentError: it cannot be loaded.
    """
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.places.gazetteer.facts import Facts
    from geoagent.worlds.world import World

    checked = Plug.model_validate(plug)
    assets = Assets(World.load(), Gazetteer.load(), Facts.load())
    encoder: Encoder = plugs.build("encoders", checked.name, assets, **checked.options)
    return encoder


def working(plug: dict[str, Any]) -> Serve:
    """What a worker does: from entries to a row each, encoded together."""
    encoder, opened = encoder_of(plug), Opener()

    def embed(entries: Sequence[Entry]) -> list[Row]:
        found = [attempt(opened, entry) for entry in entries]
        photos = [photo for photo in found if isinstance(photo, Photo)]
        with told():
            vectors = iter(encoder(photos) if photos else ())
        return [
            _row(entry, photo) | {"embedding": next(vectors).tolist()}
            if isinstance(photo, Photo)
            else failed(entry, str(photo))
            for entry, photo in zip(entries, found, strict=True)
        ]

    return embed


def failed(entry: Entry, why: str) -> Row:
    """The row of a photo that has no embedding."""
    return _row(entry, None) | {"status": "error", "error": safe(why)}


def embeddings_plan(plug: dict[str, Any], out: str, *, batch: int, half: bool) -> Plan:
    """The plan of a run that embeds photos.

    Args:
        plug: the encoder.
        out: folder of the shards.
        batch: photos that the encoder gets at once.
        half: store float16.
    """
    encoder = encoder_of(plug)
    name = "halffloat" if half else "float"
    kind = Kind("geoagent.embeddings/1", working, failed, _COLUMNS, ("embedding", encoder.dim, name))
    mark = hashlib.sha256(json.dumps([plug, encoder.name, name], sort_keys=True, default=str).encode()).hexdigest()
    return Plan(kind, (plug,), mark[:16], out, batch)


def gather(plan: Plan, target: Path) -> int:
    """Put the shards together as one table that `geoagent train` reads: .npz or .parquet.

    Photos without an embedding are left out. A shard at a time is in memory.

    Returns:
        The number of its rows.

    Raises:
        InputError: there are no embeddings, or the file cannot be written.
    """
    manifest = plan.manifest()
    count = sum(len(table) for table in _parts(plan, manifest.shards))
    if not count:
        raise InputError(f"no photo of {manifest.url} could be embedded; see the column error in {plan.out}")
    with whole(target) as temporary:
        if target.suffix == ".npz":
            _npz(plan, manifest.shards, count, temporary)
        else:
            _parquet(plan, manifest.shards, temporary)
    return count


def _parquet(plan: Plan, shards: int, target: Path) -> None:
    import pyarrow.parquet as parquet

    kept = [name for name in plan.schema().names if name not in ("status", "error")]
    with parquet.ParquetWriter(target, plan.schema().remove(2).remove(1)) as writer:
        for table in _parts(plan, shards):
            writer.write_table(table.select(kept))


def _npz(plan: Plan, shards: int, count: int, target: Path) -> None:
    assert plan.kind.vector is not None
    _, length, kind = plan.kind.vector
    dtype = np.dtype(np.float16 if kind == "halffloat" else np.float32)
    columns: dict[str, list[Any]] = {"lat": [], "lon": [], "id": [], "split": []}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("views.npy", "w", force_zip64=True) as file:
            header = {"descr": dtype.str, "fortran_order": False, "shape": (count, 1, length)}
            np.lib.format.write_array_header_2_0(file, header)
            for table in _parts(plan, shards):
                vectors = table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
                file.write(np.ascontiguousarray(vectors, dtype=dtype).tobytes())
                for name, held in columns.items():
                    held += table[name].to_pylist()
        arrays: dict[str, Any] = {
            name: np.array([np.nan if value is None else value for value in columns[name]]) for name in ("lat", "lon")
        }
        arrays["refs"] = np.array(columns["id"], dtype=np.str_)
        if any(columns["split"]):
            arrays["split"] = np.array([value or "" for value in columns["split"]], dtype=np.str_)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _parts(plan: Plan, shards: int) -> Iterator[Any]:
    """The tables of the shards, without errors."""
    with needs("bulk", "pyarrow"):
        import pyarrow.compute as compute
        import pyarrow.parquet as parquet
    files, folder = filesystem(plan.out)
    for number in range(shards):
        table = parquet.ParquetFile(f"{folder}/{part(number)}", filesystem=files).read()
        yield table.filter(compute.not_equal(table["status"], "error"))


def _row(entry: Entry, photo: Photo | None) -> Row:
    """A row; where INPUT says no place, that which the file claims."""
    lat, lon = entry.lat, entry.lon
    if (lat is None or lon is None) and photo is not None and photo.exif_gps is not None:
        lat, lon = photo.exif_gps.lat, photo.exif_gps.lon
    named: Row = {"id": entry.id, "status": "ok", "error": None, "split": entry.split, "lat": lat, "lon": lon}
    return named | {"embedding": None}
