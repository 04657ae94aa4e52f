"""Bulk runs: every photo exactly once, whoever is killed; the answers are those of `locate`."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from stand_in.engine import KOELN, NOTHING, picture

pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[bulk]')")
pytest.importorskip("fsspec", reason="fsspec is not installed (pip install 'geoagent-photo[bulk]')")
import pyarrow.parquet as parquet
from stand_in import duties

from geoagent.agent.pool import Pool
from geoagent.errors import InputError
from geoagent.interfaces.bulk.making import make_shards
from geoagent.interfaces.bulk.plan import Plan
from geoagent.interfaces.bulk.running import Run, on_this_machine, prepare
from geoagent.interfaces.cli import main
from geoagent.worlds.training.table import read_table

TESTS = Path(__file__).parent


def cli(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def made(out: Path) -> list[dict[str, Any]]:
    """Rows of an output, each file of which must be whole."""
    return [row for path in sorted(out.glob("part-*.parquet")) for row in parquet.read_table(path).to_pylist()]


def untimed(line: str) -> str:
    return re.sub(r'"timings_s":\{[^}]*\}', "", line)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos; one kills its worker, one is none."""
    here = tmp_path / "photos"
    here.mkdir()
    for n in range(5):
        (here / f"{n}.png").write_bytes(picture(KOELN if n % 2 else NOTHING, deadly=n == 3, size=(60 + n, 40)))
    (here / "5.jpg").write_bytes(b"nothing of a photo")
    return here


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """A folder of sixty names of photos, which `duties.ROWS` never opens."""
    here = tmp_path / "names"
    here.mkdir()
    for n in range(60):
        (here / f"{n:03}{'bad' * (n == 7)}{'deadly' * (n == 31)}.jpg").touch()
    return here


def plan_of(tmp_path: Path, settings: str = "some settings", seconds: float = 0.0) -> Plan:
    return Plan(duties.ROWS, (tmp_path / "log", seconds), settings, str(tmp_path / "out"), batch=3)


def finish(run: Run, **how: Any) -> None:
    with on_this_machine(run.plan, 2, **how) as executor:
        for _ in run.make(executor):
            pass


def test_what_was_seen_is_answered_again_without_the_photos(tmp_path: Path, photos: Path) -> None:
    first, second, third = tmp_path / "seen", tmp_path / "again", tmp_path / "france"
    engine = ("--ocr", "stand_in.engine", "--workers", 1)
    assert cli("bulk", photos, "--out", first, "--keep-seen", *engine).exit_code == 0
    for photo in photos.iterdir():
        photo.unlink()
    done = cli("bulk", first, "--out", second, *engine)
    assert done.exit_code == 0, done.output
    before, after = made(first), made(second)
    assert [row["id"] for row in after] == [row["id"] for row in before]
    kept = [i for i, row in enumerate(before) if row["status"] != "error"]
    assert len(kept) == 4
    for i in kept:
        assert untimed(after[i]["answer"]) == untimed(before[i]["answer"])
    assert {i for i, row in enumerate(after) if row["status"] == "error"} == {3, 5}
    assert "could not be looked at before" in after[5]["error"]
    other = cli("bulk", first, "--out", third, "--within", "FR", *engine)
    assert other.exit_code == 0, other.output
    assert all(json.loads(row["answer"])["countries"][0]["code"] == "FR" for row in made(third) if not row["error"])
    assert "not made with --keep-seen" in cli("bulk", second, "--out", tmp_path / "no").output
    assert "other settings" in cli("bulk", photos, "--out", first, *engine).output
    nothing = cli("embed", first, "--encoder", "stand_in.encoder", "--out", tmp_path / "f.npz", "--workers", 1)
    assert nothing.exit_code == 1
    rows = [r for path in (tmp_path / "f.npz.parts").glob("part-*") for r in parquet.read_table(path).to_pylist()]
    assert all("holds what was seen in photos" in row["error"] for row in rows)


