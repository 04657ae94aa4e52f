"""Who may ask the server: tokens, sessions of browsers, and what strangers are told."""

from __future__ import annotations

import http.client
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from server_process import command, ended, environment, served
from stand_in.engine import picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from web_server import SMALL, Running, running

from geoagent.errors import ConfigError
from geoagent.interfaces.web.access import Access, Token, Tries, stated_token
from geoagent.interfaces.web.serve import is_local

SECRET = "correct-horse-battery-staple"
SHOWN = {"Authorization": f"Bearer {SECRET}"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def access() -> Access:
    return Access(Token(SECRET), page=True)


@pytest.fixture(scope="module")
def server(access: Access) -> Iterator[Running]:
    with running(SMALL, access=access) as here:
        yield here


@pytest.fixture(autouse=True)
def nothing_failed(access: Access) -> None:
    access._tries._failed.clear()


def sign_in(server: Running, token: str = SECRET, **headers: str) -> http.client.HTTPResponse:
    return server.ask("POST", "/login", urlencode({"token": token}).encode(), Content_Type=FORM, **headers)  # type: ignore[return-value]


def session_of(reply: object) -> str:
    match = re.match(r"geoagent_session=([\w-]+);", reply.headers["set-cookie"])  # type: ignore[attr-defined]
    assert match is not None
    return match[1]


def test_a_program_shows_the_token_with_each_request(server: Running) -> None:
    asked = [("GET", "/api/places?name=Hallstatt"), ("GET", "/api/openapi.json"), ("GET", "/api/atlas")]
    asked += [
        ("GET", "/page/page.js"),
        ("GET", "/examples/de_koeln.jpg"),
        ("GET", "/nothing"),
        ("DELETE", "/api/jobs/x"),
    ]
    for method, path in asked:
        refused = server.ask(method, path)
        assert refused.status == 401, path
        assert refused.headers["www-authenticate"] == 'Bearer realm="geoagent"'
        assert "Authorization: Bearer TOKEN" in refused.json["error"]
        assert server.ask(method, path, **SHOWN).status == (404 if path in ("/nothing", "/api/jobs/x") else 200), path
    assert server.post("/api/locate", [("photo", "a.png", picture())]).status == 401
    answer = server.post("/api/locate", [("photo", "a.png", picture())], headers=SHOWN)
    assert answer.json["best"]["place"] == "Köln"


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", "Bearer", "Bearer ", f"Basic {SECRET}", SECRET,
        f"Bearer {SECRET.upper()}", "Bearer k\u00f6ln",
    ],
)  # fmt: skip
def test_anything_else_is_no_token(server: Running, header: str) -> None:
    assert server.get("/api/atlas", Authorization=header).status == 401


def test_strangers_learn_that_it_runs_and_nothing_else(server: Running) -> None:
    for path in ("/health", "/ready"):
        told = server.get(path)
        assert (told.status, told.json) == (200, {"status": "ok"})
        assert set(server.get(path, **SHOWN).json) >= {"version", "workers", "waiting", "remembered"}


def test_a_browser_signs_in_by_the_form(server: Running) -> None:
    first = server.get("/")
    assert (first.status, first.headers["location"]) == (303, "/login")
    form = server.get("/login")
    assert b'type="password"' in form.body
    assert "form-action 'self'" in form.headers["content-security-policy"]
    wrong = sign_in(server, "not the token")
    assert wrong.status == 401
    assert "set-cookie" not in wrong.headers
    reply = sign_in(server)
    assert (reply.status, reply.headers["location"]) == (303, "/")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # the reply went over HTTP
    assert SECRET not in cookie
    session = session_of(reply)
    inside = server.get("/", Cookie=f"a=b; geoagent_session={session}")
    assert inside.status == 200
    assert b"Where was this photo taken?" in inside.body
    assert server.get("/api/atlas", Cookie=f"geoagent_session={session}").status == 200
    assert server.get("/", Cookie=f"geoagent_session={session}x").status == 303
    assert b"Sign out" in server.get("/login", Cookie=f"geoagent_session={session}").body
    out = server.ask("POST", "/logout", b"", Cookie=f"geoagent_session={session}")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert server.get("/api/atlas", Cookie=f"geoagent_session={session}").status == 401


def test_the_cookie_is_for_https_alone_behind_a_proxy_that_speaks_it(server: Running) -> None:
    assert "secure" in sign_in(server, X_Forwarded_Proto="https").headers["set-cookie"].lower()


def test_a_foreign_page_cannot_sign_anybody_in(server: Running) -> None:
    assert sign_in(server, Origin="http://evil.example").status == 403
    assert sign_in(server, Host="evil.example").status == 421
    assert server.get("/health", Host="evil.example").status == 421


def test_a_link_signs_in_once_and_leaves_no_token_in_the_address(server: Running, access: Access) -> None:
    link = urlsplit(access.link(server.url))
    assert SECRET not in link.query
    first = server.get(f"{link.path}?{link.query}")
    assert (first.status, first.headers["location"]) == (303, "/")
    assert server.get("/", Cookie=f"geoagent_session={session_of(first)}").status == 200
    again = server.get(f"{link.path}?{link.query}")
    assert (again.status, again.headers["location"]) == (303, "/login")
    assert "set-cookie" not in again.headers
    for query in (f"token={SECRET}", "token=", "token=x"):
        assert server.get(f"/?{query}").headers["location"] == "/login"
        assert server.get(f"/api/atlas?{query}").status == 401
    signed_in = server.get(f"/?{link.query}", Cookie=f"geoagent_session={session_of(first)}")
    assert signed_in.headers["location"] == "/"


