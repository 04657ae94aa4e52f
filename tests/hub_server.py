"""A server that speaks the protocol of the Hugging Face hub on this machine, and misbehaves when it is told to."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c0ffee" * 6 + "abcd"
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class Hub(ThreadingHTTPServer):
    """Repositories of files in memory; large ones lie in a store under another host name, as on the real hub.

    Attributes:
        files: (repository, name) -> contents.
        large: names that are redirected to the store.
        status: status that every request gets instead of an answer, or None.
        extra: headers of that status.
        cuts: for each of the next connections to the store, the bytes after which it is cut.
        pause_s: seconds of silence before each kilobyte of the store.
        altered: whether the store sends other bytes than it announced.
        ignores_ranges: whether the store sends whole files only.
        seen: method, path and headers of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[tuple[str, str], bytes] = {}
        self.large = ("open_clip_model.safetensors",)
        self.status: int | None = None
        self.extra: dict[str, str] = {}
        self.cuts: list[int] = []
        self.pause_s = 0.0
        self.altered = self.ignores_ranges = False
        self.seen: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def gets(self) -> list[dict[str, str]]:
        """Headers of the requests to the store."""
        return [headers for method, path, headers in self.seen if method == "GET" and path.startswith("/store/")]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        hub = self.server
        hub.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        if hub.status is not None:
            self._send(hub.status, b"", hub.extra)
        elif self.path.startswith("/store/"):
            self._store(self.path.removeprefix("/store/"))
        elif self.path.startswith("/api/models/"):
            self._api(body)
        elif match := _RESOLVE.fullmatch(self.path):
            self._resolve(match[1], match[3], body)
        else:
            self._send(404, b"", {})

    def _api(self, body: bool) -> None:
        repository = "/".join(self.path.split("/")[3:5])
        listed = [name for repo, name in self.server.files if repo == repository]
        facts = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in listed]}
        self._send(200 if listed else 404, json.dumps(facts).encode(), {"Content-Type": "application/json"}, body)

    def _resolve(self, repository: str, name: str, body: bool) -> None:
        hub = self.server
        data = hub.files.get((repository, name))
        if data is None:
            known = any(repo == repository for repo, _ in hub.files)
            code = "EntryNotFound" if known else "RepoNotFound"
            self._send(404 if known else 401, b"", {"X-Error-Code": code, "X-Repo-Commit": COMMIT})
        elif name in hub.large:
            sha = hashlib.sha256(data).hexdigest()
            linked = {"X-Linked-ETag": f'"{sha}"', "X-Linked-Size": str(len(data)), "X-Repo-Commit": COMMIT}
            self._send(302, b"", {**linked, "Location": f"http://localhost:{hub.server_address[1]}/store/{sha}"})
        else:
            self._send(200, data, {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT}, body)

    def _store(self, sha: str) -> None:
        hub = self.server
        data = next(d for d in hub.files.values() if hashlib.sha256(d).hexdigest() == sha)
        if hub.altered:
            data = data[:-1] + bytes([data[-1] ^ 1])
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and not hub.ignores_ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        cut = hub.cuts.pop(0) if hub.cuts else None
        rest = data[start:] if cut is None else data[start : start + cut]
        step = 1024 if hub.pause_s else len(rest) or 1
        for begin in range(0, len(rest), step):
            time.sleep(hub.pause_s)
            self.wfile.write(rest[begin : begin + step])
        if cut is not None:
            self.close_connection = True
            self.connection.close()

    def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool = True) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.command == "GET":
            self.wfile.write(data)


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that runs until the block ends."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def clip_files(config: dict[str, Any], look: dict[str, Any], seed: int = 5) -> dict[str, bytes]:
    """Configuration and random weights of an image-text model, as a repository of open_clip holds them."""
    import tempfile
    from pathlib import Path

    import torch
    from safetensors.torch import save

    from geoagent.evidence.encoders.open_clip import open_clip

    torch.manual_seed(seed)
    name = "hub-" + hashlib.sha1(json.dumps(config).encode()).hexdigest()[:8]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.json"
        path.write_text(json.dumps(config), "utf-8")
        open_clip.add_model_config(path)
        model = open_clip.create_model(name)
    weights = save({key: value.contiguous() for key, value in model.state_dict().items()})
    written = json.dumps({"model_cfg": config, "preprocess_cfg": look}).encode()
    return {"open_clip_config.json": written, "open_clip_model.safetensors": weights}


class Proxy(ThreadingHTTPServer):
    """An HTTP proxy that takes every host for one hub, or refuses.

    Attributes:
        hub: what it forwards to.
        status: status with which it refuses, or None.
        seen: the addresses that were asked for.
    """

    daemon_threads = True

    def __init__(self, hub: Hub) -> None:
        super().__init__(("127.0.0.1", 0), _Forwarder)
        self.hub = hub
        self.status: int | None = None
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Forwarder(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_CONNECT(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()

    def do_GET(self) -> None:
        self._forward()

    def _forward(self) -> None:
        proxy = self.server
        proxy.seen.append(self.path)
        if proxy.status is not None or self.command == "CONNECT":
            self.send_response(proxy.status or 405)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path = "/" + self.path.split("/", 3)[3]
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        there = http.client.HTTPConnection("127.0.0.1", proxy.hub.server_address[1])
        there.request(self.command, path, headers=headers)
        answer = there.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        there.close()


@contextmanager
def proxying(hub: Hub) -> Iterator[Proxy]:
    """A proxy that runs until the block ends."""
    proxy = Proxy(hub)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
