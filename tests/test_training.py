"""From a table to a world: reading, labels, heads, calibration, tuning."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import make_world, shared_data
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import ConfigError, InputError, ShapeError
from geoagent.places.geo import haversine_km
from geoagent.worlds.head import CellHead
from geoagent.worlds.lens import Lens, gelu
from geoagent.worlds.training.calibration import country_temperature, fit_temperature, radius_scale
from geoagent.worlds.training.embed import embed_table
from geoagent.worlds.training.head import HeadSettings, train_head
from geoagent.worlds.training.labels import smooth_labels
from geoagent.worlds.training.lens import LensSettings, train_lens
from geoagent.worlds.training.table import Table, read_table
from geoagent.worlds.training.train import TrainSettings, split_table, train
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import World

CITIES = np.array(
    [(48.85, 2.35), (52.5, 13.4), (40.4, -3.7), (-33.9, 151.2), (35.7, 139.7), (-1.3, 36.8), (55.7, 37.6)]
)


def write(path, text):
    path.write_text(text, "utf-8")
    return path


def csv_of(path, head, rows):
    return write(path, "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")


class TestTables:
    def test_npz(self, tmp_path):
        views = np.arange(24, dtype=np.int8).reshape(2, 3, 4) + 1
        np.savez(tmp_path / "t.npz", lat=[10.0, 11], lon=[20.0, 21], views=views, split=["train", "val"])
        table = read_table(tmp_path / "t.npz")
        assert table.views.shape == (2, 3, 4)
        assert table.splits == ("train", "val")
        assert table.part("val").latlon.tolist() == [[11, 21]]
        np.testing.assert_allclose(np.linalg.norm(table.unit_views(), axis=2), 1, rtol=1e-5)

    @pytest.mark.parametrize(
        "head", ["IMG_ID,LAT,LON", "id,latitude,longitude", "image_path,lat,lng", "file,Latitude,Long"]
    )
    def test_column_names_of_the_field(self, tmp_path, head):
        rows = [(f"{i}.jpg", lat, lon) for i, (lat, lon) in enumerate(CITIES)]
        table = read_table(csv_of(tmp_path / "t.csv", head, rows))
        np.testing.assert_allclose(table.latlon, CITIES)
        assert table.refs[3] == "3.jpg"
        assert table.notes == ()

    def test_swapped_headers_are_put_right_where_a_latitude_cannot_be(self, tmp_path):
        rows = [(f"{i}.jpg", lon, lat) for i, (lat, lon) in enumerate(CITIES)]
        table = read_table(csv_of(tmp_path / "im2gps3k_places365.csv", "IMG_ID,LAT,LON", rows))
        np.testing.assert_allclose(table.latlon, CITIES)
        assert "swapped" in table.notes[0]

    def test_swapped_headers_are_put_right_where_only_the_land_tells(self, tmp_path):
        iceland = [(f"{i}.jpg", -21 + i / 4, 64.6 + i / 40) for i in range(20)]  # lon, lat; nothing beyond ±90
        table = read_table(csv_of(tmp_path / "t.csv", "img,lat,lon", iceland))
        assert table.latlon[0].tolist() == [64.6, -21]
        assert "swapped" in table.notes[0]
        right = [(ref, lat, lon) for ref, lon, lat in iceland]
        assert read_table(csv_of(tmp_path / "r.csv", "img,lat,lon", right)).notes == ()

    def test_rows_that_disagree_are_refused(self, tmp_path):
        path = csv_of(tmp_path / "t.csv", "img,lat,lon", [("a", 151, -33), ("b", -33, 151)])
        with pytest.raises(InputError, match=r"row 2 .* do not agree"):
            read_table(path)

    def test_rows_without_coordinates_are_left_out_and_told(self, tmp_path):
        path = csv_of(tmp_path / "t.csv", "img,lat,lon", [("a", 1, 2), ("b", "", 2), ("c", 3, 4)])
        table = read_table(path)
        assert table.refs == ("a", "c")
        assert "1 of 3" in table.notes[0]

    def test_features_in_columns_and_in_lists(self, tmp_path):
        numbered = csv_of(tmp_path / "a.csv", "lat,lon,e0,e1,e2", [(1, 2, 3, 4, 5), (2, 3, 6, 7, 8)])
        listed = write(
            tmp_path / "b.csv", 'lat,lon,embedding\n1,2,"[3, 4, 5]"\n2,3,6 7 8\n'.replace("6 7 8", '"6 7 8"')
        )
        for path in (numbered, listed):
            assert read_table(path).views.tolist() == [[[3, 4, 5]], [[6, 7, 8]]]

    def test_parquet(self, tmp_path):
        pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[train]')")
        import pyarrow.parquet as pq

        columns = {"latitude": CITIES[:, 0], "lng": CITIES[:, 1], "embedding": [[1.0, 2.0]] * 7, "split": ["train"] * 7}
        pq.write_table(pa.table(columns), tmp_path / "t.parquet")
        table = read_table(tmp_path / "t.parquet")
        assert table.views.shape == (7, 1, 2)
        assert table.splits == ("train",)

    def test_photos_are_found_by_id_in_numbered_folders(self, tmp_path):
        (tmp_path / "images" / "07").mkdir(parents=True)
        (tmp_path / "images" / "07" / "123.jpg").write_bytes(b"x")
        table = read_table(csv_of(tmp_path / "test.csv", "id,latitude,longitude", [("123", 1, 2)]))
        assert table.paths == (tmp_path / "images" / "07" / "123.jpg",)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("t.csv", "img,lat\na,1\n", "longitude"),
            ("t.csv", "lat,lon\n1,2\n", "column with photos"),
            ("t.csv", "img,lat,lon\na,north,2\n", "row 2, column lat: 'north' is no number"),
            ("t.csv", "img,lat,lon\na,1\n", "no row has both"),
            ("t.csv", "img,lat,lon\na,1,5,2,5\n", "row 2: expected 3 columns, got 5; write numbers"),
            ("t.csv", "lat,lon,embedding\n1,2,3 x\n", "lists of numbers"),
            ("t.csv", "img,lat,lon\n", "at least one row"),
            ("t.csv", "img,lat,lon\na,,\n", "no row has both"),
            ("t.xls", "x", "expected .npz"),
            ("t.npz", "x", "not a readable NPZ"),
        ],
    )
    def test_what_cannot_be_used_is_told(self, tmp_path, name, text, message):
        with pytest.raises(InputError, match=message):
            read_table(write(tmp_path / name, text))

    def test_a_zero_feature_is_told(self):
        with pytest.raises(InputError, match="row 1 are all zero"):
            Table(np.zeros((2, 2)), ("a", "b"), np.array([[[1.0]], [[0.0]]])).unit_views()

    def test_unknown_split_and_no_file(self, tmp_path):
        with pytest.raises(InputError, match="no splits"):
            Table(np.zeros((1, 2)), ("a",), np.ones((1, 1, 2))).part("val")
        with pytest.raises(InputError, match="no table found at"):
            read_table(tmp_path / "absent.csv")


class TestLabels:
    cells = make_world().cells

    @given(st.floats(-60, 60), st.floats(-180, 180), st.sampled_from([10.0, 75.0, 400.0]))
    def test_they_sum_to_one_and_fall_with_distance(self, lat, lon, tau):
        soft = smooth_labels([(lat, lon)], [0], self.cells.centroids, tau)[0]
        assert soft.sum() == pytest.approx(1, abs=1e-5)
        order = np.argsort(haversine_km((lat, lon), self.cells.centroids))
        assert (np.diff(soft[order]) <= 1e-7).all()

    def test_the_ratio_of_two_cells_is_the_formula(self):
        here = self.cells.centroids[0] + 0.1
        soft = smooth_labels([here], [0], self.cells.centroids, 75.0)[0]
        near, far = haversine_km(here, self.cells.centroids[:2])
        assert soft[1] / soft[0] == pytest.approx(np.exp(-(far - near) / 75), rel=1e-4)

    def test_the_released_form_peaks_at_one_and_hard_labels_are_hard(self):
        loose = smooth_labels([(10.2, 10.9)], [0], self.cells.centroids, 75.0, "released")[0]
        assert loose.max() == 1
        assert loose.sum() > 1
        assert smooth_labels([(10.2, 10.9)], [3], self.cells.centroids, 75.0, "hard")[0].tolist() == [
            0,
            0,
            0,
            1,
            *[0] * 8,
        ]

    def test_wrong_settings_are_refused(self):
        with pytest.raises(ConfigError, match="tau_km"):
            smooth_labels([(0, 0)], [0], self.cells.centroids, 0)
        with pytest.raises(ConfigError, match="smoothing"):
            smooth_labels([(0, 0)], [0], self.cells.centroids, 75, "soft")  # type: ignore[arg-type]
        with pytest.raises(ShapeError, match="cell of each"):
            smooth_labels([(0, 0)], [0, 1], self.cells.centroids)


def scenes(per_cell=30, views=3, dim=16, seed=0):
    """Places around the toy world's centres whose features say, with noise, which cell they are in."""
    world = make_world()
    rng = np.random.default_rng(seed)
    cell = np.repeat(np.arange(12), per_cell)
    latlon = world.cells.centroids[cell] + rng.uniform(-0.8, 0.8, (len(cell), 2))
    sign = np.random.default_rng(99).normal(size=(12, dim))
    features = 5 + sign[cell][:, None, :] + 0.8 * rng.normal(size=(len(cell), views, dim))
    return world.cells, Table(latlon, tuple(f"p{i}" for i in range(len(cell))), features.astype(np.float16)), cell