def test_a_link_and_a_session_expire() -> None:
    now = [0.0]
    access = Access(Token(SECRET), page=True, clock=lambda: now[0])
    code = urlsplit(access.link("http://127.0.0.1/")).query.removeprefix("token=")
    session = access._sessions.put(True)
    now[0] = 700.0
    assert access._links.get(code) is None
    assert access._sessions.get(session)
    now[0] += 13 * 3600
    assert access._sessions.get(session) is None


def test_many_wrong_tokens_must_wait_even_with_the_right_one(server: Running) -> None:
    for _ in range(10):
        assert server.get("/api/atlas", Authorization="Bearer wrong").status == 401
    refused = server.get("/api/atlas", **SHOWN)
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert sign_in(server).status == 429
    assert server.get("/health").status == 200


def test_a_signed_in_browser_need_not_wait(server: Running, access: Access) -> None:
    session = session_of(sign_in(server))
    for _ in range(10):
        access._tries.failed("127.0.0.1")
    assert server.get("/api/atlas", Cookie=f"geoagent_session={session}").status == 200


def test_tries_are_forgotten_and_addresses_kept_apart() -> None:
    now = [0.0]
    tries = Tries(lambda: now[0])
    for _ in range(10):
        assert tries.wait_s("a") == 0
        tries.failed("a")
    assert tries.wait_s("a") == 61
    assert tries.wait_s("b") == 0
    now[0] = 61.0
    assert tries.wait_s("a") == 0
    for i in range(5000):
        tries.failed(str(i))
    assert len(tries._failed) == 4096


def test_the_login_form_is_short(server: Running) -> None:
    big = server.ask("POST", "/login", b"token=" + b"x" * 10_000, Content_Type=FORM)
    assert big.status == 413


def test_a_token_is_taken_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n", "utf-8")
    environ = {"GEOAGENT_TOKEN": "another-token-of-the-environment"}
    token = stated_token(file, environ)
    assert token is not None
    assert token.fits(SECRET)
    assert environ == {}  # worker processes have not to know it
    token = stated_token(None, {"GEOAGENT_TOKEN": SECRET})
    assert token is not None
    assert token.fits(SECRET)
    assert stated_token(None, {}) is None
    assert SECRET not in repr(vars(token))


@pytest.mark.parametrize("said", ["", "short", "x" * 15, "with a space in between", "köln-köln-köln-köln", "a\tb" * 9])
def test_a_poor_token_is_refused_without_being_repeated(tmp_path: Path, said: str) -> None:
    file = tmp_path / "token"
    file.write_text(said, "utf-8")
    with pytest.raises(ConfigError, match="token") as caught:
        stated_token(file, {})
    assert not said or said not in str(caught.value)


def test_the_command_asks_for_a_token_where_others_reach_it(tmp_path: Path) -> None:
    done = ended("web", "--host", "0.0.0.0", "--port", "0", "--ocr", "nothing")
    assert done.returncode == 2
    assert "set a token, with --token-file FILE or the environment variable GEOAGENT_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
    short = ended("web", "--host", "0.0.0.0", "--port", "0", GEOAGENT_TOKEN="short")
    assert short.returncode == 2
    assert "at least 16" in short.stderr
    file = tmp_path / "token"
    file.write_bytes(b"\xff\xfe")
    assert ended("web", "--token-file", str(file)).returncode == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_addresses_of_this_machine_alone(host: str) -> None:
    assert is_local(host)
    assert not any(map(is_local, ("0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.example.org")))


def test_the_command_serves_others_with_a_token_and_logs_none(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET, "utf-8")
    with served("web", "--host", "0.0.0.0", "--port", "0", "--ocr", "nothing", "--verbose", "--token-file",
                str(file)) as here:  # fmt: skip
        connection = http.client.HTTPConnection(urlsplit(here.address).netloc, timeout=60)
        for path, headers, status in (
            ("/health", {}, 200),
            ("/api/places?name=Bonn&token=guessed-token", {}, 401),
            ("/?token=another-guessed-token", {}, 303),
            ("/api/places?name=Bonn", SHOWN, 200),
        ):
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status == status, (path, body)
        connection.close()
        assert json.loads(body)[0]["name"] == "Bonn"
    assert "GET /api/places?name=Bonn HTTP" in here.said
    assert "guessed" not in here.said
    assert SECRET not in here.said
    assert "Sign in once" not in here.said  # nobody looks at a terminal


def test_on_this_machine_a_token_holds_where_one_is_set() -> None:
    with served("web", "--port", "0", "--ocr", "nothing", GEOAGENT_TOKEN=SECRET) as here:
        connection = http.client.HTTPConnection(urlsplit(here.address).netloc, timeout=60)
        connection.request("GET", "/api/atlas")
        assert connection.getresponse().status == 401
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_person_at_a_terminal_gets_a_link() -> None:
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("web", "--port", "0", "--ocr", "nothing"), env=environment(GEOAGENT_TOKEN=SECRET), stderr=theirs
    )
    os.close(theirs)
    try:
        said = ""
        while "token=" not in said or not said.endswith("\n"):
            said += os.read(ours, 4096).decode()
        match = re.search(r"within ten minutes, at http://([\w.:]+)(/\?token=[\w-]+)", said)
        assert match is not None, said
        assert SECRET not in said
        connection = http.client.HTTPConnection(match[1], timeout=60)
        connection.request("GET", match[2])
        reply = connection.getresponse()
        assert (reply.status, reply.headers["location"]) == (303, "/")
        connection.close()
    finally:
        process.terminate()
        process.wait(30)
        os.close(ours)
