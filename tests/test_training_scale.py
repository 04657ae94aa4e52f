"""Training that grows: several processes, interruptions, features and labels that never are in memory at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_training import CITIES, csv_of, scenes
from test_training import TestLens as _Lens

from geoagent.errors import ConfigError, InputError
from geoagent.interfaces.cli import main
from geoagent.worlds.training import checkpoints, labels, stored
from geoagent.worlds.training.checkpoints import Checkpoints
from geoagent.worlds.training.group import Group, pick_device, together
from geoagent.worlds.training.head import HeadSettings, train_head
from geoagent.worlds.training.labels import Labels, labels_of, smooth_labels
from geoagent.worlds.training.lens import train_lens
from geoagent.worlds.training.split import few, split_table
from geoagent.worlds.training.stored import Stored
from geoagent.worlds.training.table import Table, read_table
from geoagent.worlds.training.train import TrainSettings, train
from geoagent.worlds.training.views import UnitRows, centre
from geoagent.worlds.world import World

torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")
LENS, noisy = _Lens.HOW, _Lens.noisy
del _Lens  # its own tests are collected where they stand
ROOT = Path(__file__).resolve().parents[1]
SMALL = ("--cells", "quadtree", "--max-size", "40", "--hidden", "16", "--models", "2", "--epochs", "2")


def how(**changes):
    head = HeadSettings(hidden=16, models=2, epochs=3, batch=64, learning_rate=0.02)
    return TrainSettings(head=head, lens=LENS, tune=False, **changes)


def write_table(path):
    """Places around the toy world's centres, in real countries."""
    _, table, _ = scenes()
    np.savez(path, lat=table.latlon[:, 0], lon=table.latlon[:, 1], views=table.views)
    return path


def same(one: World, other: World, atol: float = 0.0):
    assert one.cells.fingerprint == other.cells.fingerprint
    np.testing.assert_allclose(one.log_prior, other.log_prior)
    for name in ("hidden_weight", "weight", "bias"):
        np.testing.assert_allclose(getattr(one.head, name), getattr(other.head, name), atol=atol)
    assert (one.head.lens is None) == (other.head.lens is None)
    if one.head.lens is not None:
        np.testing.assert_allclose(one.head.lens.weight, other.head.lens.weight, atol=atol)
    assert one.gallery.refs == other.gallery.refs


def python(*arguments, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=300, **options
    )


TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2")