def lens_of(rng, d, h, q):
    shapes = {"mean": d, "hidden_weight": (h, d), "hidden_bias": h, "weight": (q, h), "bias": q, "skip": (q, d)}
    return Lens(**{name: rng.normal(size=shape) for name, shape in shapes.items()})


class TestHead:
    def test_gelu_is_torchs(self):
        torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        x = np.linspace(-6, 6, 101, dtype=np.float32)
        want = torch.nn.functional.gelu(torch.tensor(x), approximate="tanh").numpy()
        np.testing.assert_allclose(gelu(x), want, atol=1e-6)

    def test_a_batch_is_its_rows_and_the_hidden_layer_survives_saving(self, tmp_path):
        rng = np.random.default_rng(0)
        head = CellHead(
            rng.normal(size=(7, 6)), rng.normal(size=7), "e", "c", 1.3, rng.normal(size=4),
            rng.normal(size=(6, 4)), rng.normal(size=6), True, lens=lens_of(rng, d=4, h=6, q=3),
        )  # fmt: skip
        rows = rng.normal(size=(3, 4))
        np.testing.assert_allclose(head(rows), [head(row) for row in rows], atol=1e-5)
        np.testing.assert_allclose(np.exp(head(rows)).sum(axis=1), 1)
        head.save(tmp_path)
        back = CellHead.load(tmp_path)
        assert back is not None
        np.testing.assert_allclose(back(rows), head(rows), atol=0.02)
        np.testing.assert_allclose(back.query(rows), head.query(rows), atol=0.01)
        assert back.query(rows[0]).shape == (back.query_dim,)

    def test_parts_that_do_not_fit_are_refused(self):
        with pytest.raises(ShapeError, match="hidden layer needs both"):
            CellHead(np.ones((2, 3)), np.ones(2), "e", "c", hidden_weight=np.ones((3, 4)))
        with pytest.raises(ShapeError, match="hidden_weight"):
            CellHead(np.ones((2, 3)), np.ones(2), "e", "c", hidden_weight=np.ones((5, 4)), hidden_bias=np.ones(3))
        lens = lens_of(np.random.default_rng(0), d=4, h=6, q=3)
        with pytest.raises(ShapeError, match="embeddings of 3 numbers, got 4"):
            CellHead(np.ones((2, 3)), np.ones(2), "e", "c", lens=lens)

    @pytest.mark.parametrize("hidden", [0, 24])
    def test_it_learns_and_is_the_same_for_the_same_seed(self, hidden):
        pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        cells, table, cell = scenes()
        targets = smooth_labels(table.latlon, cell, cells.centroids, 50)
        how = HeadSettings(
            hidden=hidden, models=2 if hidden else 1, epochs=12, batch=32, learning_rate=0.02, dropout=0.1
        )
        views = table.unit_views()
        made = [
            train_head(
                views, targets, views[::5], targets[::5], country=cells.country_index,
                true_country=cells.country_index[cell], encoder="toy", cells=cells.fingerprint, settings=how,
            )
            for _ in range(2)
        ]  # fmt: skip
        np.testing.assert_array_equal(made[0].head.weight, made[1].head.weight)
        assert made[0].history[0][-1][1] < made[0].history[0][0][1]
        _, fresh, truth = scenes(seed=1)
        right = made[0].head(mean_view(fresh.unit_views())).argmax(axis=1) == truth
        assert right.mean() > 0.9

    def test_settings_that_cannot_be_are_refused(self):
        for wrong in ({"epochs": 0}, {"dropout": 1.0}, {"hidden": -1}, {"hidden": 0, "models": 2}):
            with pytest.raises(ConfigError):
                HeadSettings(**wrong)


