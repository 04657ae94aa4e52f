"""Log of the requests to the language model for one answer, and of their results.

The callers (constraint sources, the narrative, the second look) do not know which answer they work for; they write to
the log that is open in their context. Context variables keep the logs of different threads apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any

from geoagent.evidence.llm_messages import Reply, Usage


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a second look: a tool, its arguments, its result, and the change that followed."""

    tool: str
    arguments: dict[str, Any]
    result: str
    change: str


@dataclass(slots=True)
class LlmLog:
    """Everything that one answer reports about the language model.

    Attributes:
        replies: prompt name and reply of every call.
        notes: statements of the model that could not be used, as sentences.
        observations: what the model saw, in its own words.
        languages: languages named by the model.
        dropped: number of candidates dropped because they cite nothing, or text that does not exist.
        redacted: number of text ranges masked before sending.
        withheld: number of lines not sent because they try to instruct a program.
        steps: steps of a second look.
        would_send: payloads of a dry run.
    """

    replies: list[tuple[str, Reply]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    observations: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    dropped: int = 0
    redacted: int = 0
    withheld: int = 0
    steps: list[Step] = field(default_factory=list)
    would_send: list[dict[str, Any]] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        """Total token usage of all calls that were sent."""
        return sum((reply.usage for _, reply in self.replies if not reply.cached), Usage())

    def copy(self) -> LlmLog:
        """Return a copy with the same entries, so that one observation can be answered more than once."""
        return LlmLog(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})


_OPEN: ContextVar[LlmLog | None] = ContextVar("log", default=None)


@contextmanager
def recording(log: LlmLog) -> Iterator[LlmLog]:
    """Make `log` the current log within the context."""
    token = _OPEN.set(log)
    try:
        yield log
    finally:
        _OPEN.reset(token)


def current() -> LlmLog:
    """Return the current log, or a throw-away log if none is open."""
    return _OPEN.get() or LlmLog()
