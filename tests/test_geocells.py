"""Semantic geocells: they tile the land, hold every place once, respect sizes and countries, and can be drawn."""

from __future__ import annotations

import importlib.util
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from conftest import shared_data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geoagent.errors import InputError, MissingDependency
from geoagent.interfaces.render.cells import cells_png
from geoagent.interfaces.render.cells_page import cells_geojson, cells_html
from geoagent.places.geo import Float, from_unit, haversine_km, to_unit
from geoagent.places.geocells import (
    PIGEON,
    PIGEOTTO,
    Cover,
    Geocells,
    Units,
    build_geocells,
    check_cells,
    quadtree_cells,
    read_units,
    schedule_for,
    touching,
    voronoi_split,
)
from geoagent.places.geocells.cluster import kmeans, optics_labels, optics_order, widest_gap
from geoagent.places.geocells.split import halves
from geoagent.worlds.world import Support, World

needs_sklearn = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None,
    reason="scikit-learn is not installed (pip install 'geoagent-photo[train]')",
)
needs_geopandas = pytest.mark.skipif(
    importlib.util.find_spec("geopandas") is None,
    reason="geopandas is not installed (pip install 'geoagent-photo[geo]')",
)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(west, south, east, north)


def toy_units() -> Units:
    """Country AA: 3 × 2 units around the enclave EE. BB: on both sides of ±180°. CC: two islands. PP: the south pole.

    NN has land and never a place.
    """
    rows = [("AA", f"AA.{x}", box(x * 4, y * 4, x * 4 + 4, y * 4 + 4)) for x in range(3) for y in range(2)]
    rows += [("EE", "EE.1", box(5, 1, 7, 3))]
    rows += [("BB", "BB.1", shapely.union_all([box(176, -20, 180, -16), box(-180, -20, -178, -16)]))]
    rows += [("BB", "BB.2", box(-178, -20, -175, -16))]
    rows += [("CC", "CC.1", box(40, 0, 41, 1)), ("CC", "CC.2", box(44, 0, 45, 1))]
    rows += [
        ("PP", "PP.1", box(-180, -90, 180, -70)),
        ("NN", "NN.1", box(60, 0, 64, 4)),
        ("NN", "NN.2", box(64, 0, 66, 4)),
    ]
    codes = [f"{country}-{i}" for i, (country, _, _) in enumerate(rows)]
    first = [unit for _, unit, _ in rows]
    return Units.make(codes, [r[0] for r in rows], [r[2] for r in rows], admin1=first)


UNITS = toy_units()
LAND = {
    "AA": (0, 0, 12, 8),
    "EE": (5, 1, 7, 3),
    "BB": (176, -20, 185, -16),
    "CC": (40, 0, 41, 1),
    "PP": (-180, -90, 180, -70),
}


def scatter(rng: np.random.Generator, counts: dict[str, int], clumps: bool = False) -> Float:
    """Random places `(N, 2)` in the boxes of some countries; with `clumps`, half of them near a few spots."""
    out = []
    for code, count in counts.items():
        west, south, east, north = LAND[code]
        lonlat = rng.uniform((west, south), (east, north), (count, 2))
        if clumps and count:
            spots = rng.uniform((west, south), (east, north), (3, 2))
            near = rng.random(count) < 0.5
            lonlat[near] = spots[rng.integers(3, size=near.sum())] + rng.normal(0, 0.05, (near.sum(), 2))
            lonlat = np.clip(lonlat, (west, south), (east, north))
        lonlat[:, 0] = (lonlat[:, 0] + 180) % 360 - 180
        out.append(lonlat[:, ::-1])
    return np.concatenate(out)


def whole(cells: Geocells) -> float:
    return float(shapely.area(np.array(cells.polygons)).sum())


def crowded(built, places: Float, high: int) -> list[int]:
    """Cells above the limit, but for those whose places are one place, a metre across."""
    above = np.flatnonzero(built.sizes > high).tolist()
    return [c for c in above if haversine_km(places[built.assigned == c], places[built.assigned == c][0]).max() > 1e-3]