class TestLens:
    HOW = LensSettings(dims=8, hidden=24, epochs=8, batch=64, tau_km=30, learning_rate=0.01)

    @staticmethod
    def noisy(count, seed):
        """Unit views `(count, 2, 10)` of random places: four numbers tell where, six are louder and tell nothing."""
        rng = np.random.default_rng(seed)
        latlon = rng.uniform(-3, 3, (count, 2))
        signal = np.concatenate([np.sin(latlon), np.cos(latlon)], axis=1)
        views = np.concatenate([np.repeat(signal[:, None], 2, 1), 3 * rng.normal(size=(count, 2, 6))], axis=2)
        return (views / np.linalg.norm(views, axis=2, keepdims=True)).astype(np.float32), latlon

    def test_it_brings_together_what_was_taken_together(self):
        """Most of a feature's variance says nothing about places: the lens learns to look past it."""
        pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        views, latlon = self.noisy(600, seed=0)
        val, val_latlon = self.noisy(150, seed=1)
        lens, losses = train_lens(views, latlon, val, val_latlon, settings=self.HOW, seed=1)
        assert lens is not None
        assert losses["lens_loss"] < losses["plain_loss"] - 0.3
        again, _ = train_lens(views, latlon, val, val_latlon, settings=self.HOW, seed=1)
        np.testing.assert_array_equal(lens.weight, again.weight)
        fresh, fresh_latlon = self.noisy(200, seed=2)

        def off(see):
            best = (see(mean_view(fresh)) @ see(mean_view(views)).T).argmax(axis=1)
            return np.median(haversine_km(latlon[best], fresh_latlon))

        assert off(lens) < 0.7 * off(lambda x: x)

    def test_without_signal_or_without_neighbours_there_is_none(self):
        pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        rng = np.random.default_rng(0)
        views = rng.normal(size=(200, 1, 5)).astype(np.float32)
        views /= np.linalg.norm(views, axis=2, keepdims=True)
        alone = np.column_stack([np.linspace(-80, 80, 200), np.linspace(-170, 170, 200)])
        assert train_lens(views, alone, views, alone, settings=LensSettings(tau_km=0.1)) == (None, {})
        near = rng.uniform(0, 1, (200, 2))
        memorised, losses = train_lens(views[:100], near[:100], views[100:], near[100:], settings=self.HOW)
        assert memorised is None
        assert losses["lens_loss"] > losses["plain_loss"] - 0.01

    def test_more_places_than_are_compared_at_once(self, monkeypatch):
        """A sample stands for all: it learns the same thing, roughly."""
        pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        parts = (*self.noisy(600, seed=0), *self.noisy(150, seed=1))
        monkeypatch.setattr("geoagent.worlds.training.lens._WHOLE", 128)
        lens, losses = train_lens(*parts, settings=self.HOW)
        assert lens is not None
        assert losses["lens_loss"] < losses["plain_loss"] - 0.2

    def test_settings_that_cannot_be_are_refused(self):
        for wrong in ({"epochs": 0}, {"dropout": 1.0}, {"dims": -1}, {"tau_km": 0}):
            with pytest.raises(ConfigError, match="lens"):
                LensSettings(**wrong)


