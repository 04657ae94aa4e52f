"""The HTTP API, used by the page and by other programs."""

from __future__ import annotations

import time

from geoagent import __version__
from geoagent.agent.disclosure import may_read
from geoagent.agent.verification import Verification
from geoagent.answer import Answer
from geoagent.errors import InputError
from geoagent.interfaces.web.access import KNOWN
from geoagent.interfaces.web.desk import Item, Job
from geoagent.interfaces.web.forms import (
    AlbumAsked,
    Asked,
    Claimed,
    MemoryRoute,
    Sent,
)
from geoagent.interfaces.web.guard import Refused
from geoagent.interfaces.web.office import PROBLEMS, Office
from geoagent.interfaces.web.saved import geojson_of, report_of
from geoagent.interfaces.web.schemas import (
    AlbumAnswers,
    AlbumItem,
    Compared,
    Health,
    JobItem,
    JobState,
    PlaceFound,
    Reading,
    View,
)
from geoagent.interfaces.web.tracks import lines_of
from geoagent.optional import needs

with needs("web", "fastapi", "starlette"):
    from fastapi import APIRouter, Query, Request, Response
    from starlette.responses import JSONResponse


def router(office: Office) -> APIRouter:
    """The routes below `/api`, and the health and readiness checks."""
    routes = APIRouter(route_class=MemoryRoute, responses=PROBLEMS)

    @routes.post("/api/locate", summary="Where was the photo taken?", tags=["ask"])
    async def locate(asked: Asked, response: Response) -> Answer:
        """Look, read and weigh; the header X-Observation has the id for further questions about the photo."""
        id, seen = await office.seen(asked)
        response.headers["X-Observation"] = id
        answer: Answer = await office.weigh(office.scales.answer, seen, asked)
        return answer

    @routes.post("/api/compare", summary="Picture only, text only, both", tags=["ask"])
    async def compare(asked: Asked) -> Compared:
        """What each half says, side by side."""
        id, seen = await office.seen(asked)
        return Compared.of(await office.weigh(office.scales.answer, seen, asked), id)

    @routes.post("/api/verify", summary="Is it where it is said to be?", tags=["ask"])
    async def verify(asked: Claimed, response: Response) -> Verification:
        """Weigh a claim, cue by cue."""
        id, seen = await office.seen(asked)
        response.headers["X-Observation"] = id
        found: Verification = await office.weigh(office.scales.verify, seen, asked, asked.claim)
        return found

    @routes.post("/api/album", summary="Photos that place one another", tags=["ask"])
    async def album(asked: AlbumAsked) -> AlbumAnswers:
        """Weigh together photos that were looked at before: what each tells of time and place is evidence for all."""
        if len(set(asked.observations)) < len(asked.observations):
            raise InputError("an observation was sent twice")
        if len(asked.observations) > (most := office.limits.remembered // 2):  # each is kept again with its album
            raise InputError(f"{len(asked.observations)} photos in one album; at most {most} are weighed together")
        seen = [office.remembered(id) for id in asked.observations]
        tracks = await office.tracks_of(asked)
        found, notes = await office.weigh(office.scales.album, seen, asked, tracks)
        items = [AlbumItem(observation=office.memory.put(each), answer=answer) for each, answer in found]
        if office.scales.under(asked).config.capped:
            return AlbumAnswers(items=items, notes=[], tracks=[])
        left_out = [note for track in tracks for note in track.notes]
        lines = await office.weigh(lines_of, tracks, [each.capture for each in seen])
        return AlbumAnswers(items=items, notes=[*notes, *left_out], tracks=lines)

    @routes.post("/api/read", summary="What is written in the photo?", tags=["ask"])
    async def read(asked: Asked) -> Reading:
        """Lines of text and cues, without an answer."""
        may_read(office.scales.agent.config)
        id, seen = await office.seen(asked)
        return Reading.of(seen.observed, id)

    @routes.post("/api/view", summary="What the page draws", tags=["ask"])
    async def view(asked: Asked) -> View:
        """Answer and probabilities of the geocells in `/api/atlas`."""
        id, seen = await office.seen(asked)
        found: View = await office.weigh(office.scales.view, id, seen, asked)
        return found

    @routes.post("/api/geojson", summary="The answer as GeoJSON", tags=["ask"], response_class=Response,
                 responses={200: {"content": {"application/geo+json": {}}}})  # fmt: skip
    async def geojson(asked: Asked) -> Response:
        """A FeatureCollection; its features are marked as estimates."""
        _, seen = await office.seen(asked)
        text: str = await office.weigh(geojson_of, office.scales, seen, asked)
        return Response(text, media_type="application/geo+json")

    @routes.post("/api/report", summary="The answer as a page to hand on", tags=["ask"], response_class=Response,
                 responses={200: {"content": {"text/html": {}}}})  # fmt: skip
    async def report(asked: Asked) -> Response:
        """One self-contained HTML file, to be saved."""
        _, seen = await office.seen(asked)
        text: str = await office.weigh(report_of, office.scales, seen, asked)
        headers = {"content-disposition": 'attachment; filename="report.html"'}
        return Response(text, media_type="text/html", headers=headers)

    @routes.get("/api/places", summary="Places of a name", tags=["ask"])
    async def places(name: str = Query(min_length=1, max_length=200)) -> list[PlaceFound]:
        """Look a name up in the gazetteer, likeliest first."""
        return await office.weigh(places_named, office, name)  # type: ignore[no-any-return]

    @routes.post("/api/jobs", status_code=202, summary="Send photos, and ask later", tags=["jobs"])
    async def start(sent: Sent) -> JobState:
        """Queue one photo or several; each is done in its turn, jobs by turns."""
        if len(sent.photos) > office.limits.photos_a_job:
            raise InputError(f"{len(sent.photos)} photos in one job; at most {office.limits.photos_a_job} are taken")
        return job_state(office, office.desk.take([await office.content(file) for file in sent.photos]))

    @routes.get("/api/jobs/{id}", summary="How far is it?", tags=["jobs"])
    async def state(id: str) -> JobState:
        """State of every photo of a job."""
        return job_state(office, known_job(office, id))

    @routes.delete("/api/jobs/{id}", summary="Cancel and forget", tags=["jobs"])
    async def cancel(id: str) -> JobState:
        """Take back what waits, and forget what was seen."""
        job = known_job(office, id)
        office.desk.cancel(job)
        return job_state(office, job)

    @routes.get("/api/observations/{id}/photo", summary="The upright photo, reduced", tags=["observations"],
                response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})  # fmt: skip
    async def photo(id: str) -> Response:
        """A JPEG without metadata."""
        return Response(office.remembered(id).preview, media_type="image/jpeg")

    @routes.delete("/api/observations/{id}", status_code=204, summary="Forget a photo", tags=["observations"])
    async def forget(id: str) -> None:
        """Drop what was seen of a photo."""
        office.memory.forget(id)

    @routes.get("/api/atlas", summary="Borders and geocells", tags=["map"], response_class=Response,
                responses={200: {"content": {"application/json": {}}}})  # fmt: skip
    async def atlas() -> Response:
        """What the page draws its map from; rings are encoded polylines of lon, lat on a grid of 1/100 degree."""
        headers = {"content-encoding": "gzip", "etag": office.atlas.tag, "cache-control": "no-cache"}
        return Response(office.atlas.content, media_type="application/json", headers=headers)

    @routes.get("/health", summary="Does it run?", tags=["server"], response_model_exclude_none=True)
    async def health(request: Request) -> Health:
        """Always answers while the server runs; to whoever has not shown its token with the status alone."""
        return health_of(office, known=request.scope.get(KNOWN, True))

    @routes.get("/ready", summary="Can it look at photos?", tags=["server"], responses={503: {"model": Health}})
    async def ready(request: Request) -> Response:
        """503 until a reader has loaded its models, and while none runs."""
        state = health_of(office, known=request.scope.get(KNOWN, True))
        return JSONResponse(state.model_dump(exclude_none=True), 200 if state.status == "ok" else 503)

    return routes


