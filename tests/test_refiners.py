"""From weighted candidates to a place: what each refiner promises, on the sphere, and PIGEON's prototypes."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from conftest import make_world
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geoagent import plugs
from geoagent.belief.estimate import candidate_weights, estimate
from geoagent.errors import ConfigError, ShapeError, WorldError
from geoagent.places.geo import LatLon, from_unit, haversine_km, to_unit
from geoagent.protocols import Assets
from geoagent.types import Candidates, Posterior
from geoagent.worlds.gallery import Gallery, Prototypes
from geoagent.worlds.world import World

WORLD = make_world()
NOWHERE = LatLon(1, 2)
place = st.tuples(st.floats(-85, 85), st.floats(-180, 180))
weight = st.floats(0.01, 10)


def refiner(name, **options):
    return plugs.build("refiners", name, Assets(WORLD, None, None), **options)  # type: ignore[arg-type]


def candidates(places, log_weight=None):
    count = len(places)
    log_weight = np.zeros(count) if log_weight is None else log_weight
    return Candidates(
        np.array(places).reshape(-1, 2), np.zeros(count), log_weight, np.full(count, np.nan), ("",) * count, "neighbour"
    )


@given(st.lists(place, min_size=1, max_size=8), st.data())
def test_nearest_is_the_heaviest_candidate(places, data):
    weights = np.array(data.draw(st.lists(weight, min_size=len(places), max_size=len(places))))
    found = refiner("nearest")(candidates(places), weights, NOWHERE)
    heaviest = int(weights.argmax())
    assert found.latlon.distance_km(LatLon(*places[heaviest])) < 1e-6
    assert found.weights.tolist() == [float(i == heaviest) for i in range(len(places))]


@pytest.mark.parametrize("name", ["nearest", "barycentre", "mode"])
@given(place)
def test_one_neighbour_is_the_nearest(name, only):
    found = refiner(name)(candidates([only]), np.array([0.3]), NOWHERE)
    assert found.latlon.distance_km(LatLon(*only)) < 1e-3


@given(place, st.floats(0.1, 60), st.integers(1, 6), st.integers(0, 9999))
def test_the_barycentre_lies_in_the_spherical_convex_hull(middle, reach_deg, count, seed):
    """No great circle has all candidates on one side and their barycentre on the other."""
    rng = np.random.default_rng(seed)
    axis = to_unit(middle)
    away = rng.normal(size=(count, 3))
    away -= (away @ axis)[:, None] * axis
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    angle = np.radians(rng.uniform(0, reach_deg, (count, 1)))
    units = np.cos(angle) * axis + np.sin(angle) * away
    weights = rng.uniform(0.01, 1, count)
    found = refiner("barycentre")(candidates(from_unit(units)), weights, NOWHERE).latlon
    mean = to_unit(tuple(found))
    assert mean @ axis >= np.cos(np.radians(reach_deg)) - 1e-9
    normals = rng.normal(size=(200, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    lowest = (units @ normals.T).min(axis=0)
    separating = lowest > 1e-9
    assert (mean @ normals[separating].T > -1e-9).all()
    # And the extreme case: planes through two neighbouring candidates that have all others on one side.
    for i in range(count):
        for j in range(count):
            side = np.cross(units[i], units[j])
            if np.linalg.norm(side) > 1e-6 and (units @ side >= -1e-12).all():
                assert mean @ side >= -1e-9


@given(
    st.floats(-60, 60),
    st.floats(-179, 179),
    st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02), weight), min_size=1, max_size=8),
)
def test_the_barycentre_of_close_candidates_is_the_planar_formula(lat, lon, around):
    places = [(lat + a, lon + b) for a, b, _ in around]
    weights = np.array([w for *_, w in around])
    on_sphere = refiner("barycentre")(candidates(places), weights, NOWHERE).latlon
    in_plane = refiner("barycentre", plane=True)(candidates(places), weights, NOWHERE).latlon
    want = weights @ np.array(places) / weights.sum()
    assert haversine_km(tuple(in_plane), want) < 1e-6
    assert on_sphere.distance_km(in_plane) < 0.005


@given(st.floats(-80, 80), st.lists(st.tuples(st.floats(-1, 1), st.floats(-3, 3), weight), min_size=2, max_size=6))
def test_the_barycentre_does_not_see_the_antimeridian(lat, around):
    """Turned about the Earth's axis, candidates have their barycentre turned with them."""
    weights = np.array([w for *_, w in around])
    here, there = (
        refiner("barycentre")(candidates([(lat + a, at + b) for a, b, _ in around]), weights, NOWHERE).latlon
        for at in (20.0, 180.0)
    )
    assert LatLon(here.lat, here.lon + 160).distance_km(there) < 1e-6