class TestCalibration:
    def test_the_temperature_that_spoilt_the_logits_is_found(self):
        rng = np.random.default_rng(0)
        logits = 2 * rng.normal(size=(6000, 10))
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        truth = (rng.random(6000)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, 9)
        assert fit_temperature(logits * 1.7, truth) == pytest.approx(1.7, rel=0.07)
        assert country_temperature(logits * 1.7, np.arange(10), truth) == pytest.approx(1.7, rel=0.07)

    def test_scaled_radii_hold_their_share_of_fresh_photos(self):
        rng = np.random.default_rng(0)
        radius = rng.uniform(10, 500, 4000)
        distance = 1.8 * radius * rng.exponential(size=4000)
        for share in (0.5, 0.9):
            factor = radius_scale(distance[:2000], radius[:2000], share)
            assert (distance[2000:] <= factor * radius[2000:]).mean() == pytest.approx(share, abs=0.03)


class TestTrain:
    def test_a_table_becomes_a_world_that_knows_the_places(self, tmp_path):
        pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
        cells, table, _ = scenes()
        head = HeadSettings(hidden=24, models=2, epochs=12, batch=32, learning_rate=0.02, dropout=0.1)
        told = []
        world = train(
            table, out=tmp_path / "w", cells=cells, settings=TrainSettings(head=head, lens=TestLens.HOW),
            progress=lambda what, done, total: told.append(what),
        )  # fmt: skip
        back = World.load(tmp_path / "w")
        assert back.summary() == world.summary()
        assert {"alpha", "cell_weight", "bandwidth_km", "radius_scale_50", "radius_scale_90"} <= set(back.calibration)
        assert back.card["data"]["train"] + back.card["data"]["val"] == 360
        assert json.loads(json.dumps(back.card)) == back.card
        assert "tuning refinement" in told
        _, fresh, truth = scenes(seed=2)
        assert (back.head(mean_view(fresh.unit_views())).argmax(axis=1) == truth).mean() > 0.9

    def test_splits_are_kept(self):
        _, table, _ = scenes()
        named = Table(table.latlon, table.refs, table.views, split=np.array(["train", "val", "test"] * 120))
        one, two = split_table(named)
        assert (len(one), len(two)) == (120, 120)
        assert set(one.refs).isdisjoint(two.refs)
        with pytest.raises(InputError, match="split named train"):
            split_table(named.part("test"))
        with pytest.raises(InputError, match="at least 20"):
            split_table(table.take(np.arange(5)))

    def test_few_places_are_held_out_by_whole_blocks(self):
        table = scenes()[1]
        known, held = split_table(table)
        blocks = [set(map(tuple, np.floor(part.latlon).tolist())) for part in (known, held)]
        assert not blocks[0] & blocks[1]
        assert len(table) / 4 <= len(held) <= len(table) / 2
        assert len(known) + len(held) == len(table)
        again = split_table(table)[1]
        np.testing.assert_array_equal(held.latlon, again.latlon)

    def test_places_of_one_block_are_held_out_one_by_one(self):
        table = scenes()[1].take(np.arange(30))
        here = replace(table, latlon=np.full((30, 2), 10.5))
        known, held = split_table(here)
        assert len(held) == 2
        assert len(known) == 28

    def test_the_measuring_data_are_read(self):
        table = read_table(shared_data("streetview", "panoramas.npz"))
        assert len(table) == 41286
        assert table.notes == ()
        assert table.splits == ("test_block", "test_random", "train", "val")


