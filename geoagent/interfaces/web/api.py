"""The HTTP API, used by the page and by other programs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from geoagent import __version__
from geoagent.agent.disclosure import may_read
from geoagent.agent.verification import Verification
from geoagent.answer import Answer
from geoagent.errors import InputError
from geoagent.evidence.tracks import Track, read_track_bytes
from geoagent.interfaces.web.atlas import Atlas
from geoagent.interfaces.web.cases import ENDING, Case, read_case, write_case
from geoagent.interfaces.web.desk import Desk, Item, Job
from geoagent.interfaces.web.exports import KINDS, exported
from geoagent.interfaces.web.forms import (
    AlbumAsked,
    AlbumQuestion,
    Asked,
    CaseSent,
    CaseWanted,
    Claimed,
    ExportAsked,
    MemoryRoute,
    Question,
    Sent,
    TracksSent,
    file_name,
)
from geoagent.interfaces.web.guard import Refused
from geoagent.interfaces.web.limits import MB, Limits
from geoagent.interfaces.web.memory import Memory
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.saved import geojson_of, report_of
from geoagent.interfaces.web.schemas import (
    AlbumAnswers,
    AlbumItem,
    CaseOpened,
    CasePhoto,
    Compared,
    Health,
    JobItem,
    JobState,
    PlaceFound,
    Problem,
    Reading,
    Town,
    TrackRead,
    View,
)
from geoagent.interfaces.web.towns import towns_within
from geoagent.interfaces.web.tracks import lines_of, track_read
from geoagent.interfaces.web.weigh import Scales
from geoagent.optional import needs

with needs("web", "fastapi", "starlette"):
    from fastapi import APIRouter, Query, Response, UploadFile
    from starlette.responses import JSONResponse

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "a setting, hint or claim that cannot be used"},
    404: {"model": Problem, "description": "no such observation, or it has been forgotten"},
    413: {"model": Problem, "description": "too large"},
    422: {"model": Problem, "description": "the file is no readable photo, or a field is wrong"},
    503: {"model": Problem, "description": "too much is waiting; see Retry-After"},
}


@dataclass(frozen=True, slots=True)
class Office:
    """State shared by the routes."""

    scales: Scales
    atlas: Atlas
    desk: Desk
    memory: Memory[Seen]
    tracks: Memory[Track]
    limits: Limits
    weighing: asyncio.Semaphore

    async def weigh(self, act: Any, *args: Any) -> Any:
        """Run what takes a moment of computing beside the event loop, a few at a time."""
        async with self.weighing:
            return await asyncio.to_thread(act, *args)

    def remembered(self, id: str) -> Seen:
        """An observation.

        Raises:
            Refused: it is not known.
        """
        seen = self.memory.get(id)
        if seen is None:
            raise Refused(404, "this photo is not remembered here any more; send it again")
        return seen

    async def content(self, file: UploadFile) -> tuple[str, bytes]:
        """Name and bytes of a file that was sent."""
        name, size = file_name(file.filename), file.size or 0
        if size > self.limits.photo_mb * MB:
            most = f"at most {self.limits.photo_mb:.0f} MB are taken"
            raise Refused(413, f"{name}: the file has {size / MB:.0f} MB; {most}")
        return name, await file.read()

    async def seen(self, asked: Question) -> tuple[str, Seen]:
        """What was seen of the photo that a question is about; a photo that is sent is looked at first."""
        if bool(asked.observation) == (asked.photo is not None):
            raise InputError("send a photo, or the id of an observation, and not both")
        if asked.photo is None:
            return asked.observation, self.remembered(asked.observation)
        self.scales.under(asked)  # settings that are wrong are refused before the photo is read
        job = self.desk.take([await self.content(asked.photo)])
        item = job.items[0]
        await item.finished.wait()
        if item.observation is None:
            raise Refused(502 if item.broke else 422, item.error or "cancelled")
        return item.observation, self.remembered(item.observation)

    async def track(self, file: UploadFile) -> Track:
        """Read a track that was sent."""
        track: Track = await self.weigh(read_track_bytes, await file.read(), file_name(file.filename))
        return track

    async def tracks_of(self, asked: AlbumQuestion) -> list[Track]:
        """The tracks of an album: those that are remembered, and those that come with it."""
        found = [self.tracks.get(id) for id in asked.track_ids]
        known = [track for track in found if track is not None]
        if len(known) < len(found):
            raise Refused(404, "a track is not remembered here any more; send it again")
        return known + [await self.track(file) for file in asked.tracks]


def router(office: Office) -> APIRouter:
    """The routes below `/api`, and the health and readiness checks."""
    routes = APIRouter(route_class=MemoryRoute, responses=_PROBLEMS)

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

    @routes.post("/api/tracks", summary="Send tracks for an album", tags=["ask"])
    async def tracks(sent: TracksSent) -> list[TrackRead]:
        """Read where somebody was, and keep it for `/api/album`."""
        read = [await office.track(file) for file in sent.tracks]
        return [track_read(office.tracks.put(track), track) for track in read]

    @routes.delete("/api/tracks/{id}", status_code=204, summary="Forget a track", tags=["ask"])
    async def forget_track(id: str) -> None:
        """Drop a track."""
        office.tracks.forget(id)

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

    @routes.get("/api/formats", summary="Formats of answers", tags=["ask"])
    async def formats() -> list[str]:
        """What `/api/export` writes."""
        return list(KINDS)

    @routes.post("/api/export", summary="Answers for other programs", tags=["ask"], response_class=Response,
                 responses={200: {"content": {"application/octet-stream": {}}}})  # fmt: skip
    async def export(asked: ExportAsked) -> Response:
        """One file: a table, an XMP sidecar, or an archive of several sidecars."""
        seen = [office.remembered(id) for id in asked.observations]
        answers = [await office.weigh(office.scales.answer, each, asked) for each in seen]
        gazetteer = office.scales.agent.assets.gazetteer
        name, content = await office.weigh(exported, answers, asked.kind, gazetteer)
        return _file(content, name)

    @routes.post("/api/case", summary="Photos, answers and notes in one file", tags=["ask"], response_class=Response,
                 responses={200: {"content": {"application/zip": {}}}})  # fmt: skip
    async def case(asked: CaseWanted) -> Response:
        """A file that `/api/case/open` opens again; it holds reduced photos without metadata."""
        if office.scales.agent.config.capped:
            raise InputError("a case holds everything that was seen, which the cap of this server withholds")
        seen = [office.remembered(id) for id in asked.observations]
        notes = asked.notes or [""] * len(seen)
        if len(notes) != len(seen):
            raise InputError(f"{len(seen)} observations and {len(notes)} notes; send one for each, or none")
        tracks = [track for id in asked.track_ids if (track := office.tracks.get(id)) is not None]
        answers = [await office.weigh(office.scales.answer, each, asked) for each in seen]
        held = Case(tuple(zip(seen, notes, strict=True)), tuple(tracks))
        content = await office.weigh(write_case, office.scales.agent, held, answers)
        return _file(content, f"case{ENDING}")

    @routes.post("/api/case/open", summary="Open a case again", tags=["ask"])
    async def open_case(sent: CaseSent) -> CaseOpened:
        """Remember what a case holds."""
        held: Case = await office.weigh(read_case, office.scales.agent, await sent.case.read())
        if len(held.photos) > office.limits.remembered:
            raise InputError(f"the case has {len(held.photos)} photos; at most {office.limits.remembered} are kept")
        photos = [
            CasePhoto(observation=office.memory.put(seen), name=seen.observed.source, note=note)
            for seen, note in held.photos
        ]
        tracks = [track_read(office.tracks.put(track), track) for track in held.tracks]
        return CaseOpened(photos=photos, tracks=tracks)

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

    @routes.get("/api/towns", summary="Towns of a part of the map", tags=["map"])
    async def towns(
        south: float = Query(ge=-90, le=90),
        west: float = Query(ge=-720, le=720),
        north: float = Query(ge=-90, le=90),
        east: float = Query(ge=-720, le=720),
    ) -> list[Town]:
        """The most populous ones first."""
        if east < west or north < south:
            raise InputError("the box must run from south to north, and from west to east")
        found: list[Town] = await office.weigh(
            towns_within, office.scales.agent.assets.gazetteer, south, west, north, east
        )
        return found

    @routes.get("/health", summary="Does it run?", tags=["server"])
    async def health() -> Health:
        """Always answers while the server runs."""
        return health_of(office)

    @routes.get("/ready", summary="Can it look at photos?", tags=["server"], responses={503: {"model": Health}})
    async def ready() -> Response:
        """503 until a reader has loaded its models, and while none runs."""
        state = health_of(office)
        return JSONResponse(state.model_dump(), 200 if state.status == "ok" else 503)

    return routes


def _file(content: bytes, name: str) -> Response:
    """A file to be saved."""
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


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


def health_of(office: Office) -> Health:
    """Health of the server."""
    desk = office.desk
    status = "ok" if desk.ready else "broken" if desk.trouble else "starting"
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
