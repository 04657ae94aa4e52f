"""Measuring a world: figures against answers whose quality is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import make_world
from test_training import scenes

from geoagent.errors import InputError, WorldError
from geoagent.places.geo import haversine_km
from geoagent.worlds.evaluation import evaluate
from geoagent.worlds.evaluation.evaluate import measure
from geoagent.worlds.evaluation.plots import save_plots
from geoagent.worlds.evaluation.predict import Predictions, Predictor
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.head import CellHead
from geoagent.worlds.training.table import Table
from geoagent.worlds.training.tune import Grid, tune
from geoagent.worlds.training.views import mean_view


def world_and_places():
    """The toy world with a head that is right about most scenes, made without training: class means."""
    cells, table, cell = scenes()
    x = mean_view(table.unit_views())
    mean = x.mean(axis=0)
    centred = (x - mean) / np.linalg.norm(x - mean, axis=1, keepdims=True)
    weight = np.stack([centred[cell == c].mean(axis=0) for c in range(12)])
    head = CellHead(8 * weight, np.zeros(12), "toy", cells.fingerprint, mean=mean, unit=True)
    gallery = Gallery.make(x, table.latlon, cell, table.refs, mean=mean)
    return make_world(head=head, gallery=gallery), scenes(seed=5)[1]


def found_at(world, latlon, truth_cell, radius=50.0):
    """Answers at given places, with all probability on the true cell."""
    count = len(latlon)
    logs = np.full((count, 12), -30.0, dtype=np.float32)
    logs[np.arange(count), truth_cell] = 0.0
    country = world.cells.country[truth_cell]
    return Predictions(latlon, country, np.ones(count), np.full(count, radius), np.full(count, 2 * radius), logs)


def test_figures_of_answers_that_are_known():
    world = make_world()
    truth = np.array([(48.85, 2.35), (48.85, 2.35), (52.5, 13.4), (40.4, -3.7)])
    answers = truth.copy()
    answers[1] = 45.76, 4.84  # Lyon instead of Paris: 392 km, same country, another region
    answers[3] = np.nan
    report = measure(world, found_at(world, answers, np.zeros(4, dtype=int)), truth, {}, 1.0, bootstrap=100)
    assert report["within_1_km"] == 0.5
    assert report["within_750_km"] == 0.75
    assert report["within_2500_km"] == 0.75
    assert report["country"] == 0.75
    assert report["admin1"] == 0.5
    assert report["unanswered"] == 0.25
    assert report["median_km"] == pytest.approx(haversine_km(answers[1], truth[1]) / 2)
    assert report["mean_km"] == pytest.approx(haversine_km(answers[1], truth[1]) / 3)
    assert report["radius_50_holds"] == 0.5
    assert report["geoscore"] == pytest.approx(
        (5000 * 2 + 5000 * np.exp(-haversine_km(answers[1], truth[1]) / 1492.7)) / 4
    )
    low, high = report.figures["within_1_km"].low, report.figures["within_1_km"].high
    assert 0 <= low <= 0.5 <= high <= 1


@pytest.mark.parametrize("refiner", ["centroid", "mode", "barycentre"])
def test_a_world_that_knows_its_places_scores(refiner):
    world, places = world_and_places()
    report = evaluate(world, places, refiner=refiner, bootstrap=20)
    assert report["cell_top_1"] > 0.9
    assert report["cell_top_5"] >= report["cell_top_1"]
    assert report["within_200_km"] > 0.9
    assert report["within_750_km"] >= report["within_200_km"]
    assert report.settings["refiner"] == refiner


def test_one_view_knows_less_than_all():
    world, places = world_and_places()
    one, all_views = (evaluate(world, places, views=v, bootstrap=0) for v in ("1", "all"))
    assert one["cell_top_1"] < all_views["cell_top_1"]


def test_a_batch_gets_the_answers_that_single_photos_get():
    world, places = world_and_places()
    x = mean_view(places.unit_views())[:6]
    predict = Predictor(world)
    together = predict(x)
    for row in range(6):
        alone = predict(x[row : row + 1])
        np.testing.assert_allclose(alone.latlon[0], together.latlon[row], atol=1e-4)
        assert alone.radius_90_km[0] == pytest.approx(together.radius_90_km[row], rel=1e-3)


def test_tuning_makes_radii_hold_their_share():
    world, places = world_and_places()
    fitted = tune(world, places, grid=Grid((10.0,), (0.5, 1.0), (60.0,), (20,)))
    again = scenes(seed=6)[1]
    report = evaluate(fitted, again, bootstrap=0)
    assert report["radius_50_holds"] == pytest.approx(0.5, abs=0.12)
    assert report["radius_90_holds"] == pytest.approx(0.9, abs=0.08)
    tried = fitted.card["tuning"]
    assert tried[0]["refiner"] == "centroid"
    assert tried[1]["cell_weight"] == fitted.calibration["cell_weight"]


def test_tuning_finds_what_the_refiner_itself_would_answer():
    world, places = world_and_places()
    part = places.take(np.arange(0, 360, 12))
    fitted = tune(world, part, grid=Grid((15.0,), (0.7,), (80.0,), (20,)))
    x = part.unit_views()
    predict = Predictor(replace(fitted))
    distance = np.concatenate([haversine_km(predict(e).latlon, part.latlon) for e in (x[:, 0], mean_view(x))])
    assert fitted.card["tuning"][1]["median_km"] == pytest.approx(np.median(distance), abs=0.2)


def test_reports_are_json_and_text(tmp_path):
    world, places = world_and_places()
    report = evaluate(world, places, bootstrap=20, blocks=True)
    back = json.loads(report.save(tmp_path / "r" / "report.json").read_text("utf-8"))
    assert back["schema"] == "geoagent.report/1"
    assert back["rows"] == 360
    assert back["figures"]["median_km"]["low"] <= back["figures"]["median_km"]["value"]
    names = [line[0] for line in report.lines()]
    assert "within_200_km" in names
    assert dict((a, b) for a, b, _ in report.lines())["within_2500_km"].endswith(" %")


def test_plots_are_pictures(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'geoagent-photo[plots]')")
    from PIL import Image

    world, places = world_and_places()
    made = save_plots(evaluate(world, places, bootstrap=0), tmp_path / "plots")
    assert [path.name for path in made] == ["error_cdf.png", "reliability.png", "error_map.png"]
    for path in made:
        with Image.open(path) as picture:
            assert np.asarray(picture).std() > 5


def test_what_cannot_be_measured_is_told():
    world, places = world_and_places()
    with pytest.raises(WorldError, match="no head"):
        evaluate(make_world(), places)
    with pytest.raises(InputError, match="16 dimensions, got 3"):
        evaluate(world, Table(places.latlon[:2], ("a", "b"), np.ones((2, 1, 3))))
    with pytest.raises(InputError, match="views 1 or all"):
        evaluate(world, places, views="2")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no split named"):
        evaluate(world, places, split="test")
