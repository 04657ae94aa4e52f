"""Worker processes: order, deaths, bounds and interruptions; and the answers are those of one process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from seen import seen_world
from stand_in import duties
from stand_in.encoder import Encoder
from stand_in.engine import KOELN, NOTHING, picture

from geoagent import GeoAgent
from geoagent.agent.pool import Pool
from geoagent.agent.workers import threads_of
from geoagent.errors import ConfigError, InputError, PhotoError
from geoagent.interfaces.cli import main

TESTS = Path(__file__).parent


def values(pool: Pool, requests: Any) -> list[Any]:
    return [reply if not isinstance(reply, Exception) else str(reply) for _, reply in pool.map(requests)]


def test_answers_come_in_order_and_errors_are_theirs(tmp_path: Path) -> None:
    with Pool(duties.doubling, (tmp_path / "log",), 2) as pool:
        assert values(pool, range(20)) == [2 * n if n != 13 else "13 is unlucky" for n in range(20)]
        assert values(pool, range(3)) == [0, 2, 4]  # the same workers again
        pids = pool.pids
    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_request_that_kills_is_tried_again_alone_and_is_one_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Pool(duties.doubling, (log, (5,), (9,)), 3) as pool:
        found = values(pool, range(20))
    wanted: list[Any] = [2 * n for n in range(20)]
    wanted[5], wanted[13] = "could not be looked at: the process that was looking at it ended", "13 is unlucky"
    assert found == wanted
    lines = log.read_text().splitlines()
    assert lines.count("die 5") == 2
    assert lines.count("begin 9") == 2
    assert [lines.count(f"begin {n}") for n in (4, 6, 19)] == [1, 1, 1]
    for number, again in ((5, "die 5"), (9, "end 9")):  # nothing began or ended during the second try
        second = len(lines) - 1 - lines[::-1].index(f"begin {number}")
        assert lines[second + 1] == again


def test_no_more_is_taken_ahead_than_the_workers_bound(tmp_path: Path) -> None:
    taken: list[int] = []

    def requests() -> Iterator[int]:
        for number in range(60):
            taken.append(number)
            yield number

    with Pool(duties.doubling, (tmp_path / "log",), 2) as pool:
        stream = pool.map(requests())
        next(stream)
        time.sleep(0.5)
        assert len(taken) <= 1 + 4 * 2
        stream.close()  # type: ignore[attr-defined]
        assert values(pool, [1]) == [2]


def test_workers_killed_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    chance, over = random.Random(7), threading.Event()
    killed: list[int] = []
    with Pool(duties.doubling, (tmp_path / "log",), 2) as pool:

        def kill() -> None:
            while not over.wait(chance.uniform(0.3, 0.9)):
                if len(killed) < 3 and (pids := pool.pids):
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    killed.append(1)

        thread = threading.Thread(target=kill)
        found = []
        for pair in pool.map(n for n in range(400) if n != 13):
            found.append(pair)
            if len(found) == 1:  # workers that were never ready would be given up after three kills
                thread.start()
        over.set()
        thread.join()
    assert killed
    assert [request for request, _ in found] == [n for n in range(400) if n != 13]
    assert sum(reply == 2 * request for request, reply in found) >= 400 - 1 - len(killed)


def test_of_a_batch_that_kills_each_is_tried_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Pool(duties.doubling, (log, (5,), (9,)), 2) as pool:
        found = [reply if not isinstance(reply, Exception) else str(reply) for _, reply in pool.map(range(20), 4)]
    wanted: list[Any] = [2 * n for n in range(20)]
    wanted[5], wanted[13] = "could not be looked at: the process that was looking at it ended", "13 is unlucky"
    assert found == wanted
    begun = [line for line in log.read_text().splitlines() if line.startswith("begin")]
    assert {n: begun.count(f"begin {n}") for n in range(20)} == dict.fromkeys(range(20), 1) | dict.fromkeys(
        (4, 5, 8, 9), 2
    )


def test_a_batch_that_fails_as_a_whole_is_given_again_request_by_request(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Pool(duties.all_or_none, (log,), 2) as pool:
        found = [reply if not isinstance(reply, Exception) else str(reply) for _, reply in pool.map(range(12), 4)]
    assert found == [2 * n if n != 5 else "5 is unlucky" for n in range(12)]
    assert sorted(log.read_text().split()) == ["1"] * 4 + ["4"] * 3


def test_a_batch_that_takes_too_long_is_tried_apart() -> None:
    with Pool(duties.sleeping, (), 1, timeout_s=2.0) as pool:
        found = [str(reply) for _, reply in pool.map([0.0, 30.0, 0.0], 3)]
    assert found == ["0.0", "could not be looked at: it took longer than 2 s", "0.0"]


def test_a_request_that_takes_too_long_is_one_error() -> None:
    with Pool(duties.sleeping, (), 1, timeout_s=1.0) as pool:
        assert values(pool, [0.0, 30.0, 0.0]) == [0.0, "could not be looked at: it took longer than 1 s", 0.0]


def test_workers_that_do_not_start_are_said() -> None:
    with Pool(duties.refusing, (), 2) as pool, pytest.raises(ConfigError, match="never start"):
        values(pool, [1])
    with Pool(duties.dying, (), 2) as pool, pytest.raises(ConfigError, match="__main__"):
        values(pool, [1])


def test_threads_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("geoagent.agent.workers.cores", lambda: 8)
    assert [threads_of(n) for n in (1, 3, 8, 20)] == [8, 2, 1, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads_of(2) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven photos, of which one is damaged and one kills whoever looks at it."""
    here = tmp_path / "photos"
    here.mkdir()
    for number in range(6):
        (here / f"{number}.png").write_bytes(picture(KOELN if number % 2 else NOTHING, deadly=number == 3))
    (here / "7.jpg").write_bytes(b"nothing of a photo")
    return here


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"timings_s": {}} for line in path.read_text("utf-8").splitlines()]


