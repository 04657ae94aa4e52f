"""The ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from geoagent import __version__
from geoagent.config import Config
from geoagent.errors import GeoAgentError, PhotoError
from geoagent.evidence.tracks import Track
from geoagent.interfaces.render import shown
from geoagent.interfaces.web.access import Access
from geoagent.interfaces.web.api import router
from geoagent.interfaces.web.api_files import file_router
from geoagent.interfaces.web.atlas import Atlas
from geoagent.interfaces.web.desk import Busy, Desk
from geoagent.interfaces.web.forms import no_such_field
from geoagent.interfaces.web.guard import Guard
from geoagent.interfaces.web.limits import Limits
from geoagent.interfaces.web.memory import Memory
from geoagent.interfaces.web.office import Office
from geoagent.interfaces.web.pages import pages
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.watch import Watch
from geoagent.interfaces.web.weigh import Scales, WrongFields
from geoagent.optional import needs

with needs("web", "fastapi", "starlette"):
    from fastapi import FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse, Response


def create_app(
    config: Config,
    limits: Limits | None = None,
    hosts: Collection[str] = (),
    *,
    access: Access | None = None,
    metrics: bool = False,
) -> Any:
    """Make the ASGI application.

    Args:
        config: how agents are put together, here and in the readers.
        limits: what may be asked at once.
        hosts: names that the server answers to, beside localhost and addresses in figures.
        access: who may ask; None for anybody who reaches the server.
        metrics: whether to count, and to tell it at `/metrics`.

    Raises:
        MissingDependency: the extra `web` is not installed, or `metrics` where it is asked for.
        GeoAgentError: the agent cannot be put together.
    """
    limits, watch = limits or Limits(), _watch(metrics)
    scales = Scales(config)
    memory: Memory[Seen] = Memory(limits.remembered, limits.remembered_s)
    tracks: Memory[Track] = Memory(limits.tracks, limits.remembered_s)
    desk = Desk(config, limits, memory, watch)
    office = Office(scales, Atlas.of(scales.agent), desk, memory, tracks, limits, asyncio.Semaphore(2), watch)
    watch.count("workers", lambda: len(desk.pids))
    watch.count("waiting", lambda: desk.waiting)
    watch.count("observations", lambda: len(memory))
    watch.count("tracks", lambda: len(tracks))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk.start()
        tidy = asyncio.create_task(_tidy(memory, tracks))
        yield
        tidy.cancel()
        await desk.stop()

    app = FastAPI(
        title="geoagent",
        version=__version__,
        summary="Where was this photo taken?",
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's default pages load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(router(office))
    app.include_router(file_router(office))
    app.include_router(pages())
    if metrics:
        app.include_router(watch.routes())
    _say_errors(app)
    app.state.office = office
    return Guard(app, limits, hosts, access=access, watch=watch)


def _watch(metrics: bool) -> Any:
    """What counts: nothing, unless it is asked for."""
    if not metrics:
        return Watch()
    from geoagent.interfaces.web.metrics import Metrics

    return Metrics()


async def _tidy(*memories: Memory[Any]) -> None:
    """Drop what has expired periodically, even without requests."""
    while True:
        await asyncio.sleep(30)
        for memory in memories:
            memory.tidy()


def _say_errors(app: FastAPI) -> None:
    """Report every refusal as `{"error": "…"}` with a message."""

    @app.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> Response:
        return _problem(503, str(error), {"retry-after": str(error.retry_after_s)})

    @app.exception_handler(PhotoError)
    async def photo(request: Request, error: PhotoError) -> Response:
        return _problem(422, str(error))

    @app.exception_handler(WrongFields)
    async def fields(request: Request, error: WrongFields) -> Response:
        return JSONResponse({"error": str(error), "fields": error.fields}, 400)

    @app.exception_handler(GeoAgentError)
    async def ours(request: Request, error: GeoAgentError) -> Response:
        return _problem(400, str(error))

    @app.exception_handler(RequestValidationError)
    async def field(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        strange = next((each for each in errors if each["type"] == "extra_forbidden"), None)
        if strange is not None:
            name = shown(".".join(str(part) for part in strange["loc"][1:]))
            return _problem(422, no_such_field(name, request.url.path, strange["input"]))
        first = errors[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return _problem(422, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return _problem(error.status_code, str(error.detail), dict(error.headers or {}))


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers=headers)
