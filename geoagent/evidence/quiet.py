"""Silence for the warnings of third parties, in any number of threads."""

from __future__ import annotations

import threading
import warnings
from types import TracebackType


class _Quiet:
    """Silence warnings of third parties, from any number of threads at once.

    `warnings.catch_warnings` puts back what it found; two threads that overlap would put back each other's silence.
    """

    def __init__(self) -> None:
        self._lock, self._depth = threading.Lock(), 0
        self._context = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                self._context = warnings.catch_warnings()
                self._context.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._context.__exit__(None, None, None)


quiet = _Quiet()
