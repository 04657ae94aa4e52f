"""A server that speaks OpenAI's chat completions on this machine, and misbehaves when it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = {
    "language": "German",
    "observations": ["a bakery"],
    "candidates": [
        {
            "place": "Dresden",
            "level": "city",
            "country": "DE",
            "probability": 0.9,
            "cites": [{"region": 0, "text": "Elbblick"}],
            "reason": "The “Elbblick” looks over the Elbe.",
        }
    ],
}


def completion(content: Any, *, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion as the API gives it."""
    text = content if isinstance(content, str) or content is None else json.dumps(content, ensure_ascii=False)
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "toy",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


Behaviour = Callable[["Handler", dict[str, Any]], None]


class Server(ThreadingHTTPServer):
    """Plays behaviours in order, the last one again and again; `seen` are the bodies that came in."""

    daemon_threads = True
    allow_reuse_address = True
    behaviours: list[Behaviour]
    seen: list[dict[str, Any]]
    headers: list[dict[str, str]]
    pages: dict[str, Any]
    asked: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path)
        if page is None:
            self.send(404, b"{}")
        elif callable(page):
            page(self, {})
        else:
            self.send(200, page if isinstance(page, bytes) else json.dumps(page).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(body)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        number = min(len(self.server.seen), len(self.server.behaviours)) - 1
        self.server.behaviours[number](self, body)

    def send(self, status: int, data: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


def says(content: Any, **more: Any) -> Behaviour:
    """Answers well."""
    return lambda handler, body: handler.send(200, json.dumps(completion(content, **more)).encode())


def fails(status: int, message: str = "no", **headers: str) -> Behaviour:
    """Answers with an error of the API."""
    data = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
    return lambda handler, body: handler.send(status, data, **headers)


def raw(data: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Behaviour:
    """Answers with anything."""
    return lambda handler, body: handler.send(status, data, kind, **headers)


def drips(handler: Handler, body: dict[str, Any]) -> None:
    """Sends one byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def drips_headers(handler: Handler, body: dict[str, Any]) -> None:
    """Never comes to the end of its headers."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    for _ in range(200):
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.05)


def hangs(handler: Handler, body: dict[str, Any]) -> None:
    """Says nothing."""
    time.sleep(10)


def disconnects(handler: Handler, body: dict[str, Any]) -> None:
    """Breaks off in the middle of its answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.wfile.flush()
    handler.close_connection = True


def floods(handler: Handler, body: dict[str, Any]) -> None:
    """Sends fifty megabytes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(50_000_000))
    handler.end_headers()
    try:
        for _ in range(50):
            handler.wfile.write(b"x" * 1_000_000)
    except OSError:
        handler.close_connection = True


@contextmanager
def serving(*behaviours: Behaviour, port: int = 0, pages: dict[str, Any] | None = None) -> Iterator[Server]:
    """A server that runs inside, at a free port unless one is given; `pages` are what GET finds, by path."""
    server = Server(("127.0.0.1", port), Handler)
    server.behaviours, server.seen, server.headers = list(behaviours), [], []
    server.pages, server.asked = dict(pages or {}), []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
