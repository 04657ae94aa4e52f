"""A pool of workers: many requests, answered in their order.

A worker is given requests in batches. A batch that fails as a whole is given again, request by request. Those of a
batch whose worker dies or takes too long are tried once more, each alone and when no other is being answered: the
system may have ended the worker for the memory that another photo took. If it dies again, that request alone failed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Literal

from geoagent.agent.workers import LOAD_S, Make, TooSlow, Worker, WorkerDied, threads_of
from geoagent.errors import ConfigError, GeoAgentError

TIMEOUT_S = 600.0
"""Seconds that one request may take."""
_EACH_MORE = 0.1  # of the time for one request, for each further one of a batch
_AHEAD = 4  # batches a worker that are being answered, or are answered and wait for their turn
_HOPELESS, _HOPELESS_LATER = 3, 20
"""Failed starts in a row after which none is tried again: where no worker was ever ready, and where some were."""


@dataclass(eq=False, slots=True)
class _Batch:
    """Requests that a worker gets together; the first is the `number`-th of all."""

    number: int
    requests: list[Any]
    tried: bool = False

    def apart(self, *, tried: bool) -> list[_Batch]:
        """Each of the requests alone."""
        return [_Batch(self.number + i, [request], tried) for i, request in enumerate(self.requests)]


@dataclass(eq=False, slots=True)
class _Seat:
    worker: Worker
    state: Literal["down", "starting", "idle", "busy"] = "down"
    batch: _Batch | None = None
    since: float = 0.0


class Pool:
    """Some workers that do the same.

    Args:
        make: what each does, from a list of requests to a list with as many replies, in which a `GeoAgentError` is the
            reply to a request that failed; see `workers.Make`.
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

    def map(self, requests: Iterable[Any], batch: int = 1) -> Iterator[tuple[Any, Any]]:
        """Answer requests.

        At most four batches a worker are taken from `requests` ahead of the one whose answer is yielded, so that memory
        is bounded by the number of workers.

        Args:
            requests: what can be pickled.
            batch: how many a worker gets at once.

        Yields:
            Each request with its answer, or with a `GeoAgentError` that says why it has none; in their order.

        Raises:
            GeoAgentError: no worker can be started.
        """
        source = iter(requests)
        suspects: deque[_Batch] = deque()
        again: deque[_Batch] = deque()
        done: dict[int, tuple[Any, Any]] = {}
        taken = given = 0
        more = True
        try:
            while True:
                while given in done:
                    yield done.pop(given)
                    given += 1
                alone = any(seat.batch is not None and seat.batch.tried for seat in self._seats)
                while not suspects and not alone:
                    ahead = taken - given >= _AHEAD * len(self._seats) * batch
                    if (not again and (ahead or not more)) or (seat := self._free()) is None:
                        break
                    if again:
                        self._give(seat, again.popleft(), suspects)
                        continue
                    following = list(islice(source, batch))
                    if not following:
                        more = False
                        break
                    self._give(seat, _Batch(taken, following), suspects)
                    taken += len(following)
                if suspects and not any(seat.state == "busy" for seat in self._seats):
                    seat = self._free()
                    if seat is not None:
                        self._give(seat, suspects.popleft(), suspects)
                if not more and given == taken:
                    return
                for which, replies in self._replies(suspects, again):
                    for number, pair in enumerate(zip(which.requests, replies, strict=True), start=which.number):
                        done[number] = pair
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

    def _give(self, seat: _Seat, batch: _Batch, suspects: deque[_Batch]) -> None:
        try:
            seat.worker.send(batch.requests)
        except WorkerDied:  # while it waited: the requests never reached it
            self._down(seat)
            suspects.append(batch)
            return
        seat.state, seat.batch, seat.since = "busy", batch, time.monotonic()

    def _replies(self, suspects: deque[_Batch], again: deque[_Batch]) -> Iterator[tuple[_Batch, list[Any]]]:
        """Wait until a worker has something to say, and listen."""
        active = [seat for seat in self._seats if seat.state in ("starting", "busy")]
        ready: list[Connection | Any] = []
        if active:
            ready = list(wait([seat.worker.pipe for seat in active if seat.worker.pipe is not None], 1.0))
        now = time.monotonic()
        for seat in active:
            batch, starting = seat.batch, seat.state == "starting"
            limit = LOAD_S if batch is None else self._timeout_s * (1.0 + _EACH_MORE * (len(batch.requests) - 1))
            if seat.worker.pipe not in ready and now - seat.since < limit:
                continue
            try:
                replies = seat.worker.receive(0.0 if seat.worker.pipe not in ready else limit)
            except WorkerDied as error:
                self._down(seat)
                if starting or batch is None:
                    self._not_started(error)
                elif len(batch.requests) == 1 and (batch.tried or isinstance(error, TooSlow)):
                    late = f"it took longer than {self._timeout_s:.0f} s" if isinstance(error, TooSlow) else str(error)
                    yield batch, [GeoAgentError(f"could not be looked at: {late}")]
                else:
                    suspects.extend(batch.apart(tried=True))
                continue
            except GeoAgentError as error:
                if starting or batch is None:
                    raise
                replies = [error] if len(batch.requests) == 1 else []
                if not replies:  # which of them it was is not known
                    again.extend(batch.apart(tried=False))
            self._failures, self._most = 0, _HOPELESS_LATER
            seat.state, seat.batch = ("idle" if seat.worker.alive else "down"), None
            if batch is not None and replies:
                yield batch, replies

    def _down(self, seat: _Seat) -> None:
        seat.worker.kill()
        seat.state, seat.batch = "down", None

    def _not_started(self, error: WorkerDied) -> None:
        self._failures += 1
        if self._failures >= self._most:
            raise ConfigError(
                "no worker process can be started; a script that uses workers needs "
                'if __name__ == "__main__": around what it does'
            ) from error
