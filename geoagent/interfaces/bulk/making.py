"""Making shards with a pool of workers; every executor calls this, on one machine or on many."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from geoagent.agent.pool import Pool
from geoagent.errors import GeoAgentError
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.interfaces.bulk.plan import Plan, Row, State

SAVED_S = 60.0
"""Seconds after which the rows of an unfinished shard are saved."""
Tell = Callable[[int, int], None]
"""Told how many photos were done now, and how many of them failed."""


class _Open:
    """A shard that is being made."""

    def __init__(self, number: int, entries: list[Entry], rows: dict[str, Row]) -> None:
        self.number, self.entries = number, entries
        self.rows = {entry.id: rows[entry.id] for entry in entries if entry.id in rows}
        self.saved = len(self.rows)

    @property
    def left(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.id not in self.rows]

    @property
    def in_order(self) -> list[Row]:
        return [self.rows[entry.id] for entry in self.entries if entry.id in self.rows]

    @property
    def whole(self) -> bool:
        return len(self.rows) == len(self.entries)


def make_shards(
    plan: Plan, numbers: Iterable[int], pool: Pool, *, retry_errors: bool = False, tell: Tell | None = None
) -> Iterator[State]:
    """Make shards one after another; the workers go on to the next while the last of one are being looked at.

    What is made of a shard is saved every minute and when it is interrupted, so that the next run goes on from there.

    Args:
        plan: what is made.
        numbers: which shards.
        pool: workers of `plan.kind.make(*plan.given)`.
        retry_errors: whether rows with errors are made again.
        tell: is told the progress.

    Yields:
        Each shard once its file is there.
    """
    manifest = plan.manifest()
    opened: dict[int, _Open] = {}
    shards: deque[int] = deque()  # of the photos that were asked for and have no row yet, in their order
    ready: deque[State] = deque()

    def whole(shard: _Open) -> None:
        ready.append(plan.save(shard.number, manifest, shard.in_order, whole=True))
        del opened[shard.number]

    def photos() -> Iterator[Entry]:
        for number in numbers:
            shard = _Open(number, manifest.shard(number), plan.kept(number, errors=not retry_errors))
            opened[number] = shard
            if tell is not None and shard.rows:
                tell(len(shard.rows), sum(row["status"] == "error" for row in shard.rows.values()))
            if shard.whole:
                whole(shard)
            for entry in shard.left:
                shards.append(number)
                yield entry

    last = time.monotonic()
    try:
        for entry, reply in pool.map(photos(), plan.batch):
            shard = opened[shards.popleft()]
            row: Row = plan.kind.failed(entry, str(reply)) if isinstance(reply, GeoAgentError) else reply
            shard.rows[entry.id] = row
            if tell is not None:
                tell(1, row["status"] == "error")
            if shard.whole:
                whole(shard)
            elif time.monotonic() - last > SAVED_S:
                _save(plan, manifest, opened)
                last = time.monotonic()
            while ready:
                yield ready.popleft()
        yield from ready
    finally:
        _save(plan, manifest, opened)


def _save(plan: Plan, manifest: Any, opened: dict[int, _Open]) -> None:
    for shard in opened.values():
        if len(shard.rows) > shard.saved:
            plan.save(shard.number, manifest, shard.in_order, whole=False)
            shard.saved = len(shard.rows)