@needs_sklearn
@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    counts=st.fixed_dictionaries({code: st.integers(0, 120) for code in LAND}),
    sizes=st.sampled_from([(1, 1), (2, 5), (5, 10), (10, 20), (10, 60), (40, 50)]),
    clumps=st.booleans(),
)
def test_cells_tile_the_land_and_hold_every_place_once(seed, counts, sizes, clumps):
    if not sum(counts.values()):
        counts = {**counts, "AA": 1}
    places = scatter(np.random.default_rng(seed), counts, clumps)
    low, high = sizes
    built = build_geocells(places, UNITS, min_size=low, max_size=high, seed=seed)
    assert check_cells(built.cells, UNITS) == ()
    assert whole(built.cells) == pytest.approx(float(shapely.area(UNITS.shapes).sum()), abs=1e-6)
    assert (built.cells.assign(places) == built.assigned).all()
    assert built.sizes.sum() == len(places)
    assert not crowded(built, places, high)
    # Every place is in a cell of the country whose land it is on.
    assert (built.cells.country[built.assigned] == UNITS.country[UNITS.cover.index(places)]).all()
    inside = np.array([shapely.intersects_xy(shape, places[:, 1], places[:, 0]) for shape in built.cells.polygons])
    assert (inside.sum(axis=0) >= 1).all()
    assert (inside.sum(axis=0) > 1).mean() < 0.05
    assert set(built.cells.country_codes) == set(UNITS.country.tolist())


@needs_sklearn
@pytest.mark.parametrize(("count", "low", "high"), [(52, 2, 5), (51, 2, 5)])
def test_clumps_at_the_pole_tile_it_within_the_limits(count, low, high):
    places = scatter(np.random.default_rng(36), {**dict.fromkeys(LAND, 0), "PP": count}, clumps=True)
    built = build_geocells(places, UNITS, min_size=low, max_size=high, seed=36)
    assert check_cells(built.cells, UNITS) == ()
    assert not crowded(built, places, high)


@needs_sklearn
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 150))
def test_both_limits_hold_where_they_leave_room(seed, count):
    places = scatter(np.random.default_rng(seed), {"AA": count, "PP": 30}, clumps=True)
    built = build_geocells(places, UNITS, min_size=10, max_size=40)
    aa = built.sizes[built.cells.country == "AA"]
    assert aa.max() <= 40
    if count < 10:
        assert len(aa) == 1
    assert built.report.below_min == int(((built.sizes > 0) & (built.sizes < 10)).sum())
    assert built.report.below_min <= 3


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), low=st.integers(1, 80))
def test_merging_never_crosses_a_country(seed, low):
    rng = np.random.default_rng(seed)
    places = scatter(rng, {code: int(rng.integers(0, 40)) for code in LAND} | {"AA": 5})
    built = build_geocells(places, UNITS, min_size=low, max_size=10**6)
    assert not [p for p in check_cells(built.cells, UNITS) if p.kind == "country"]
    for code in LAND:
        mine = built.sizes[built.cells.country == code]
        assert (mine >= low).all() or len(mine) == 1


def test_merging_prefers_the_same_admin1_then_small_then_near():
    row = [box(x, 0, x + 1, 1) for x in range(5)]
    units = Units.make(list("abcde"), ["AA"] * 5, row, admin1=["AA.1", "AA.1", "AA.2", "AA.2", "AA.2"])

    def cells(*counts: int) -> set[tuple[int, ...]]:
        lon = np.repeat(np.arange(5) + 0.5, counts)
        built = build_geocells(np.column_stack([np.full(len(lon), 0.5), lon]), units, min_size=10, max_size=999)
        middles = np.column_stack([np.full(5, 0.5), np.arange(5) + 0.5])
        where = built.cells.assign(middles)
        return {tuple(np.flatnonzero(where == c).tolist()) for c in range(len(built.cells))}

    # The second is small: it goes to the large one of its own admin-1, not to the small one of the next.
    assert cells(20, 5, 7, 20, 20) == {(0, 1), (2, 3), (4,)}
    # A small one of the same admin-1 comes before a large one.
    assert cells(20, 20, 6, 5, 20) == {(0,), (1,), (2, 3), (4,)}
    # A whole admin-1 too small for itself looks across its border.
    assert cells(3, 3, 20, 20, 20) == {(0, 1, 2), (3,), (4,)}


