"""Reliabilities of cues: measured on labelled texts, stored in a world, used by its constraints."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.belief.calibration import KNOTS, Observation, assumed, fit, log_loss, reliability
from geoagent.errors import InputError
from geoagent.interfaces.cli import main
from geoagent.resources import data_dir
from geoagent.types import TextRegion
from geoagent.worlds.evaluation.cues import measure, observe, read_texts, region_row

ROWS = [
    {"id": "1", "lines": ["Apotheke", "Tel. +49 221 4710234"], "country": "DE", "lat": 50.94, "lon": 6.96},
    {"id": "2", "lines": ["Boulangerie", "fermé le lundi"], "country": "FR"},
    {"id": "3", "lines": ["Farmácia", "Rua das Flores 12"], "country": "PT", "also": ["BR"]},
    {"id": "4", "lines": ["Zakład fryzjerski", "Obiad 25 zł"], "country": "PL"},
    {"id": "5", "lines": ["Kossuth Lajos utca"], "country": "HU"},
    {"id": "6", "lines": ["EXIT"], "country": None},
]


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")
    return path


def seen(kind: str, strength: float, ratio: float, times: int) -> list[Observation]:
    return [Observation(kind, strength, ratio, ratio > 1)] * times


def test_a_kind_that_is_often_wrong_is_believed_less():
    curves = fit([*seen("brand", 1.0, 0.0, 50), *seen("brand", 1.0, 20.0, 50)])
    assert 0.4 < reliability("brand", 1.0, curves) < 0.65
    surer = fit(seen("brand", 1.0, 20.0, 100))
    assert reliability("brand", 1.0, surer) > 0.93


def test_few_texts_change_little_and_strengths_are_measured_apart():
    few = fit(seen("phone", 1.0, 0.0, 1))
    assert reliability("phone", 1.0, few) > 0.8
    curves = fit([*seen("name", 0.25, 0.0, 80), *seen("name", 1.0, 30.0, 80)])
    assert reliability("name", 0.25, curves) < 0.1 < 0.9 < reliability("name", 1.0, curves)


@given(
    st.lists(
        st.tuples(st.sampled_from(["name", "phone"]), st.floats(0.01, 1.0), st.floats(0.0, 500.0)),
        min_size=1,
        max_size=12,
    )
)
def test_curves_never_fall_and_stay_inside(observations):
    for kind, curve in fit([Observation(k, s, r, r > 1) for k, s, r in observations]).items():
        assert 0 < curve[0] <= curve[1] <= curve[2] < 1, kind


def test_fitting_makes_the_true_countries_likelier():
    rows = [*seen("name", 1.0, 0.1, 60), *seen("name", 1.0, 8.0, 40)]
    assert log_loss(rows, fit(rows)) < log_loss(rows, {"name": list(assumed("name"))})


def test_a_single_number_is_a_reliability_at_full_strength():
    assert reliability("name", 0.5, {"name": 0.8}) == pytest.approx(0.4)
    assert reliability("name", KNOTS[1], {"name": [0.1, 0.3, 0.9]}) == pytest.approx(0.3)


def test_measuring_is_the_same_twice_and_says_where_it_comes_from(rows):
    agent = GeoAgent.load(ocr="nothing")
    report = measure([rows], agent, folds=3)
    assert report == measure([rows], agent, folds=3)
    assert report["texts"] == 5
    assert len(report["fingerprint"]) == 16
    assert report["kinds"]["phone"] == {"cues": 1, "country_right": 1.0, "cities": 1, "city_right": 1.0}


def test_the_command_stores_reliabilities_in_a_world_which_then_uses_them(rows, tmp_path):
    world = tmp_path / "world"
    shutil.copytree(data_dir("gazetteer") / "starter-world", world)
    result = CliRunner().invoke(main, ["calibrate", "cues", str(rows), "--world", str(world), "--folds", "2"])
    assert result.exit_code == 0, result.output
    meta = json.loads((world / "world.json").read_text("utf-8"))["calibration"]
    assert meta["reliability_from"]["texts"] == 5
    meta["reliability"]["phone"] = [0.05, 0.05, 0.05]
    stored = json.loads((world / "world.json").read_text("utf-8"))
    stored["calibration"] = meta
    (world / "world.json").write_text(json.dumps(stored), "utf-8")
    doubting = GeoAgent.load(ocr="nothing", world=world).locate_text(["Tel. +49 221 4710234"])
    assert {cue.reliability for cue in doubting.cues if cue.kind == "phone"} == {0.05}


def test_made_up_texts_are_the_same_twice_and_mostly_read_as_their_country(tmp_path):
    for name in ("one", "two"):
        asked = CliRunner().invoke(main, ["calibrate", "texts", str(tmp_path / name), "--count", "25", "--seed", "3"])
        assert asked.exit_code == 0, asked.output
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    made = [json.loads(line) for line in (tmp_path / "one").read_text("utf-8").splitlines()]
    assert len({row["country"] for row in made}) > 12
    assert any("misleading" in row["kinds"] for row in made)
    assert all(row["lines"] and len(row["lines"]) <= 5 for row in made)
    agent = GeoAgent.load(ocr="nothing")
    right = sum(agent.locate_text(row["lines"]).countries[0].code == row["country"] for row in made)
    assert right > 0.75 * len(made)


def test_made_up_texts_help_where_labelled_ones_are_few_and_judge_nothing(rows):
    agent = GeoAgent.load(ocr="nothing")
    plain, helped = measure([rows], agent, folds=2), measure([rows], agent, folds=2, generated=20)
    assert helped["kinds"] == plain["kinds"]
    assert helped["texts"] == plain["texts"]
    assert set(helped["reliability"]) > set(plain["reliability"])
    assert 0.0 <= helped["crossed"]["ece_by_chance"] <= 1.0


def test_a_table_of_photographed_signs_is_read(tmp_path):
    table = tmp_path / "truth.csv"
    table.write_text(
        "file,country,text_lines\na.jpg,DE,Apotheke | Hauptstraße 5\nb.jpg,EG?,صيدلية\n"
        "c.jpg,,EXIT\nd.jpg,PL,ul. Długa 7\n",
        "utf-8",
    )
    assert measure([table], GeoAgent.load(ocr="nothing"), folds=2)["texts"] == 2
    table.write_text("file,words\na.jpg,x\n", "utf-8")
    with pytest.raises(InputError, match="text_lines"):
        measure([table], GeoAgent.load(ocr="nothing"))


def test_an_observation_counts_for_its_weight():
    wrong = seen("name", 1.0, 0.0, 40)
    light = [replace(one, weight=0.1) for one in wrong]
    assert fit(wrong)["name"][2] < fit(light)["name"][2] < assumed("name")[2]


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"lines": ["x"]}', "no json", '{"lines": 3, "country": "DE"}'])
def test_rows_of_another_shape_are_refused(tmp_path, content):
    path = tmp_path / "bad.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError):
        measure([path], GeoAgent.load(ocr="nothing"))
    assert CliRunner().invoke(main, ["calibrate", "cues", str(path)]).exit_code == 1


def test_what_ocr_read_from_a_photo_calibrates_as_it_was_read(tmp_path):
    """Rows with regions keep confidence, size and contrast, which the strength of their cues depends on."""
    quad = np.array([[10, 10], [300, 10], [300, 40], [10, 40]], dtype=np.float32)
    sure = TextRegion("Tel. +49 711 216 0", quad, 0.99, "Latn", True, panel="white", height=0.05, contrast=0.6)
    rows = [(sure, "sure"), (replace(sure, confidence=0.55), "doubtful")]
    path = tmp_path / "read.jsonl"
    path.write_text(
        "".join(json.dumps({"id": id, "country": "DE", "regions": [region_row(r)]}) + "\n" for r, id in rows), "utf-8"
    )
    agent = GeoAgent.load(ocr="nothing")
    texts = read_texts([path], agent)
    assert region_row(texts[0].regions[0]) == region_row(sure)
    (clear,), (doubtful,) = ([o for o in seen if o.kind == "phone"] for seen in observe(texts, agent))
    assert clear.strength > doubtful.strength
