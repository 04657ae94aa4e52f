"""Worlds on this machine: listed, checked, fetched from a zip, and made by the commands."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import make_world

from geoagent.errors import InputError, WorldError
from geoagent.interfaces.cli import main
from geoagent.interfaces.cli._main import parse_plug
from geoagent.worlds.installed import download, find, home, listed, verify


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOAGENT_CACHE", str(tmp_path / "cache"))


def run(*args: object):
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture
def zipped(tmp_path) -> Path:
    folder = make_world(name="toy").save(tmp_path / "made" / "toy")
    return Path(shutil.make_archive(str(tmp_path / "toy"), "zip", folder.parent, "toy"))


def test_the_starter_world_is_listed_and_whole():
    assert verify(None) == []
    assert listed()[0]["name"] == "starter"
    assert run("world", "verify").exit_code == 0
    assert json.loads(run("world", "list", "--json").stdout)[0]["cells"] > 3000


def test_a_zipped_world_is_fetched_and_found_by_name(zipped):
    digest = hashlib.sha256(zipped.read_bytes()).hexdigest()
    target = download(str(zipped), sha256=digest)
    assert target == home() / "toy"
    assert find("toy") == target
    assert [row["name"] for row in listed()] == ["starter", "toy"]
    assert json.loads(run("world", "info", "toy", "--json").stdout)["cells"] == 12
    with pytest.raises(WorldError, match="already"):
        download(str(zipped))


def test_another_file_than_the_one_asked_for_is_refused(zipped):
    with pytest.raises(WorldError, match="nothing was kept"):
        download(str(zipped), sha256="0" * 64)
    assert not (home() / "toy").exists()


def test_a_zip_that_leaves_its_folder_is_refused(tmp_path):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("../outside.txt", "x")
    with pytest.raises(InputError, match="outside"):
        download(str(path))
    assert not (home().parent / "outside.txt").exists()


@pytest.mark.parametrize("address", ["http://example.org/a.zip", "https://127.0.0.1:9/a.zip", "/no/such.zip"])
def test_what_cannot_be_fetched_is_one_line(address):
    done = run("world", "download", address)
    assert done.exit_code == 1
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_is_no_world_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a zip"):
        download(str(tmp_path / "a.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as out:
        out.writestr("thesis.txt", "x")
    with pytest.raises(WorldError, match=r"world\.json"):
        download(str(tmp_path / "b.zip"))


def test_a_broken_world_is_said_to_be(tmp_path):
    folder = make_world().save(tmp_path / "w")
    (folder / "prior.npz").write_bytes(b"x")
    assert verify(folder)
    assert run("world", "verify", folder).exit_code == 1


def test_encoders_are_named_on_the_command_line():
    assert parse_plug("--encoder", "onnx,model=a.onnx,size=224,mean=0.5") == {
        "name": "onnx",
        "model": "a.onnx",
        "size": 224,
        "mean": 0.5,
    }
    assert run("train", "--data", "x.npz", "--out", "w", "--encoder", "onnx,model").exit_code == 2


@pytest.fixture(scope="module")
def features(tmp_path_factory) -> Path:
    """Two hundred places in four towns; features are the town's direction and some noise."""
    rng = np.random.default_rng(0)
    towns = np.array([(48.86, 2.35), (52.52, 13.4), (40.42, -3.7), (41.9, 12.5)])
    town = np.arange(200) % 4
    views = np.eye(16)[town][:, None, :] * 8 + rng.normal(size=(200, 2, 16))
    split = np.where(np.arange(200) % 5 == 0, "val", np.where(np.arange(200) % 7 == 0, "test", "train"))
    path = tmp_path_factory.mktemp("features") / "f.npz"
    latlon = towns[town] + rng.normal(size=(200, 2)) * 0.2
    np.savez(path, lat=latlon[:, 0], lon=latlon[:, 1], views=views, split=split)
    return path


def test_train_evaluate_tune_and_locate_by_command(features, tmp_path):
    if find_spec("torch") is None or find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed (pip install 'geoagent-photo[train]')")
    world = tmp_path / "w"
    done = run(
        "train", "--data", features, "--out", world, "--hidden", 0, "--min-size", 5, "--max-size", 20, "--epochs", 4
    )
    assert done.exit_code == 0, done.output
    assert verify(world) == []
    report = tmp_path / "r.json"
    done = run("evaluate", "--world", world, "--data", features, "--split", "test", "--out", report, "--bootstrap", 20)
    assert done.exit_code == 0, done.output
    figures = json.loads(report.read_text("utf-8"))["figures"]
    assert figures["country"]["value"] > 0.8
    assert figures["median_km"]["value"] < 100
    assert run("tune", "--world", world, "--data", features, "--out", tmp_path / "w2").exit_code == 0
    assert verify(tmp_path / "w2") == []


@pytest.mark.parametrize("kind", ["semantic", "quadtree"])
def test_geocells_by_command(features, tmp_path, kind):
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed (pip install 'geoagent-photo[train]')")
    out = tmp_path / "cells"
    args = (
        "--min-size",
        5,
        "--max-size",
        30,
        "--kind",
        kind,
        "--plot",
        tmp_path / "c.png",
        "--map",
        tmp_path / "c.html",
    )
    done = run("geocells", "build", "--data", features, "--out", out, *args)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "c.png").stat().st_size > 1000
    assert "<html" in (tmp_path / "c.html").read_text("utf-8").lower()
    if kind == "semantic":
        assert run("geocells", "check", out).exit_code == 0