def test_empty_units_join_the_nearest_cell_of_their_country_and_stay_in_one_piece():
    row = [box(x, 0, x + 1, 1) for x in range(6)] + [box(6, 0, 7, 1), box(9, 0, 10, 1)]
    units = Units.make([str(i) for i in range(8)], ["AA"] * 6 + ["BB"] * 2, row)
    places = np.array([[0.5, 0.5]] * 3 + [[0.5, 5.5]] * 3 + [[0.5, 6.5]])
    built = build_geocells(places, units, min_size=1, max_size=9)
    where = built.cells.assign([(0.5, x + 0.5) for x in (*range(6), 6, 9)])
    assert where.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert built.report.joined == 5
    assert built.cells.country.tolist() == ["AA", "AA", "BB"]


def test_a_country_without_places_has_a_cell_or_gives_its_land_away():
    places = scatter(np.random.default_rng(0), {"AA": 5})
    kept = build_geocells(places, UNITS, min_size=1, max_size=10)
    nn = int(np.flatnonzero(kept.cells.country == "NN")[0])
    assert kept.sizes[nn] == 0
    assert kept.cells.assign(kept.cells.centroids[[nn]]).tolist() == [nn]
    assert kept.cells.radius_km[nn] == pytest.approx(217, rel=0.01)  # a circle of half of 6° × 4°
    assert (kept.cells.country == "NN").sum() == 1
    assert kept.report.without_places == 5
    given_away = build_geocells(places, UNITS, min_size=1, max_size=10, keep_empty_countries=False)
    assert given_away.cells.country_codes == ("AA",)
    assert (given_away.sizes > 0).all()
    assert whole(given_away.cells) == pytest.approx(whole(kept.cells))


@needs_sklearn
def test_same_seed_same_cells_and_order_of_places_is_no_matter():
    places = scatter(np.random.default_rng(1), {"AA": 400, "BB": 150, "PP": 90}, clumps=True)
    one, two = (build_geocells(places, UNITS, min_size=10, max_size=25, seed=7) for _ in range(2))
    assert one.cells.fingerprint == two.cells.fingerprint
    assert (one.assigned == two.assigned).all()
    assert [p.wkb for p in one.cells.polygons] == [p.wkb for p in two.cells.polygons]
    assert one.report == two.report
    shuffled = np.random.default_rng(0).permutation(len(places))
    three = build_geocells(places[shuffled], UNITS, min_size=10, max_size=25, seed=7)
    assert three.cells.fingerprint == one.cells.fingerprint
    assert (three.assigned == one.assigned[shuffled]).all()


@needs_sklearn
def test_the_antimeridian_is_no_border():
    places = scatter(np.random.default_rng(2), {"BB": 300})
    built = build_geocells(places, UNITS, min_size=20, max_size=60)
    bb = np.flatnonzero(built.cells.country == "BB")
    assert len(bb) >= 5
    for c in bb.tolist():
        mine = places[built.assigned == c]
        assert haversine_km(built.cells.centroids[c], mine).max() < 700
    spans = [c for c in bb.tolist() if len({*np.sign(places[built.assigned == c][:, 1]).tolist()}) == 2]
    assert spans, "no cell has places on both sides"
    # A place in the sea goes to the island that is nearest across ±180°, not to the one nearest in degrees.
    islands = Geocells(
        np.array([[0.0, 179.5], [0.0, -160.0]]), np.array(["BB", "BB"]), np.array(["", ""]), np.ones(2),
        [bytes(shapely.to_wkb(box(179, -1, 180, 1))), bytes(shapely.to_wkb(box(-161, -1, -159, 1)))],
    )  # fmt: skip
    assert islands.assign([(0.0, -178.0), (0.0, -163.0)]).tolist() == [0, 1]


@needs_sklearn
def test_the_pole_is_cut_like_any_land():
    rng = np.random.default_rng(3)
    lat = -90 + np.abs(rng.normal(0, 5, 300))
    places = np.column_stack([np.clip(lat, -90, -71), rng.uniform(-180, 180, 300)])
    built = build_geocells(places, UNITS, min_size=20, max_size=60)
    assert check_cells(built.cells, UNITS) == ()
    pp = np.flatnonzero(built.cells.country == "PP")
    assert len(pp) >= 5
    spread = [haversine_km(built.cells.centroids[c], places[built.assigned == c]).max() for c in pp.tolist()]
    assert max(spread) < 2000
    assert (built.cells.assign([(-90.0, 0.0), (-90.0, 77.0)]) >= 0).all()


