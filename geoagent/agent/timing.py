"""Timing the parts of one answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Clock:
    """Adds up the seconds of each part of one answer."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Time one part."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = round(time.perf_counter() - begin, 4)
