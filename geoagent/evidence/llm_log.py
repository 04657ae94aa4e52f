"""What the language model was asked for one answer, and what came of it.

The parts that ask (constraint sources, the narrative, the second look) know nothing of the answer that they work for;
they write into the log that is open where they run. Context variables keep the logs of several threads apart.
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
    """One step of a second look: a tool, what it was given, what it said, and what that changed."""

    tool: str
    arguments: dict[str, Any]
    result: str
    change: str


@dataclass(slots=True)
class LlmLog:
    """Everything about the model that one answer reports.

    Attributes:
        replies: prompt name and reply of every call.
        notes: what the model said that cannot be used, in words.
        observations: what it saw, in its own words.
        languages: languages that it named.
        dropped: candidates that were dropped for citing nothing, or text that is not there.
        redacted: stretches of text that were masked before sending.
        withheld: lines that were not sent, since they try to instruct a program.
        steps: of a second look.
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
        """Tokens of all calls that were sent."""
        return sum((reply.usage for _, reply in self.replies if not reply.cached), Usage())

    def copy(self) -> LlmLog:
        """Another log with the same entries, so that one observation may be answered more than once."""
        return LlmLog(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})


_OPEN: ContextVar[LlmLog | None] = ContextVar("log", default=None)


@contextmanager
def recording(log: LlmLog) -> Iterator[LlmLog]:
    """Open a log for all that runs inside."""
    token = _OPEN.set(log)
    try:
        yield log
    finally:
        _OPEN.reset(token)


def current() -> LlmLog:
    """The log that is open here; one that nobody reads where none is."""
    return _OPEN.get() or LlmLog()
