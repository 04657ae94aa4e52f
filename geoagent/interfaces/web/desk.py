"""The queue: photos wait for a worker process, jobs take turns, so that a long job does not delay a short one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from geoagent.config import Config
from geoagent.errors import GeoAgentError
from geoagent.interfaces.web.limits import MB, Limits
from geoagent.interfaces.web.memory import Memory
from geoagent.interfaces.web.readers import Reader, ReaderDied, Seen, TooSlow
from geoagent.interfaces.web.watch import Outcome, Watch

State = Literal["waiting", "reading", "done", "failed", "cancelled"]
_FIRST_GUESS_S = 4.0
_HOPELESS = 3
_OUTCOMES: dict[State, Outcome] = {"done": "answered", "failed": "failed", "cancelled": "cancelled"}
log = logging.getLogger("geoagent.interfaces.web")


class Busy(GeoAgentError):
    """More photos than may wait; asking again later may help."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(eq=False, slots=True)
class Item:
    """One photo in the queue.

    Attributes:
        name: the file's name, as sent.
        content: its bytes, until it is done.
        state: where it is.
        observation: id under which `Memory` keeps what was seen, once done.
        error: why it failed.
        broke: whether it failed by the server's fault and not by the file's.
        arrived: when it came, by the monotonic clock.
        begun: when reading began, likewise.
        finished: set once nothing more will happen to it.
    """

    name: str
    content: bytes = b""
    state: State = "waiting"
    observation: str | None = None
    error: str | None = None
    broke: bool = False
    arrived: float = field(default_factory=time.monotonic)
    begun: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, state: State, *, error: str | None = None, broke: bool = False) -> None:
        """Close it and let its bytes go."""
        self.state, self.error, self.broke, self.content = state, error, broke, b""
        self.finished.set()


@dataclass(eq=False, slots=True)
class Job:
    """Photos that were sent together."""

    id: str
    items: list[Item]
    touched: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return all(item.finished.is_set() for item in self.items)


