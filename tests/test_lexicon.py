"""From cues to constraints: likelihoods meet the prior, places keep their own weights."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import make_world

from geoagent import plugs
from geoagent.belief.calibration import ASSUMED, reliability
from geoagent.evidence.cues import KINDS
from geoagent.places.geo import LatLon
from geoagent.protocols import Assets
from geoagent.types import Cue, Place, Span, TextRegion

WORLD = make_world()
AA, BB = Place("Aland", "country", "AA", LatLon(11, 11)), Place("Beland", "country", "BB", LatLon(11, 21))
TOWN = Place("Atown", "city", "AA", LatLon(12.4, 10.2), "AA.2", "South A", 5000)


class Names:
    """As much of a gazetteer as the lexicon needs."""

    def country(self, code: str) -> Place | None:
        return {"AA": AA, "BB": BB}.get(code)


def constraint(cue: Cue, confidence: float = 1.0):
    lexicon = plugs.build("constraints", "lexicon", Assets(WORLD, Names(), None))  # type: ignore[arg-type]
    found = lexicon((TextRegion("text", confidence=confidence),), (cue,))
    return found[0] if found else None


def cue(**parts):
    return Cue(**{"kind": "phone", "value": "1", "says": "It says.", "spans": (Span(0, 0, 4),), **parts})


def test_equal_likelihoods_give_the_prior():
    found = constraint(cue(countries={"AA": 0.5, "BB": 0.5}))
    weights = {place.country: w for place, w in zip(found.places, found.weights, strict=True)}
    assert weights["AA"] / weights["BB"] == pytest.approx(WORLD.country_prior["AA"] / WORLD.country_prior["BB"])


def test_a_likelier_country_gets_more():
    found = constraint(cue(countries={"AA": 0.1, "BB": 0.9}))
    weights = {place.country: w for place, w in zip(found.places, found.weights, strict=True)}
    assert weights["BB"] > 0.8
    assert found.weights.sum() == pytest.approx(1)


def test_a_city_inside_takes_its_part_of_the_country():
    found = constraint(cue(countries={"AA": 1.0}, inside={"AA": ((TOWN, 0.8),)}))
    assert {place.name: w for place, w in zip(found.places, found.weights, strict=True)} == pytest.approx(
        {"Atown": 0.8, "Aland": 0.2}
    )


def test_named_places_keep_their_weights_and_strangers_fall_out():
    elsewhere = Place("Atlantis", "city", "ZZ", LatLon(0, -30))
    found = constraint(cue(kind="name", places=((TOWN, 3.0), (BB, 1.0), (elsewhere, 9.0))))
    assert found.weights.tolist() == pytest.approx([0.75, 0.25])
    assert constraint(cue(kind="name", places=((elsewhere, 1.0),))) is None


def test_uncertain_reading_lowers_the_reliability():
    sure, unsure = constraint(cue(countries={"AA": 1.0})), constraint(cue(countries={"AA": 1.0}), confidence=0.5)
    assert unsure.reliability < sure.reliability
    assert sure.spans == (Span(0, 0, 4),)
    assert sure.says == "It says."


def test_reliability_is_a_probability_for_every_kind():
    assert set(KINDS) <= set(ASSUMED)
    for kind in (*KINDS, "never heard of"):
        for strength in np.linspace(0.001, 1, 9):
            assert 0 < reliability(kind, float(strength)) < 1
    assert reliability("name", 1.0, {"name": 0.3}) == pytest.approx(0.3)