def test_the_planar_mean_is_wrong_across_the_antimeridian_and_the_spherical_one_right():
    fiji = candidates([(-17, 179), (-17, -179)])
    assert abs(refiner("barycentre")(fiji, np.ones(2), NOWHERE).latlon.lon) == pytest.approx(180)
    assert refiner("barycentre", plane=True)(fiji, np.ones(2), NOWHERE).latlon.lon == pytest.approx(0)


@given(place, weight)
def test_antipodal_candidates_are_refused(one, heavy):
    other = (-one[0], one[1] - 180 if one[1] > 0 else one[1] + 180)
    found = refiner("barycentre")(candidates([one, other]), np.array([heavy, heavy]), NOWHERE)
    assert found.latlon == NOWHERE
    assert not found.weights.any()


@given(st.lists(place, min_size=2, max_size=6), st.integers(0, 999))
def test_with_a_large_alpha_every_mean_tends_to_the_nearest(places, seed):
    similarity = np.random.default_rng(seed).uniform(-1, 1, len(places))
    assume(np.diff(np.sort(similarity))[-1] > 0.01)
    log_probs = np.full(12, -np.log(12))
    for name in ("barycentre", "mode"):
        off = []
        for alpha in (1e2, 1e4, 1e6):
            found = candidates(places, alpha * (similarity - 1))
            weights = candidate_weights(found, log_probs, 1.0)
            nearest = refiner("nearest")(found, weights, NOWHERE).latlon
            off.append(refiner(name)(found, weights, NOWHERE).latlon.distance_km(nearest))
        assert off[-1] < 1e-3


# Prototypes -----------------------------------------------------------------------------------------------------------

with_sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None,
    reason="scikit-learn is not installed (pip install 'geoagent-photo[train]')",
)


def photos():
    """Cell 0 has two towns, each with its own look; cell 1 one photo; cell 4 a town like the first of cell 0."""
    towns = [(0, (10.5, 10.5), 0, 6), (0, (9.5, 9.5), 1, 5), (1, (10.0, 12.0), 2, 1), (4, (10.0, 20.0), 0, 4)]
    rng = np.random.default_rng(1)
    rows, places, cells = [], [], []
    for cell, at, look, count in towns:
        rows += [np.eye(6)[look] + rng.normal(size=6) * 0.05 for _ in range(count)]
        places += [np.array(at) + rng.normal(size=2) * 0.01 for _ in range(count)]
        cells += [cell] * count
    return Gallery.make(rows, places, cells, [str(i) for i in range(len(rows))], storage="float32")


PHOTOS = photos()
CLUSTERS = Prototypes(
    mean=np.array([PHOTOS.rows(np.arange(a, b)).mean(axis=0) for a, b in ((0, 6), (6, 11), (11, 12), (12, 16))]),
    cell=np.array([0, 0, 1, 4]),
    latlon=np.array([(10.5, 10.5), (9.5, 9.5), (10, 12), (10, 20)]),
    member=np.arange(16),
    start=np.array([0, 6, 11, 12, 16]),
)


def prototype_search(**options):
    world = make_world(gallery=PHOTOS, prototypes=CLUSTERS)
    return plugs.build("search", "prototype", Assets(world, None, None), **options)  # type: ignore[arg-type]


def test_the_best_cluster_of_each_cell_gives_its_nearest_member():
    query = (np.eye(6)[1] + 0.3 * np.eye(6)[2]).astype(np.float32)
    query /= np.linalg.norm(query)
    got = prototype_search(temperature=0.2)(query, [4, 0, 1, 7], 9)
    by_cell = dict(zip(got.cell.tolist(), got.refs, strict=True))
    similarity = PHOTOS.rows(slice(None)) @ query
    assert by_cell == {0: str(6 + similarity[6:11].argmax()), 1: "11", 4: str(12 + similarity[12:].argmax())}
    far = np.linalg.norm(CLUSTERS.mean - query, axis=1)[[1, 2, 3]]
    want = np.exp(-far / 0.2) / np.exp(-far / 0.2).sum()
    np.testing.assert_allclose(np.exp(got.log_weight)[np.argsort(got.cell)], want, rtol=1e-5)
    assert (np.diff(got.similarity) <= 0).all()


def test_the_released_codes_mistake_can_be_reproduced():
    query = np.eye(6, dtype=np.float32)[0]
    similarity = PHOTOS.rows(slice(None)) @ query
    right, wrong = (prototype_search(released=flag)(query, [0], 1).refs for flag in (False, True))
    assert right == (str(similarity[:6].argmax()),)
    assert wrong == (str(similarity[:6].argmin()),)


