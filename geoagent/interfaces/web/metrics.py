"""Counters for Prometheus. No label holds anything that a client chose."""

from __future__ import annotations

from collections.abc import Callable

from geoagent.interfaces.web.watch import Outcome, State, Watch
from geoagent.optional import needs

with needs("web", "fastapi"):
    from fastapi import APIRouter, Response
with needs("metrics", "prometheus_client"):
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_STATES: dict[State, str] = {
    "workers": "Worker processes that run",
    "waiting": "Photos that wait",
    "observations": "Observations that are kept in memory",
    "tracks": "Tracks that are kept in memory",
}


class Metrics(Watch):
    """Counts what it is told, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        of = {"registry": self._registry, "namespace": "geoagent"}
        self._requests = Counter(
            "requests", "Requests by method, route and status", ("method", "route", "status"), **of
        )
        self._photos = Counter("photos", "Photos by what became of them", ("outcome",), **of)
        self._stages = Histogram("stage_seconds", "Seconds by stage", ("stage",), buckets=_SECONDS, **of)
        self._restarts = Counter("worker_restarts", "Worker processes started in the place of another", **of)
        self._states = {name: Gauge(name, says, **of) for name, says in _STATES.items()}
        for outcome in ("answered", "failed", "broken", "cancelled", "busy"):
            self._photos.labels(outcome)  # a rate needs a counter that is there before it counts

    def request(self, method: str, route: str, status: int) -> None:
        """A request was answered."""
        self._requests.labels(method if method in _METHODS else "other", route or "other", str(status)).inc()

    def photo(self, outcome: Outcome, count: int = 1) -> None:
        """Photos came to an end."""
        self._photos.labels(outcome).inc(count)

    def stage(self, stage: str, seconds: float) -> None:
        """A stage of a photo's way was over."""
        self._stages.labels(stage).observe(seconds)

    def restarted(self) -> None:
        """A worker process was started in the place of another."""
        self._restarts.inc()

    def count(self, state: State, of: Callable[[], float]) -> None:
        """Where to ask for a state."""
        self._states[state].set_function(of)

    def routes(self) -> APIRouter:
        """The route that Prometheus reads."""
        routes = APIRouter()

        @routes.get("/metrics", summary="Counters for Prometheus", tags=["server"], response_class=Response,
                    responses={200: {"content": {"text/plain": {}}}})  # fmt: skip
        async def metrics() -> Response:
            """Requests, photos, seconds by stage, workers and memory, in the text format of Prometheus."""
            return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})

        return routes
