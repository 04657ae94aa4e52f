"""What the server refuses, in words: files, sizes, settings, names, hosts and pages of others."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import pytest
from stand_in.engine import EVIL, HOSTILE, NOTHING, picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from web_server import SMALL, Running, observation, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(SMALL) as here:
        yield here


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello, I am text", "is a text file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG drawing"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (picture()[:200], "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "damaged"),
    ],
)
def test_bad_files_are_refused_in_words(server: Running, content: bytes, says: str) -> None:
    reply = server.photo("/api/locate", content, "thing.jpg")
    assert reply.status == 422
    assert reply.json["error"].startswith("thing.jpg: ")
    assert says in reply.json["error"]


def test_a_decompression_bomb_is_refused_before_it_is_decoded(server: Running) -> None:
    content = bytearray(picture())
    content[16:24] = struct.pack(">II", 60_000, 60_000)  # 3.6 gigapixels, as the header says
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    reply = server.photo("/api/locate", bytes(content), "bomb.png")
    assert reply.status == 422
    assert "GB to decode" in reply.json["error"]


def test_too_large_photos_and_requests_are_refused(server: Running) -> None:
    photo = server.photo("/api/locate", bytes(2_500_000), "large.jpg")
    assert photo.status == 413
    assert "at most 2 MB" in photo.json["error"]
    assert server.photo("/api/locate", bytes(7_000_000)).status == 413
    chunked = server.ask(
        "POST", "/api/locate", b"0\r\n\r\n", Content_Type="multipart/form-data; boundary=x", Transfer_Encoding="chunked"
    )
    assert chunked.status in (400, 422)


def test_a_request_that_never_ends_is_cut_off(server: Running) -> None:
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as slow:
        slow.sendall(
            f"POST /api/locate HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode()
            + b"Content-Type: multipart/form-data; boundary=x\r\n"
        )
        slow.sendall(b"Content-Length: 1000\r\n\r\n--x\r\n")
        assert b" 408 " in slow.recv(4000)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text_weight": "7"}, "text_weight"),
        ({"max_precision": "street"}, "max_precision"),
        ({"within": "Qwxzatl"}, "Qwxzatl"),
        ({"hint": "x" * 501}, "hint"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_wrong_settings_are_refused_before_the_photo_is_read(
    server: Running, fields: dict[str, str], says: str
) -> None:
    kept = len(server.office.memory)
    reply = server.photo("/api/locate", picture(), **fields)
    assert reply.status in (400, 422)
    assert says in reply.json["error"]
    assert len(server.office.memory) == kept


def test_neither_or_both_of_photo_and_observation(server: Running) -> None:
    id = observation(server)
    for reply in (server.post("/api/locate"), server.photo("/api/locate", picture(), observation=id)):
        assert reply.status == 400
        assert "not both" in reply.json["error"]
    assert server.ask("POST", "/api/locate", b"{}", Content_Type="application/json").status in (400, 422)
    assert server.ask("POST", "/api/locate", b"junk", Content_Type="multipart/form-data").status == 400


def test_a_photo_in_another_field_or_sent_twice_is_refused_in_words(server: Running) -> None:
    kept = len(server.office.memory)
    misnamed = server.post("/api/locate", [("file", "x.png", picture())])
    assert misnamed.status == 422
    assert misnamed.json["error"] == "file: there is no such field; a photo is sent as photo"
    job = server.post("/api/jobs", [("photo", "x.png", picture())])
    assert job.status == 422
    assert job.json["error"] == "photo: there is no such field; a photo is sent as photos"
    twice = server.post("/api/locate", [("photo", "x.png", picture()), ("photo", "y.png", picture(NOTHING))])
    assert twice.status == 422
    assert "photo: sent 2 times" in twice.json["error"]
    assert "/api/jobs" in twice.json["error"]
    assert server.photo("/api/verify", picture(), claim=["Japan", "France"]).status == 422
    assert len(server.office.memory) == kept


def test_unknown_ids_and_paths_are_404(server: Running) -> None:
    for path in ("/api/jobs/../../etc/passwd", "/api/jobs/x", "/api/observations/x/photo", "/page/../app.py",
                 "/page/%2e%2e/app.py", "/page/..%2f..%2fagent.py", "/examples/..%2f..%2fREADME.jpg",
                 "/examples/expected.csv",
                 "/examples/%2e%2e%2fscenes.jpg", "/etc/passwd"):  # fmt: skip
        reply = server.get(path)
        assert reply.status == 404, path
        assert "error" in reply.json


def test_names_of_files_are_only_shown(server: Running) -> None:
    for name, shown in [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("", "photo"),
        ("x" * 500 + ".jpg", "x" * 120),
        (HOSTILE.replace("/", "|") + ".png", (HOSTILE.replace("/", "|") + ".png").replace('"', "%22")),
    ]:
        reply = server.photo("/api/locate", picture(NOTHING), name)
        assert reply.json["source"] == shown


def test_foreign_hosts_and_pages_are_refused(server: Running) -> None:
    own = server.url.removeprefix("http://").rstrip("/")
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "", "[", "a b"):
        assert server.get("/health", Host=host).status in (400, 421), host
    for host in (own, "localhost", "LOCALHOST:99", "[::1]:7860", "192.168.1.5"):
        assert server.get("/health", Host=host).status == 200, host
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
                    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):  # fmt: skip
        reply = server.post("/api/locate", [("photo", "x.png", picture())], headers)
        assert reply.status == 403, headers
        assert server.ask("DELETE", "/api/observations/x", **headers).status == 403
    assert (
        server.post("/api/locate", [("photo", "x.png", picture(NOTHING))], {"Origin": server.url.rstrip("/")}).status
        == 200
    )


def test_every_reply_carries_the_policy(server: Running) -> None:
    for path in ("/", "/page/page.js", "/health", "/nothing", "/api/openapi.json", "/examples/de_koeln.jpg"):
        headers = server.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
    assert server.get("/api/jobs/x").headers["cache-control"] == "no-store"
    assert server.get("/health", Host="evil.example").headers["x-frame-options"] == "DENY"


def test_hostile_text_is_json_and_nothing_else(server: Running) -> None:
    reply = server.photo("/api/locate", picture(EVIL), "evil.png")
    assert reply.headers["content-type"] == "application/json"
    assert any(HOSTILE in region["text"] for region in reply.json["regions"])
