"""What the user says: areas ruled in and out, hints in words, and weights; each visible and removable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoagent import GeoAgent
from geoagent.agent.hints import HINT, SURE, UNSURE, read_hint
from geoagent.errors import ConfigError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.readings import places_of
from geoagent.places.gazetteer.regions import macro_regions

SIGN = ["Boulangerie", "12 rue de la Liberté", "21000 Dijon"]


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def shares(answer) -> dict[str, float]:
    return {c.code: c.p for c in answer.countries}


@pytest.mark.parametrize(
    ("stated", "name", "countries"),
    [
        ("DE", "Germany", {"DE"}),
        ("de", "Germany", {"DE"}),
        ("the Netherlands", "Netherlands", {"NL"}),
        ("Benelux", "Benelux", {"BE", "NL", "LU"}),
        ("the Baltics", "Baltic states", {"EE", "LV", "LT"}),
        ("Bavaria", "Bavaria", {"DE"}),
        ("Paris, Texas", "Paris", {"US"}),
        ("Micronesia", "Micronesia", {"FM"}),
        ("Xqzzwy", "", set()),
        ("Scotland", "Scotland", {"GB"}),
        ("Glasgow, Scotland", "Glasgow, Scotland", {"GB"}),
        ("London, Scotland", "", set()),
        ("Hungary or Romania", "Hungary or Romania", {"HU", "RO"}),
        ("Hungary or Xqzzwy", "", set()),
        ("Hungary, Xqzzwy", "", set()),
        ("Hungary, not Budapest", "", set()),
    ],
)
def test_areas_are_known_by_code_and_by_name(agent, stated, name, countries):
    found, places = places_of(agent.assets.gazetteer, stated)
    assert found.startswith(name)
    assert {place.country for place in places} == countries


def test_every_macro_region_is_made_of_countries_and_names_its_source():
    gazetteer = Gazetteer.load()
    for region in macro_regions().values():
        assert region.source
        assert all(gazetteer.country(code) is not None for code in region.countries), region


@pytest.mark.parametrize(
    ("text", "inside", "against", "sure"),
    [
        ("somewhere in the Balkans, 1990s", "RS", "", HINT),
        ("maybe southern Germany or Austria", "AT", "", UNSURE),
        ("near Lyon", "FR", "", HINT),
        ("not Spain or Portugal, definitely Italy", "IT", "PT", SURE),
        ("Alps but not Switzerland", "AT", "CH", HINT),
    ],
)
def test_hints_are_understood(agent, text, inside, against, sure):
    hint = read_hint(text, agent.assets.gazetteer)
    assert inside in {place.country for place, _ in hint.places}
    assert (against in {place.country for place in hint.against}) == bool(against)
    assert hint.reliability == sure


def test_a_hint_without_a_place_is_refused(agent):
    with pytest.raises(ConfigError, match="no place"):
        agent.using(hint="in the 1990s")


def test_a_part_of_a_country_is_its_units_on_that_side(agent):
    hinted = agent.using(hint="southern Germany").locate_text([])
    (cue,) = hinted.cues
    assert hinted.best.country == "DE"
    assert {place.name for place in cue.places} >= {"Bavaria", "Saarland"}
    assert "Hamburg" not in {place.name for place in cue.places}


def test_a_hint_is_one_cue_that_can_be_taken_away(agent):
    hinted = agent.using(hint="probably Portugal")
    (cue,) = hinted.locate_text([]).cues
    assert (cue.source, cue.kind) == ("user", "hint")
    assert cue.reliability == UNSURE
    assert hinted.locate_text([]).best.country == "PT"
    assert cue.without == agent.locate_text([]).best


def test_evidence_overrules_a_hint_and_not_a_rule(agent):
    assert agent.using(hint="Portugal").locate_text(SIGN).best.country == "FR"
    ruled = agent.using(within=("Portugal",)).locate_text(SIGN)
    assert ruled.best.country == "PT"
    assert shares(ruled)["PT"] > 0.99


def test_what_is_ruled_out_has_no_probability_left(agent):
    answer = agent.using(exclude=("FR", "Benelux")).locate_text(SIGN)
    assert max(shares(answer)[code] for code in ("FR", "BE", "NL", "LU")) < 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"within": ("Xqzzwy",)}, "Xqzzwy"),
        ({"exclude": ("Paris",)}, "is a city"),
        ({"ocr": "auto"}, "new agent"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(agent, settings, message):
    with pytest.raises(ConfigError, match=message):
        agent.using(**settings)


def test_weights_go_from_nothing_to_more(agent):
    fused = {w: shares(agent.using(text_weight=w).locate_text(SIGN))["FR"] for w in (0.0, 0.5, 1.0)}
    prior = shares(agent.locate_text([]))["FR"]
    assert fused[0.0] == pytest.approx(prior, rel=1e-9)
    assert fused[0.0] < fused[0.5] < fused[1.0]
    assert agent.using(text_weight=1.0).locate_text(SIGN).best == agent.locate_text(SIGN).best


def test_one_observation_answers_as_often_as_one_likes(agent):
    from PIL import Image

    seen = agent.observe(Image.fromarray(np.full((40, 60, 3), 90, dtype=np.uint8)))
    assert seen.size_px == (60, 40)
    first, second = agent.answer(seen), agent.answer(seen)
    assert first.model_copy(update={"timings_s": {}}) == second.model_copy(update={"timings_s": {}})
    assert agent.using(within=("JP",)).answer(seen).best.country == "JP"


@pytest.mark.parametrize(
    ("text", "inside", "against"),
    [
        ("not Spain but Portugal", {"PT"}, {"ES"}),
        ("nicht Spanien, sondern Portugal", {"PT"}, {"ES"}),
        ("Portugal, not Spain and not Italy but France", {"PT", "FR"}, {"ES", "IT"}),
        ("I'm not sure but I think Lyon", {"FR"}, set()),
        ("not far from Lyon", {"FR"}, set()),
        ("no doubt Lyon", {"FR"}, set()),
        ("not only France", {"FR"}, set()),
        ("without a doubt Lyon", {"FR"}, set()),
        ("SOMEWHERE IN GERMANY", {"DE"}, set()),
        ("DE or AT", {"DE", "AT"}, set()),
    ],
)
def test_what_a_negation_reaches(agent, text, inside, against):
    hint = read_hint(text, agent.assets.gazetteer)
    assert {place.country for place, _ in hint.places} == inside
    assert {place.country for place in hint.against} == against


def test_what_a_hint_speaks_against_it_does_not_speak_for(agent):
    cues = {cue.kind: cue for cue in agent.using(hint="the Balkans, not Greece").locate_text([]).cues}
    assert "GR" not in {place.code for place in cues["hint"].places}
    assert "against Greece" in cues["hint-not"].says


def test_a_part_of_a_country_is_said(agent):
    (cue,) = agent.using(hint="maybe southern Germany").locate_text([]).cues
    assert "southern Germany" in cue.says
    assert "North Rhine-Westphalia" not in {place.name for place in cue.places}


STUTTGART = [
    "Stuttgart Rathaus", "Königstraße 12", "70173 Stuttgart", "Tel. +49 711 123456", "Landeshauptstadt Stuttgart",
    "www.stuttgart.de", "Stadtbahn Stuttgart", "Mercedesstraße 100, 70372 Stuttgart", "VfB Stuttgart",
    "Flughafen Stuttgart",
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ({"within": ("FR",)}, {"FR"}),
        ({"within": ("Benelux",)}, {"BE", "NL", "LU"}),
        ({"exclude": ("DE",)}, None),
        ({"within": ("DE",), "exclude": ("Baden-Württemberg",)}, {"DE"}),
    ],
)
def test_no_evidence_reaches_what_is_ruled_out(agent, rules, allowed):
    answer = agent.using(**rules).locate_text(STUTTGART)
    found = {code for code, p in shares(answer).items() if p > 1e-9}
    assert found <= allowed if allowed else "DE" not in found
    assert answer.best.admin1 != "Baden-Wurttemberg"
    rule = next(cue for cue in answer.cues if cue.source == "user")
    assert rule.without.country == "DE"


@pytest.mark.parametrize(("within", "exclude"), [("DE", "DE"), ("Bavaria", "DE"), ("Benelux", "West Europe")])
def test_rules_that_leave_nothing_are_refused(agent, within, exclude):
    with pytest.raises(ConfigError, match="nothing is left"):
        agent.using(within=(within,), exclude=(exclude,))


def test_a_region_is_ruled_out_only_where_the_world_knows_regions(agent):
    world = agent.assets.world
    names = world.cells.admin1.copy()
    names[world.cells.inside("DE")] = ""
    coarse = replace(
        agent, assets=replace(agent.assets, world=replace(world, cells=replace(world.cells, admin1=names)))
    )
    with pytest.raises(ConfigError, match="rule out DE"):
        coarse.using(exclude=("Bavaria",))
    assert shares(coarse.using(hint="not Munich").locate_text(STUTTGART))["DE"] > 0.9


def test_the_countries_of_a_kingdom_are_areas_of_their_own(agent):
    london = ["Borough High Street", "London SE1 1NA"]
    assert agent.using(exclude=("Scotland",)).locate_text(london).best.admin1 == "England"
    assert agent.using(within=("Wales",)).locate_text(london).best.admin1 == "Wales"
    (cue,) = agent.using(hint="Scotland").locate_text([]).cues
    assert cue.favours.name == "Scotland"
