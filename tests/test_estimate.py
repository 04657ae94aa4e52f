"""From a posterior to one place: the country first, modes that do not average, honest radii."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import make_world
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent, plugs
from geoagent.belief.estimate import alternatives, estimate
from geoagent.belief.fusion import Fusion
from geoagent.belief.refiners.mode import Mode
from geoagent.places.geo import LatLon, haversine_km
from geoagent.protocols import Assets
from geoagent.types import Candidates, Posterior

WORLD = make_world()


def posterior(probs):
    return Posterior(np.log(np.array(probs) / np.sum(probs)), WORLD.log_prior, {}, WORLD.cells.fingerprint)


def refiner(name):
    return plugs.build("refiners", name, Assets(WORLD, None, None))  # type: ignore[arg-type]


def candidates(places):
    count = len(places)
    return Candidates(
        np.array(places).reshape(-1, 2), np.zeros(count), np.zeros(count), np.full(count, np.nan), ("",) * count
    )


def test_the_country_is_chosen_before_the_cell():
    # BB holds the single most probable cell, AA more in all.
    found = estimate(posterior([3, 3, 3, 3, 5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), (), WORLD, refiner("mode"))
    assert found.country == "AA"
    assert WORLD.cells.country[found.cell] == "AA"
    assert sum(p for _, p in found.countries) == pytest.approx(1)


def test_a_sure_cell_gives_a_small_circle_and_a_flat_world_a_big_one():
    sure = estimate(posterior([1e9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), (), WORLD, refiner("mode"))
    flat = estimate(posterior([1] * 12), (), WORLD, refiner("mode"))
    assert sure.radius_50_km < sure.radius_90_km < 200
    assert flat.radius_90_km > 1000
    assert flat.level() == "none"
    assert sure.level() in ("city", "region")


@given(st.lists(st.floats(0.001, 10), min_size=12, max_size=12))
def test_the_place_lies_in_the_country_and_radii_are_ordered(probs):
    for name in plugs.names("refiners"):
        found = estimate(posterior(probs), (), WORLD, refiner(name))
        assert 0 <= found.radius_50_km <= found.radius_90_km
        near = WORLD.cells.country == found.country
        assert haversine_km((found.latlon.lat, found.latlon.lon), WORLD.cells.centroids[near]).min() < 400


@pytest.mark.parametrize("name", plugs.names("refiners"))
class TestEveryRefiner:
    def test_without_candidates_the_fallback_answers(self, name):
        found = refiner(name)(candidates([]), np.zeros(0), LatLon(1, 2))
        assert found.latlon == LatLon(1, 2)
        assert len(found.weights) == 0

    def test_one_candidate_is_the_answer_or_the_fallback(self, name):
        found = refiner(name)(candidates([(5, 5)]), np.ones(1), LatLon(1, 2)).latlon
        assert found == LatLon(1, 2) if name == "centroid" else found.distance_km(LatLon(5, 5)) < 1e-6

    def test_antipodal_candidates_do_not_crash(self, name):
        found = refiner(name)(candidates([(0, 0), (0, 180)]), np.ones(2), LatLon(1, 2)).latlon
        assert np.isfinite([found.lat, found.lon]).all()

    def test_candidates_on_both_sides_of_the_antimeridian_stay_there(self, name):
        found = refiner(name)(candidates([(-17, 179.95), (-17, -179.95)]), np.ones(2), LatLon(-17, 180)).latlon
        assert abs(found.lon) > 179.9

    def test_zero_weights_give_the_fallback(self, name):
        assert refiner(name)(candidates([(5, 5)]), np.zeros(1), LatLon(1, 2)).latlon == LatLon(1, 2)


def test_two_cities_never_average_to_a_field():
    mode = Mode(25, 2).__call__(candidates([(50, 0), (50.1, 0), (50, 10)]), np.array([1, 1, 1.5]), LatLon(0, 0)).latlon
    between = refiner("barycentre")(
        candidates([(50, 0), (50.1, 0), (50, 10)]), np.array([1, 1, 1.5]), LatLon(0, 0)
    ).latlon
    assert mode.lon == pytest.approx(0, abs=0.01)
    assert 3 < between.lon < 6


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=6))
def test_the_barycentre_lies_among_its_candidates(places):
    found = refiner("barycentre")(candidates(places), np.ones(len(places)), LatLon(0, 0)).latlon
    lat, lon = np.array(places).T
    assert lat.min() - 0.05 <= found.lat <= lat.max() + 0.05
    assert lon.min() - 0.05 <= found.lon <= lon.max() + 0.05


def test_alternatives_are_apart_and_share_the_probability():
    belief = posterior([4, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 1])
    final = estimate(belief, (), WORLD, refiner("mode"))
    others = alternatives(final, belief, WORLD, 5)
    assert others
    assert 0 < sum(p for _, _, p in others) < 1
    for place, _, _ in others:
        assert place.distance_km(final.latlon) >= 150


def test_an_alternative_stands_for_its_surroundings_alone():
    agent = GeoAgent.load(ocr="nothing")
    answer = agent.locate_text(["Boulangerie"])
    shares = {share.code: share.p for share in answer.countries}
    assert answer.alternatives
    assert all(other.p <= shares[other.country] + 1e-4 for other in answer.alternatives)
    assert sum(other.p for other in answer.alternatives) < 0.5


def test_fusing_nothing_concludes_the_same():
    before = estimate(posterior(np.exp(WORLD.log_prior)), (), WORLD, refiner("mode"))
    after = estimate(Fusion(WORLD)(WORLD.log_prior, ()), (), WORLD, refiner("mode"))
    assert before.latlon == after.latlon
