"""What the routes share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from geoagent.errors import InputError
from geoagent.evidence.tracks import Track, read_track_bytes
from geoagent.interfaces.web.atlas import Atlas
from geoagent.interfaces.web.desk import Desk
from geoagent.interfaces.web.forms import AlbumQuestion, Question, file_name
from geoagent.interfaces.web.guard import Refused
from geoagent.interfaces.web.limits import MB, Limits
from geoagent.interfaces.web.memory import Memory
from geoagent.interfaces.web.readers import Seen
from geoagent.interfaces.web.schemas import Problem
from geoagent.interfaces.web.watch import Watch
from geoagent.interfaces.web.weigh import Scales
from geoagent.optional import needs

with needs("web", "fastapi"):
    from fastapi import UploadFile

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "a setting, hint or claim that cannot be used"},
    404: {"model": Problem, "description": "no such observation, or it has been forgotten"},
    413: {"model": Problem, "description": "too large"},
    422: {"model": Problem, "description": "the file is no readable photo, or a field is wrong"},
    503: {"model": Problem, "description": "too much is waiting; see Retry-After"},
}
"""Refusals, for the description of the API."""


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
    watch: Watch

    async def weigh(self, act: Any, *args: Any) -> Any:
        """Run what takes a moment of computing beside the event loop, a few at a time."""
        async with self.weighing:
            begin = time.perf_counter()
            try:
                return await asyncio.to_thread(act, *args)
            finally:
                self.watch.stage("weigh", time.perf_counter() - begin)

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
