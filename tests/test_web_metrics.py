"""Counters for Prometheus, read from a real server by the parser of its own client."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from stand_in.engine import picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("prometheus_client", reason="prometheus_client is not installed (extra metrics)")

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families
from web_server import SMALL, Running, observation, running

from geoagent.interfaces.cli import main
from geoagent.interfaces.web.access import Access, Token

SECRET = "correct-horse-battery-staple"
Labels = frozenset[tuple[str, str]]


@pytest.fixture
def server() -> Iterator[Running]:
    with running(replace(SMALL, waiting=3), metrics=True) as here:
        yield here


def counted(server: Running, **headers: str) -> dict[tuple[str, Labels], float]:
    reply = server.get("/metrics", **headers)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


def of(counts: dict[tuple[str, Labels], float], name: str, **labels: str) -> float:
    return counts[f"geoagent_{name}", frozenset(labels.items())]


def test_requests_photos_stages_and_memory_are_counted(server: Running) -> None:
    before = counted(server)
    assert of(before, "photos_total", outcome="answered") == 0
    assert of(before, "workers") == 1
    id = observation(server, name="secret name.png")
    assert server.photo("/api/locate", b"no photo", "another secret.png").status == 422
    job = server.post("/api/jobs", [("photos", f"{i}.png", picture(seconds=0.3)) for i in range(3)])
    refused = server.post("/api/jobs", [("photos", f"{i}.png", picture()) for i in range(4)])
    assert refused.status == 503
    server.job(job.json["id"])
    server.ask("DELETE", f"/api/jobs/{job.json['id']}")
    server.get("/nothing/at/all.php")
    server.get("/api/observations/guessed/photo")
    server.ask("WEIRD", "/api/atlas")
    counts = counted(server)
    assert of(counts, "photos_total", outcome="answered") == 4
    assert of(counts, "photos_total", outcome="failed") == 1
    assert of(counts, "photos_total", outcome="busy") == 4
    assert of(counts, "photos_total", outcome="broken") == 0
    assert of(counts, "requests_total", method="POST", route="/api/locate", status="200") == 1
    assert of(counts, "requests_total", method="POST", route="/api/locate", status="422") == 1
    assert of(counts, "requests_total", method="POST", route="/api/jobs", status="503") == 1
    assert of(counts, "requests_total", method="GET", route="other", status="404") == 1
    assert of(counts, "requests_total", method="GET", route="/api/observations/{id}/photo", status="404") == 1
    assert any(("method", "other") in labels for _, labels in counts)
    assert of(counts, "observations") == 1
    assert of(counts, "waiting") == 0
    for stage, times in (("wait", 5), ("read", 4), ("look", 4), ("understand", 4), ("weigh", 1)):
        assert of(counts, "stage_seconds_count", stage=stage) == times, stage
    assert of(counts, "stage_seconds_sum", stage="read") >= 0.9  # three photos took 0.3 s each
    text = server.get("/metrics").body.decode()
    for secret in ("secret", "guessed", "nothing/at", id, "WEIRD", "127.0.0.1"):
        assert secret not in text


def test_a_worker_that_died_is_counted(server: Running) -> None:
    assert server.photo("/api/locate", picture(deadly=True)).status == 502
    observation(server)
    counts = counted(server)
    assert of(counts, "photos_total", outcome="broken") == 1
    assert of(counts, "worker_restarts_total") >= 2  # it was tried twice
    assert of(counts, "workers") == 1


def test_they_are_behind_the_token() -> None:
    with running(SMALL, access=Access(Token(SECRET), page=True), metrics=True) as server:
        assert server.get("/metrics").status == 401
        counts = counted(server, Authorization=f"Bearer {SECRET}")
        assert of(counts, "requests_total", method="GET", route="other", status="401") == 1


def test_nothing_is_counted_unless_asked_for() -> None:
    with running(SMALL) as server:
        assert server.get("/metrics").status == 404


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "geoagent.interfaces.web.metrics", raising=False)
    done = CliRunner().invoke(main, ["web", "--metrics", "--port", "0", "--ocr", "nothing"])
    assert done.exit_code == 1
    assert "prometheus_client is not installed; run: pip install 'geoagent-photo[metrics]'" in done.output
