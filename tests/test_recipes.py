"""The recipes of docs/architecture.md are run as they stand there: one file outside the package each."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from geoagent import GeoAgent, plugs
from geoagent.errors import ConfigError, UnknownPlug
from geoagent.evidence.photos import open_photo
from geoagent.interfaces.cli import main
from geoagent.places.geo import LatLon
from geoagent.protocols import Assets
from geoagent.types import Candidates
from geoagent.worlds.head import CellHead
from geoagent.worlds.world import World

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "architecture.md").read_text("utf-8")
RECIPES = dict(re.findall(r"```python\n# recipes/(\w+)\.py\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture(autouse=True)
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the recipes on the Python path."""
    folder = tmp_path / "python" / "recipes"
    folder.mkdir(parents=True)
    for name, code in RECIPES.items():
        (folder / f"{name}.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(str(folder.parent))
    for name in [name for name in sys.modules if name.partition(".")[0] == "recipes"]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def photo(path: Path, colour: tuple[int, int, int] = (90, 120, 160)) -> Path:
    Image.new("RGB", (160, 120), colour).save(path)
    return path


def test_there_are_five_and_each_is_short():
    assert set(RECIPES) == {"transcripts", "emergency", "colours", "medoid", "georss"}
    assert all(len(code.splitlines()) < 60 for code in RECIPES.values())


def test_an_ocr_engine(tmp_path: Path):
    picture = photo(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("Ehrenstraße 28 · 50672 Köln\nTel. 0221 4710 234\n", "utf-8")
    done = run("locate", picture, "--ocr", "recipes.transcripts", "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert (answer["best"]["place"], answer["best"]["country"]) == ("Köln", "DE")
    assert answer["regions"][0]["text"] == "Ehrenstraße 28 · 50672 Köln"
    (tmp_path / "a.txt").unlink()
    lost = json.loads(run("locate", picture, "--ocr", "recipes.transcripts", "--json").stdout)
    assert lost["status"] == "partial"
    assert any("write the photo's text there" in warning for warning in lost["warnings"])


def test_a_cue(tmp_path: Path):
    lines = ["In an emergency dial 111"]
    agent = GeoAgent.load(ocr="nothing", cues=["recipes.emergency"])
    answer = agent.locate_text(lines)
    (cue,) = [cue for cue in answer.cues if cue.kind == "emergency"]
    assert cue.value == "111"
    assert cue.nats > 0
    before = {c.code: c.p for c in GeoAgent.load(ocr="nothing").locate_text(lines).countries}
    assert {c.code: c.p for c in answer.countries}["NZ"] > 5 * before["NZ"]
    (tmp_path / "config.toml").write_text('cues = ["recipes.emergency"]\nocr = "nothing"\n', "utf-8")
    assert GeoAgent.load(tmp_path / "config.toml").locate_text(lines).settings == answer.settings
    assert GeoAgent.load(ocr="nothing").locate_text(lines).settings != answer.settings


@pytest.mark.parametrize("module", ["recipes.nothing", "recipes.medoid"])
def test_a_cue_that_is_not_there_is_an_error(module: str):
    with pytest.raises(UnknownPlug, match=re.escape(module)):
        GeoAgent.load(ocr="nothing", cues=[module])
    with pytest.raises(ConfigError, match="cues"):
        GeoAgent.load(ocr="nothing", cues=3)


def test_an_encoder(tmp_path: Path):
    encoder = plugs.build("encoders", "recipes.colours", None)
    world = World.load()
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    photo(one, (10, 200, 30))
    photo(two, (220, 30, 20))
    rows = encoder([open_photo(one), open_photo(two)])
    assert rows.shape == (2, encoder.dim)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    # A head that has learnt two photos: green ones are taken in the first cell, red ones in the last.
    weights = np.zeros((len(world.cells), encoder.dim))
    weights[0], weights[-1] = 60 * rows[0], 60 * rows[1]
    head = CellHead(weights, world.log_prior, encoder.name, world.cells.fingerprint)
    folder = World(world.name, world.cells, world.log_prior, world.support, head=head).save(tmp_path / "world")
    sees = GeoAgent.load(ocr="nothing", world=folder, encoder="recipes.colours")
    for path, cell in ((one, 0), (two, -1)):
        answer = sees.locate(path)
        assert answer.looked
        assert answer.best.country == world.cells.country[cell]


def test_a_refiner():
    refiner = plugs.build("refiners", "recipes.medoid", Assets(None, None, None))  # type: ignore[arg-type]
    latlon = np.array([(50.0, 7.0), (50.1, 7.1), (50.2, 7.0), (10.0, 10.0)])
    candidates = Candidates(latlon, np.zeros(4), np.zeros(4), np.full(4, np.nan), ("a", "b", "c", "d"))
    found = refiner(candidates, np.array([1.0, 1.0, 1.0, 0.2]), LatLon(0, 0))
    assert found.latlon == LatLon(50.1, 7.1)
    assert found.weights.sum() == pytest.approx(1)
    nowhere = Candidates(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0), ())
    assert refiner(nowhere, np.zeros(0), LatLon(1, 2)).latlon == LatLon(1, 2)
    agent = GeoAgent.load(ocr="nothing", refiner="recipes.medoid")
    assert agent.locate_text(["50672 Köln"]).best.place == "Köln"


def test_a_format(tmp_path: Path):
    rows, target = tmp_path / "rows.jsonl", tmp_path / "places.xml"
    texts = [{"id": "k", "lines": ["50672 Köln", "Tel. 0221 4710 234"]}, {"id": "none", "lines": ["OPEN"]}]
    rows.write_text("\n".join(map(json.dumps, texts)), "utf-8")
    answers = tmp_path / "answers.jsonl"
    assert run("locate", "--texts", rows, "--out", answers).exit_code == 0
    done = run("export", answers, "--as", "recipes.georss", target)
    assert done.exit_code == 0, done.output
    assert "1 row, 1 without an answer left out" in done.stdout
    (point,) = ElementTree.parse(target).getroot().iter("{http://www.georss.org/georss}point")
    assert float((point.text or "").split()[0]) == pytest.approx(50.94, abs=0.2)
    refused = run("export", answers, "--as", "recipes.medoid", target)
    assert refused.exit_code != 0
    assert "recipes.medoid has no 'write'" in refused.output
