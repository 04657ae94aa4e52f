"""What was seen or sent, kept in memory for a limited time, under unguessable ids."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Memory(Generic[Thing]):
    """A bounded LRU store whose entries expire.

    Args:
        most: how many are kept.
        seconds: after this long without use one is forgotten.
        clock: seconds that only grow.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._kept: OrderedDict[str, tuple[float, Thing]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, thing: Thing) -> str:
        """Store something and return its id."""
        self.tidy()
        id = secrets.token_urlsafe(18)
        self._kept[id] = (self._clock(), thing)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return id

    def get(self, id: str) -> Thing | None:
        """Return what is stored under an id, or None if it is unknown or expired."""
        self.tidy()
        if id not in self._kept:
            return None
        thing = self._kept[id][1]
        self._kept[id] = (self._clock(), thing)
        self._kept.move_to_end(id)
        return thing

    def forget(self, id: str) -> bool:
        """Drop something; return whether it existed."""
        return self._kept.pop(id, None) is not None

    def tidy(self) -> None:
        """Drop expired entries."""
        limit = self._clock() - self._seconds
        while self._kept and next(iter(self._kept.values()))[0] < limit:
            self._kept.popitem(last=False)