def test_answers_are_those_of_locate_and_can_be_exported(photos: Path, tmp_path: Path) -> None:
    out, lines = tmp_path / "out", tmp_path / "lines.jsonl"
    given = (photos, "--ocr", "stand_in.engine", "--workers", "2", "--out")
    first = cli("bulk", *given, out, "--shard", "4", "--batch", "3", "--json")
    assert first.exit_code == 0, first.output
    summary = {"photos": 6, "done": 6, "errors": 2, "shards": 2, "out": str(out)}
    assert json.loads(first.stdout) == summary
    again = cli("bulk", *given, out, "--shard", "4")
    assert again.stdout.endswith(": 4 of 6 answered, 2 failed, in 2 files\n")
    assert [line.split(":")[0] for line in again.stderr.splitlines() if line.startswith("Failed")] == ["Failed"] * 2
    one = cli("bulk", *given, tmp_path / "one", "--shard", "6")
    assert one.stdout.endswith(", in 1 file\n")
    assert cli("locate", *given, lines).exit_code == 0
    rows = made(out)
    assert [untimed(row["answer"]) for row in rows] == [untimed(x) for x in lines.read_text("utf-8").splitlines()]
    assert [(r["status"], r["country"]) for r in rows[1:4]] == [("ok", "DE"), ("ok", None), ("error", None)]
    csv, same = tmp_path / "a.csv", tmp_path / "b.csv"
    assert cli("export", out, "--csv", csv).exit_code == 0
    assert cli("export", lines, "--csv", same).exit_code == 0
    assert csv.read_bytes() == same.read_bytes()
    one, two = cli("compare", "--answers", out, "--json"), cli("compare", "--answers", lines, "--json")
    assert one.exit_code == 0
    assert one.stdout == two.stdout

    before = (out / "part-000000.parquet").read_bytes()
    (photos / "5.jpg").write_bytes(picture(KOELN))
    again = cli("bulk", *given, out, "--json", "--retry-errors")
    assert json.loads(again.stdout) == summary | {"errors": 1}
    assert [row["status"] for row in made(out)] == ["ok", "ok", "ok", "error", "ok", "ok"]
    assert len(before) > 0
    other = cli("bulk", *given, out, "--hint", "Germany")
    assert other.exit_code == 1
    assert "2 shards were made under other settings" in other.output


