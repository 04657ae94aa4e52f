"""Neighbours: every search finds what exact search finds, whatever it is asked and however rows are stored."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from conftest import make_world
from hypothesis import given
from hypothesis import strategies as st

from geoagent import plugs
from geoagent.errors import ConfigError, MissingDependency, ShapeError, WorldError
from geoagent.protocols import Assets
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.world import World, add_photos

with_faiss = pytest.mark.skipif(
    importlib.util.find_spec("faiss") is None, reason="faiss is not installed (pip install 'geoagent-photo[index]')"
)
SEARCHES = ["exact", pytest.param("ivf", marks=with_faiss)]
RNG = np.random.default_rng(5)
DIM = 24


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def make_gallery(count=300, storage="float32", mean=None, seed=0):
    """Photos in cells 0 to 8 of the toy world; 9, 10 and 11 are empty."""
    rng = np.random.default_rng(seed)
    cells = make_world().cells
    cell = rng.integers(0, 9, count)
    places = cells.centroids[cell] + rng.uniform(-0.4, 0.4, (count, 2))
    refs = [f"{seed}/{i}.jpg" for i in range(count)]
    return Gallery.make(rng.normal(size=(count, DIM)) + 1, places, cell, refs, mean=mean, storage=storage)


def assets(gallery, **changes):
    return Assets(make_world(gallery=gallery, **changes), None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("storage", ["float32", "float16", "8bit"])
@pytest.mark.parametrize("mean", [None, np.ones(DIM)], ids=["as-is", "centred"])
class TestEverySearch:
    def test_neighbours_are_the_most_similar_of_the_cells(self, name, storage, mean):
        gallery = make_gallery(storage=storage, mean=mean)
        search = plugs.build("search", name, assets(gallery), alpha=7.0)
        for _ in range(20):
            embedding = unit(RNG.normal(size=DIM) + 1)
            cells = RNG.permutation(12)[: RNG.integers(1, 12)].tolist()
            got = search(embedding, cells, 10)
            centre = np.zeros(DIM) if mean is None else mean
            query = unit(embedding - centre)
            rows = unit(np.asarray(gallery.embeddings, dtype=np.float64))
            similarity = np.where(np.isin(gallery.cell, cells), rows @ query, -9)
            best = np.argsort(-similarity, kind="stable")[: min(10, int((similarity > -9).sum()))]
            assert got.refs == tuple(gallery.refs[i] for i in best)
            np.testing.assert_allclose(got.similarity, similarity[best], atol=2e-3)
            np.testing.assert_allclose(got.log_weight, 7.0 * (got.similarity.astype(float) - 1), atol=1e-6)
            np.testing.assert_array_equal(got.cell, gallery.cell[best])
            np.testing.assert_allclose(got.latlon, gallery.latlon[best])
            assert got.kind == "neighbour"

    def test_empty_cells_few_rows_and_many_cells(self, name, storage, mean):
        gallery = make_gallery(storage=storage, mean=mean)
        search = plugs.build("search", name, assets(gallery))
        embedding = unit(np.ones(DIM))
        assert len(search(embedding, [9, 10, 11], 5)) == 0
        assert len(search(embedding, [], 5)) == 0
        assert len(search(embedding, [3], 0)) == 0
        only = int((gallery.cell == 3).sum())
        assert len(search(embedding, [3, 11], 1000)) == only
        everything = search(embedding, list(range(12)), 1000)
        assert sorted(everything.refs) == sorted(gallery.refs)
        assert (np.diff(everything.similarity) <= 0).all()

    def test_a_photo_finds_itself(self, name, storage, mean):
        gallery = make_gallery(storage=storage, mean=mean)
        search = plugs.build("search", name, assets(gallery))
        original = np.random.default_rng(0)
        original.integers(0, 9, 300), original.uniform(-0.4, 0.4, (300, 2))
        rows = original.normal(size=(300, DIM)) + 1
        for row in (0, 7, 299):
            embedding = rows[row] if mean is None else rows[row].astype(np.float32)
            got = search(embedding.astype(np.float32), range(12), 1)
            assert got.refs == (gallery.refs[row],)

    def test_an_embedding_of_another_length_is_refused(self, name, storage, mean):
        search = plugs.build("search", name, assets(make_gallery(storage=storage, mean=mean)))
        with pytest.raises(ShapeError, match=rf"\({DIM},\)"):
            search(np.ones(DIM + 1, dtype=np.float32), [0], 1)


@pytest.mark.parametrize("name", SEARCHES)
def test_alpha_comes_from_the_world_unless_given(name):
    fitted = assets(make_gallery(), calibration={"alpha": 3.0})
    query = unit(RNG.normal(size=DIM))
    for options, alpha in (({}, 3.0), ({"alpha": 11.0}, 11.0)):
        got = plugs.build("search", name, fitted, **options)(query, range(12), 4)
        np.testing.assert_allclose(got.log_weight, alpha * (got.similarity.astype(float) - 1), atol=1e-6)
    with pytest.raises(ConfigError, match="alpha"):
        plugs.build("search", name, fitted, alpha=-1)


@pytest.mark.parametrize("name", [*SEARCHES, "prototype"])
def test_a_world_without_a_gallery_cannot_be_searched(name):
    with pytest.raises(WorldError, match="no gallery"):
        plugs.build("search", name, assets(None))


@given(count=st.integers(1, 40), k=st.integers(1, 12), wanted=st.integers(1, 50), seed=st.integers(0, 99))
@with_faiss
def test_ivf_and_exact_agree(count, k, wanted, seed):
    gallery = make_gallery(count, "float16", seed=seed)
    rng = np.random.default_rng(seed)
    query, cells = unit(rng.normal(size=DIM)), rng.permutation(12)[:k].tolist()
    one, other = (plugs.build("search", name, assets(gallery))(query, cells, wanted) for name in ("exact", "ivf"))
    assert one.refs == other.refs
    np.testing.assert_allclose(one.similarity, other.similarity, atol=1e-6)


@with_faiss
@pytest.mark.parametrize("storage", ["float16", "8bit"])
def test_a_coarser_index_still_answers_with_the_gallerys_own_similarities(storage):
    gallery = make_gallery(2000)
    query = unit(RNG.normal(size=DIM))
    exact = plugs.build("search", "exact", assets(gallery))(query, range(12), 20)
    coarse = plugs.build("search", "ivf", assets(gallery), storage=storage)(query, range(12), 20)
    assert exact.refs == coarse.refs
    np.testing.assert_allclose(exact.similarity, coarse.similarity, atol=1e-6)
    with pytest.raises(ConfigError, match="storage"):
        plugs.build("search", "ivf", assets(gallery), storage="4bit")


@with_faiss
@pytest.mark.parametrize("storage", ["float32", "float16", "8bit"])
def test_photos_are_added_without_rebuilding(storage):
    gallery = make_gallery(200, storage)
    search = plugs.build("search", "ivf", assets(gallery))
    more = make_gallery(50, "float32", seed=1)
    grown = gallery.append(more.embeddings, more.latlon, more.cell, more.refs)
    assert grown.storage == storage
    search.grow(grown)
    assert len(search) == 250
    fresh = plugs.build("search", "exact", assets(grown))
    for _ in range(5):
        query = unit(RNG.normal(size=DIM))
        assert search(query, range(12), 30).refs == fresh(query, range(12), 30).refs
    assert any(ref.startswith("1/") for ref in search(unit(more.embeddings[3]), range(12), 3).refs)


@with_faiss
@pytest.mark.parametrize("storage", ["float32", "float16", "8bit"])
def test_a_saved_index_is_mapped_and_grows_with_the_folder(tmp_path, storage):
    from geoagent.worlds.search.ivf import save_index

    folder = make_world(gallery=make_gallery(200, storage)).save(tmp_path / "w")
    path = save_index(World.load(folder))
    written = path.stat().st_mtime_ns
    more = make_gallery(30, "float32", seed=2)
    world = add_photos(folder, more.embeddings, more.latlon, more.refs)
    assert world.gallery is not None
    assert len(world.gallery) == 230
    there = Assets(world, None, None)  # type: ignore[arg-type]
    indexed, exact = plugs.build("search", "ivf", there), plugs.build("search", "exact", there)
    assert [int(part.ntotal) for part in indexed._parts] == [200, 30]
    for _ in range(5):
        query = unit(RNG.normal(size=DIM))
        assert indexed(query, range(12), 25).refs == exact(query, range(12), 25).refs
    assert path.stat().st_mtime_ns == written
    path.write_bytes(b"garbage")
    with pytest.raises(WorldError, match="damaged"):
        plugs.build("search", "ivf", there)


@with_faiss
def test_an_index_needs_a_gallery_on_disk_and_of_its_own():
    from geoagent.worlds.search.ivf import IvfSearch, build_index, save_index

    with pytest.raises(WorldError, match="on disk"):
        save_index(make_world(gallery=make_gallery()))
    with pytest.raises(WorldError, match="save the index again"):
        IvfSearch(make_gallery(10), 12, 1.0, index=build_index(make_gallery(20), 12))


@pytest.mark.parametrize("storage", ["float32", "float16", "8bit"])
@pytest.mark.parametrize("mean", [None, np.full(DIM, 0.5)], ids=["as-is", "centred"])
def test_adding_photos_on_disk_is_the_same_as_in_memory(tmp_path, storage, mean):
    gallery = make_gallery(40, storage, mean)
    folder = make_world(gallery=gallery).save(tmp_path / "w")
    before = (folder / "gallery" / "embeddings.npy").read_bytes()
    more = RNG.normal(size=(7, DIM))
    places = make_world().cells.centroids[:7] + 0.1
    grown = add_photos(folder, more, places, [f"new {i}" for i in range(7)]).gallery
    assert grown is not None
    want = gallery.append(more, places, np.arange(7), [f"new {i}" for i in range(7)])
    np.testing.assert_array_equal(grown.embeddings, want.embeddings)
    assert isinstance(grown.embeddings, np.memmap)
    assert grown.refs == want.refs
    np.testing.assert_array_equal(grown.cell, want.cell)
    np.testing.assert_allclose(grown.latlon, want.latlon)
    after = (folder / "gallery" / "embeddings.npy").read_bytes()
    assert after[128 : len(before)] == before[128:]


def test_an_addition_that_was_cut_off_does_not_count(tmp_path):
    folder = make_world(gallery=make_gallery(40)).save(tmp_path / "w")
    places = (folder / "gallery" / "places.npz").read_bytes()
    add_photos(folder, RNG.normal(size=(5, DIM)), make_world().cells.centroids[:5], list("abcde"))
    (folder / "gallery" / "places.npz").write_bytes(places)  # the last file was never written
    world = World.load(folder)
    assert world.gallery is not None
    assert len(world.gallery) == 40
    row = RNG.normal(size=(1, DIM))
    again = add_photos(folder, row, make_world().cells.centroids[:1], ["z"]).gallery
    assert again is not None
    assert again.refs[40:] == ("z",)
    np.testing.assert_allclose(again.embeddings[40], unit(row)[0], atol=1e-6)
    assert np.load(folder / "gallery" / "embeddings.npy").shape == (41, DIM)


def test_what_cannot_be_added_is_refused(tmp_path):
    folder = make_world(gallery=make_gallery(4)).save(tmp_path / "w")
    with pytest.raises(ShapeError):
        add_photos(folder, np.ones((1, DIM + 1)), [(1, 1)], ["a"])
    with pytest.raises(WorldError, match="zero or not finite"):
        add_photos(folder, np.zeros((1, DIM)), [(1, 1)], ["a"])
    with pytest.raises(WorldError, match="no gallery"):
        add_photos(make_world().save(tmp_path / "bare"), np.ones((1, DIM)), [(1, 1)], ["a"])
    with pytest.raises(WorldError, match="storage"):
        make_gallery(4, "16bit")


@given(st.integers(0, 1000))
def test_eight_bits_keep_cosines_to_two_digits(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, 256)) * rng.uniform(0.01, 100)
    gallery = Gallery.make(rows, np.zeros((20, 2)), np.zeros(20), [""] * 20, storage="8bit")
    assert gallery.embeddings.nbytes == 20 * 256
    query = unit(rng.normal(size=256))
    np.testing.assert_allclose(gallery.rows(slice(None)) @ query, unit(rows) @ query, atol=0.01)


def test_auto_takes_the_search_that_suits_the_size(monkeypatch):
    from geoagent.worlds.search import auto
    from geoagent.worlds.search.exact import ExactSearch

    there = assets(make_gallery())
    assert isinstance(plugs.build("search", "auto", there), ExactSearch)
    monkeypatch.setattr(auto, "LARGE", 300)
    query = unit(RNG.normal(size=DIM))
    found = plugs.build("search", "auto", there, alpha=3.0)(query, range(12), 20)
    want = plugs.build("search", "exact", there, alpha=3.0)(query, range(12), 20)
    assert found.refs == want.refs
    np.testing.assert_allclose(found.log_weight, want.log_weight, atol=1e-5)
    if importlib.util.find_spec("faiss") is not None:
        assert type(plugs.build("search", "auto", there)).__name__ == "IvfSearch"
        assert plugs.build("search", "auto", assets(make_gallery(270)), storage="pq")._storage == "pq"
    # Without FAISS many photos are compared one by one, which gives the same ones.
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.delitem(sys.modules, "geoagent.worlds.search.ivf", raising=False)
    assert isinstance(plugs.build("search", "auto", there), ExactSearch)
    with pytest.raises(MissingDependency):
        plugs.build("search", "auto", there, storage="pq")


@with_faiss
def test_product_quantisation_finds_most_neighbours_and_ranks_them_by_their_own_rows(tmp_path):
    from geoagent.worlds.search.ivf import save_index

    gallery = make_gallery(3000)
    exact = plugs.build("search", "exact", assets(gallery))
    coarse = plugs.build("search", "ivf", assets(gallery), storage="pq")
    shared = []
    for _ in range(20):
        query = unit(RNG.normal(size=DIM) + 1)
        want, got = exact(query, range(12), 20), coarse(query, range(12), 20)
        rows = {ref: similarity for ref, similarity in zip(want.refs, want.similarity, strict=True)}
        shared.append(len(rows.keys() & set(got.refs)) / 20)
        for ref, similarity in zip(got.refs, got.similarity, strict=True):
            assert similarity == pytest.approx(rows.get(ref, similarity), abs=1e-6)
        assert (np.diff(got.similarity) <= 1e-7).all()
    assert np.mean(shared) > 0.95
    folder = make_world(gallery=gallery).save(tmp_path / "w")
    sizes = [save_index(World.load(folder), kind).stat().st_size for kind in ("pq", "float32")]
    assert sizes[0] < 0.6 * sizes[1]
    with pytest.raises(ConfigError, match="256 photos"):
        plugs.build("search", "ivf", assets(make_gallery(100)), storage="pq")
