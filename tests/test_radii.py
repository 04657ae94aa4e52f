"""How probability lies around a place: quantiles without sorting, and the share within some kilometres."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import make_world
from hypothesis import given
from hypothesis import strategies as st

from geoagent.belief.candidates import gazetteer_candidates
from geoagent.belief.estimate import candidate_weights
from geoagent.belief.radii import SPREAD, Cloud, Vicinity, spread_quantiles
from geoagent.places.geo import LatLon, haversine_km

WORLD = make_world()
rows = st.lists(st.tuples(st.floats(0, 20_000), st.floats(0, 900), st.floats(0, 1)), min_size=1, max_size=60)


@given(rows, st.floats(0.01, 0.99))
def test_quantiles_are_those_of_all_photos_sorted(places, share):
    distance, extent, mass = np.array(places).T
    if mass.sum() <= 1e-9:
        mass = mass + 1.0
    found = spread_quantiles(distance, extent, mass, [share])[0]
    values, each = np.sqrt(distance[:, None] ** 2 + (extent[:, None] * SPREAD) ** 2), mass[:, None] / len(SPREAD)
    assert np.isclose(values, found, rtol=1e-12).any()
    total = mass.sum()
    assert (each * (values <= found * (1 + 1e-12))).sum() >= share * total - 1e-9 * total
    assert (each * (values < found * (1 - 1e-12))).sum() <= share * total + 1e-9 * total


@given(st.lists(st.floats(0.001, 1), min_size=12, max_size=12), st.floats(-20, 45), st.floats(0, 30))
def test_the_share_near_a_place_is_that_of_all_places(weights, lat, lon):
    probs = np.array(weights) / np.sum(weights)
    candidates = gazetteer_candidates(WORLD, [0, 1, 4], ())
    mass = candidate_weights(candidates, np.log(probs), 1.0)
    here = LatLon(lat, lon)
    near, far = Vicinity(WORLD, candidates, here, (60.0, 400.0)).holds(probs, mass)
    places, share = WORLD.support.latlon, WORLD.support_share * probs[WORLD.support.cell]
    spread = np.sqrt(haversine_km((lat, lon), places)[:, None] ** 2 + (WORLD.support.extent_km[:, None] * SPREAD) ** 2)
    for found, limit in ((near, 60.0), (far, 400.0)):
        assert found == pytest.approx(float(share @ (spread <= limit).mean(axis=1)), abs=1e-9)


def test_all_of_it_lies_within_half_the_globe():
    probs = np.full(12, 1 / 12)
    candidates = gazetteer_candidates(WORLD, [0], ())
    mass = candidate_weights(candidates, np.log(probs), 1.0)
    assert Vicinity(WORLD, candidates, LatLon(10, 10), (20_100.0,)).holds(probs, mass)[0] == pytest.approx(1)
    half, most = Cloud(WORLD, probs, candidates, mass).radii(LatLon(10, 10), (0.5, 0.9))
    assert half <= most <= 20_100
