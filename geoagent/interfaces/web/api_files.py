"""The part of the HTTP API that is about files and the map: tracks, exports, cases, towns."""

from __future__ import annotations

from urllib.parse import quote

from geoagent.errors import InputError
from geoagent.interfaces.web.cases import ENDING, Case, CaseSettings, read_case, write_case
from geoagent.interfaces.web.exports import KINDS, exported
from geoagent.interfaces.web.forms import (
    CaseAsked,
    CaseSent,
    CaseWanted,
    ExportAsked,
    MemoryRoute,
    Settings,
    TracksSent,
)
from geoagent.interfaces.web.office import PROBLEMS, Office
from geoagent.interfaces.web.schemas import CaseOpened, CasePhoto, Town, TrackRead
from geoagent.interfaces.web.towns import towns_within
from geoagent.interfaces.web.tracks import track_read
from geoagent.optional import needs

with needs("web", "fastapi", "starlette"):
    from fastapi import APIRouter, Query, Response


def file_router(office: Office) -> APIRouter:
    """The routes of tracks, exports, cases and towns."""
    routes = APIRouter(route_class=MemoryRoute, responses=PROBLEMS)

    @routes.post("/api/tracks", summary="Send tracks for an album", tags=["ask"])
    async def tracks(sent: TracksSent) -> list[TrackRead]:
        """Read where somebody was, and keep it for `/api/album`."""
        read = [await office.track(file) for file in sent.tracks]
        return [track_read(office.tracks.put(track), track) for track in read]

    @routes.delete("/api/tracks/{id}", status_code=204, summary="Forget a track", tags=["ask"])
    async def forget_track(id: str) -> None:
        """Drop a track."""
        office.tracks.forget(id)

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
        if asked.answered and len(asked.answered) != len(seen):
            raise InputError(f"{len(seen)} observations and {len(asked.answered)} answered; send one for each, or none")
        told = [office.remembered(id) for id in asked.answered] or seen
        answers = [await office.weigh(office.scales.answer, each, asked.asked_of(i)) for i, each in enumerate(told)]
        held = Case(tuple(zip(seen, notes, strict=True)), tuple(tracks), settings_of(asked))
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
        return CaseOpened(photos=photos, tracks=tracks, asked=held.asked)

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

    return routes


def settings_of(asked: CaseAsked) -> CaseSettings:
    """What a case keeps of how it was asked."""
    settings = Settings(**{name: getattr(asked, name) for name in Settings.model_fields})
    return CaseSettings(settings=settings, chosen=asked.chosen or 0, together=asked.together, clocks=asked.clocks)


def _file(content: bytes, name: str) -> Response:
    """A file to be saved."""
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type="application/octet-stream", headers=headers)
