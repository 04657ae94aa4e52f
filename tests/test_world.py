"""Worlds: saved, loaded, checked; a broken one is one clear error."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from conftest import make_world
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import haversine_km
from geoagent.places.geocells import Geocells, voronoi_split
from geoagent.worlds.head import CellHead
from geoagent.worlds.world import Gallery, World


def full_world() -> World:
    toy = make_world()
    rng = np.random.default_rng(0)
    head = CellHead(rng.normal(size=(12, 5)), rng.normal(size=12), "toy", toy.cells.fingerprint, temperature=1.5)
    rows = rng.normal(size=(6, 5)).astype(np.float32)
    gallery = Gallery(
        rows / np.linalg.norm(rows, axis=1, keepdims=True), toy.cells.centroids[:6], np.arange(6), tuple("abcdef")
    )
    return make_world(
        head=head, gallery=gallery, encoder={"name": "toy"}, calibration={"alpha": 9}, card={"by": "a test"}
    )


def test_a_world_comes_back_as_it_was(tmp_path):
    world = full_world()
    back = World.load(world.save(tmp_path / "w"))
    assert back.cells.fingerprint == world.cells.fingerprint
    np.testing.assert_allclose(back.log_prior, world.log_prior, atol=1e-6)
    np.testing.assert_allclose(back.support.latlon, world.support.latlon, atol=1e-4)
    assert back.head is not None
    assert back.gallery is not None
    assert back.gallery.refs == tuple("abcdef")
    assert back.calibration == {"alpha": 9}
    assert back.card == {"by": "a test"}
    embedding = np.ones(5) / np.sqrt(5)
    np.testing.assert_allclose(back.head(embedding), world.head(embedding), atol=1e-5)
    assert [p.bounds for p in back.cells.polygons] == [p.bounds for p in world.cells.polygons]
    assert back.summary()["gallery"] == 6


def test_saving_over_something_else_is_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(WorldError, match="not a world"):
        make_world().save(tmp_path / "mine")
    world = make_world().save(tmp_path / "w")
    make_world(name="second").save(world)
    assert World.load(world).name == "second"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(
    "file",
    [
        "world.json",
        "cells.npz",
        "prior.npz",
        "head.npz",
        "polygons.wkb.xz",
        "gallery/refs.json",
        "gallery/embeddings.npy",
    ],
)
def test_a_damaged_file_is_named(tmp_path, file):
    folder = full_world().save(tmp_path / "w")
    (folder / file).write_bytes(b"garbage")
    with pytest.raises(WorldError):
        assert World.load(folder).cells.polygons


@pytest.mark.parametrize("file", ["world.json", "cells.npz", "prior.npz"])
def test_a_missing_file_is_named(tmp_path, file):
    folder = make_world().save(tmp_path / "w")
    (folder / file).unlink()
    with pytest.raises(WorldError):
        World.load(folder)


def test_parts_of_two_worlds_do_not_mix(tmp_path):
    one = make_world().save(tmp_path / "one")
    shifted = make_world().cells
    other = make_world(cells=Geocells(shifted.centroids + 1, shifted.country, shifted.admin1, shifted.radius_km)).save(
        tmp_path / "two"
    )
    shutil.copy(other / "prior.npz", one / "prior.npz")
    with pytest.raises(WorldError, match="made for geocells"):
        World.load(one)


def test_a_head_for_other_cells_is_refused():
    with pytest.raises(WorldError, match="trained for geocells"):
        make_world(head=CellHead(np.ones((12, 3)), np.ones(12), "toy", "0123456789abcdef"))


def test_another_format_is_refused(tmp_path):
    folder = make_world().save(tmp_path / "w")
    meta = json.loads((folder / "world.json").read_text())
    (folder / "world.json").write_text(json.dumps({**meta, "format": "geoagent.world/99"}))
    with pytest.raises(WorldError, match=r"geoagent\.world/99"):
        World.load(folder)


def test_head_is_a_distribution_and_checks_its_input():
    head = full_world().head
    assert head is not None
    assert np.exp(head(np.ones(5))).sum() == pytest.approx(1)
    with pytest.raises(ShapeError, match=r"\(5,\)"):
        head(np.ones(4))


@given(st.lists(st.tuples(st.floats(-80, 80), st.floats(-180, 180)), min_size=1, max_size=5))
def test_every_place_falls_in_exactly_one_cell(places):
    cells = make_world().cells
    found = cells.assign(places)
    assert found.shape == (len(places),)
    assert ((found >= 0) & (found < 12)).all()


def test_places_inside_a_polygon_get_its_cell():
    cells = make_world().cells
    assert cells.assign(cells.centroids + 0.3).tolist() == list(range(12))
    # On the border that cells 0 and 1 share, the lower index.
    assert cells.assign([(10.0, 11.0)]).tolist() == [0]


@given(
    st.lists(
        st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
        min_size=2,
        max_size=8,
        unique_by=lambda p: (round(p[0], 2), round(p[1], 2)),
    )
)
def test_a_split_tiles_its_polygon(seeds):
    import shapely

    polygon = shapely.box(-10, -10, 10, 10)
    parts = voronoi_split(polygon, np.array(seeds))
    assert len(parts) == len(seeds)
    assert sum(p.area for p in parts) == pytest.approx(polygon.area, rel=1e-6)
    assert shapely.union_all(parts).area == pytest.approx(polygon.area, rel=1e-6)
    for part, seed in zip(parts, seeds, strict=True):
        assert part.is_empty or part.distance(shapely.Point(seed[1], seed[0])) < 1e-9


def test_a_split_across_the_antimeridian_keeps_both_sides():
    import shapely

    fiji = shapely.union_all([shapely.box(177, -19, 180, -16), shapely.box(-180, -19, -178, -16)])
    west, east = voronoi_split(fiji, np.array([(-17.5, 178.0), (-17.5, -179.0)]))
    assert west.area + east.area == pytest.approx(fiji.area)
    assert west.bounds[0] >= -180
    assert east.bounds[2] <= 180
    assert shapely.contains(east, shapely.Point(-178.5, -17.5))


def test_the_starter_world_is_whole():
    world = World.load()
    assert len(world.cells) >= 3000
    assert len(world.cells.country_codes) >= 230
    assert len(world.cells.polygons) == len(world.cells)
    sample = np.random.default_rng(0).choice(len(world.support.latlon), 500, replace=False)
    same = (
        world.cells.country[world.cells.assign(world.support.latlon[sample])]
        == world.cells.country[world.support.cell[sample]]
    )
    assert same.mean() > 0.97
    shares = np.bincount(world.support.cell, np.exp(world.support.log_share))
    np.testing.assert_allclose(shares, 1, atol=0.02)
    far = haversine_km(world.support.latlon, world.cells.centroids[world.support.cell])
    assert np.median(far) < 100
