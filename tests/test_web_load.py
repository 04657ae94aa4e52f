"""Many at once, readers that die, and the parts that keep a server up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand_in.engine import KOELN, NOTHING, picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from web_server import SMALL, Running, running

from geoagent.errors import ConfigError, InputError
from geoagent.interfaces.web.limits import Limits
from geoagent.interfaces.web.memory import Memory
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.serve import is_local, listen


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(SMALL) as here:
        yield here


def test_twenty_uploads_at_once_are_all_answered(server: Running) -> None:
    done: dict[int, tuple[int, str]] = {}
    waiting: list[int] = []

    def upload(i: int) -> None:
        reply = server.photo("/api/locate", picture(KOELN if i % 2 else NOTHING, seconds=0.2), f"{i}.png")
        waiting.append(server.office.desk.waiting)
        done[i] = (reply.status, reply.json["source"])

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert done == {i: (200, f"{i}.png") for i in range(20)}
    assert max(waiting) > 0  # somebody had an answer while others waited


def test_a_full_queue_says_when_to_come_again() -> None:
    with running(Limits(waiting=2, read_s=20)) as server:
        first = server.post("/api/jobs", [("photos", "slow.png", picture(seconds=4))])
        server.reading(first.json["id"])
        two = server.post("/api/jobs", [("photos", f"{i}.png", picture()) for i in range(2)])
        full = server.photo("/api/locate", picture())
        assert (first.status, two.status, full.status) == (202, 202, 503)
        assert int(full.headers["retry-after"]) >= 1
        assert server.get("/health").status == 200
        server.job(two.json["id"])
        assert server.photo("/api/locate", picture()).status == 200


def test_a_long_job_does_not_keep_others_waiting(server: Running) -> None:
    long = server.post("/api/jobs", [("photos", f"{i}.png", picture(seconds=0.5)) for i in range(5)]).json
    assert server.photo("/api/locate", picture()).status == 200
    assert not server.get(f"/api/jobs/{long['id']}").json["over"]
    server.ask("DELETE", f"/api/jobs/{long['id']}")


def test_a_killed_reader_loses_no_photo(server: Running) -> None:
    job = server.post("/api/jobs", [("photos", "slow.png", picture(seconds=1.5))]).json
    server.reading(job["id"])
    (pid,) = server.office.desk.pids
    os.kill(pid, signal.SIGKILL)
    assert server.get("/health").status == 200
    state = server.job(job["id"])
    assert state["items"][0]["state"] == "done"
    assert server.office.desk.pids != [pid]


def test_a_reader_that_is_killed_while_idle_is_replaced(server: Running) -> None:
    (pid,) = server.office.desk.pids
    os.kill(pid, signal.SIGKILL)
    assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"


def test_a_deadly_photo_is_reported_and_the_next_one_answered(server: Running) -> None:
    reply = server.photo("/api/locate", picture(deadly=True), "deadly.png")
    assert reply.status == 502
    assert reply.json["error"].startswith("deadly.png: could not be looked at")
    assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"


def test_a_photo_that_takes_too_long_is_ended() -> None:
    with running(Limits(read_s=2)) as server:
        reply = server.photo("/api/locate", picture(seconds=12), "slow.png")
        assert reply.status == 502
        assert "took longer than 2 s" in reply.json["error"]
        assert server.photo("/api/locate", picture()).status == 200


def test_a_reader_that_has_grown_too_large_is_replaced_between_photos() -> None:
    with running(Limits(reader_mb=1)) as server:
        first = set(server.office.desk.pids)
        for _ in range(2):
            assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"
        assert not first & set(server.office.desk.pids)


def test_readers_that_cannot_start_are_said_and_nobody_waits_for_ever() -> None:
    with running(Limits(), ready=False, ocr="stand_in.broken") as server:
        assert server.get("/ready").status == 503
        reply = server.photo("/api/locate", picture(), "x.png")
        assert reply.status == 502
        assert "this engine never starts" in reply.json["error"]
        assert server.get("/health").json["status"] == "broken"
        assert server.get("/health").status == 200


def test_weights_of_the_server_hold_until_others_are_asked_for() -> None:
    with running(SMALL, text_weight=0.0) as server:
        reply = server.photo("/api/locate", picture())
        assert reply.json["best"]["place"] != "Köln"
        id = reply.headers["x-observation"]
        assert server.post("/api/locate", observation=id, text_weight="1").json["best"]["place"] == "Köln"


def test_nothing_is_written_to_the_disk(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def no_file(*_: object, **__: object) -> object:
        raise AssertionError("an upload went to the disk")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    large = picture(size=(1200, 900), kind="BMP")[:1_900_000]  # larger than what the usual parser keeps in memory
    assert server.photo("/api/locate", large, "large.bmp").status in (200, 422)


# --- parts ---


def seen(name: str = "x") -> Seen:
    return Seen(name, b"", "", 0.0)  # type: ignore[arg-type]


def test_memory_forgets_the_oldest_and_what_has_had_its_time() -> None:
    now = [0.0]
    memory = Memory(2, 10, clock=lambda: now[0])
    a, b = memory.put(seen("a")), memory.put(seen("b"))
    assert memory.get(a) is not None
    c = memory.put(seen("c"))
    assert memory.get(b) is None
    now[0] = 9
    assert memory.get(c) is not None
    now[0] = 15
    assert memory.get(a) is None
    assert memory.get(c) is not None
    assert len({memory.put(seen()) for _ in range(100)}) == 100
    assert len(memory) == 2
    assert len(a) >= 20


def test_limits_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="workers must be greater than 0"):
        Limits(workers=0)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_addresses_of_this_machine_alone_are_known(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_port_that_is_taken_is_said() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(InputError, match="cannot listen at"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_the_command_serves_and_ends_with_a_signal(tmp_path: Path) -> None:
    import http.client
    from urllib.parse import urlsplit

    command = [sys.executable, "-m", "geoagent", "web", "--port", "0", "--ocr", "nothing"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        parts = urlsplit(line.split()[3])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=20)
        connection.request("GET", "/")
        assert b"<title>geoagent</title>" in connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["fastapi", "starlette", "uvicorn", "python_multipart", "mcp"])
def test_a_package_that_is_missing_is_said(package: str) -> None:
    command = ["mcp", "."] if package == "mcp" else ["web", "--port", "0"]
    code = f"import sys; sys.modules[{package!r}] = None; from geoagent.interfaces.cli import main; main({command!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f"the package {package} is not installed; run: pip install 'geoagent-photo[web]'" in done.stderr
