"""INPUT of bulk runs in every form, and the manifest made from it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_in.engine import picture

pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[bulk]')")
pytest.importorskip("fsspec", reason="fsspec is not installed (pip install 'geoagent-photo[bulk]')")
import fsspec
import pyarrow
import pyarrow.parquet as parquet

from geoagent.errors import InputError, PhotoError
from geoagent.evidence.photos import open_photo
from geoagent.interfaces.bulk.files import filesystem, sweep, write_whole
from geoagent.interfaces.bulk.inputs import entries
from geoagent.interfaces.bulk.manifest import Entry, Manifest, write_manifest
from geoagent.interfaces.bulk.opening import Opener

PHOTOS = {f"{n}.png": picture(n, size=(40 + n, 30)) for n in range(5)}


def widths(found: list[Entry]) -> list[int]:
    opened = Opener()
    return [opened(entry).width_px for entry in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here = tmp_path / "photos"
    here.mkdir()
    for name, content in PHOTOS.items():
        (here / name).write_bytes(content)
    return here


def test_a_folder_has_the_photos_of_locate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(entries(str(folder)))
    assert [entry.id for entry in found] == [str(folder / name) for name in PHOTOS]
    assert all(entry.id == entry.path for entry in found)
    assert widths(found) == [40, 41, 42, 43, 44]
    monkeypatch.chdir(folder.parent)
    assert [entry.path for entry in entries("photos")] == [f"photos/{name}" for name in PHOTOS]
    assert [entry.id for entry in entries("photos/[12].png")] == ["photos/1.png", "photos/2.png"]
    assert [entry.id for entry in entries("photos/3.png")] == ["photos/3.png"]


def test_a_tar_is_read_from_its_middle_and_says_places(tmp_path: Path) -> None:
    path = tmp_path / "shard-0.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in PHOTOS.items():
            key = name.removesuffix(".png")
            said = json.dumps({"latitude": 50 + int(key), "longitude": 7.5, "split": "val"}).encode()
            for member, held in ((f"a/{key}.png", content), (f"a/{key}.json", said), (f"a/{key}.cls", b"3")):
                info = tarfile.TarInfo(member)
                info.size = len(held)
                tar.addfile(info, io.BytesIO(held))
    found = list(entries(str(path)))
    assert [entry.id for entry in found] == [f"{path}/a/{name}" for name in PHOTOS]
    assert [(entry.lat, entry.lon, entry.split) for entry in found][1] == (51.0, 7.5, "val")
    assert widths(found[::-1]) == [44, 43, 42, 41, 40]
    assert np.array_equal(Opener()(found[2]).pixels, open_photo(PHOTOS["2.png"]).pixels)
    assert [e.id for e in entries(str(tmp_path))] == [e.id for e in found]  # a folder of tars


@pytest.mark.parametrize("struct", [False, True])
def test_a_parquet_file_of_photos(tmp_path: Path, struct: bool) -> None:
    path = tmp_path / "photos.parquet"
    cells: list[Any] = list(PHOTOS.values())
    if struct:  # as Hugging Face writes images
        cells = [{"bytes": content, "path": name} for name, content in PHOTOS.items()]
    table = pyarrow.table({"lat": [1.5] * 5, "lon": [2.5] * 5, "image": cells})
    parquet.write_table(table, path, row_group_size=2)
    found = list(entries(str(path)))
    assert [entry.id for entry in found] == (list(PHOTOS) if struct else [f"{path}:{n}" for n in range(5)])
    assert {(entry.lat, entry.lon) for entry in found} == {(1.5, 2.5)}
    assert widths(found) == [40, 41, 42, 43, 44]
    assert Opener()(found[4]).source == found[4].id


def test_tables_of_paths(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "photos.csv"
    table.write_text("id;path;lat;lon;fold\nx;photos/0.png;50,5;7;train\ny;photos/3.png;;;\n")
    found = list(entries(str(table)))
    assert [(e.id, e.path) for e in found] == [("x", str(folder / "0.png")), ("y", str(folder / "3.png"))]
    assert (found[0].lat, found[0].lon, found[0].split) == (50.5, 7.0, "train")
    assert (found[1].lat, found[1].lon, found[1].split) == (None, None, None)
    assert widths(found) == [40, 43]
    columns = tmp_path / "photos.parquet"
    parquet.write_table(pyarrow.table({"file": ["1.png", "2.png"]}), columns)
    assert widths(list(entries(str(columns), str(folder)))) == [41, 42]
    table.write_text("id,lat\nx,1\n")
    with pytest.raises(InputError, match="no path of a photo"):
        list(entries(str(table)))


def test_photos_on_another_filesystem() -> None:
    files = fsspec.filesystem("memory")
    for name, content in PHOTOS.items():
        files.pipe_file(f"/archive/in/{name}", content)
    files.pipe_file("/archive/.hidden/1.png", b"")
    files.pipe_file("/archive/readme.txt", b"")
    found = list(entries("memory://archive"))
    assert [entry.path for entry in found] == [f"memory:///archive/in/{name}" for name in PHOTOS]
    assert widths(found) == [40, 41, 42, 43, 44]
    write_manifest(found, "memory://archive", *filesystem("memory://out"), 2)
    assert Manifest(*filesystem("memory://out")).shard(1) == found[2:4]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"")
    (tmp_path / "x.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    for name, says in (
        ("none", "no such file"),
        ("*.jpg", "no file matches"),
        ("x.tar.gz", "compressed tar"),
        ("x.tar", "no readable tar"),
        ("x.parquet", "no readable Parquet"),
    ):
        with pytest.raises(InputError, match=says):
            list(entries(str(tmp_path / name)))
    with pytest.raises(InputError, match="no filesystem"):
        list(entries("nonsense://x"))
    opened = Opener()
    for entry in (Entry("a", "memory://none/a.png"), Entry("b", str(tmp_path / "x.parquet"), row=3)):
        with pytest.raises(PhotoError, match="cannot be read"):
            opened(entry)
    fsspec.filesystem("memory").pipe_file("/z/t.jpg", b"text")
    with pytest.raises(PhotoError, match=r"^memory:///z/t.jpg: is a text file"):
        opened(Entry("t", "memory:///z/t.jpg"))


def test_a_manifest_has_each_photo_once(tmp_path: Path) -> None:
    files, out = filesystem(str(tmp_path / "out"))
    many = [Entry(f"id{n}", f"{n}.jpg", lat=float(n)) for n in range(25)]
    write_manifest(many, "somewhere", files, out, 10)
    manifest = Manifest(files, out)
    assert (manifest.url, manifest.shards, manifest.photos) == ("somewhere", 3, 25)
    assert [manifest.count(n) for n in range(3)] == [10, 10, 5]
    assert [entry for n in range(3) for entry in manifest.shard(n)] == many
    with pytest.raises(InputError, match="the id 'id7' stands there twice"):
        write_manifest([*many, many[7]], "somewhere", files, out, 10)
    with pytest.raises(InputError, match="no photos in"):
        write_manifest([], "nowhere", files, out, 10)
    assert Manifest(files, out).digest == manifest.digest


def test_files_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, out = filesystem(str(tmp_path))
    write_whole(files, f"{out}/a", b"first")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        write_whole(files, f"{out}/a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    sweep(files, out)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
