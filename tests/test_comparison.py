"""Does the text help: methods side by side, fitting, and the commands that do it."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from answers import full, nowhere
from click.testing import CliRunner
from seen import TEXTS, TOWNS, features, seen_world, write_pairs

from geoagent import GeoAgent
from geoagent.answer import Best
from geoagent.belief.fusion import Belief
from geoagent.errors import InputError, WorldError
from geoagent.interfaces.cli import main
from geoagent.interfaces.cli._changes import in_words, show_changes
from geoagent.places.geo import LatLon
from geoagent.worlds.evaluation.believe import fit_belief, fit_world
from geoagent.worlds.evaluation.cases import continent_of, load_pairs, load_photos, pair_up, read_labelled
from geoagent.worlds.evaluation.changes import Truth, changes, read_truth
from geoagent.worlds.evaluation.comparison import Column, compare, risk_coverage
from geoagent.worlds.evaluation.comparison_report import markdown, save_plots
from geoagent.worlds.evaluation.methods import Methods
from geoagent.worlds.training.table import read_table
from geoagent.worlds.world import World


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("pairs")
    write_pairs(home)
    seen_world().save(home / "world")
    return home


@pytest.fixture(scope="module")
def agent(folder) -> GeoAgent:
    return GeoAgent.load(ocr="nothing", world=folder / "world")


@pytest.fixture(scope="module")
def cases(folder, agent):
    return load_pairs(folder / "pairs.csv", folder / "texts.jsonl", folder / "places.npz", agent)


@pytest.fixture(scope="module")
def found(cases, agent):
    return compare({"all views": cases}, agent, folds=2, bootstrap=40, settings={"pairs": "pairs.csv"})


@pytest.fixture(scope="module")
def fitted(cases, agent):
    return fit_belief(cases, agent)


def files(folder):
    return ["--data", str(folder / "places.npz"), "--texts", str(folder / "texts.jsonl")]


class TestCases:
    def test_pairs_say_what_is_known(self, cases):
        first = cases[0]
        assert first.country == "DE"
        assert first.evidence
        assert not first.misleading
        assert {"evidence in the text", "city named", "cue name", "continent Europe", "script Latn"} <= set(
            first.strata
        )
        assert first.observed.text.constraints
        assert first.latlon is not None
        bare = cases[-1]
        assert not bare.evidence
        assert bare.latlon is None
        assert bare.strata[0] == "no evidence in the text"

    def test_texts_are_set_beside_places_of_their_country(self, folder, agent):
        texts = list(read_labelled(folder / "texts.jsonl").values())
        made = pair_up(texts, read_table(folder / "places.npz"), agent, each=2)
        assert {case.text for case in made} == {text.id for text in texts}
        by_text = {text.id: text for text in texts}
        assert all(by_text[case.text].country in (None, case.country) for case in made)
        again = pair_up(texts, read_table(folder / "places.npz"), agent, each=2)
        assert [case.id for case in made] == [case.id for case in again]

    @pytest.mark.parametrize("line", ["no json", '{"id": 1}', '{"id": 1, "lines": 5, "country": "DE"}', "[]"])
    def test_bad_rows_are_named(self, tmp_path, line):
        path = tmp_path / "texts.jsonl"
        path.write_text(line + "\n", "utf-8")
        with pytest.raises(InputError, match="line 1"):
            read_labelled(path)

    def test_photos_that_cannot_be_opened_or_are_guessed_are_left_out(self, tmp_path, agent):
        from PIL import Image

        Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
        (tmp_path / "broken.jpg").write_bytes(b"nothing")
        truth = tmp_path / "truth.csv"
        truth.write_text("file,country,lat,lon\na.png,DE,50,7\nbroken.jpg,FR,,\na.png,IT?,,\n", "utf-8")
        photos = load_photos(truth, agent)
        assert [(case.id, case.country, case.evidence) for case in photos] == [("a.png", "DE", False)]
        truth.write_text("file\na.png\n", "utf-8")
        with pytest.raises(InputError, match="country"):
            load_photos(truth, agent)

    def test_continents(self):
        assert continent_of("DE") == "Europe"
        assert continent_of("MX") == "North America"
        assert continent_of("ZZ") == ""


class TestMethods:
    def test_without_evidence_text_aware_is_vision_only(self, found):
        change = found.changes["all views"]["no evidence in the text"]["text-aware"]
        assert change["same_answer_as_vision_only"].value == 1
        figures = found.figures["all views"]["no evidence in the text"]
        assert figures["text-aware"]["log_loss"] == figures["vision-only"]["log_loss"]

    def test_the_text_helps_and_the_oracle_is_always_right(self, found):
        figures = found.figures["all views"]["evidence in the text"]
        assert figures["oracle country"]["country"].value == 1
        assert figures["text-aware"]["country"].value >= figures["vision-only"]["country"].value
        assert figures["text-aware"]["log_loss"].value < figures["vision-only"]["log_loss"].value
        assert figures["text-aware"]["median_km"].value < figures["vision-only"]["median_km"].value
        low, high = figures["text-aware"]["country"].low, figures["text-aware"]["country"].high
        assert low <= figures["text-aware"]["country"].value <= high

    def test_text_aware_is_what_the_agent_answers(self, cases, agent):
        methods = Methods(agent)
        for case in cases[:4]:
            answer, outcome = agent.answer(case.observed), methods.aware(case)
            assert answer.best.country == outcome.conclusion.country
            assert (answer.best.lat, answer.best.lon) == pytest.approx(
                (outcome.conclusion.latlon.lat, outcome.conclusion.latlon.lon), abs=1e-5
            )
            assert answer.confidence == pytest.approx(outcome.conclusion.countries[0][1])

    def test_every_method_gives_a_distribution(self, cases, agent):
        methods = Methods(agent, {}, {cases[0].text: (0.7, 1.2)})
        for name, join in {**methods.main(), **methods.ablations()}.items():
            total = np.exp(join(cases[0]).log_probs).sum()
            assert total == pytest.approx(1, abs=1e-6), name

    def test_a_filter_leaves_nothing_outside_its_country(self, cases, agent):
        outcome = Methods(agent).oracle(cases[3])
        cells = agent.assets.world.cells
        assert outcome.conclusion.country == cases[3].country
        assert np.exp(outcome.log_probs)[cells.inside(cases[3].country)].sum() == pytest.approx(1)


class TestFitting:
    def test_a_fit_costs_next_to_nothing_and_is_kept_by_the_world(self, cases, agent, fitted, tmp_path):
        # Priors keep it from following 42 texts all the way.
        assert fitted.figures["fitted"] <= fitted.figures["before"] + 0.01
        world = fit_world(agent.assets.world, fitted, cases, agent, data={"files": ["x"]})
        world.save(tmp_path / "fitted")
        again = World.load(tmp_path / "fitted")
        assert Belief.of(again) == fitted.belief
        assert again.calibration["fusion"]["from"]["files"] == ["x"]
        assert set(again.calibration["conformal"]) == {"radius", "cells", "countries"}

    def test_a_fit_on_few_keeps_what_was_fitted_on_many(self, cases, agent, fitted):
        held = {"radius": {"city": [1.5, 1.2]}, "cells": {"text": 0.8}, "countries": {"text": 0.7}}
        before = replace(
            agent.assets.world, calibration={**agent.assets.world.calibration, "conformal": held, "named_km": 12.0}
        )
        world = fit_world(before, fitted, cases[:20], agent)
        assert world.calibration["conformal"]["radius"]["city"] == [1.5, 1.2]
        assert world.calibration["conformal"]["cells"]["text"] == 0.8
        assert world.calibration["named_km"] == 12.0

    def test_a_picture_that_is_often_wrong_is_believed_less(self, cases, agent, fitted):
        rng = np.random.default_rng(0)
        elsewhere = [
            replace(case, country=str(rng.choice([c for c in TOWNS if c != case.country]))) if i % 3 == 0 else case
            for i, case in enumerate(cases)
        ]
        assert fit_belief(elsewhere, agent).belief.picture < fitted.belief.picture

    def test_too_few_texts_are_refused(self, cases, agent):
        with pytest.raises(InputError, match="too few"):
            fit_belief(cases[:5], agent)

    @pytest.mark.parametrize("held", [{"picture": 0}, {"reliability": "much"}, {"weights": {"lexicon": -1}}, [1]])
    def test_a_damaged_belief_is_refused(self, agent, held):
        with pytest.raises(WorldError, match="fusion is damaged"):
            Belief.of(replace(agent.assets.world, calibration={"fusion": held}))


class TestReport:
    def test_json_and_markdown(self, found, tmp_path):
        found.save(tmp_path / "report.json")
        read = json.loads((tmp_path / "report.json").read_text("utf-8"))
        assert read["schema"] == "geoagent.comparison/1"
        assert set(read["figures"]["all views"]) >= {"all", "evidence in the text", "city named", "continent Europe"}
        figure = read["figures"]["all views"]["all"]["text-aware"]["country"]
        assert figure["low"] <= figure["value"] <= figure["high"]
        text = markdown(found)
        assert "different photos of one place" in text
        for method in ("vision-only", "text-aware, cross-fitted", "product of experts", "hard filter", "no neighbours"):
            assert f"| {method} |" in text

    def test_plots(self, found, tmp_path):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'geoagent-photo[plots]')")
        made = save_plots(found, tmp_path)
        assert len(made) == 3
        assert all(path.stat().st_size > 5000 for path in made)

    def test_abstaining_on_the_least_sure_lowers_the_risk(self):
        confidence = np.linspace(0.1, 1.0, 100)
        right = confidence > 0.3
        empty = np.full(100, np.nan)
        column = Column(right, confidence, *[empty] * 7, np.zeros((100, 2)))
        curve = risk_coverage(column)
        at = {row["coverage"]: row for row in curve["at"]}
        assert at[0.5]["risk"] == 0
        assert at[1.0]["risk"] == pytest.approx(float((~right).mean()))
        assert at[0.5]["abstain_below"] > at[0.9]["abstain_below"]
        assert curve["aurc"] < at[1.0]["risk"]


class TestChanges:
    def test_counts_with_and_without_truth(self, cases, agent, folder):
        answers = [agent.answer(case.observed) for case in cases[:9]]
        rows = {row.stratum: row for row in changes(answers)}
        assert rows["all"].answers == 9
        assert rows["all"].known == 0
        assert rows["all"].better is None
        known = {row.stratum: row for row in changes(answers, read_truth(folder / "texts.jsonl"))}
        assert known["all"].known == 9
        assert known["all"].text_aware == 1
        assert known["all"].right == known["all"].named == known["all"].judged == 9
        seen = sum(a.vision_only.best.country == a.text_aware.best.country for a in answers)
        assert known["all"].better == 9 - seen
        assert known["all"].worse == 0
        assert "script Latn" in known

    def test_truth_from_csv(self, tmp_path):
        path = tmp_path / "truth.csv"
        path.write_text("file,country,lat,lon,kinds\na.jpg,de,50,7,name misleading\nb.jpg,IT?,,,\n", "utf-8")
        truth = read_truth(path)
        assert set(truth) == {"a.jpg"}
        assert truth["a.jpg"].country == "DE"
        assert truth["a.jpg"].kinds == ("name", "misleading")
        path.write_text("file,country,lat,lon\na.jpg,DE,95,7\n", "utf-8")
        with pytest.raises(InputError, match="row 2, column lat: latitude 95"):
            read_truth(path)

    def test_picture_and_text_of_two_places_are_a_conflict(self, agent):
        far = features([TOWNS["JP"]], noise=0.0)[0, 0]
        answer = agent.locate_features(far, TEXTS["FR"])
        assert answer.comparison.conflict
        assert answer.comparison.agreement_nats < -math.log(3)
        assert answer.comparison.divergence_nats == pytest.approx(math.log(2), abs=0.05)
        assert answer.comparison.says in answer.explanation
        near = features([TOWNS["FR"]], noise=0.0)[0, 0]
        agreed = agent.locate_features(near, TEXTS["FR"]).comparison
        assert not agreed.conflict
        assert agreed.agreement_nats > 1
        assert agreed.says.startswith("Picture and text agree.")

    @pytest.mark.parametrize("cap", ["country", "region"])
    def test_a_capped_answer_does_not_tell_the_place_by_what_changed(self, agent, cap):
        seen = agent.observe_features(features([(45.8, 1.3)], noise=0.0)[0, 0], TEXTS["FR"])
        assert "Dijon" in agent.answer(seen).comparison.change
        answer = agent.using(max_precision=cap).answer(seen)
        assert answer.comparison.agreement_nats > 0
        assert "Dijon" not in answer.to_json()

    def test_nothing_to_compare_without_text_or_without_a_picture(self, agent):
        assert agent.locate_text(TEXTS["FR"]).comparison is None
        assert agent.locate_features(features([TOWNS["FR"]])[0, 0]).comparison is None


class TestPeopleAreTold:
    """Answers without a picture half: two of three name a country, one of these the right one."""

    @pytest.fixture
    def rows(self):
        known = {name: Truth("DE", LatLon(48.78, 9.18)) for name in ("a.jpg", "b.jpg", "c.jpg")}
        vienna = Best(lat=48.2, lon=16.37, place="Wien", admin1="Wien", country="AT", precision="city")
        answers = [
            full(source="a.jpg", looked=False),
            full(source="b.jpg", looked=False, text_aware=full().text_aware.model_copy(update={"best": vienna})),
            nowhere().model_copy(update={"source": "c.jpg", "looked": False}),
        ]
        return changes(answers, known)

    def test_no_place_is_neither_right_nor_wrong(self, rows):
        (row,) = (row for row in rows if row.stratum == "all")
        assert (row.known, row.named, row.right, row.judged) == (3, 2, 1, 0)
        assert (row.text_aware, row.vision_only, row.better, row.worse) == (0.5, None, None, None)
        assert (row.placed, row.within_25_km, row.within_200_km, row.within_750_km) == (2, 1, 1, 2)
        assert in_words(row) == [
            "geoagent names the country of 2 of 3 photos, 1 of these right; 1 names none.",
            "Of 2 with a position and a true one, half are within 267 km; 1 within 25 km, 1 within 200 km, 2 within "
            "750 km.",
        ]
        part = in_words(replace(row, answers=5))
        assert part[0] == "The place of 3 of 5 photos is known."
        assert part[1].startswith("geoagent names the country of 2 of these, 1 of these right")

    def test_tables_of_zeros_are_left_out(self, rows, capsys):
        show_changes(rows)
        told = capsys.readouterr().out
        assert "country changed" not in told
        assert "better" not in told
        assert "named" in told
        assert "script Latin" in told
        show_changes([replace(row, known=0, named=0, right=0, placed=0) for row in rows])
        assert capsys.readouterr().out == ""

    def test_a_country_alone_has_no_distance(self):
        best = Best(lat=52.52, lon=13.4, place="Germany", country="DE", precision="country")
        answer = full(source="a.jpg", text_aware=full().text_aware.model_copy(update={"best": best}))
        row = changes([answer], {"a.jpg": Truth("DE", LatLon(48.78, 9.18))})[0]
        assert (row.named, row.right, row.placed, row.median_km, row.nearer_km) == (1, 1, 0, None, None)
        assert in_words(row)[-1] == (
            "The country is right for 0 % of those named from the picture alone, all of those named from the text "
            "alone, all of those named from both."
        )


class TestCommands:
    def test_evaluate_pairs(self, folder, tmp_path):
        run = CliRunner().invoke(
            main,
            ["evaluate", "--world", str(folder / "world"), *files(folder), "--pairs", str(folder / "pairs.csv"),
             "--views", "1", "--folds", "0", "--bootstrap", "20", "--out", str(tmp_path / "r.json"),
             "--markdown", str(tmp_path / "r.md")],
        )  # fmt: skip
        assert run.exit_code == 0, run.output
        assert set(json.loads((tmp_path / "r.json").read_text("utf-8"))["figures"]) == {"one view"}
        assert (tmp_path / "r.md").read_text("utf-8").startswith("# Does the text help?")

    @pytest.mark.parametrize("args", [["--pairs", "p.csv"], ["--texts", "t.jsonl"], [], ["--world", "w"]])
    def test_evaluate_wants_what_belongs_together(self, args):
        assert CliRunner().invoke(main, ["evaluate", *args]).exit_code == 2

    def test_calibrate_fusion_stores_what_it_fits(self, folder, tmp_path):
        run = CliRunner().invoke(
            main,
            ["calibrate", "fusion", str(folder / "texts.jsonl"), "--world", str(folder / "world"),
             "--data", str(folder / "places.npz"), "--out", str(tmp_path / "fitted")],
        )  # fmt: skip
        assert run.exit_code == 0, run.output
        assert "log loss of the country" in run.output
        assert "fusion" in World.load(tmp_path / "fitted").calibration

    def test_compare_a_data_set(self, folder):
        args = ["compare", "--world", str(folder / "world"), "--texts", str(folder / "texts.jsonl")]
        args += ["--pairs", str(folder / "pairs.csv"), "--features", str(folder / "places.npz")]
        run = CliRunner().invoke(main, [*args, "--truth", str(folder / "texts.jsonl"), "--json"])
        assert run.exit_code == 0, run.output
        *rows, counts = [json.loads(line) for line in run.stdout.splitlines()]
        assert len(rows) == len(list(csv.DictReader((folder / "pairs.csv").read_text("utf-8").splitlines())))
        assert {"vision_only", "text_only", "text_aware", "comparison"} <= set(rows[0])
        assert counts["strata"][0]["stratum"] == "all"
        assert counts["strata"][0]["text_aware"] > 0.9
        told = CliRunner().invoke(main, args)
        assert "country changed" in told.output

    def test_compare_answers_of_before(self, folder, agent, tmp_path):
        path = tmp_path / "answers.jsonl"
        path.write_text(agent.locate_text(TEXTS["DE"], id="DE0").to_json() + "\n", "utf-8")
        run = CliRunner().invoke(main, ["compare", "--answers", str(path), "--truth", str(folder / "texts.jsonl")])
        assert run.exit_code == 0, run.output
        assert "geoagent names the country of 1 of 1 photo, 1 of these right." in run.output
        assert "better" not in run.output, "no picture was judged"
        path.write_text("{}\n", "utf-8")
        assert CliRunner().invoke(main, ["compare", "--answers", str(path)]).exit_code == 1
        assert CliRunner().invoke(main, ["compare"]).exit_code == 2
