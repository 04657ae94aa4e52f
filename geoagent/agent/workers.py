"""Worker processes: what looks at photos runs in processes of its own, so that a crash costs one photo.

A worker is told by a function of a module what to do (`Make`). It answers one request after another over a pipe, and
ends when the pipe is closed: no worker outlives the process that started it by more than one request.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from geoagent.errors import GeoAgentError

Serve = Callable[[Any], Any]
"""Answers one request; both can be pickled."""
Make = Callable[..., Serve]
"""Called once in a worker: loads what is needed and returns what answers requests. A function of a module."""

LOAD_S = 180.0
"""Seconds within which a worker must be ready."""
GROWTH_BYTES = 2e9
"""What a worker may grow by after its first answer, where no other bound is given; then it is replaced."""
THREADS = "OMP_NUM_THREADS"
_WORKER_BYTES = 1.5e9
_READY = "ready"
_environment = threading.Lock()


class WorkerDied(Exception):
    """The worker process ended before it answered."""


class TooSlow(WorkerDied):
    """The worker process was killed because of a timeout."""


class Worker:
    """One worker process.

    Args:
        make: called in the process; see `Make`.
        given: its arguments.
        most_bytes: memory above which the process ends after an answer; None bounds its growth (`GROWTH_BYTES`).
        threads: threads that numeric libraries start there; None leaves it to them.
    """

    def __init__(
        self, make: Make, given: tuple[Any, ...] = (), *, most_bytes: float | None = None, threads: int | None = None
    ) -> None:
        self._make, self._given, self._most_bytes, self._threads = make, given, most_bytes, threads
        self._process: Any = None
        self.pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Process id; None before `start`."""
        return None if self._process is None else int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether the process runs and takes requests."""
        return self.pipe is not None and self._process is not None and bool(self._process.is_alive())

    def start(self) -> None:
        """Start the process; the first thing to `receive` is that it is ready."""
        # Spawned, not forked: the parent may have threads, whose locks a forked child would inherit as they are.
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        given = (there, self._make, self._given, self._most_bytes)
        self._process = context.Process(target=_work, args=given, name="geoagent-reader", daemon=True)
        with _uninterrupted(), _few_threads(self._threads):
            self._process.start()
        there.close()
        self.pipe = here

    def send(self, request: Any) -> None:
        """Give it a request.

        Raises:
            WorkerDied: it ended before.
        """
        try:
            if self.pipe is None:
                raise OSError
            self.pipe.send(request)
        except OSError as error:
            raise WorkerDied("it ended before the photo reached it") from error

    def receive(self, timeout_s: float) -> Any:
        """Wait for its answer.

        Raises:
            GeoAgentError: what it was asked for failed; the message says why.
            WorkerDied: it ended, or did not answer in time and was killed (`TooSlow`).
        """
        pipe = self.pipe
        try:
            if pipe is None:
                raise EOFError
            end = time.monotonic() + timeout_s
            while not pipe.poll(0.25):  # in short steps, so that closing the pipe ends the wait
                if time.monotonic() > end:
                    self.kill()
                    raise TooSlow(f"it took longer than {timeout_s:.0f} s")
            reply, leaving = pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied("the process that was looking at it ended") from error
        if leaving:
            self.kill()
        if isinstance(reply, GeoAgentError):
            raise reply
        return reply

    def kill(self) -> None:
        """End the process at once."""
        pipe, self.pipe = self.pipe, None
        if self._process is not None and self._process.pid is not None:
            self._process.kill()
            self._process.join(5)
        if pipe is not None:
            pipe.close()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def sensible_workers() -> int:
    """Return one worker a core, or fewer where there is not memory for so many."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return cores()
    return max(1, min(cores(), int(free / _WORKER_BYTES)))


def threads_of(workers: int) -> int | None:
    """Return how many threads each of some workers should start; None where the user has said it (`THREADS`)."""
    return None if os.environ.get(THREADS) else max(1, cores() // workers)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start a process that Ctrl+C does not reach, from its first moment: a mask of signals is inherited."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _few_threads(count: int | None) -> Iterator[None]:
    """Set the variable that numeric libraries read when they are loaded, for a process started meanwhile."""
    if count is None:
        yield
        return
    with _environment:
        before = os.environ.get(THREADS)
        os.environ[THREADS] = str(count)
        try:
            yield
        finally:
            if before is None:
                del os.environ[THREADS]
            else:
                os.environ[THREADS] = before


def _work(pipe: Connection, make: Make, given: tuple[Any, ...], most_bytes: float | None) -> None:
    """Main loop of the process: load, report ready, then answer until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            serve = make(*given)
        except GeoAgentError as error:
            pipe.send((error, True))
            return
        pipe.send((_READY, False))
        most = most_bytes
        while True:
            request = pipe.recv()
            try:
                reply = serve(request)
            except GeoAgentError as error:
                reply = error
            held = _resident_bytes()
            most = held + GROWTH_BYTES if most is None else most
            pipe.send((reply, held > most))
            if held > most:
                return


def _resident_bytes() -> int:
    """Return this process's memory use; 0 where the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return 0
    import resource

    return pages * resource.getpagesize()
