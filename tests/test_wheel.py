"""The wheel holds what an installed geoagent needs, and nothing that a build left behind."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from geoagent.resources import data_dir

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    if find_spec("pip") is None:
        pytest.skip("pip is not installed in this environment")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and ("No matching distribution" in done.stderr or "hatchling" in done.stderr):
        pytest.skip("hatchling cannot be had here: building needs the package index")
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("geoagent_photo-*.whl")
    assert wheel.stat().st_size < 27e6
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_data_ship_inside_the_package(names):
    for folder in ("gazetteer", "prompts"):
        top = data_dir(folder)
        for path in top.rglob("*"):
            inside = path.relative_to(top)
            if path.is_file() and inside.parts[0] != "build":
                assert f"geoagent/_data/{folder}/{inside.as_posix()}" in names
    assert "geoagent/py.typed" in names
    assert "geoagent/interfaces/render/map.html" in names
    assert "geoagent/evidence/ocr/models/multiscript.onnx" in names
    assert "geoagent/evidence/ocr/models/multiscript.json" in names
    web = ROOT / "geoagent" / "interfaces" / "web"
    for path in (web / "page").iterdir():
        assert f"geoagent/interfaces/web/page/{path.name}" in names
    for example in re.findall(r'"(\w+)": "', (web / "pages.py").read_text("utf-8")):
        assert f"geoagent/_data/examples/photos/{example}.jpg" in names


def test_nothing_else_ships(names):
    assert not [n for n in names if n.startswith("geoagent/_data/gazetteer/build")]
    assert {n.split("/")[0] for n in names} == {"geoagent", *(n.split("/")[0] for n in names if ".dist-info" in n)}