def test_enclaves_islands_and_the_sea():
    places = np.array([[2, 6], [2, 2], [0.5, 40.5], [0.5, 44.5], [0.5, 42.0], [30, 6], [2, 12.4]], dtype=float)
    built = build_geocells(places, UNITS, min_size=1, max_size=10)
    assert built.cells.country[built.assigned].tolist() == ["EE", "AA", "CC", "CC", "CC", "AA", "AA"]
    # Islands that are too small alone merge over the sea, inside their country.
    merged = build_geocells(places[2:4], UNITS, min_size=2, max_size=10)
    assert (merged.cells.country == "CC").sum() == 1
    assert len(set(merged.assigned.tolist())) == 1
    assert built.report.off_land == 3


def test_places_far_north_go_to_the_nearest_land_in_kilometres():
    # At 80° N three degrees of longitude are 58 km, one of latitude 111 km.
    cover = Cover([box(3, 79.9, 4, 80.1), box(-1, 81, 1, 82)])
    assert cover.index([(80.0, 0.0)]).tolist() == [0]
    assert cover.nearest([(80.0, 0.0)]).tolist() == [0]


def test_a_pile_of_one_place_stays_and_is_reported():
    places = np.repeat([[2.0, 2.0], [6.0, 10.0]], [50, 3], axis=0)
    if importlib.util.find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed (pip install 'geoagent-photo[train]')")
    built = build_geocells(places, UNITS, min_size=5, max_size=20)
    assert built.report.above_max == 1
    assert sorted(built.sizes[built.sizes > 0].tolist()) == [3, 50]


def test_cells_survive_saving_and_loading(tmp_path: Path):
    built = build_geocells(scatter(np.random.default_rng(5), {"AA": 40, "BB": 10}), UNITS, min_size=5, max_size=99)
    count = len(built.cells)
    world = World("toy", built.cells, np.zeros(count), Support.of_centroids(built.cells))
    loaded = World.load(world.save(tmp_path / "w"))
    assert loaded.cells.fingerprint == built.cells.fingerprint
    assert check_cells(loaded.cells, UNITS) == ()


@pytest.mark.parametrize(("low", "high"), [(0, 5), (6, 5), (-1, -1)])
def test_sizes_that_cannot_be_are_refused(low, high):
    with pytest.raises(InputError, match="min_size"):
        build_geocells([(1.0, 1.0)], UNITS, min_size=low, max_size=high)
    with pytest.raises(InputError, match="min_size"):
        quadtree_cells([(1.0, 1.0)], UNITS, min_size=low, max_size=high)


def test_no_places_are_refused():
    with pytest.raises(InputError, match="at least one"):
        build_geocells(np.zeros((0, 2)), UNITS)
    with pytest.raises(InputError, match="at least one"):
        quadtree_cells(np.zeros((0, 2)), UNITS, max_size=5)


def test_progress_is_told():
    told: list[tuple[str, int, int]] = []
    build_geocells([(1.0, 1.0)], UNITS, min_size=1, max_size=5, progress=lambda *what: told.append(what))
    assert told[-1] == ("splitting", 6, 6)
    assert [what for what, _, _ in told][:2] == ["locations to units", "merging"]


def test_schedules_are_the_papers_at_their_own_sizes():
    assert tuple(schedule_for(60)) == tuple(PIGEON)
    assert tuple(schedule_for(2000)) == tuple(PIGEOTTO)
    assert [s for s, _ in schedule_for(240)] == [32, 40, 60]


