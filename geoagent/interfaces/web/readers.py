"""Worker processes that observe photos, so that neither a slow photo nor a crash stops the server.

A worker that exits is restarted and its photo retried once, because the system may have killed it for memory used by
another photo.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from geoagent.answer import AlbumReport
from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.evidence.observation import Observation
from geoagent.types import Capture, Photo

PREVIEW_SIDE_PX = 1600
_LOAD_S = 180.0


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


class ReaderDied(Exception):
    """The worker process exited before it answered."""


class TooSlow(ReaderDied):
    """The worker process was killed because of a timeout."""


class Reader:
    """One worker process with its own agent.

    Args:
        config: configuration of the agent.
        most_bytes: memory above which the process ends after a photo.
    """

    def __init__(self, config: Config, most_bytes: float) -> None:
        self._config, self._most_bytes = config, most_bytes
        # Waiting for a process blocks a thread, and asyncio's default executor has few.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="geoagent-reader")
        self._process: Any = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Process id; None before `start`."""
        return None if self._process is None else int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and bool(self._process.is_alive())

    async def start(self) -> None:
        """Start the process and wait until its agent is loaded.

        Raises:
            ReaderDied: it ended instead.
            GeoAgentError: the agent cannot be loaded there; the message says why.
        """
        # Spawned, not forked: the server has threads, whose locks a forked child would inherit as they are.
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        given = (there, self._config, self._most_bytes)
        self._process = context.Process(target=_work, args=given, name="geoagent-reader", daemon=True)
        await self._beside(self._process.start)
        there.close()
        self._pipe = here
        await self._reply(_LOAD_S)

    async def look(self, name: str, content: bytes, timeout_s: float) -> Seen:
        """Analyse one photo in the process.

        Raises:
            GeoAgentError: the photo cannot be read; the message says why.
            ReaderDied: the process ended, or did not answer in time and was ended (`TooSlow`).
        """
        assert self._pipe is not None
        try:
            await self._beside(self._pipe.send, (name, content))
        except OSError as error:
            raise ReaderDied("it ended before the photo reached it") from error
        seen: Seen = await self._reply(timeout_s)
        return seen

    async def _reply(self, timeout_s: float) -> Any:
        assert self._pipe is not None
        try:
            found, reply = await self._beside(_receive, self._pipe, timeout_s)
        except (EOFError, OSError) as error:
            raise ReaderDied("the process that was looking at it ended") from error
        if not found:
            await self.kill()
            raise TooSlow(f"it took longer than {timeout_s:.0f} s")
        if isinstance(reply, GeoAgentError):
            raise reply
        return reply

    async def kill(self) -> None:
        """Kill the process immediately."""
        if self._process is not None and self._process.pid is not None:
            self._process.kill()
            await self._beside(self._process.join, 5)
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    async def close(self) -> None:
        """Stop the process permanently."""
        await self.kill()
        self._threads.shutdown(wait=False)

    async def _beside(self, act: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *args)


def _receive(pipe: Connection, timeout_s: float) -> tuple[bool, Any]:
    """Poll in short steps, so that closing the pipe ends the wait."""
    end = time.monotonic() + timeout_s
    while not pipe.poll(0.25):
        if time.monotonic() > end:
            return False, None
    return True, pipe.recv()


def _work(pipe: Connection, config: Config, most_bytes: float) -> None:
    """Main loop of the process: load, report ready, then handle photos until the pipe closes."""
    from geoagent.agent.core import GeoAgent

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server stops its worker processes itself
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            agent = GeoAgent.load(config)
            _warm(agent)
        except GeoAgentError as error:
            pipe.send(error)
            return
        pipe.send("ready")
        for name, content in _photos(pipe):
            try:
                pipe.send(_seen(agent, name, content))
            except GeoAgentError as error:
                pipe.send(type(error)(_named(str(error), name)))
            if _resident_bytes() > most_bytes:
                return


def _warm(agent: Any) -> None:
    """Load what is otherwise loaded at first use, so that the first request is not slower than the next."""
    from PIL import Image, ImageDraw, ImageFont

    sign = Image.new("RGB", (480, 160), "black")
    ImageDraw.Draw(sign).text((30, 40), "Hauptstr. 12", fill="white", font=ImageFont.load_default(60))
    agent.observe(Photo(np.asarray(sign)))
    agent.observe_text(["Hauptstraße 12"])


def _photos(pipe: Connection) -> Iterator[tuple[str, bytes]]:
    while True:
        yield pipe.recv()


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


def _resident_bytes() -> int:
    """Return this process's memory use; 0 where the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return 0
    import resource

    return pages * resource.getpagesize()
