"""Distances on signs: the towns at road distance, where several distances meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoagent import GeoAgent, LatLon
from geoagent.evidence.cues import find_cues
from geoagent.evidence.cues.meeting import log_likelihood, meeting
from geoagent.evidence.scripts import script_of
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.geo import haversine_km
from geoagent.types import Cue, Place, TextRegion

GAZETTEER, FACTS = Gazetteer.load(), Facts.load()
TABLE = GAZETTEER.table


def directions(*lines: str) -> list[Cue]:
    regions = tuple(TextRegion(line, script=script_of(line)) for line in lines)
    return [cue for cue in find_cues(regions, GAZETTEER, FACTS) if cue.kind == "direction"]


def city(name: str) -> Place:
    return GAZETTEER.lookup(name, k=1)[0].place


def within(weights: np.ndarray, rows: np.ndarray, at: LatLon, km: float) -> float:
    return float(weights[haversine_km((at.lat, at.lon), TABLE.latlon[rows]) <= km].sum())


def test_roads_are_longer_than_great_circles():
    away = np.array([50.0, 62.5, 83.3, 99.0, 110.0])
    value = log_likelihood(away, 100.0)
    assert value.argmax() == 2, "a road of 100 km spans about 83 km"
    assert value[4] < value[3] < value[2]
    assert value[4] < -3, "no road is shorter than the great circle"
    assert value[0] < value[1]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Place, list[Place], list[float]]:
    """A true town, two larger towns in its country about 20 to 200 km away, and road distances to them."""
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    cities = TABLE.first_city
    while True:
        true = int(rng.integers(cities, len(TABLE.names)))
        rows = TABLE.cities_of(TABLE.country_of[true])
        away = haversine_km(TABLE.latlon[true], TABLE.latlon[rows])
        known = rows[(TABLE.population[rows] > 20_000) & (away > 20) & (away < 200)]
        if len(known) >= 2:
            break
    goals = [int(i) for i in rng.choice(known, 2, replace=False)]
    ratio = np.exp(rng.normal(np.log(1.22), 0.08, 2)).clip(1.0, 1.6)
    km = [float(haversine_km(TABLE.latlon[true], TABLE.latlon[i])) * r for i, r in zip(goals, ratio, strict=True)]
    return TABLE.place(true), [TABLE.place(i) for i in goals], [max(1.0, round(x)) for x in km]


def test_the_true_place_has_much_of_the_weight():
    """Over many scenes: the towns around the true one have far more weight than without the second distance."""
    held, alone, listed = [], [], []

    @given(scenes())
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    def scene(case: tuple[Place, list[Place], list[float]]) -> None:
        true, goals, km = case
        met = meeting(TABLE, [[(goal, 1.0)] for goal in goals], km)
        one = meeting(TABLE, [[(goals[0], 1.0)]], km[:1])
        assert met is not None
        assert one is not None
        near = 0.3 * min(km) + 10
        held.append(within(met.weights, met.rows, true.latlon, near))
        alone.append(within(one.weights, one.rows, true.latlon, near))
        listed.append(float(haversine_km((true.latlon.lat, true.latlon.lon), TABLE.latlon[met.rows]).min()))
        assert np.isclose(met.weights.sum(), 1.0)
        assert (np.diff(met.weights) <= 1e-12).all()

    scene()
    assert max(listed) < 1.0, "the true town is always among them"
    assert np.mean(held) > 0.3
    assert np.mean(held) > 1.5 * np.mean(alone)


@given(scenes())
@settings(max_examples=15, deadline=None, derandomize=True, database=None)
def test_the_order_of_the_names_does_not_matter(case: tuple[Place, list[Place], list[float]]):
    _, goals, km = case
    one = meeting(TABLE, [[(goal, 1.0)] for goal in goals], km)
    two = meeting(TABLE, [[(goal, 1.0)] for goal in goals[::-1]], km[::-1])
    assert one is not None
    assert two is not None
    assert dict(zip(one.rows.tolist(), one.weights.round(9).tolist(), strict=True)) == dict(
        zip(two.rows.tolist(), two.weights.round(9).tolist(), strict=True)
    )


def test_distances_that_cannot_meet_have_no_meeting():
    goals = [[(city("Berlin"), 1.0)], [(city("Madrid"), 1.0)]]
    assert meeting(TABLE, goals, [40.0, 60.0]) is None
    berlin, madrid = directions("Berlin 40 km", "Madrid 60 km")
    assert "meet" not in berlin.says
    assert berlin.places[0][0].country == "DE"
    assert {place.country for place, _ in madrid.places} == {"ES"}


def test_the_pin_stands_between_two_capitals():
    """The circles meet near the demarcation line, north-west of Seoul."""
    answer = GeoAgent.load(ocr="nothing").locate_text(["Seoul 56 km", "Pyongyang 205 km"])
    here = LatLon(answer.best.lat, answer.best.lon)
    assert answer.best.country == "KR"
    assert 25 < here.distance_km(city("Seoul").latlon) < 60
    assert 125 < here.distance_km(city("Pyongyang").latlon) < 200
    assert here.distance_km(LatLon(37.90, 126.71)) < 35
    assert all(
        cue.says.endswith("where the distances on it meet.") for cue in directions("Seoul 56 km", "Pyongyang 205 km")
    )


def test_one_distance_is_a_ring():
    (cue,) = directions("München 60 km")
    away = [(place.latlon.distance_km(city("München").latlon), w) for place, w in cue.places if place.level == "city"]
    assert len(away) > 10
    assert all(30 < km < 66 for km, _ in away)
    mean = sum(km * w for km, w in away) / sum(w for _, w in away)
    assert 42 < mean < 58
    east = sum(w for place, w in cue.places if place.level == "city" and place.latlon.lon > city("München").latlon.lon)
    assert 0.25 < east / sum(w for _, w in away) < 0.75, "all the way round"


def test_a_ring_lies_mostly_in_the_country_of_the_place():
    (cue,) = directions("Genève 20 km")
    home = sum(w for place, w in cue.places if place.country == "CH")
    assert 0.3 < home < 1.0
    (inland,) = directions("Lyon 45 km")
    assert {place.country for place, _ in inland.places} == {"FR"}


@pytest.mark.parametrize(
    ("lines", "town"),
    [
        (["London 40 miles", "Oxford 20 miles"], "High Wycombe"),
        (["Genève 40", "Lyon 150", "Paris 540"], "Annecy"),
    ],
)
def test_known_meetings(lines: list[str], town: str):
    best = GeoAgent.load(ocr="nothing").locate_text(lines).best
    assert LatLon(best.lat, best.lon).distance_km(city(town).latlon) < 25