def test_prototypes_with_nearest_are_pigeons_refinement():
    """final_c = p_c · softmax(−‖e − prototype‖ / T)_c; the winner's photo is the answer."""
    query = np.eye(6, dtype=np.float32)[0]
    search = prototype_search(temperature=0.1)
    world = make_world(gallery=PHOTOS, prototypes=CLUSTERS)
    for probs in ([0.2, 0.1, 0.01, 0.01, 0.1], [0.01, 0.6, 0.01, 0.01, 0.01], [0.3, 0.3, 0.01, 0.01, 0.01]):
        p = np.array(probs + [1e-3] * 7)
        posterior = Posterior(np.log(p / p.sum()), world.log_prior, {}, world.cells.fingerprint)
        near = search(query, range(12), 12)
        settled = estimate(posterior, (), world, refiner("nearest"), near)
        inside = [i for i in range(len(near)) if world.cells.country[near.cell[i]] == "AA"]
        best = max(inside, key=lambda i: p[near.cell[i]] * np.exp(near.log_weight[i]))
        assert settled.latlon.distance_km(LatLon(*near.latlon[best].tolist())) < 1e-6


def test_few_are_asked_for_and_empty_cells_have_none():
    search = prototype_search()
    query = np.eye(6, dtype=np.float32)[2]
    assert len(search(query, [2, 3, 11], 5)) == 0
    assert len(search(query, [], 5)) == 0
    assert search(query, [0, 1, 4], 1).refs == ("11",)


def test_what_prototypes_need_is_said():
    bare = Assets(make_world(gallery=PHOTOS), None, None)  # type: ignore[arg-type]
    with pytest.raises(WorldError, match="no prototypes"):
        plugs.build("search", "prototype", bare)
    with pytest.raises(ConfigError, match="temperature"):
        prototype_search(temperature=0)
    with pytest.raises(WorldError, match="prototypes name photos"):
        make_world(prototypes=CLUSTERS)
    with pytest.raises(ShapeError, match="ascending"):
        Prototypes(CLUSTERS.mean, CLUSTERS.cell[::-1], CLUSTERS.latlon, CLUSTERS.member, CLUSTERS.start)
    with pytest.raises(ShapeError, match="at least one member"):
        Prototypes(CLUSTERS.mean, CLUSTERS.cell, CLUSTERS.latlon, CLUSTERS.member, np.array([0, 6, 6, 12, 16]))


@with_sklearn
def test_clusters_of_a_cell_are_its_towns():
    from geoagent.worlds.search.prototype import build_prototypes

    found = build_prototypes(PHOTOS, min_samples=3, xi=0.15)
    assert np.unique(found.cell).tolist() == [0, 1, 4]
    groups = [set(found.member[a:b].tolist()) for a, b in zip(found.start[:-1], found.start[1:], strict=True)]
    assert sum(map(len, groups)) == len(set().union(*groups)) <= 16
    for group, mean in zip(groups, found.mean, strict=True):
        assert any(group <= set(range(a, b)) for a, b in ((0, 6), (6, 11), (11, 12), (12, 16)))
        np.testing.assert_allclose(mean, PHOTOS.rows(sorted(group)).mean(axis=0), atol=1e-6)


@with_sklearn
@given(st.integers(0, 999), st.integers(1, 25))
@settings(max_examples=15)
def test_photos_of_one_spot_can_be_clustered(seed, count):
    from geoagent.worlds.search.prototype import build_prototypes

    rng = np.random.default_rng(seed)
    spots = np.array([(10, 10), (10, 10.001), (10.5, 10.5)])[rng.integers(0, 3, count)]
    gallery = Gallery.make(rng.normal(size=(count, 4)), spots, np.zeros(count), [""] * count)
    found = build_prototypes(gallery)
    assert len(found) >= 1
    assert set(found.member.tolist()) <= set(range(count))


@with_sklearn
def test_a_large_cell_is_clustered_with_a_tree(monkeypatch):
    from geoagent.worlds.search import prototype

    rng = np.random.default_rng(0)
    spots = np.repeat([(10.0, 10.0), (10.5, 10.5)], 15, axis=0) + rng.normal(size=(30, 2)) * 0.001
    spots[:3] = spots[0]
    gallery = Gallery.make(rng.normal(size=(30, 4)), spots, np.zeros(30), [""] * 30)
    by_matrix = prototype.build_prototypes(gallery)
    monkeypatch.setattr(prototype, "_MATRIX", 10)
    by_tree = prototype.build_prototypes(gallery)
    for found in (by_matrix, by_tree):
        for a, b in zip(found.start[:-1], found.start[1:], strict=True):
            assert len({int(row) // 15 for row in found.member[a:b]}) == 1


def test_prototypes_are_saved_with_the_world(tmp_path):
    world = make_world(gallery=PHOTOS, prototypes=CLUSTERS)
    back = World.load(world.save(tmp_path / "w")).prototypes
    assert back is not None
    np.testing.assert_allclose(back.mean, CLUSTERS.mean)
    assert back.start.tolist() == CLUSTERS.start.tolist()
    (tmp_path / "w" / "gallery" / "prototypes.npz").write_bytes(b"garbage")
    with pytest.raises(WorldError, match="damaged"):
        World.load(tmp_path / "w")
