"""Embeddings made elsewhere: each photo finds its own row and no other's."""

from __future__ import annotations

import csv
import hashlib
import importlib.util

import numpy as np
import pytest

from geoagent import plugs
from geoagent.errors import ConfigError, InputError
from geoagent.types import Photo

NAMES = ["paris/1.jpg", "rome/1.jpg", "rome/2.jpg", "osm_991"]
ROWS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


def photo(source):
    return Photo(np.zeros((2, 2, 3), dtype=np.uint8), source=source)


def table(path, **options):
    return plugs.build("encoders", "embeddings", None, file=path, **options)


def write(folder, kind, names=tuple(NAMES), rows=ROWS):
    path = folder / f"features.{kind}"
    if kind == "npz":
        np.savez(path, refs=np.array(names), embeddings=rows)
    elif kind == "npy":
        np.save(path, rows)
        with path.with_suffix(".csv").open("w", newline="") as file:
            csv.writer(file).writerows([("path", "lat"), *((name, 1) for name in names)])
    else:
        pyarrow = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(
            pyarrow.table({"image": list(names), "embedding": [row.tolist() for row in rows]}), path
        )
    return path


with_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed")


@pytest.mark.parametrize("kind", ["npz", "npy", pytest.param("parquet", marks=with_pyarrow)])
def test_a_photo_is_found_by_path_end_or_name(tmp_path, kind):
    encoder = table(write(tmp_path, kind))
    assert encoder.dim == 5
    unit = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    for source, row in [
        ("rome/1.jpg", 1),
        ("./rome/1.jpg", 1),
        ("/data/photos/paris/1.jpg", 0),
        ("D:\\photos\\rome\\2.jpg", 2),
        ("2.jpg", 2),
        ("/data/osm_991.jpeg", 3),
        ("osm_991", 3),
    ]:
        np.testing.assert_allclose(encoder([photo(source)])[0], unit[row], atol=1e-6)
    both = encoder([photo("rome/2.jpg"), photo("paris/1.jpg")])
    np.testing.assert_allclose(both, unit[[2, 0]], atol=1e-6)
    assert encoder([]).shape == (0, 5)


@pytest.mark.parametrize("source", ["oslo/1.jpg", "3.jpg", "/data/oslo/2.jpg", "array", "", "/"])
def test_a_photo_without_a_row_is_refused(tmp_path, source):
    with pytest.raises(InputError, match="no embedding"):
        table(write(tmp_path, "npz"))([photo(source)])


def test_a_name_of_two_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"several photos are called '1\.jpg'"):
        table(write(tmp_path, "npz"))([photo("1.jpg")])


def test_a_photo_is_found_by_the_hash_of_its_file(tmp_path):
    file = tmp_path / "any name.jpg"
    file.write_bytes(b"bytes of a photo")
    names = [*NAMES[:3], hashlib.sha256(b"bytes of a photo").hexdigest()]
    encoder = table(write(tmp_path, "npz", names))
    np.testing.assert_allclose(encoder([photo(str(file))])[0], ROWS[3] / np.linalg.norm(ROWS[3]), atol=1e-6)


def test_views_of_a_photo_are_averaged(tmp_path):
    views = np.stack([ROWS, ROWS[:, ::-1]], axis=1)
    row = table(write(tmp_path, "npz", rows=views))([photo("rome/2.jpg")])[0]
    unit = views[2] / np.linalg.norm(views[2], axis=1, keepdims=True)
    mean = unit.mean(axis=0)
    np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-6)


def test_columns_can_be_named(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, which=np.array(NAMES), clip=ROWS)
    with pytest.raises(ConfigError, match=r"no column of embeddings.*which, clip"):
        table(path)
    assert table(path, names="which", rows="clip").dim == 5


def test_what_is_wrong_with_the_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="no embeddings at"):
        table(tmp_path / "none.npz")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"not '\.txt'"):
        table(tmp_path / "a.txt")
    (tmp_path / "b.npz").write_bytes(b"garbage")
    with pytest.raises(ConfigError, match="cannot be read"):
        table(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", ROWS)
    with pytest.raises(ConfigError, match=r"c\.csv beside it"):
        table(tmp_path / "c.npy")
    np.savez(tmp_path / "d.npz", refs=np.array(NAMES[:2]), embeddings=ROWS)
    with pytest.raises(ConfigError, match="4 embeddings, but 2 names"):
        table(tmp_path / "d.npz")
    np.savez(tmp_path / "e.npz", refs=np.array(["a", "b", "a", "c"]), embeddings=ROWS)
    with pytest.raises(ConfigError, match="more than once"):
        table(tmp_path / "e.npz")
    np.savez(tmp_path / "f.npz", refs=np.array(NAMES), embeddings=ROWS.astype(str))
    with pytest.raises(ConfigError, match="expected numbers"):
        table(tmp_path / "f.npz")