class Brightness:
    """An encoder of two numbers that counts what it is asked."""

    name, dim = "brightness/1", 2

    def __init__(self):
        self.asked = 0

    def __call__(self, photos):
        self.asked += len(photos)
        rows = np.array([(p.pixels.mean(), 255.0 - p.pixels.mean()) for p in photos], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_photos_are_embedded_once_and_unreadable_ones_told(tmp_path):
    from PIL import Image

    for i in range(5):
        Image.new("RGB", (8, 8), (50 * i, 50 * i, 50 * i)).save(tmp_path / f"{i}.png")
    (tmp_path / "5.png").write_bytes(b"no photo")
    rows = [(f"{i}.png", 10 + i, 20) for i in range(7)]
    table = read_table(csv_of(tmp_path / "t.csv", "image,lat,lon", rows))
    encoder = Brightness()
    first = embed_table(table, encoder, cache=tmp_path / "cache", batch=2)
    assert first.views.shape == (5, 1, 2)
    assert first.latlon[:, 0].tolist() == [10, 11, 12, 13, 14]
    assert "2 of 7 photos" in first.notes[0]
    (tmp_path / "0.png").rename(tmp_path / "6.png")
    again = embed_table(table, encoder, cache=tmp_path / "cache")
    assert encoder.asked == 5
    np.testing.assert_allclose(again.views[-1], first.views[0])
    assert embed_table(again, encoder) is again
