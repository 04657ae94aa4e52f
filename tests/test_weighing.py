"""Weighing again: counterfactuals, sums, levels that reach a confidence, and abstaining."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import make_world
from hypothesis import given, settings
from hypothesis import strategies as st
from seen import TEXTS, TOWNS, features, seen_world

from geoagent import Answer, GeoAgent, LatLon
from geoagent.belief.explanation import NOT_JUDGED
from geoagent.belief.fusion import Belief, Fusion
from geoagent.config import Config
from geoagent.errors import ConfigError, WorldError
from geoagent.interfaces.cli import main
from geoagent.protocols import Assets
from geoagent.types import Constraint, Place, Span

LINES = sorted({line for lines in TEXTS.values() for line in lines})
WORLD = make_world()
PLACES = [
    Place("Aland", "country", "AA", LatLon(11, 11)),
    Place("Beland", "country", "BB", LatLon(11, 21)),
    Place("North A", "admin1", "AA", LatLon(10, 11), "AA.1", "North A"),
    Place("Atown", "city", "AA", LatLon(12.5, 10.3), "AA.2", "South A", 5000),
]


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    base = GeoAgent.load(ocr="nothing")
    return GeoAgent.load(ocr="nothing").__class__(
        assets=Assets(seen_world(), base.assets.gazetteer, base.assets.facts),
        ocr=base.ocr,
        sources=base.sources,
        refiner=base.refiner,
        search=_search(),
        config=base.config,
    )


def _search():
    from geoagent import plugs
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.places.gazetteer.facts import Facts

    return plugs.build("search", "exact", Assets(seen_world(), Gazetteer.load(), Facts.load()))


constraints = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.floats(0.02, 0.98),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(1, 6),
        st.sampled_from(["lexicon", "llm", "user"]),
    ),
    min_size=1,
    max_size=6,
).map(
    lambda rows: [
        Constraint(f"c{i}", "name", "v", "says", source, (place,), np.ones(1), r, (Span(region, at, at + size),))
        for i, (place, r, region, at, size, source) in enumerate(rows)
    ]
)


@given(
    constraints,
    st.floats(0.2, 2.0),
    st.floats(0.3, 1.0),
    st.lists(st.floats(-8, 0), min_size=12, max_size=12),
    st.integers(0, 11),
    st.integers(0, 11),
)
def test_contributions_add_up_to_the_log_odds(stated, text_weight, picture, base, a, b):
    fusion = Fusion(WORLD, Belief({"llm": 0.6}, 0.9, 0.3, picture), text_weight=text_weight)
    base = np.array(base) - np.log(np.exp(base).sum())
    posterior = fusion(base, stated)
    odds = posterior.log_probs[a] - posterior.log_probs[b]
    parts = posterior.base[a] - posterior.base[b]
    parts += sum(term[a] - term[b] for term in posterior.contributions.values())
    assert odds == pytest.approx(parts, abs=1e-9)
    log_z = np.log(np.exp(posterior.base + sum(posterior.contributions.values())).sum())
    whole = posterior.base[a] + sum(t[a] for t in posterior.contributions.values()) - log_z
    assert posterior.log_probs[a] == pytest.approx(whole, abs=1e-9)


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=5, unique=True),
    st.sampled_from(sorted(TOWNS)),
    st.booleans(),
)
@settings(max_examples=15)
def test_the_counterfactual_shown_is_the_answer_without_the_cue(agent, lines, town, looked):
    seen = agent.observe_features(features([TOWNS[town]])[0, 0], lines) if looked else agent.observe_text(lines)
    answer = agent.answer(seen)
    for cue in answer.cues:
        again = agent.answer(seen, without=[cue.constraint])
        assert cue.without == again.best
        assert cue.constraint not in {other.constraint for other in again.cues}


def test_cues_add_up_to_the_answers_log_odds(agent):
    seen = agent.observe_features(features([TOWNS["FR"]])[0, 0], TEXTS["FR"])
    answer = agent.answer(seen)
    posterior = agent.fusion(seen.vision.log_probs, seen.text.constraints)
    cell = agent.assets.world.cells.at(LatLon(answer.best.lat, answer.best.lon))
    log_z = np.log(np.exp(posterior.base + sum(posterior.contributions.values())).sum())
    total = posterior.base[cell] + sum(cue.nats for cue in answer.cues) - log_z
    assert posterior.log_probs[cell] == pytest.approx(total, abs=0.0006 * len(answer.cues))


def test_a_picture_that_is_surely_wrong_does_not_rule_out_what_the_text_names():
    base = np.full(12, -60.0)
    base[0] = 0.0
    stated = [Constraint("c", "name", "v", "says", "lexicon", (PLACES[1],), np.ones(1), 0.98, (Span(0, 0, 5),))]
    sure = Fusion(WORLD, Belief())(base, stated)
    modest = Fusion(WORLD, Belief(picture=0.99))(base, stated)
    inside = WORLD.cells.inside("BB")
    assert sure.probs[inside].sum() < 1e-12
    assert modest.probs[inside].sum() > 0.1
    np.testing.assert_allclose(Fusion(WORLD, Belief(picture=0.5))(WORLD.log_prior, ()).log_probs, WORLD.log_prior)


class TestAutomaticPrecision:
    @pytest.mark.parametrize("asked", [0.5, 0.8, 0.95])
    def test_the_level_reaches_the_confidence_that_is_asked(self, agent, asked):
        for code in ("DE", "FR", "JP", "KE"):
            seen = agent.observe_features(features([TOWNS[code]], noise=0.1)[0, 0], TEXTS[code][:1])
            answer = agent.using(max_precision="auto", confidence=asked).answer(seen)
            whole = agent.answer(seen)
            if answer.best.precision == "none":
                assert answer.abstained
                assert whole.confidence < asked
            else:
                assert answer.best.country == whole.best.country
                assert whole.confidence >= asked

    def test_levels_only_coarsen_as_more_is_asked(self, agent):
        ranks = ["none", "country", "region", "city", "full"]
        seen = agent.observe_features(features([TOWNS["FR"]])[0, 0], TEXTS["FR"])
        levels = [
            agent.using(max_precision="auto", confidence=asked).answer(seen).best.precision
            for asked in (0.3, 0.6, 0.9, 0.99, 0.999999)
        ]
        order = [ranks.index(level) for level in levels]
        assert order == sorted(order, reverse=True)
        assert len(set(levels)) > 1

    def test_a_coarse_place_stands_for_its_level_and_its_circle_holds_as_much(self, agent):
        seen = agent.observe_text(["Boulangerie", "Ouvert le dimanche"])
        whole = agent.answer(seen)
        answer = agent.using(max_precision="auto", confidence=0.5).answer(seen)
        assert answer.best.precision == "country"
        assert answer.best.place == "France"
        moved = LatLon(answer.best.lat, answer.best.lon).distance_km(LatLon(whole.best.lat, whole.best.lon))
        assert answer.radius_90_km == pytest.approx(whole.radius_90_km + moved, abs=1)
        assert [cue.says for cue in answer.cues] == [cue.says for cue in whole.cues]
        assert answer.regions == whole.regions

    def test_where_no_country_is_probable_nothing_is_named(self, agent):
        answer = agent.using(max_precision="auto").answer(agent.observe_text([]))
        assert answer.abstained
        assert answer.best.country is None
        assert answer.radius_50_km is None
        assert "Looked for" in answer.explanation
        assert answer.countries


class TestAbstaining:
    def test_below_the_asked_confidence_no_place_is_named(self, agent):
        seen = agent.observe_text(["Boulangerie"])
        sure = agent.answer(seen).confidence
        assert not agent.using(abstain_below=sure - 0.01).answer(seen).abstained
        answer = agent.using(abstain_below=sure + 0.01).answer(seen)
        assert answer.abstained
        assert answer.best.lat is None
        assert answer.status == "ok"
        assert Answer.model_validate_json(answer.to_json()) == answer

    @pytest.mark.parametrize("wrong", [{"abstain_below": 1.0}, {"confidence": 0}, {"max_precision": "street"}])
    def test_settings_are_checked(self, wrong):
        with pytest.raises(ConfigError):
            Config.make(wrong)

    def test_on_the_command_line(self, tmp_path):
        rows = tmp_path / "rows.jsonl"
        rows.write_text('{"id": "a", "lines": ["Boulangerie"]}\n{"id": "b", "lines": ["21000 Dijon"]}\n', "utf-8")
        base = ["locate", "--texts", str(rows), "--ocr", "nothing"]
        run = CliRunner().invoke(main, [*base, "--abstain-below", "0.97", "--json"])
        assert run.exit_code == 0, run.output
        assert [json.loads(line)["abstained"] for line in run.stdout.splitlines()] == [True, False]
        told = CliRunner().invoke(main, [*base, "--abstain-below", "0.97"])
        assert "a: No place can be named" in told.output
        assert "for the likeliest country, France" in told.output
        levels = CliRunner().invoke(main, [*base, "--max-precision", "auto", "--confidence", "0.6", "--json"])
        assert [json.loads(line)["best"]["precision"] for line in levels.stdout.splitlines()] == ["country", "city"]


class TestCredibleSets:
    def test_they_are_absent_where_nothing_was_fitted(self, agent):
        assert agent.locate_text(TEXTS["FR"]).credible is None
        assert "credible" not in json.loads(agent.locate_text(TEXTS["FR"]).to_json())

    def test_they_are_those_of_the_group(self, agent):

        fitted = {"conformal": {"countries": {"city": 0.5, "text": 0.999}, "cells": {"city": 0.9}, "radius": {}}}
        world = replace(agent.assets.world, calibration={**agent.assets.world.calibration, **fitted})
        mine = replace(agent, assets=replace(agent.assets, world=world))
        city = mine.locate_text(TEXTS["FR"]).credible
        assert city.resting_on == "city"
        assert city.countries == ["FR"]
        assert city.cells >= 1
        text = mine.locate_text(["Boulangerie"]).credible
        assert text.resting_on == "text"
        assert len(text.countries) > 1
        assert text.cells is None


def test_a_picture_that_counts_for_nothing_chooses_no_place(agent):
    blind = agent.using(vision_weight=0.0)
    answers = [blind.answer(agent.observe_features(features([TOWNS[code]])[0, 0], [])) for code in ("DE", "JP")]
    assert answers[0].best == answers[1].best
    assert answers[0].neighbours == answers[1].neighbours


def test_what_was_seen_is_judged_again_by_another_head_and_other_rules(agent):
    seen = agent.observe_features(features([TOWNS["FR"]])[0, 0], TEXTS["FR"], id="a")
    same = agent.observe_again(seen)
    assert agent.answer(same).model_copy(update={"timings_s": {}}) == agent.answer(seen).model_copy(
        update={"timings_s": {}}
    )
    np.testing.assert_allclose(same.vision.log_probs, seen.vision.log_probs, atol=1e-6)
    world = agent.assets.world
    other = replace(world, head=replace(world.head, encoder="another"))
    mine = replace(agent, assets=replace(agent.assets, world=other))
    with pytest.raises(WorldError, match="wants another"):
        mine.observe_again(seen)
    blind = replace(agent, assets=replace(agent.assets, world=replace(world, head=None)))
    again = blind.observe_again(seen)
    np.testing.assert_array_equal(again.vision.log_probs, world.log_prior)
    assert again.vision.encoder is None
    assert again.warnings == (NOT_JUDGED, *seen.text.warnings)
    without_rules = replace(agent, sources=())
    assert seen.text.constraints
    assert without_rules.observe_again(seen).text.constraints == ()