def test_locate_gives_the_rows_of_one_process(folder: Path, tmp_path: Path) -> None:
    harmless = [path for path in sorted(folder.iterdir()) if path.name != "3.png"]
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for out, how, photos in ((one, "1", harmless), (two, ("2", "--batch", "3"), [folder])):
        given = ["locate", *map(str, photos), "--ocr", "stand_in.engine", "--workers", *how, "--out", str(out)]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == 0, result.output
    found = rows(two)
    assert [Path(row["source"]).name for row in found] == [path.name for path in sorted(folder.iterdir())]
    assert found[3]["error"] == "could not be looked at: the process that was looking at it ended"
    assert [row for row in found if not row["source"].endswith("3.png")] == rows(one)


def test_python_answers_with_workers(folder: Path) -> None:
    agent = GeoAgent.load(ocr="stand_in.engine")
    paths = [folder / "0.png", folder / "1.png", folder / "7.jpg"]
    alone, many = (
        [a.model_copy(update={"timings_s": {}}) for a in agent.locate_many(paths, workers=count)] for count in (1, 2)
    )
    assert alone == many
    assert [answer.status for answer in many] == ["ok", "ok", "error"]
    for workers in (0, -1, None, 1.5, True, "two"):
        with pytest.raises(ConfigError, match="from 1 on"):
            agent.locate_many(paths, workers=workers)


def seeing(encoder: Encoder) -> GeoAgent:
    """An agent whose world has a picture half, with this encoder."""
    base = GeoAgent.load(ocr="stand_in.engine")
    return replace(base, assets=replace(base.assets, world=seen_world()), encoder=encoder)


class Failing(Encoder):
    """Raises an error wherever the photo of a name is among those that it gets."""

    def __init__(self, name: str, error: Exception) -> None:
        self.failing, self.error = name, error

    def __call__(self, photos: Any) -> np.ndarray:
        if any(Path(photo.source).name == self.failing for photo in photos):
            raise self.error
        return super().__call__(photos)


class Counting(Encoder):
    """Writes down how many photos it got at once; with `bound`, it fails for more."""

    def __init__(self, bound: int = 99) -> None:
        self.sizes: list[int] = []
        self.bound = bound

    def __call__(self, photos: Any) -> np.ndarray:
        self.sizes.append(len(photos))
        if len(photos) > self.bound:
            raise MemoryError("no memory for so many")
        return super().__call__(photos)


def test_the_encoder_gets_photos_in_batches(folder: Path) -> None:
    (folder / "3.png").unlink()
    photos = sorted(folder.iterdir())
    found = []
    for batch, bound, sizes in ((1, 99, [1] * 5), (3, 99, [3, 2]), (3, 2, [3, 1, 1, 1, 2])):
        encoder = Counting(bound)
        agent = seeing(encoder)
        answers = list(agent.locate_many(photos, batch=batch))
        assert encoder.sizes == sizes
        assert all({"open", "look", "read"} <= set(answer.timings_s) for answer in answers[:5])
        found.append([answer.model_copy(update={"timings_s": {}}) for answer in answers])
    assert found[0] == found[1] == found[2]
    assert [answer.status for answer in found[0]] == ["ok"] * 5 + ["error"]
    assert found[0][0].looked
    for wrong in (0, -1, 1.5, True, None):
        with pytest.raises(ConfigError, match="batch must be a whole number"):
            agent.locate_many(photos, batch=wrong)


def test_a_photo_at_which_the_encoder_breaks_costs_no_other(folder: Path) -> None:
    agent = seeing(Failing("1.png", ValueError("a bug")))
    photos = [folder / f"{n}.png" for n in (0, 1, 2, 4, 5)]
    for batch in (1, 2, 3, 5):
        found = [answer.status for answer in agent.locate_many(photos, batch=batch)]
        assert found == ["ok", "error", "ok", "ok", "ok"]


