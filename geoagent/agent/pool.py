"""A pool of workers: many requests, answered in their order.

A request whose worker dies is tried once more when no other is being answered, since the system may have ended the
worker for the memory that another photo took. If the worker dies again, that request alone has failed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Literal

from geoagent.agent.workers import LOAD_S, Make, TooSlow, Worker, WorkerDied, threads_of
from geoagent.errors import ConfigError, GeoAgentError

TIMEOUT_S = 600.0
"""Seconds that one request may take."""
_AHEAD = 4  # requests a worker that are being answered, or are answered and wait for their turn
_HOPELESS, _HOPELESS_LATER = 3, 20
"""Failed starts in a row after which none is tried again: where no worker was ever ready, and where some were."""


@dataclass(eq=False, slots=True)
class _Item:
    number: int
    request: Any
    tried: bool = False


@dataclass(eq=False, slots=True)
class _Seat:
    worker: Worker
    state: Literal["down", "starting", "idle", "busy"] = "down"
    item: _Item | None = None
    since: float = 0.0


class Pool:
    """Some workers that do the same.

    Args:
        make: what each does; see `workers.Make`.
        given: its arguments.
        workers: how many.
        timeout_s: how long one request may take.
    """

    def __init__(self, make: Make, given: tuple[Any, ...], workers: int, *, timeout_s: float = TIMEOUT_S) -> None:
        threads = threads_of(workers)
        self._seats = [_Seat(Worker(make, given, threads=threads)) for _ in range(workers)]
        self._timeout_s, self._failures, self._most = timeout_s, 0, _HOPELESS

    @property
    def pids(self) -> list[int]:
        """Process ids of the running workers."""
        return [seat.worker.pid for seat in self._seats if seat.worker.alive and seat.worker.pid is not None]

    def map(self, requests: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Answer requests.

        At most four a worker are taken from `requests` ahead of the one whose answer is yielded, so that memory is
        bounded by the number of workers.

        Args:
            requests: what can be pickled.

        Yields:
            Each request with its answer, or with a `GeoAgentError` that says why it has none; in their order.

        Raises:
            GeoAgentError: no worker can be started.
        """
        source = enumerate(requests)
        suspects: deque[_Item] = deque()
        done: dict[int, tuple[Any, Any]] = {}
        taken = given = 0
        more = True
        try:
            while True:
                while given in done:
                    yield done.pop(given)
                    given += 1
                alone = any(seat.item is not None and seat.item.tried for seat in self._seats)
                while more and not suspects and not alone and taken - given < _AHEAD * len(self._seats):
                    if (seat := self._free()) is None:
                        break
                    following = next(source, None)
                    if following is None:
                        more = False
                        break
                    taken += 1
                    self._give(seat, _Item(*following), suspects)
                if suspects and not any(seat.state == "busy" for seat in self._seats):
                    seat = self._free()
                    if seat is not None:
                        self._give(seat, suspects.popleft(), suspects)
                if not more and given == taken:
                    return
                for item, reply in self._replies(suspects):
                    done[item.number] = item.request, reply
        finally:
            for seat in self._seats:
                if seat.state == "busy":
                    self._down(seat)

    def close(self) -> None:
        """End the workers."""
        for seat in self._seats:
            self._down(seat)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _free(self) -> _Seat | None:
        """A worker that waits; those that do not run are started."""
        for seat in self._seats:
            if seat.state == "idle":
                return seat
        for seat in self._seats:
            if seat.state == "down":
                seat.worker.start()
                seat.state, seat.since = "starting", time.monotonic()
        return None

    def _give(self, seat: _Seat, item: _Item, suspects: deque[_Item]) -> None:
        try:
            seat.worker.send(item.request)
        except WorkerDied:  # while it waited: the request never reached it
            self._down(seat)
            suspects.append(item)
            return
        seat.state, seat.item, seat.since = "busy", item, time.monotonic()

    def _replies(self, suspects: deque[_Item]) -> Iterator[tuple[_Item, Any]]:
        """Wait until a worker has something to say, and listen."""
        active = [seat for seat in self._seats if seat.state in ("starting", "busy")]
        ready: list[Connection | Any] = []
        if active:
            ready = list(wait([seat.worker.pipe for seat in active if seat.worker.pipe is not None], 1.0))
        now = time.monotonic()
        for seat in active:
            limit = LOAD_S if seat.state == "starting" else self._timeout_s
            if seat.worker.pipe not in ready and now - seat.since < limit:
                continue
            item, starting = seat.item, seat.state == "starting"
            try:
                reply = seat.worker.receive(0.0 if seat.worker.pipe not in ready else limit)
            except WorkerDied as error:
                self._down(seat)
                if starting or item is None:
                    self._not_started(error)
                elif item.tried or isinstance(error, TooSlow):
                    late = f"it took longer than {self._timeout_s:.0f} s" if isinstance(error, TooSlow) else str(error)
                    yield item, GeoAgentError(f"could not be looked at: {late}")
                else:
                    item.tried = True
                    suspects.append(item)
                continue
            except GeoAgentError as error:
                if starting or item is None:
                    raise
                reply = error
            self._failures, self._most = 0, _HOPELESS_LATER
            seat.state, seat.item = ("idle" if seat.worker.alive else "down"), None
            if item is not None:
                yield item, reply

    def _down(self, seat: _Seat) -> None:
        seat.worker.kill()
        seat.state, seat.item = "down", None

    def _not_started(self, error: WorkerDied) -> None:
        self._failures += 1
        if self._failures >= self._most:
            raise ConfigError(
                "no worker process can be started; a script that uses workers needs "
                'if __name__ == "__main__": around what it does'
            ) from error