def test_wrong_use_is_said(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for given, says in (
        (("--gpus", "1"), "needs Ray"),
        (("--part", "3/2"), "no part of the work"),
        (("--workers", "none"), "no number of processes"),
        (("--confidence", "0.9"), "needs --max-precision auto"),
    ):
        result = cli("bulk", photos, "--out", out, *given)
        assert result.exit_code == 2
        assert says in result.output
    assert cli("embed", photos, "--encoder", "stand_in.encoder", "--out", tmp_path / "x.txt").exit_code == 2
    nothing = cli("bulk", tmp_path / "none", "--out", out, "--ocr", "nothing")
    assert nothing.exit_code == 1
    assert not out.exists()


def test_a_shard_is_made_once_and_only_what_is_missing_again(names: Path, tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    finish(prepare(plan, str(names), shard=20))
    rows = made(tmp_path / "out")
    assert [row["id"] for row in rows] == sorted(str(path) for path in names.iterdir())
    assert [row["id"][-13:-4] for row in rows if row["status"] == "error"] == ["es/007bad", "031deadly"]
    done = Counter((tmp_path / "log").read_text().split())
    assert set(done.values()) == {1, 2}  # those before the deadly one in its batch: with it, then alone

    (tmp_path / "log").write_text("")
    (tmp_path / "out" / "part-000002.parquet").unlink()
    run = prepare(plan, str(names))
    assert (run.wanted, run.rows, run.photos) == ([2], 40, 60)
    finish(run)
    assert len((tmp_path / "log").read_text().split()) == 20
    assert made(tmp_path / "out") == rows

    (tmp_path / "log").write_text("")
    run = prepare(plan, str(names), retry_errors=True)
    assert run.wanted == [0, 1]
    finish(run, retry_errors=True)
    done = Counter(Path(line).name for line in (tmp_path / "log").read_text().split())
    assert done == {"007bad.jpg": 2}  # with the deadly one, then alone
    assert made(tmp_path / "out") == rows


def test_other_settings_and_inputs_are_refused(names: Path, tmp_path: Path) -> None:
    finish(prepare(plan_of(tmp_path), str(names), shard=20))
    other = plan_of(tmp_path, "others")
    with pytest.raises(InputError, match="3 shards were made under other settings"):
        prepare(other, str(names))
    with pytest.raises(InputError, match="is the output for"):
        prepare(plan_of(tmp_path), str(tmp_path))
    run = prepare(other, str(names), redo=True)
    assert run.wanted == [0, 1, 2]
    (tmp_path / "log").write_text("")
    finish(run)
    assert len(set((tmp_path / "log").read_text().split())) == 59
    (tmp_path / "out" / "part-000001.parquet").write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"part-000001\.parquet is no shard"):
        prepare(other, str(names))
    (tmp_path / "out" / "_manifest.parquet").unlink()
    with pytest.raises(InputError, match="holds something else"):
        prepare(other, str(names))


def test_parts_divide_the_work(names: Path, tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    for part in (1, 0):
        run = prepare(plan, str(names), shard=20, share=(part, 2))
        assert run.wanted == ([1] if part else [0, 2])
        assert run.photos == 20 * len(run.wanted)
        finish(run)
    assert len(made(tmp_path / "out")) == 60


def test_what_was_made_of_a_shard_is_kept_when_it_is_interrupted(names: Path, tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    run = prepare(plan, str(names), shard=60)
    told: list[int] = []

    def tell(count: int, _: int) -> None:
        told.append(count)
        if sum(told) >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish(run, tell=tell)
    out = tmp_path / "out"
    assert not list(out.glob("part-*"))
    kept = parquet.read_table(out / "_partial-000000.parquet").num_rows
    assert kept >= 12
    (tmp_path / "log").write_text("")
    run = prepare(plan, str(names))
    finish(run)
    assert sorted(row["id"] for row in made(out)) == sorted(str(path) for path in names.iterdir())
    assert len(set((tmp_path / "log").read_text().split())) <= 60 - kept
    assert sorted(path.name for path in out.iterdir()) == ["_manifest.parquet", "part-000000.parquet"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds worker processes in /proc, which is not there")
def test_killed_workers_and_drivers_lose_and_repeat_nothing(names: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    given = (str(names), str(tmp_path / "out"), str(tmp_path / "log"), "0.02")
    kills = 0
    for attempt in range(40):
        run = subprocess.Popen([sys.executable, "-m", "stand_in.duties", *given], env=environment)
        for victim in ("worker", "driver") if attempt < 4 else ():
            ready_or_over(run, tmp_path / "log", chance)
            if run.poll() is not None:
                break
            pid = run.pid if victim == "driver" else chance.choice([*children(run.pid), run.pid])
            os.kill(pid, signal.SIGKILL)
            kills += 1
        if run.wait(120) == 0:
            break
        for path in (tmp_path / "out").glob("part-*.parquet"):
            assert parquet.read_table(path).num_rows == 20
    assert kills >= 3
    assert [row["id"] for row in made(tmp_path / "out")] == sorted(str(path) for path in names.iterdir())
    assert not list((tmp_path / "out").glob(".*.tmp"))


def ready_or_over(run: subprocess.Popen[bytes], log: Path, chance: random.Random) -> None:
    """Wait until some more rows were made, or the process ended."""
    size = log.stat().st_size if log.exists() else 0
    more = chance.randint(100, 1200)
    while run.poll() is None and (log.stat().st_size if log.exists() else 0) < size + more:
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """The processes that a process started, of those that answer requests."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields, command = path.read_text().rpartition(")")[2].split(), (path.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def test_embeddings_are_a_table_for_training(photos: Path, tmp_path: Path) -> None:
    (photos / "3.png").write_bytes(picture(NOTHING, size=(63, 40)))
    table = tmp_path / "places.csv"
    table.write_text("path,lat,lon,split\n" + "".join(f"photos/{n}.png,{40 + n},{n},train\n" for n in range(5)))
    for name, more in (("f.npz", ()), ("f.parquet", ()), ("h.npz", ("--half",))):
        out = tmp_path / name
        run = cli("embed", table, "--encoder", "stand_in.encoder", "--out", out, "--batch", "2", "--shard", "3", *more)
        assert run.exit_code == 0, run.output
        assert f"{out}: 5 of 5 photos embedded, 0 failed" in run.output
    npz, columns, half = (read_table(tmp_path / name) for name in ("f.npz", "f.parquet", "h.npz"))
    assert np.array_equal(npz.latlon, columns.latlon)
    assert npz.latlon.tolist() == [[40.0 + n, float(n)] for n in range(5)]
    assert npz.views is not None
    assert columns.views is not None
    assert half.views is not None
    assert half.views.dtype == np.float16
    assert np.array_equal(npz.views, columns.views)
    assert np.allclose(npz.views, half.views, atol=1e-3)
    assert npz.split is not None
    assert set(npz.split.tolist()) == {"train"}
    assert cli("embed", photos, "--encoder", "stand_in.encoder", "--out", tmp_path / "f.npz").exit_code == 1


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A cluster of two workers on this machine."""
    ray = pytest.importorskip("ray", reason="ray is not installed (pip install 'geoagent-photo[bulk]')")
    path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
    yield ray
    ray.shutdown()


@pytest.mark.filterwarnings("default")
def test_ray_makes_the_same_and_survives_killed_actors(ray: Any, names: Path, tmp_path: Path) -> None:
    from geoagent.interfaces.bulk.cluster import make_on_ray

    plan = plan_of(tmp_path, seconds=0.05)
    run = prepare(plan, str(names), shard=10)
    killed: list[int] = []

    def executor(numbers: Any) -> Iterator[Any]:
        for state in make_on_ray(plan, numbers, workers=2):
            if len(killed) < 2 and (pids := actors()):
                os.kill(pids[len(killed) % len(pids)], signal.SIGKILL)
                killed.append(1)
            yield state

    for _ in run.make(executor):
        pass
    assert killed
    rows = made(tmp_path / "out")
    assert [row["id"] for row in rows] == sorted(str(path) for path in names.iterdir())
    assert sum(row["status"] == "error" for row in rows) == 2


@pytest.mark.filterwarnings("default")
def test_ray_says_what_cannot_be_done(ray: Any, names: Path, tmp_path: Path) -> None:
    from geoagent.interfaces.bulk.cluster import make_on_ray

    plan = plan_of(tmp_path)
    prepare(plan, str(names), shard=60)
    (tmp_path / "out" / "_manifest.parquet").write_bytes(b"gone")
    with pytest.raises(InputError, match="no manifest of geoagent"):
        list(make_on_ray(plan, [0], workers=1))


def actors() -> list[int]:
    """Process ids of Ray's actors on this machine that belong to this test."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::Hand"):
            found.append(int(path.parent.name))
    return found


def test_the_pool_of_one_shard_can_be_used_again(names: Path, tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    prepare(plan, str(names), shard=20)
    with Pool(plan.kind.make, plan.given, 1) as pool:
        for number in (2, 0):
            (state,) = make_shards(plan, [number], pool)
            assert (state.number, state.rows) == (number, 20)
        assert len(pool.pids) == 1
