"""A real server on a free port of this machine, for the tests of the page and the API."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seen import seen_world
from stand_in.engine import picture

from geoagent.config import Config
from geoagent.interfaces.web.limits import Limits
from geoagent.interfaces.web.office import Office

SMALL = Limits(workers=1, photo_mb=2, request_mb=6, waiting=24, photos_a_job=5, read_s=20, upload_s=3)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Attributes:
        url: of the page.
        office: its inside, to end a reader or look at what is kept.
    """

    url: str
    office: Office

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request, with exactly these headers."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=120)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, path: str, files: list[tuple[str, str, bytes]] = (), headers: dict[str, str] | None = None,
             **fields: str | list[str]) -> Reply:  # type: ignore[assignment] # fmt: skip
        """A form with files `(field, name, content)`."""
        body, kind = form(files, fields)
        return self.ask("POST", path, body, **{"Content_Type": kind, **(headers or {})})

    def photo(self, path: str, content: bytes, name: str = "photo.png", **fields: str) -> Reply:
        return self.post(path, [("photo", name, content)], **fields)

    def job(self, id: str) -> Any:
        """The state of a job once it is over."""
        return self._when(id, lambda state: state["over"])

    def reading(self, id: str) -> Any:
        """The state of a job once one of its photos is being read."""
        return self._when(id, lambda state: any(item["state"] == "reading" for item in state["items"]))

    def _when(self, id: str, seen: Callable[[Any], bool], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.get(f"/api/jobs/{id}").json
            if seen(state):
                return state
            time.sleep(0.05)
        raise AssertionError(f"not so after {seconds} s: {state}")


def form(files: list[tuple[str, str, bytes]], fields: dict[str, Any]) -> tuple[bytes, str]:
    """A multipart form, and its content type."""
    edge, out = "----edge-5f3a", []
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            out.append(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{each}\r\n'.encode())
    for field, name, content in files:
        shown = name.replace("\\", "\\\\").replace('"', "%22").replace("\n", "%0A")
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{shown}"\r\n'
        out.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join(out) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


@contextmanager
def running(
    limits: Limits | None = None, *, ready: bool = True, access: Any = None, metrics: bool = False, **settings: Any
) -> Iterator[Running]:
    """Run a server in a thread until the block ends; wait first until a reader is ready."""
    import uvicorn

    from geoagent.interfaces.web.app import create_app
    from geoagent.interfaces.web.serve import address_of, listen

    app = create_app(Config.make({"ocr": "stand_in.engine", **settings}), limits, access=access, metrics=metrics)
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        here = Running(address_of(listening), app.app.state.office)
        end = time.monotonic() + 60
        while ready and here.get("/ready").status != 200:
            assert time.monotonic() < end, here.get("/health").json
            time.sleep(0.05)
        yield here
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@contextmanager
def running_with_eyes(folder: Path, limits: Limits | None = None) -> Iterator[Running]:
    """Run a server whose world has a picture half: every photo looks like the middle of France."""
    world = replace(seen_world(), encoder={"name": "stand_in.encoder"})
    with running(limits, world=world.save(folder / "seen")) as here:
        yield here


def observation(server: Running, content: bytes | None = None, name: str = "photo.png") -> str:
    reply = server.photo("/api/locate", content or picture(), name)
    assert reply.status == 200, reply.body
    return reply.headers["x-observation"]