class Desk:
    """Takes photos, hands them to readers, and keeps the results in a `Memory`."""

    def __init__(self, config: Config, limits: Limits, memory: Memory[Seen], watch: Watch | None = None) -> None:
        self._limits, self._memory, self._watch = limits, memory, watch or Watch()
        self._queue: deque[deque[Item]] = deque()
        self._arrived = asyncio.Event()
        self._readers = [Reader(config, limits.reader_mb * MB) for _ in range(limits.workers)]
        self._ready, self._starts = [False] * limits.workers, [0] * limits.workers
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._typical_s = _FIRST_GUESS_S
        self.trouble = ""

    @property
    def ready(self) -> bool:
        """Whether a reader waits for photos or works."""
        return any(self._ready)

    @property
    def waiting(self) -> int:
        """How many photos wait."""
        return sum(map(len, self._queue))

    @property
    def typical_s(self) -> float:
        """Typical seconds a photo took recently."""
        return self._typical_s

    @property
    def pids(self) -> list[int]:
        """Process ids of the running workers."""
        return [reader.pid for reader in self._readers if reader.alive and reader.pid is not None]

    def start(self) -> None:
        """Start the readers; call it inside the event loop."""
        self._tasks = [asyncio.create_task(self._serve(i)) for i in range(len(self._readers))]

    async def stop(self) -> None:
        """End the readers, and with them whatever waits."""
        for task in self._tasks:
            task.cancel()
        for reader in self._readers:
            await reader.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, photos: Sequence[tuple[str, bytes]]) -> Job:
        """Put photos into the queue as one job.

        Raises:
            Busy: there is no room for so many.
        """
        self._tidy()
        size = sum(len(content) for _, content in photos)
        held = sum(len(item.content) for line in self._queue for item in line)
        if self.waiting + len(photos) > self._limits.waiting or held + size > self._limits.waiting_mb * MB:
            wait = max(1, round(self.waiting * self._typical_s / self._limits.workers / 2))
            self._watch.photo("busy", len(photos))
            raise Busy(f"{self.waiting} photos are waiting already; try again in {wait} s", wait)
        job = Job(secrets.token_urlsafe(18), [Item(name, content) for name, content in photos])
        self._jobs[job.id] = job
        self._queue.append(deque(job.items))
        self._arrived.set()
        return job

    def job(self, id: str) -> Job | None:
        """Return a job that was taken, or None where it is unknown or forgotten."""
        job = self._jobs.get(id)
        if job is not None:
            job.touched = time.monotonic()
            self._jobs.move_to_end(id)
        return job

    def cancel(self, job: Job) -> None:
        """Cancel the waiting photos of a job and forget its results."""
        for item in job.items:
            if item.state in ("waiting", "reading"):
                self._end(item, "cancelled", error="cancelled")
            if item.observation is not None:
                self._memory.forget(item.observation)
        self._queue = deque(line for line in self._queue if not line[0].finished.is_set())
        self._jobs.pop(job.id, None)

    def before(self, item: Item) -> int:
        """How many photos will be taken before this one."""
        return next((i for i, other in enumerate(self._order()) if other is item), 0)

    def _order(self) -> Iterator[Item]:
        lines = [list(line) for line in self._queue]
        for turn in range(max(map(len, lines), default=0)):
            yield from (line[turn] for line in lines if turn < len(line))

    async def _next(self) -> Item:
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        line = self._queue.popleft()
        item = line.popleft()
        if line:
            self._queue.append(line)
        return item

    async def _serve(self, number: int) -> None:
        """What one reader's keeper does for ever: keep it alive and give it photos."""
        reader, pause, failures = self._readers[number], 0.5, 0
        while True:
            try:
                await self._start(number)
            except (GeoAgentError, ReaderDied) as error:
                self.trouble = str(error)
                log.warning("a reader did not start: %s", error)
                await reader.kill()
                failures += 1
                if failures >= _HOPELESS and not self.ready:
                    self._give_up()
                await asyncio.sleep(pause)
                pause = min(30.0, 2 * pause)
                continue
            self._ready[number], self.trouble, pause, failures = True, "", 0.5, 0
            while reader.alive:
                item = await self._next()
                if not item.finished.is_set():
                    await self._handle(number, item)
            self._ready[number] = False

    def _give_up(self) -> None:
        """Tell those who wait that no reader can be started."""
        for line in self._queue:
            for item in line:
                self._end(item, "failed", error=f"{item.name}: nothing can be looked at: {self.trouble}", broke=True)
        self._queue.clear()

    async def _start(self, number: int) -> None:
        await self._readers[number].start()
        self._starts[number] += 1
        if self._starts[number] > 1:
            self._watch.restarted()

    def _end(self, item: Item, state: State, *, error: str | None = None, broke: bool = False) -> None:
        """Close an item, and count it."""
        item.end(state, error=error, broke=broke)
        self._watch.photo("broken" if broke else _OUTCOMES[state])

    async def _handle(self, number: int, item: Item) -> None:
        reader = self._readers[number]
        self._watch.stage("wait", time.monotonic() - item.arrived)
        for last in (False, True):
            content, item.state, item.begun = item.content, "reading", time.monotonic()
            try:
                if not reader.alive:
                    await self._start(number)
                seen = await reader.look(item.name, content, self._limits.read_s)
            except ReaderDied as error:
                log.warning("a reader died: %s", error)
                await reader.kill()
                if (last or isinstance(error, TooSlow)) and not item.finished.is_set():
                    self._end(item, "failed", error=f"{item.name}: could not be looked at: {error}", broke=True)
            except GeoAgentError as error:
                if not item.finished.is_set():
                    self._end(item, "failed", error=str(error))
                return
            else:
                self._typical_s += 0.3 * (seen.seconds - self._typical_s)
                for stage, seconds in seen.observed.seconds.items():
                    self._watch.stage(stage, seconds)
                if not item.finished.is_set():
                    item.observation = self._memory.put(seen)
                    self._end(item, "done")
                return
            if item.finished.is_set():
                return

    def _tidy(self) -> None:
        """Forget finished jobs that were not requested recently."""
        limit = time.monotonic() - self._limits.remembered_s
        for id, job in list(self._jobs.items()):
            if job.over and (job.touched < limit or len(self._jobs) > 4 * self._limits.remembered):
                with contextlib.suppress(KeyError):
                    del self._jobs[id]