# --- the parts


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 25),
    where=st.sampled_from(["mid", "north", "south", "seam", "belt"]),
)
def test_voronoi_parts_are_the_land_nearest_to_each_seed(seed, count, where):
    land = {
        "mid": box(-10, 40, 10, 60),
        "north": box(-180, 60, 180, 90),
        "south": box(-180, -90, 180, -75),
        "seam": shapely.union_all([box(172, -20, 180, -10), box(-180, -20, -170, -10)]),
        "belt": box(-179, -10, 179, 10),
    }[where]
    rng = np.random.default_rng(seed)
    places = from_unit(rng.normal(size=(40_000, 3)))
    places = places[shapely.contains_xy(land, places[:, 1], places[:, 0])]
    west, south, east, north = (172, -20, 190, -10) if where == "seam" else land.bounds
    seeds = rng.uniform((south, west), (north, east), (count, 2))
    seeds[:, 1] = (seeds[:, 1] + 180) % 360 - 180
    parts = voronoi_split(land, seeds)
    assert sum(p.area for p in parts) == pytest.approx(land.area, rel=1e-7)
    for a, b in pairwise(parts):
        assert shapely.intersection(a, b).area < 1e-7
    nearness = to_unit(places) @ to_unit(seeds).T
    inside = np.array([shapely.contains_xy(p, places[:, 1], places[:, 0]) for p in parts])
    first, second = np.sort(nearness, axis=1)[:, -1], np.sort(nearness, axis=1)[:, -2] if count > 1 else -2.0
    clear = first - second > 1e-6
    assert (inside.argmax(axis=0) == nearness.argmax(axis=1))[clear].all()


@given(normal=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda n: np.linalg.norm(n) > 0.1))
def test_halves_are_the_two_sides_of_the_plane(normal):
    land = box(-180, -90, 180, 90)
    side, other = halves(land, np.array(normal))
    assert side.area + other.area == pytest.approx(land.area, rel=1e-9)
    places = from_unit(np.random.default_rng(0).normal(size=(500, 3)))
    height = to_unit(places) @ np.array(normal) / np.linalg.norm(normal)
    clear = np.abs(height) > 1e-4
    towards = shapely.contains_xy(side, places[:, 1], places[:, 0])
    assert (towards == (height > 0))[clear].all()


@needs_sklearn
@pytest.mark.parametrize("samples", [3, 8, 40])
def test_optics_walks_as_scikit_learn_does(samples):
    from sklearn.cluster import OPTICS

    rng = np.random.default_rng(samples)
    latlon = (
        rng.normal(0, 1, (300, 2)) * rng.choice([0.05, 1.0], (300, 1)) + rng.integers(0, 3, (300, 1)) * 5 + [0, 178]
    )
    unit = to_unit(latlon)
    order, reach, before = optics_order(unit, samples)
    theirs = OPTICS(min_samples=samples, xi=0.05).fit(unit)
    assert (order == theirs.ordering_).all()
    assert np.allclose(reach, theirs.reachability_, atol=1e-14)
    assert (before == theirs.predecessor_).all()
    labels = optics_labels(latlon, samples, 0.05, 1)
    assert ((labels < 0) == (theirs.labels_ < 0)).all()
    pairs = set(zip(labels.tolist(), theirs.labels_.tolist(), strict=True))
    assert len(pairs) == len(set(labels.tolist())) == len(set(theirs.labels_.tolist()))


@needs_sklearn
def test_small_clusters_are_noise():
    rng = np.random.default_rng(0)
    latlon = np.vstack(
        [rng.normal((10, 10), 0.01, (60, 2)), rng.normal((12, 10), 0.01, (12, 2)), rng.uniform(5, 15, (20, 2))]
    )
    labels = optics_labels(latlon, 5, 0.05, 30)
    assert set(labels[60:72].tolist()) == {-1}
    assert set(optics_labels(latlon, 5, 0.05, 5)[60:72].tolist()) != {-1}


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.cluster", None)
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(MissingDependency, match="train"):
        build_geocells(scatter(np.random.default_rng(0), {"AA": 50}), UNITS, min_size=2, max_size=5)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 60), least=st.integers(1, 30))
