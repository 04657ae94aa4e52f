"""Checking claims: places by name, by coordinates, by EXIF; verdicts, evidence and exit codes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent, LatLon
from geoagent.agent.claim_probability import Probability
from geoagent.agent.claims import Claim, read_claims
from geoagent.agent.verification import times_text
from geoagent.errors import CoordinateError, InputError
from geoagent.interfaces.cli import main
from geoagent.places.gazetteer.extents import finer_units, in_city, is_finer, nearest_unit, people_of
from geoagent.types import Posterior

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
DIJON = ["Boulangerie", "12 rue de la Liberté", "21000 Dijon"]


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


@pytest.fixture(scope="module")
def dijon(agent):
    return agent.observe_text(DIJON)


@pytest.mark.parametrize("claim", ["Dijon, France", "Dijon", "47.32,5.04", "47.32, 5.04, 40 km", "FR", "West Europe"])
def test_true_claims_are_supported(agent, dijon, claim):
    found = agent.verify(dijon, claim)
    assert found.verdict == "supported"
    assert found.probability > 0.5
    assert found.bayes_factor_nats > math.log(10) or claim == "West Europe"
    assert found.countries[0] == "FR" or claim == "West Europe"


@pytest.mark.parametrize("claim", ["Kyiv, Ukraine", "50.45,30.52", "UA", "Southeast Asia", "Marseille"])
def test_false_claims_are_contradicted(agent, dijon, claim):
    found = agent.verify(dijon, claim)
    assert found.verdict == "contradicted"
    assert found.probability < 0.05
    assert any(each.nats < -1 for each in found.evidence)


def test_without_evidence_nothing_is_decided(agent):
    found = agent.verify(agent.observe_text([]), "Kyiv, Ukraine")
    assert found.verdict == "undecided"
    assert found.bayes_factor_nats == 0
    assert found.probability == pytest.approx(found.prior_probability)
    assert found.evidence == []


def test_odds_are_those_of_the_probability(agent, dijon):
    found = agent.verify(dijon, "FR")
    assert found.odds == pytest.approx(found.probability / (1 - found.probability), rel=1e-6)
    prior = found.prior_probability / (1 - found.prior_probability)
    assert math.log(found.odds / prior) == pytest.approx(found.bayes_factor_nats, abs=1e-3)
    assert found.probability == pytest.approx(agent.answer(dijon).countries[0].p, rel=1e-6)


def test_a_text_that_does_not_count_leaves_a_claim_as_it_was(agent, dijon):
    found = agent.using(text_weight=0.0).verify(dijon, "47.32,5.04")
    assert found.bayes_factor_nats == 0
    assert all(each.nats == 0 for each in found.evidence)


def test_what_a_photo_would_have_to_show(agent, dijon):
    here = {each.kind: each.status for each in agent.verify(dijon, "FR").expected}
    there = {each.kind: (each.what, each.status) for each in agent.verify(dijon, "UA").expected}
    assert here["script"] == "seen"
    assert here["postcode"] == "seen"
    assert here["plate"] == "not seen"
    assert there["script"] == ("Cyrillic", "seen otherwise")
    assert there["language"][0].split()[0] == "uk"
    assert there["currency"][0] == "Ukrainian Hryvnia"
    assert "+380" in there["phone"][0]


def test_the_position_of_a_file_is_a_claim_and_never_evidence(agent, dijon):
    from dataclasses import replace

    with pytest.raises(InputError, match="no position"):
        agent.verify(dijon, "exif")
    said = replace(dijon, exif_gps=LatLon(50.45, 30.52))
    assert agent.verify(said, "exif").verdict == "contradicted"
    assert agent.answer(said).best == agent.answer(dijon).best


@pytest.mark.parametrize(
    ("claim", "error"),
    [("Xqzzwy", InputError), ("30.52,150.45", None), ("150.45,30.52", CoordinateError), ("1,2,0", InputError)],
)
def test_claims_that_mean_nothing_are_refused(agent, dijon, claim, error):
    if error is None:
        assert agent.verify(dijon, claim).verdict == "contradicted"
    else:
        with pytest.raises(error):
            agent.verify(dijon, claim)


@given(lat=st.floats(-60, 70), lon=st.floats(-180, 179.9), small=st.floats(1, 500), more=st.floats(0, 2000))
def test_a_wider_circle_is_never_less_probable(lat, lon, small, more):
    agent = _agent()
    world = agent.assets.world
    posterior = Posterior(world.log_prior, world.log_prior, {}, world.cells.fingerprint)
    centre = LatLon(lat, lon)
    inner, outer = (
        Probability(Claim("", "", (), centre, r), world, agent.assets.gazetteer)(posterior, ())
        for r in (small, small + more)
    )
    assert 0 < inner <= outer * (1 + 1e-9) < 1 + 1e-6


def test_countries_share_out_all_of_the_probability(agent, dijon):
    world = agent.assets.world
    posterior = agent.fusion(world.log_prior, dijon.text.constraints)
    gazetteer = agent.assets.gazetteer
    total = sum(
        Probability(Claim(code, code, (gazetteer.country(code),)), world, gazetteer)(posterior, ())
        for code in world.country_prior
        if gazetteer.country(code) is not None
    )
    assert np.isclose(total, 1.0, atol=1e-6)


@pytest.mark.parametrize(("claim", "code"), [("Köln", 0), ("Kyiv, Ukraine", 3), ("Xqzzwy", 2)])
def test_exit_codes_tell_the_verdict(claim, code):
    text = ["--text", "Apotheke Köln", "--text", "Tel. 0221 4710 234", "--text", "50672 Köln"]
    done = CliRunner().invoke(main, ["verify", *text, "--claim", claim, "--json"])
    assert done.exit_code == code
    if code != 2:
        assert json.loads(done.stdout)["schema"] == "geoagent.verification/1"


def test_a_photo_without_evidence_leaves_a_claim_open():
    done = CliRunner().invoke(main, ["verify", str(EXAMPLES / "no_text.jpg"), "--claim", "Japan"])
    assert done.exit_code == 4
    assert done.stdout.startswith("Undecided: Japan")


def test_a_claim_needs_a_photo_or_its_text():
    assert CliRunner().invoke(main, ["verify", "--claim", "Japan"]).exit_code == 2


_AGENT: list[GeoAgent] = []


def _agent() -> GeoAgent:
    """The agent for property tests, which take no fixtures of a module."""
    if not _AGENT:
        _AGENT.append(GeoAgent.load(ocr="nothing"))
    return _AGENT[0]


def test_what_is_expected_is_said_in_words_not_in_patterns(agent, dijon):
    for place, form in (("France", "like 00000"), ("Canada", "like A0A 0A0"), ("United Kingdom", "those of")):
        expected = {each.kind: each.what for each in agent.verify(dijon, place).expected}
        assert expected["postcode"].startswith(form)
        assert not set("\\[]{}|") & set("".join(expected.values()))


@pytest.mark.parametrize(
    ("lines", "claim", "place"),
    [
        (["Cukrászda", "Szeged, Kárász utca 5", "6720"], "Budapest", "Szeged"),
        (["เชียงใหม่", "ถนนนิมมานเหมินท์"], "Bangkok", "Chiang Mai"),
        (["WOODSTOCK", "VERMONT"], "Texas", "Woodstock, Vermont"),
    ],
)
def test_another_place_in_the_right_country_contradicts(agent, lines, claim, place):
    found = agent.verify(agent.observe_text(lines), claim)
    assert found.verdict == "contradicted"
    assert place in found.instead
    assert place in found.says
    assert found.evidence[0].nats < -1


def test_each_piece_of_evidence_is_weighed_by_itself(agent):
    seen = agent.observe_text(["Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln", "Tel. 0221 4710 234", "8–18 Uhr"])
    for_it = {each.kind: each.nats for each in agent.verify(seen, "Germany").evidence}
    assert all(nats > 0 for nats in for_it.values())
    against = {each.kind: each.nats for each in agent.verify(seen, "Kyiv, Ukraine").evidence}
    assert against.keys() == for_it.keys()
    assert all(nats < 0 for nats in against.values())


@pytest.mark.parametrize("said", [{"hint": "definitely France"}, {"within": ("FR",)}])
def test_what_the_user_says_is_no_evidence(agent, said):
    found = agent.using(**said).verify(agent.observe_text([]), "France")
    assert found.verdict == "undecided"
    assert found.bayes_factor_nats == pytest.approx(0)
    assert "nothing in the photo" in found.says


@pytest.mark.parametrize("claim", ["47.32N, 5.04E", "47.32° N, 5.04° E", "47.32,5.04,3e1"])
def test_coordinates_may_be_written_as_people_do(agent, dijon, claim):
    found = agent.verify(dijon, claim)
    assert (found.lat, found.lon) == (47.32, 5.04)


def test_southern_and_western_coordinates_are_negative(agent, dijon):
    found = agent.verify(dijon, "33.87 S, 151.2 W")
    assert (found.lat, found.lon) == (-33.87, -151.2)


@pytest.mark.parametrize(
    ("claim", "why"),
    [("50.45,30.52,-5", "radius"), ("50.45,30.52,1e9", "radius"), ("30.52,200", "longitude"), ("nan,nan", "finite"),
     ("200,10", "latitude"), ("nan,1", "finite")],
)  # fmt: skip
def test_coordinates_that_are_none_are_refused_for_what_is_wrong(agent, dijon, claim, why):
    with pytest.raises((InputError, CoordinateError), match=why):
        agent.verify(dijon, claim)


def test_doubtful_claims_are_said(agent, dijon):
    assert any("was taken as Springfield, Missouri" in w for w in agent.verify(dijon, "Springfield").warnings)
    assert not agent.verify(dijon, "Springfield, Illinois").warnings
    assert any("in no country" in w for w in agent.verify(dijon, "5.04,-30").warnings)


def test_a_region_without_cells_of_its_own_is_refused(agent):
    world = agent.assets.world
    names = world.cells.admin1.copy()
    names[names == "DE.01"] = "DE.02"
    merged = replace(
        agent, assets=replace(agent.assets, world=replace(world, cells=replace(world.cells, admin1=names)))
    )
    with pytest.raises(InputError, match="no cells of its own"):
        merged.verify(merged.observe_text([]), "Baden-Württemberg")


def test_a_claim_of_two_countries_is_either(agent, dijon):
    assert agent.verify(dijon, "Germany or France").verdict == "supported"
    assert agent.verify(dijon, "Germany or Spain").verdict == "contradicted"
    with pytest.raises(InputError, match="one city at a time"):
        agent.verify(dijon, "Dijon or Lyon")


KOELN = ["Apotheke Köln", "Tel. 0221 4710 234", "50672 Köln"]
SOUTHWARK = ["London Borough of Southwark", "Historic plaque"]


class TestClaimsOfTheirOwnSize:
    @pytest.mark.parametrize(
        ("lines", "claim"),
        [(SOUTHWARK, "Devon"), (["Boulangerie", "75011 Paris"], "Essonne"), (KOELN, "Leverkusen"), (KOELN, "Bonn")],
    )
    def test_a_neighbour_or_a_part_does_not_take_what_is_believed_of_the_whole(self, agent, lines, claim):
        found = agent.verify(agent.observe_text(lines), claim)
        assert found.verdict == "contradicted"
        assert found.probability < 0.05
        assert found.instead

    @pytest.mark.parametrize(
        ("lines", "claim"),
        [
            (KOELN, "Köln"), (SOUTHWARK, "England"), (["Boulangerie", "75011 Paris"], "Île-de-France"),
            (["Boulangerie", "75011 Paris"], "Paris"), (["Exeter Tourist Office", "Exeter EX1 1GF"], "Devon"),
            (["Truro Cathedral", "Truro TR1 2AF"], "Cornwall"), (["Leverkusen", "51373 Leverkusen"], "Leverkusen"),
            (["Exeter EX1 1GF"], "Devon, England"), (["Exeter EX1 1GF"], "Devon or Cornwall"),
        ],
    )  # fmt: skip
    def test_the_place_itself_is_supported(self, agent, lines, claim):
        assert agent.verify(agent.observe_text(lines), claim).verdict == "supported"

    def test_a_part_of_the_city_is_not_contradicted_by_the_city(self, agent):
        found = agent.verify(agent.observe_text(SOUTHWARK), "Southwark")
        assert found.verdict == "consistent"
        assert found.instead is None

    @pytest.mark.parametrize(("country", "admin1"), [("GB", "GB.ENG"), ("FR", "FR.11"), ("IT", "IT.09")])
    def test_finer_units_share_out_what_their_unit_has(self, agent, country, admin1):
        world, gazetteer = agent.assets.world, agent.assets.gazetteer
        posterior = Posterior(world.log_prior, world.log_prior, {}, world.cells.fingerprint)
        units = finer_units(gazetteer, country, admin1)
        assert len(units) > 5
        assert all(is_finer(unit, gazetteer) for unit in units)

        def p(*areas):
            return Probability(Claim("", "", areas), world, gazetteer)(posterior, ())

        whole = p(gazetteer.admin1(admin1))
        assert p(*units) == pytest.approx(whole, rel=1e-9)
        parts = [p(unit) for unit in units[:4]]
        assert all(part < whole for part in parts)
        assert sum(parts) == pytest.approx(p(*units[:4]), rel=1e-9)
        assert p(units[0], gazetteer.admin1(admin1)) == pytest.approx(whole, rel=1e-9)

    def test_a_district_is_in_the_city_and_the_next_city_is_not(self, agent):
        gazetteer = agent.assets.gazetteer
        (koeln,) = (m.place for m in gazetteer.lookup("Köln")[:1])
        places = [m.place.latlon for name in ("Köln", "Nippes", "Leverkusen", "Bonn") for m in gazetteer.lookup(name)
                  if m.place.admin1 == koeln.admin1][:4]  # fmt: skip
        inside = in_city(koeln, np.array([(p.lat, p.lon) for p in places]), gazetteer)
        assert inside.tolist() == [True, True, False, False]

    def test_a_point_belongs_to_the_unit_with_the_nearest_centre(self, agent):
        units = finer_units(agent.assets.gazetteer, "GB", "GB.ENG")
        found = nearest_unit(units, np.array([(50.72, -3.53), (50.26, -5.05)]))
        assert [units[i].name for i in found.tolist()] == ["Devon", "Cornwall"]

    def test_a_city_reaches_as_far_as_it_is_large(self, agent):
        world, gazetteer = agent.assets.world, agent.assets.gazetteer
        far, near = (read_claims(name, gazetteer, world)[0].radius_km for name in ("Köln", "Truro, England"))
        assert 25 < far < 40
        assert near < 10

    @pytest.mark.parametrize("cap", ["country", "region"])
    def test_a_county_is_finer_than_a_region(self, agent, cap):
        with pytest.raises(InputError, match=f"capped at {cap} precision"):
            agent.using(max_precision=cap).verify(agent.observe_text(SOUTHWARK), "Devon")

    def test_a_file_claims_a_circle_that_is_told(self, agent, dijon):
        found = agent.verify(replace(dijon, exif_gps=LatLon(47.32, 5.04)), "exif")
        assert found.understood.endswith("within 25 km")


class TestWhichPlaceIsMeant:
    def test_a_county_comes_before_a_smaller_town_and_the_reading_is_told(self, agent, dijon):
        found = agent.verify(dijon, "Cornwall")
        assert found.understood == "Cornwall, England, United Kingdom"
        assert found.warnings[0].startswith(
            "“Cornwall” was taken as Cornwall, England, United Kingdom; there are also Cornwall, Ontario"
        )
        assert agent.verify(dijon, "Cornwall, Ontario").understood == "Cornwall, Ontario, Canada"
        assert agent.verify(dijon, "Kent").understood == "Kent, England, United Kingdom"

    def test_a_city_stays_before_a_unit_of_its_name(self, agent, dijon):
        assert agent.verify(dijon, "Paris").understood == "Paris, Île-de-France, France"
        gazetteer = agent.assets.gazetteer
        cornwall = next(p for p in finer_units(gazetteer, "GB", "GB.ENG") if p.name == "Cornwall")
        assert cornwall.population == 0
        assert 100_000 < people_of(cornwall, gazetteer) < 800_000


class TestWords:
    @pytest.mark.parametrize(
        ("times", "words"),
        [
            (1.0, "as likely as before"), (3.21, "3.2 times likelier than before"), (9.8, "10 times likelier"),
            (1218, "1,200 times likelier"), (4.24e6, "over a million times likelier"), (1e300, "over a million times"),
            (9.97e5, "1,000,000 times"), (1 / 18_700, "19,000 times less likely than before"),
            (1 / 1.87e10, "over a million times less likely than before"),
        ],
    )  # fmt: skip
    def test_numbers_are_those_of_people(self, times, words):
        assert times_text(math.log(times)).startswith(words)

    @given(nats=st.floats(-800, 800))
    def test_no_number_is_written_as_a_power(self, nats):
        assert "e+" not in times_text(nats)

    def test_what_is_expected_quotes_what_is_there(self, agent):
        seen = agent.observe_text(KOELN)
        here = {each.kind: each for each in agent.verify(seen, "Austria").expected}
        assert (here["phone"].what, here["phone"].here) == ("a number of a form used in Austria", "0221 4710 234")
        assert (here["postcode"].status, here["postcode"].here) == ("seen otherwise", "50672")
        abroad = agent.verify(agent.observe_text(["Tel. +43 1 5123456"]), "Austria").expected
        phone = next(each for each in abroad if each.kind == "phone")
        assert (phone.what, phone.status) == ("+43", "seen")
        assert phone.here is not None
        assert "+43" in phone.here
        assert all(each.here is None for each in agent.verify(agent.observe_text([]), "Austria").expected)

    def test_what_the_user_excluded_is_no_matter_of_evidence(self, agent):
        only = agent.using(within=("DE", "AT"))
        seen = only.observe_text(["札幌市役所", "北海道札幌市中央区"])
        told = only.verify(seen, "Sapporo")
        assert told.verdict == "contradicted"
        assert told.says.startswith("What you stated rules the claim out: Sapporo")
        assert agent.verify(seen, "Sapporo").verdict == "supported"
        assert only.verify(seen, "Bavaria").verdict != "contradicted"

    def test_a_cap_withholds_what_was_read(self, agent):
        found = agent.using(max_precision="country").verify(agent.observe_text(KOELN), "Germany")
        assert not any(word in found.to_json() for word in ("0221", "50672", "Köln"))

    def test_the_command_prints_them(self):
        lines = [part for line in KOELN for part in ("--text", line)]
        done = CliRunner().invoke(main, ["verify", *lines, "--claim", "Austria"])
        assert "phone: a number of a form used in Austria (here: 0221 4710 234)" in " ".join(done.stdout.split())
        assert "e+" not in done.stdout