@pytest.mark.slow
class TestProcesses:
    def test_two_make_the_world_of_one(self, tmp_path):
        data = write_table(tmp_path / "t.npz")
        ran = python(*TORCHRUN, "-m", "geoagent", "train", "--data", data, "--out", tmp_path / "two", *SMALL)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.count("geocells in") == 1
        alone = CliRunner().invoke(main, ["train", "--data", str(data), "--out", str(tmp_path / "one"), *SMALL])
        assert alone.exit_code == 0, alone.output
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "t.npz", "two"]
        one, two = World.load(tmp_path / "one"), World.load(tmp_path / "two")
        same(one, two, atol=2e-3)
        np.testing.assert_allclose(one.card["history"], two.card["history"], atol=1e-3)
        assert one.card["lens"]["lens_loss"] == pytest.approx(two.card["lens"]["lens_loss"], abs=2e-3)

    def test_all_end_when_one_fails(self, tmp_path):
        """The second process dies in the middle of the head; the first is left without it, and says so."""
        data = write_table(tmp_path / "t.npz")
        script = tmp_path / "run.py"
        script.write_text(
            "import os, sys\n"
            "from pathlib import Path\n"
            "from geoagent.interfaces.cli import main\n"
            "from geoagent.worlds.training import head\n"
            "rank = os.environ['RANK']\n"
            "Path(sys.argv[1], rank + '.pid').write_text(str(os.getpid()))\n"
            "epoch = head._Run._epoch\n"
            "def broken(self, net, number, began):\n"
            "    if rank == '1' and number == 1:\n"
            "        os._exit(7)\n"
            "    epoch(self, net, number, began)\n"
            "head._Run._epoch = broken\n"
            "main(['train', *sys.argv[2:]])\n",
            "utf-8",
        )
        out = tmp_path / "w"
        ran = python(*TORCHRUN, script, tmp_path, "--data", data, "--out", out, *SMALL)
        assert ran.returncode != 0
        assert not out.exists()
        for rank in "01":
            with pytest.raises(ProcessLookupError):
                os.kill(int((tmp_path / f"{rank}.pid").read_text()), 0)

    def test_an_interrupt_is_survived(self, tmp_path):
        """SIGINT in the middle of the second model: the state stays, and --resume gives the same world."""
        data = write_table(tmp_path / "t.npz")
        state, reached = tmp_path / "w.training", tmp_path / "reached"
        script = tmp_path / "run.py"
        script.write_text(
            "import sys, time\n"
            "from pathlib import Path\n"
            "from geoagent.interfaces.cli import main\n"
            "from geoagent.worlds.training import checkpoints, head\n"
            "checkpoints.EVERY_S = 0.0\n"
            "epoch = head._Run._epoch\n"
            "def waiting(self, net, number, began):\n"
            "    epoch(self, net, number, began)\n"
            "    if self.name == 'head-1' and number == 1:\n"
            "        Path(sys.argv[1]).touch()\n"
            "        time.sleep(300)\n"
            "head._Run._epoch = waiting\n"
            "main(['train', *sys.argv[2:]])\n",
            "utf-8",
        )
        options = ["--data", str(data), *SMALL]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(script), str(reached), *options, "--out", str(tmp_path / "w")]
        running = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        while not reached.exists():
            assert running.poll() is None, "it ended before it could be interrupted"
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=100)
        assert running.returncode == 1
        assert "--resume" in said
        assert not (tmp_path / "w").exists()
        assert {path.name for path in state.glob("head-*.pt")} == {"head-0.pt", "head-1.pt"}
        again = ["train", *options, "--out", str(tmp_path / "w"), "--resume"]
        other = CliRunner().invoke(main, [*again, "--seed", "1"])
        assert other.exit_code == 2
        assert "other data or settings" in other.output
        resumed = CliRunner().invoke(main, again)
        assert resumed.exit_code == 0, resumed.output
        assert not state.exists()
        assert CliRunner().invoke(main, ["train", *options, "--out", str(tmp_path / "whole")]).exit_code == 0
        same(World.load(tmp_path / "w"), World.load(tmp_path / "whole"))


class TestResume:
    @pytest.mark.parametrize(
        ("name", "after"), [("head-0", 1), ("head-0", 12), ("head-1", 1), ("head-1", 12), ("lens", 2)]
    )
    def test_it_goes_on_from_any_state(self, tmp_path, monkeypatch, name, after):
        """Interrupted after so many states of a model: at the beginning, in an epoch, between models, in the lens."""
        monkeypatch.setattr(checkpoints, "EVERY_S", 0.0)
        cells, table, _ = scenes()
        save, saved = Checkpoints.save, []

        def counting(self, what, state):
            save(self, what, state)
            saved.append(what)
            if saved.count(name) == after:
                raise KeyboardInterrupt

        monkeypatch.setattr(Checkpoints, "save", counting)
        folder = tmp_path / "state"
        with pytest.raises(KeyboardInterrupt):
            train(table, cells=cells, settings=how(), checkpoints=folder)
        assert saved[-1] == name
        monkeypatch.setattr(Checkpoints, "save", save)
        steps = []
        resumed = train(
            table, cells=cells, settings=how(), checkpoints=folder, resume=True,
            progress=lambda what, done, total: steps.append((what, done)),
        )  # fmt: skip
        assert not folder.exists()
        assert (("training the head", 1) in steps) == ((name, after) == ("head-0", 1))
        same(resumed, train(table, cells=cells, settings=how()))

    def test_geocells_are_kept_as_they_were(self, tmp_path):
        _, table, _ = scenes()
        from geoagent.worlds.training.cells import make_cells

        made = make_cells(table.latlon, "semantic", 10, 20)
        kept = Checkpoints(tmp_path / "s", "mark")
        assert kept.cells(lambda: made) is made
        back = Checkpoints(tmp_path / "s", "mark", resume=True).cells(lambda: pytest.fail("made again"))
        np.testing.assert_array_equal(back.centroids, made.centroids)
        assert back.fingerprint == made.fingerprint
        np.testing.assert_array_equal(back.assign(table.latlon), made.assign(table.latlon))

    def test_a_folder_of_something_else_is_left_alone(self, tmp_path):
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "letters.txt").write_text("dear")
        with pytest.raises(ConfigError, match="holds no interrupted training"):
            Checkpoints(tmp_path / "s", "mark")
        assert (tmp_path / "s" / "letters.txt").exists()
        with pytest.raises(InputError, match="at least 20"):
            train(scenes()[1].take(np.arange(5)), settings=how(), checkpoints=tmp_path / "none")
        assert not (tmp_path / "none").exists()
        Checkpoints(tmp_path / "new", "mark").save("x", {"done": True})
        assert Checkpoints(tmp_path / "new", "mark", resume=True).load("x") == {"done": True}
        with pytest.raises(ConfigError, match="other data or settings"):
            Checkpoints(tmp_path / "new", "another", resume=True)
        assert Checkpoints(tmp_path / "new", "another").load("x") is None