def test_the_widest_gap_leaves_enough_on_both_sides(seed, count, least):
    rng = np.random.default_rng(seed)
    latlon = rng.normal((60, 179), 2, (count, 2))
    side = to_unit(latlon) @ widest_gap(latlon, np.ones(count), float(least)) > 0
    assert min(side.sum(), count - side.sum()) >= min(least, count // 2)


def test_kmeans_finds_separate_towns():
    rng = np.random.default_rng(0)
    towns = np.array([[0.0, 179.9], [0.0, -170.0], [20.0, 179.0]])
    latlon = np.repeat(towns, 20, axis=0) + rng.normal(0, 0.3, (60, 2))
    labels = kmeans(latlon, 3, rng)
    assert [len(set(labels[i * 20 : i * 20 + 20].tolist())) for i in range(3)] == [1, 1, 1]
    assert len(set(labels.tolist())) == 3
    assert len(set(kmeans(np.repeat(towns[:2], 5, axis=0), 4, rng).tolist())) == 2


def test_touching_sees_across_the_seam():
    shapes = np.array(
        [box(178, 0, 180, 2), box(-180, 0, -178, 2), box(-178, 0, -176, 2), box(0, 0, 1, 1)], dtype=object
    )
    assert touching(shapes).tolist() == [[0, 1], [1, 2]]
    assert touching(shapes, np.array(["A", "B", "B", "A"])).tolist() == [[1, 2]]


# --- units


def test_overlaps_go_to_the_smaller_unit_and_bad_polygons_are_repaired():
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    units = Units.make(
        ["all", "part", "bow", "line"], ["AA"] * 4, [box(0, 0, 10, 10), box(1, 5, 4, 8), bow, box(0, 0, 1, 0)]
    )
    assert units.codes.tolist() == ["all", "part", "bow"]
    assert shapely.is_valid(units.shapes).all()
    assert shapely.area(units.shapes).tolist() == pytest.approx([100 - 9 - 2, 9, 2])
    assert units.cover.index([(6.0, 2.0), (1.0, 0.3), (9.0, 9.0)]).tolist() == [1, 2, 0]


def test_units_refuse_what_is_not_degrees_or_no_land():
    with pytest.raises(InputError, match="4326"):
        Units.make(["a"], ["AA"], [box(0, 0, 500_000, 500_000)])
    with pytest.raises(InputError, match="no polygon"):
        Units.make(["a"], ["AA"], [shapely.Polygon()])
    with pytest.raises(InputError, match="as many as codes"):
        Units.make(["a"], ["AA", "BB"], [box(0, 0, 1, 1)])


@needs_geopandas
@pytest.mark.parametrize("kind", ["gpkg", "geojson", "parquet", "shp"])
def test_a_file_of_the_users_round_trip(tmp_path: Path, kind: str):
    import geopandas

    shapes = [box(7, 50, 8, 51), box(8, 50, 9, 51), box(2, 46, 3, 47)]
    frame = geopandas.GeoDataFrame(
        {"GID_0": ["DEU", "DEU", "FRA"], "NAME_1": ["Hesse", "Hesse", "X"], "NAME_2": ["a", "b", "c"]},
        geometry=shapes,
        crs=4326,
    )
    path = tmp_path / f"units.{kind}"
    frame.to_parquet(path) if kind == "parquet" else frame.to_file(path)
    units = read_units(path)
    assert units.country.tolist() == ["DE", "DE", "FR"]
    assert units.group.tolist() == ["DE/Hesse", "DE/Hesse", "FR/X"]
    assert all(
        code.startswith(own + ".") for code, own in zip(units.admin1.tolist(), units.country.tolist(), strict=True)
    )
    assert all(shapely.equals(a, b) for a, b in zip(units.shapes, shapes, strict=True))
    built = build_geocells([(50.5, 7.5), (50.5, 8.5), (46.5, 2.5)], units, min_size=1, max_size=3)
    assert built.cells.country.tolist() == ["DE", "DE", "FR"]


@needs_geopandas
def test_columns_of_other_sources_are_found_and_levels_resolved(tmp_path: Path):
    import geopandas

    overture = geopandas.GeoDataFrame(
        {
            "country": ["DE", "DE", "DE"],
            "region": [None, "DE-HE", "DE-HE"],
            "subtype": ["country", "region", "region"],
            "class": ["land", "land", "maritime"],
            "id": ["x", "y", "z"],
        },
        geometry=[box(7, 50, 10, 52), box(7, 50, 8, 51), box(10, 50, 11, 52)],
        crs=4326,
    )
    overture.to_file(tmp_path / "o.gpkg")
    units = read_units(tmp_path / "o.gpkg")
    assert units.codes.tolist() == ["x", "y"]
    assert shapely.area(units.shapes).tolist() == pytest.approx([5, 1])
    boundaries = geopandas.GeoDataFrame(
        {"shapeGroup": ["FRA", "XKX"], "shapeName": ["a", "b"]},
        geometry=[box(2, 46, 3, 47), box(20.8, 42.4, 21, 42.6)],
        crs=4326,
    )
    boundaries.to_crs(3857).to_file(tmp_path / "g.gpkg")
    assert read_units(tmp_path / "g.gpkg").country.tolist() == ["FR", "XK"]
    named = boundaries.rename(columns={"shapeGroup": "land"}).assign(land=["France", "nowhere"])
    named.to_file(tmp_path / "n.gpkg")
    assert read_units(tmp_path / "n.gpkg", country="land").country.tolist() == ["FR", "XK"]


@needs_geopandas
def test_files_that_cannot_be_used_say_why(tmp_path: Path):
    import geopandas

    with pytest.raises(InputError, match="is not an existing file"):
        read_units(tmp_path / "none.gpkg")
    (tmp_path / "bad.geojson").write_text("{]")
    with pytest.raises(InputError, match="cannot be read"):
        read_units(tmp_path / "bad.geojson")
    geopandas.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 1)], crs=4326).to_file(tmp_path / "p.geojson")
    with pytest.raises(InputError, match="no polygons"):
        read_units(tmp_path / "p.geojson")
    geopandas.GeoDataFrame({"a": [1]}, geometry=[box(0, 0, 1, 1)], crs=4326).to_file(tmp_path / "c.geojson")
    with pytest.raises(InputError, match="no column 'land'"):
        read_units(tmp_path / "c.geojson", country="land")


