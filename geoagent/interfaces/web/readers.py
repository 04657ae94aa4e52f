"""Worker processes of the page: the workers of `agent.workers`, awaited, that return what the page shows of a photo.

A worker that exits is restarted and its photo retried once, because the system may have killed it for memory used by
another photo.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from geoagent.agent.workers import LOAD_S, Serve, TooSlow, Worker
from geoagent.agent.workers import WorkerDied as ReaderDied
from geoagent.answer import AlbumReport
from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.evidence.observation import Observation
from geoagent.types import Capture, Photo

__all__ = ["PREVIEW_SIDE_PX", "Reader", "ReaderDied", "Seen", "TooSlow", "preview_of"]

PREVIEW_SIDE_PX = 1600


@dataclass(frozen=True, slots=True)
class Seen:
    """Result of a worker for one photo.

    Attributes:
        observed: what the agent observed.
        preview: the upright photo as a JPEG of at most `PREVIEW_SIDE_PX`, without any metadata.
        digest: SHA-256 of the file, in hexadecimal.
        seconds: processing time.
        capture: when and with what it was taken.
        album: the photo as a part of its album, once it was weighed in one.
    """

    observed: Observation
    preview: bytes
    digest: str
    seconds: float
    capture: Capture = field(default_factory=Capture)
    album: AlbumReport | None = None


class Reader:
    """One worker process with its own agent.

    Args:
        config: configuration of the agent.
        most_bytes: memory above which the process ends after a photo.
    """

    def __init__(self, config: Config, most_bytes: float) -> None:
        self._worker = Worker(_seeing, (config,), most_bytes=most_bytes)
        # Waiting for a process blocks a thread, and asyncio's default executor has few.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="geoagent-reader")

    @property
    def pid(self) -> int | None:
        """Process id; None before `start`."""
        return self._worker.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._worker.alive

    async def start(self) -> None:
        """Start the process and wait until its agent is loaded.

        Raises:
            ReaderDied: it ended instead.
            GeoAgentError: the agent cannot be loaded there; the message says why.
        """
        await self._beside(self._worker.start)
        await self._beside(self._worker.receive, LOAD_S)

    async def look(self, name: str, content: bytes, timeout_s: float) -> Seen:
        """Analyse one photo in the process.

        Raises:
            GeoAgentError: the photo cannot be read; the message says why.
            ReaderDied: the process ended, or did not answer in time and was ended (`TooSlow`).
        """
        await self._beside(self._worker.send, (name, content))
        seen: Seen = await self._beside(self._worker.receive, timeout_s)
        return seen

    async def kill(self) -> None:
        """Kill the process immediately."""
        await self._beside(self._worker.kill)

    async def close(self) -> None:
        """Stop the process permanently."""
        await self.kill()
        self._threads.shutdown(wait=False)

    async def _beside(self, act: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *args)


def _seeing(config: Config) -> Serve:
    """What a worker of the page does: from a name and the bytes of a photo to what was seen."""
    from geoagent.agent.core import GeoAgent

    agent = GeoAgent.load(config)
    _warm(agent)

    def see(request: tuple[str, bytes]) -> Seen:
        name, content = request
        try:
            return _seen(agent, name, content)
        except GeoAgentError as error:
            raise type(error)(_named(str(error), name)) from error

    return see


def _warm(agent: Any) -> None:
    """Load what is otherwise loaded at first use, so that the first request is not slower than the next."""
    from PIL import Image, ImageDraw, ImageFont

    sign = Image.new("RGB", (480, 160), "black")
    ImageDraw.Draw(sign).text((30, 40), "Hauptstr. 12", fill="white", font=ImageFont.load_default(60))
    agent.observe(Photo(np.asarray(sign)))
    agent.observe_text(["Hauptstraße 12"])


def _seen(agent: Any, name: str, content: bytes) -> Seen:
    from geoagent.evidence.capture import capture_of_bytes
    from geoagent.evidence.photos import open_photo

    begin = time.perf_counter()
    photo = replace(open_photo(content), source=name)
    observed = agent.observe(photo)
    digest = hashlib.sha256(content).hexdigest()
    capture = capture_of_bytes(content, name)
    return Seen(observed, preview_of(photo), digest, time.perf_counter() - begin, capture)


def _named(message: str, name: str) -> str:
    """Return the message with "bytes" replaced by the name of the uploaded file."""
    return f"{name}: {message.removeprefix('bytes: ')}"


def preview_of(photo: Photo) -> bytes:
    """Return a JPEG for the page, made from pixels only (no metadata)."""
    from PIL import Image

    image = Image.fromarray(photo.pixels)
    image.thumbnail((PREVIEW_SIDE_PX, PREVIEW_SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=84, optimize=True)
    return buffer.getvalue()