def known_job(office: Office, id: str) -> Job:
    """A job, or 404."""
    job = office.desk.job(id)
    if job is None:
        raise Refused(404, "no such job, or it has been forgotten")
    return job


def job_state(office: Office, job: Job) -> JobState:
    """State of a job, for the client."""
    now = time.monotonic()

    def item_state(item: Item) -> JobItem:
        reading = item.state == "reading" and item.begun is not None
        return JobItem(
            name=item.name,
            state=item.state,
            before=office.desk.before(item) if item.state == "waiting" else 0,
            seconds=round(now - item.begun, 2) if reading and item.begun is not None else 0.0,
            observation=item.observation,
            error=item.error,
        )

    return JobState(
        id=job.id,
        done=sum(item.finished.is_set() for item in job.items),
        total=len(job.items),
        over=job.over,
        typical_s=round(office.desk.typical_s, 2),
        items=[item_state(item) for item in job.items],
    )


def health_of(office: Office, *, known: bool = True) -> Health:
    """Health of the server; to strangers that it runs, and nothing else."""
    desk = office.desk
    status = "ok" if desk.ready else "broken" if desk.trouble else "starting"
    if not known:
        return Health(status=status)  # type: ignore[arg-type]
    return Health(
        status=status,  # type: ignore[arg-type]
        version=__version__,
        workers=len(desk.pids),
        waiting=desk.waiting,
        remembered=len(office.memory),
        trouble=desk.trouble,
    )


def places_named(office: Office, name: str) -> list[PlaceFound]:
    """Places that a name may mean."""
    return [PlaceFound.of(match.place) for match in office.scales.agent.assets.gazetteer.lookup(name)]