# --- the baseline, the check, the pictures


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 300), high=st.integers(1, 50))
def test_quadtree_boxes_hold_every_place_once(seed, count, high):
    places = scatter(np.random.default_rng(seed), {"AA": count, "BB": count // 2})
    cells = quadtree_cells(places, UNITS, max_size=high)
    sizes = np.bincount(cells.assign(places), minlength=len(cells))
    assert sizes.sum() == len(places)
    assert (sizes > 0).all()
    assert sizes.max() <= high
    assert {p.kind for p in check_cells(cells)} == set()
    assert set(cells.country_codes) <= {"AA", "BB", "EE"}


def test_quadtree_stops_at_one_place():
    cells = quadtree_cells([(1.0, 1.0)] * 9 + [(1.0, 3.0)], UNITS, max_size=2)
    assert len(cells) == 2
    assert cells.country.tolist() == ["AA", "AA"]


def test_the_check_finds_what_is_wrong():
    def cells(*shapes: shapely.Polygon, country: str = "AA") -> Geocells:
        middles = np.array([(s.centroid.y, s.centroid.x) if not s.is_empty else (0.0, 0.0) for s in shapes])
        count = len(shapes)
        wkb = [bytes(shapely.to_wkb(s)) for s in shapes]
        return Geocells(middles, np.full(count, country), np.full(count, ""), np.ones(count), wkb)

    units = Units.make(["a", "b"], ["AA", "BB"], [box(0, 0, 2, 2), box(2, 0, 4, 2)])

    def kinds(*shapes: shapely.Polygon, **other: str) -> set[str]:
        return {p.kind for p in check_cells(cells(*shapes, **other), units)}

    assert kinds(box(0, 0, 2, 2)) == {"gap"}
    assert kinds(box(0, 0, 4, 2)) == {"country"}
    assert "overlap" in kinds(box(0, 0, 1.5, 2), box(1, 0, 2, 2))
    assert "spill" in kinds(box(0, 0, 2, 3))
    assert kinds(shapely.Polygon()) == {"empty"}
    assert kinds(shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])) == {"invalid"}
    problem = check_cells(cells(box(0, 0, 2, 2), box(0, 0, 1, 2)))[0]
    assert problem.cells == (0, 1)
    assert problem.area_deg2 == pytest.approx(2)
    bare = Geocells(np.zeros((1, 2)), np.array(["AA"]), np.array([""]), np.ones(1))
    with pytest.raises(InputError, match="no polygons"):
        check_cells(bare)