def test_entries_of_a_folder_can_be_looked_at_by_workers(folder: Path) -> None:
    agent = GeoAgent.load(ocr="stand_in.engine")
    entries = [entry for entry in sorted(os.scandir(folder), key=lambda e: e.name) if entry.name != "3.png"]
    assert [a.status for a in agent.locate_many(entries, workers=2)] == ["ok"] * 5 + ["error"]


def test_a_picture_that_the_encoder_refuses_is_a_warning_of_its_own_answer(folder: Path) -> None:
    agent = seeing(Failing("2.png", PhotoError("too strange")))
    answers = list(agent.locate_many([folder / f"{n}.png" for n in range(3)], batch=3))
    warned = [[w for w in answer.warnings if "picture not judged" in w] for answer in answers]
    assert warned == [[], [], ["picture not judged: too strange"]]


def test_python_takes_whatever_can_be_a_photo_and_a_list_of_it(folder: Path) -> None:
    agent = GeoAgent.load(ocr="stand_in.engine")
    path = folder / "0.png"
    image = Image.open(path)
    given = [
        str(path),
        path,
        path.read_bytes(),
        image,
        np.asarray(image.convert("RGB")),
        b"no photo",
        7,
    ]
    found = list(agent.locate_many(given))
    assert [answer.status for answer in found] == ["ok"] * 5 + ["error"] * 2
    assert len({answer.best for answer in found[:5]}) == 1
    assert found[6].source == "int"
    assert list(agent.locate_many([])) == []
    with path.open("rb") as opened:
        for one in (str(path), path, path.read_bytes(), image, opened):
            with pytest.raises(InputError, match="give a list"):
                agent.locate_many(one)
    with pytest.raises(InputError, match="expected several photos, got int"):
        agent.locate_many(7)
    with pytest.raises(InputError, match="photos are files, got bytes"):
        agent.locate_many([path, path.read_bytes()], workers=2)


def test_an_album_is_looked_at_by_workers(folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    (folder / "3.png").unlink()
    for out, workers in ((one, "1"), (two, "2")):
        given = ["locate", str(folder), "--album", "--ocr", "stand_in.engine", "--workers", workers, "--out", str(out)]
        assert CliRunner().invoke(main, given).exit_code == 0
    assert rows(one) == rows(two)
    assert len((tmp_path / "two.seen.jsonl").read_text("utf-8").splitlines()) == 1 + 5


def test_wrong_use_is_said(folder: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"id": "1", "lines": []}\n')
    for given, says in (
        ([str(folder), "--workers", "0"], "no number of processes"),
        ([str(folder), "--workers", "many"], "no number of processes"),
        (["--texts", str(texts), "--workers", "2"], "need photos"),
        (["--texts", str(texts), "--batch", "2"], "need photos"),
        ([str(folder), "--batch", "0"], "not in the range"),
        ([str(folder), "--workers", "2", "--llm", "openai_compatible,model=m"], "called from one process"),
    ):
        result = CliRunner().invoke(main, ["locate", *given])
        assert result.exit_code == 2
        assert says in " ".join(result.output.split())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for one process on Windows")
def test_an_interrupted_run_keeps_its_rows_and_goes_on(tmp_path: Path) -> None:
    here, out = tmp_path / "photos", tmp_path / "out.jsonl"
    here.mkdir()
    for number in range(8):
        (here / f"{number}.png").write_bytes(picture(KOELN, seconds=0.0 if number < 3 else 4.0))
    given = [sys.executable, "-m", "geoagent", "locate", str(here), "--ocr", "stand_in.engine", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    run = subprocess.Popen([*given, "--workers", "2"], env=environment, stderr=subprocess.PIPE, text=True)
    while not out.exists() or len(out.read_bytes().splitlines()) < 3:
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    kept = out.read_bytes()
    for path in here.glob("[3-7].png"):
        path.write_bytes(picture(KOELN))
    again = CliRunner().invoke(main, ["locate", str(here), *given[5:], "--workers", "2"])
    assert again.exit_code == 0, again.output
    assert out.read_bytes().startswith(kept)
    assert [Path(row["source"]).name for row in rows(out)] == [f"{n}.png" for n in range(8)]


def test_locate_imports_neither_ray_nor_torch() -> None:
    script = (
        "import sys; from pathlib import Path; from geoagent import GeoAgent; import geoagent.interfaces.cli\n"
        "agent = GeoAgent.load(ocr='nothing', world='starter'); list(agent.locate_many(['none.jpg'], workers=1))\n"
        "from geoagent.agent.many import looking; looking(agent.config)\n"
        "print(sorted({'ray', 'torch', 'pyarrow', 'pandas', 'fsspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