class TestStored:
    @pytest.fixture(autouse=True)
    def everything_is_large(self, monkeypatch, tmp_path):
        monkeypatch.setattr(stored, "LARGE", 0)
        monkeypatch.setenv("GEOAGENT_CACHE", str(tmp_path / "cache"))

    def read_in_every_way(self, tmp_path, views):
        at = np.tile(CITIES, (len(views) // 7 + 1, 1))[: len(views)]
        np.savez(tmp_path / "t.npz", lat=at[:, 0], lon=at[:, 1], views=views)
        np.save(tmp_path / "n.npy", views)
        csv_of(tmp_path / "n.csv", "lat,lon", at.tolist())
        yield read_table(tmp_path / "t.npz")
        yield read_table(tmp_path / "n.npy")
        pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[train]')")
        import pyarrow.parquet as pq

        flat = pa.array(views.reshape(-1))
        lists = pa.FixedSizeListArray.from_arrays(flat, views.shape[2])
        for column in (pa.FixedSizeListArray.from_arrays(lists, views.shape[1]), pa.array(views.tolist())):
            sheet = pa.table({"lat": at[:, 0], "lon": at[:, 1], "embedding": column})
            pq.write_table(sheet, tmp_path / "p.parquet", row_group_size=5)
            yield read_table(tmp_path / "p.parquet")

    def test_rows_are_those_of_the_file(self, tmp_path):
        views = np.random.default_rng(0).normal(size=(23, 2, 4)).astype(np.float16)
        for table in self.read_in_every_way(tmp_path, views):
            assert isinstance(table.views, Stored)
            assert table.views.shape == (23, 2, 4)
            some = table.take(np.array([7, 3, 3])).take([2, 0])
            np.testing.assert_array_equal(some.views[:], views[[3, 7]])
            np.testing.assert_array_equal(table.views[np.arange(23) > 20], views[21:])
            rows = table.unit_rows()
            assert isinstance(rows, UnitRows)
            np.testing.assert_array_equal(rows[4:9], table.unit_views()[4:9])
            np.testing.assert_allclose(centre(rows), centre(table.unit_views()), atol=1e-6)

    def test_a_compressed_file_and_numbered_columns(self, tmp_path):
        views = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
        np.savez_compressed(tmp_path / "t.npz", lat=CITIES[:, 0], lon=CITIES[:, 1], views=views)
        np.testing.assert_array_equal(read_table(tmp_path / "t.npz").views[:, 0], views)
        pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[train]')")
        import pyarrow.parquet as pq

        columns = {f"e{i}": views[:, i] for i in (2, 0, 3, 1)}
        pq.write_table(pa.table({"lat": CITIES[:, 0], "lon": CITIES[:, 1], **columns}), tmp_path / "p.parquet")
        np.testing.assert_array_equal(read_table(tmp_path / "p.parquet").views[:][:, 0], views)

    def test_what_cannot_be_read_is_told(self, tmp_path):
        np.save(tmp_path / "a.npy", np.ones((3, 2)))
        with pytest.raises(InputError, match=r"expected a\.csv beside it"):
            read_table(tmp_path / "a.npy")
        csv_of(tmp_path / "a.csv", "lat,lon", [(1, 2)])
        with pytest.raises(InputError, match=r"3 rows, but a\.csv has 1"):
            read_table(tmp_path / "a.npy")
        (tmp_path / "a.npy").write_bytes(b"nonsense")
        with pytest.raises(InputError, match="not a readable array"):
            read_table(tmp_path / "a.npy")
        zero = np.ones((7, 1, 3), dtype=np.float16)
        zero[5] = 0
        np.savez(tmp_path / "z.npz", lat=CITIES[:, 0], lon=CITIES[:, 1], views=zero)
        with pytest.raises(InputError, match="row 5 are all zero"):
            centre(read_table(tmp_path / "z.npz").unit_rows())
        pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[train]')")
        import pyarrow.parquet as pq

        for rows in ([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]], [["a"], ["b"], ["c"]], [[1.0], None, [2.0]]):
            sheet = pa.table({"lat": CITIES[:3, 0], "lon": CITIES[:3, 1], "embedding": rows})
            pq.write_table(sheet, tmp_path / "p.parquet")
            with pytest.raises(InputError, match="lists of numbers of one length"):
                read_table(tmp_path / "p.parquet")
        assert not list((tmp_path / "cache").rglob("*.npy"))

    def test_a_world_from_the_file_is_the_one_from_memory(self, tmp_path, monkeypatch):
        cells, table, _ = scenes()
        whole = train(table, cells=cells, settings=how())
        monkeypatch.setattr(labels, "KEPT", 0)
        monkeypatch.setattr("geoagent.worlds.training.filling._IN_MEMORY", 0)
        path = tmp_path / "t.npz"
        np.savez(path, lat=table.latlon[:, 0], lon=table.latlon[:, 1], views=table.views, refs=np.array(table.refs))
        streamed = train(read_table(path), cells=cells, settings=how(), out=tmp_path / "w", checkpoints=tmp_path / "s")
        same(whole, streamed, atol=2e-3)
        back = World.load(tmp_path / "w")
        np.testing.assert_allclose(back.gallery.rows(slice(None)), whole.gallery.rows(slice(None)), atol=4e-3)


class TestManyPlaces:
    def test_labels_of_a_batch_are_rows_of_all(self, monkeypatch):
        cells, table, cell = scenes()
        for smoothing in ("normalised", "released", "hard"):
            whole = smooth_labels(table.latlon, cell, cells.centroids, 75.0, smoothing)
            rows = np.array([300, 2, 2, 77])
            made = Labels(table.latlon, cell, cells.centroids, 75.0, smoothing)
            assert (len(made), made.shape) == (360, (360, 12))
            np.testing.assert_allclose(made[rows], whole[rows], atol=1e-6)
        arguments = (table.latlon, cell, cells.centroids, 75.0, "normalised")
        assert isinstance(labels_of(*arguments), np.ndarray)
        monkeypatch.setattr(labels, "KEPT", 4 * 360 * 12 - 1)
        assert isinstance(labels_of(*arguments), Labels)

    def test_far_cells_have_no_share_and_near_ones_the_formulas(self):
        """Cells that are skipped are those whose share would be below a billionth."""
        rng = np.random.default_rng(0)
        g = np.column_stack([rng.uniform(-80, 80, 500), rng.uniform(-180, 180, 500)])
        at = np.column_stack([rng.uniform(-80, 80, 40), rng.uniform(-180, 180, 40)])
        from geoagent.places.geo import haversine_km

        far = haversine_km(at[:, None], g)
        for tau in (20.0, 75.0, 3000.0):
            want = np.exp(-(far - far.min(axis=1, keepdims=True)) / tau)
            got = smooth_labels(at, np.zeros(40, dtype=np.int64), g, tau, "released")
            np.testing.assert_allclose(got, want, atol=1e-4)
            assert (got[want < 0.5e-9] == 0).all()
            assert (got[want > 2e-9] > 0).all()

    def test_each_epoch_of_the_lens_draws_a_sample(self, monkeypatch):
        parts = (*noisy(600, seed=0), *noisy(150, seed=1))
        monkeypatch.setattr("geoagent.worlds.training.lens._SAMPLE", 300)
        lens, losses = train_lens(*parts, settings=LENS, seed=1)
        assert lens is not None
        assert losses["lens_loss"] < losses["plain_loss"] - 0.2
        again, _ = train_lens(*parts, settings=LENS, seed=1)
        np.testing.assert_array_equal(lens.weight, again.weight)

    def test_a_lens_over_samples_goes_on_where_it_stopped(self, monkeypatch, tmp_path):
        parts = (*noisy(600, seed=0), *noisy(150, seed=1))
        monkeypatch.setattr("geoagent.worlds.training.lens._SAMPLE", 300)
        monkeypatch.setattr(checkpoints, "EVERY_S", 0.0)
        save, left = Checkpoints.save, 4

        def counting(self, name, state):
            nonlocal left
            save(self, name, state)
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        monkeypatch.setattr(Checkpoints, "save", counting)
        with pytest.raises(KeyboardInterrupt):
            train_lens(*parts, settings=LENS, checkpoints=Checkpoints(tmp_path / "s", "m"))
        kept = Checkpoints(tmp_path / "s", "m", resume=True)
        assert kept.load("lens")["step"] > 0
        lens, _ = train_lens(*parts, settings=LENS, checkpoints=kept)
        whole, _ = train_lens(*parts, settings=LENS)
        np.testing.assert_array_equal(lens.weight, whole.weight)

    def test_few_of_many_are_held_out(self, monkeypatch):
        _, table, _ = scenes()
        assert few(table, 12) is table
        monkeypatch.setattr("geoagent.worlds.training.split.MOST", 100)
        assert len(few(table, 12)) == 100
        many = Table(np.tile(table.latlon, (4, 1)), tuple(map(str, range(1440))), np.ones((1440, 1, 2)))
        known, held = split_table(many, 0.5)
        assert (len(known), len(held)) == (1340, 100)

    def test_a_large_gallery_is_indexed_when_it_is_saved(self, tmp_path, monkeypatch):
        pytest.importorskip("faiss", reason="faiss is not installed (pip install 'geoagent-photo[index]')")
        cells, table, _ = scenes()
        monkeypatch.setattr("geoagent.worlds.training.filling.LARGE", 100)
        train(table, cells=cells, settings=how(), out=tmp_path / "w")
        assert len(list((tmp_path / "w" / "gallery").glob("*.faiss"))) == 1


class TestDevices:
    def test_what_is_not_there_is_refused(self, tmp_path):
        assert pick_device(torch, "cpu") == "cpu"
        assert pick_device(torch, "auto") == ("cuda" if torch.cuda.is_available() else "cpu")
        with pytest.raises(ConfigError, match="one of auto, cpu, cuda, mps"):
            pick_device(torch, "tpu")
        data = str(write_table(tmp_path / "t.npz"))
        for device, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
            if not there:
                command = ["train", "--data", data, "--out", str(tmp_path / "w"), "--device", device]
                ran = CliRunner().invoke(main, command)
                assert ran.exit_code == 2
                assert "torch sees none" in ran.output

    def test_a_device_is_handed_to_the_encoder_unless_it_has_one(self, tmp_path, monkeypatch):
        from geoagent.interfaces.cli import learn

        seen = []

        def build(assets, *, device="auto"):
            seen.append(device)

        monkeypatch.setattr("geoagent.plugs.factory", lambda slot, name: build)
        learn.make_encoder({"name": "x"}, "cuda")
        learn.make_encoder({"name": "x", "device": "cpu"}, "cuda")
        learn.make_encoder({"name": "x"})
        assert seen == ["cuda", "cpu", "auto"]
        monkeypatch.setattr("geoagent.plugs.factory", lambda slot, name: lambda assets: seen.append("none"))
        learn.make_encoder({"name": "x"}, "cuda")
        assert seen[-1] == "none"

    def test_one_process_is_a_group_of_its_own(self):
        with together() as group:
            assert group == Group()
        assert group.given(lambda: 3) == group.in_turn(lambda: 3) == 3
        parts = [Group(rank, 3).part(10) for rank in range(3)]
        assert [p.stop - p.start for p in parts] == [3, 3, 4]
        assert (parts[0].start, parts[2].stop) == (0, 10)

    def test_batches_smaller_than_the_group_are_refused(self):
        views, targets = scenes()[1].unit_views(), np.ones((360, 2), dtype=np.float32)
        small, arguments = HeadSettings(batch=2), (views, targets, views, targets)
        with pytest.raises(ConfigError, match="too few for 3 processes"):
            train_head(*arguments, encoder="e", cells="c", group=Group(0, 3), settings=small)


def test_the_index_of_a_world_is_written(tmp_path):
    pytest.importorskip("faiss", reason="faiss is not installed (pip install 'geoagent-photo[index]')")
    from conftest import make_world
    from test_search import make_gallery

    folder = make_world(gallery=make_gallery(400)).save(tmp_path / "w")
    ran = CliRunner().invoke(main, ["world", "index", str(folder), "--storage", "pq"])
    assert ran.exit_code == 0, ran.output
    assert [path.name.split("-")[-1] for path in (folder / "gallery").glob("*.faiss")] == ["pq.faiss"]
    assert json.loads((folder / "world.json").read_text())["format"]