@pytest.fixture(scope="module")
def drawn() -> tuple[Geocells, np.ndarray]:
    places = scatter(np.random.default_rng(4), {"AA": 60, "BB": 20, "CC": 4, "EE": 3})
    built = build_geocells(places, UNITS, min_size=5, max_size=999)
    return built.cells, built.sizes


@pytest.mark.parametrize("by", ["country", "cell", "size", "radius"])
def test_a_png_of_the_world(drawn, tmp_path: Path, by):
    cells, sizes = drawn
    path = cells_png(cells, tmp_path / "w.png", by=by, sizes=sizes, width_px=400, title="")
    with Image.open(path) as image:
        assert image.size == (400, 160)
        at = {code: image.getpixel((x, y)) for code, x, y in (("AA", 202, 88), ("sea", 120, 30), ("NN", 269, 91))}
    assert at["sea"] != at["AA"]
    assert at["sea"] != at["NN"]
    assert (at["AA"] != at["NN"]) or by == "cell"


def test_a_png_of_one_country_is_in_one_piece_across_the_seam(drawn, tmp_path: Path):
    cells, _ = drawn
    path = cells_png(cells, tmp_path / "b.png", country="BB", width_px=300, title="", places=[(-18.0, 179.0)])
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB")).astype(int)
    middle = rgb[rgb.shape[0] // 2]
    sea = (np.abs(middle - rgb[1, 1]).sum(axis=1) < 12).mean()
    assert sea < 0.12  # 9° of land and 8 % of margin fill the width
    with pytest.raises(InputError, match="no geocell lies in"):
        cells_png(cells, path, country="ZZ")
    with pytest.raises(InputError, match="sizes"):
        cells_png(cells, path, by="size")
    with pytest.raises(InputError, match="box"):
        cells_png(cells, path, box=(5, 0, 5, 1))


def test_geojson_has_every_cell_in_lon_lat_order(drawn):
    cells, sizes = drawn
    made = json.loads(json.dumps(cells_geojson(cells, sizes)))
    assert len(made["features"]) == len(cells)
    for feature, shape in zip(made["features"], cells.polygons, strict=True):
        assert shapely.geometry.shape(feature["geometry"]).area == pytest.approx(shape.area, rel=1e-3)
    properties = made["features"][0]["properties"]
    assert properties["country"] == cells.country[0]
    assert properties["size"] == sizes[0]


def test_the_page_stands_alone_and_escapes(drawn):
    cells, sizes = drawn
    page = cells_html(cells, sizes=sizes, title="</script><b>x")
    assert "</script><b>" not in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page.count("<script") == 2


def test_the_units_that_ship_reach_the_antimeridian_and_keep_enclaves():
    units = Units.from_gazetteer()
    edge = [
        code for code, (west, _, east, _) in zip(units.codes, shapely.bounds(units.shapes), strict=True) if east == 180
    ]
    assert {code[:2] for code in edge} == {"AQ", "FJ", "RU"}
    assert shapely.is_valid(units.shapes).all()
    # Taveuni and Vanua Levu lie across ±180°; the Vatican lies in Rome, San Marino in Italy, Maseru in Lesotho.
    places = [(-16.22, 179.95), (-16.85, -179.97), (41.9032, 12.4534), (43.936, 12.446), (-29.31, 27.48), (66.5, 180.0)]
    assert units.country[units.cover.inside(places)].tolist() == ["FJ", "FJ", "VA", "SM", "LS", "RU"]


@needs_sklearn
def test_real_units_and_real_places_tile_the_land():
    with np.load(shared_data("streetview", "panoramas.npz")) as data:
        places = np.column_stack([data["lat"], data["lon"]])[data["split"] == "train"]
    units = Units.from_gazetteer()
    built = build_geocells(places, units, min_size=30, max_size=90)
    assert check_cells(built.cells, units) == ()
    assert built.sizes.max() <= 90
    assert set(built.cells.country_codes) == set(units.country.tolist())
    assert (built.cells.assign(places) == built.assigned).all()
    single = {code: int((built.cells.country == code).sum()) for code in ("VA", "SM", "MC")}
    assert single == {"VA": 1, "SM": 1, "MC": 1}
