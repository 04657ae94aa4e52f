"""Counts of a run with `--out`, and its closing line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from geoagent.agent.batch import Job
    from geoagent.agent.core import GeoAgent
    from geoagent.answer import Answer


class Saved:
    """Counts the answers of one run, and those of runs before that its file holds.

    As a context it says, where somebody interrupts, how many are saved.
    """

    def __init__(
        self,
        agent: GeoAgent,
        jobs: Sequence[Job],
        out: Path | None,
        *,
        retry_errors: bool = False,
        retry_partial: bool = False,
        redo: bool = False,
        anew: bool = False,
    ) -> None:
        """Read the file.

        Args:
            agent: what answers; rows that were made under other settings than its own are refused.
            jobs: what is to be answered.
            out: JSON lines file, or None to keep nothing.
            retry_errors: remove errors of runs before.
            retry_partial: remove what lacked a part.
            redo: remove what was made under other settings, as far as it is to be answered now.
            anew: remove all that is to be answered now.

        Raises:
            InputError: see `finished`.
        """
        from geoagent.agent.batch import Made, finished

        keys = {job.key for job in jobs}
        made = Made(agent.mark, capped=agent.config.capped)
        again = keys if redo or anew else ()
        retry = {"retry_errors": retry_errors, "retry_partial": retry_partial}
        self.out = out
        self.done = {} if out is None else finished(out, **retry, made=made, redo=again, drop=keys if anew else ())
        self.before = sum(key in keys for key in self.done)
        self.failed = sum(key in keys and status == "error" for key, status in self.done.items())
        self.new = 0
        self.wanted = len(keys)

    def count(self, answer: Answer) -> None:
        """Record a new answer."""
        self.new += 1
        self.failed += answer.status == "error"

    def says(self) -> str:
        """One-line summary of the run."""
        earlier = f" ({self.before} from a run before)" if self.before else ""
        return f"{self.out}: {self.wanted - self.failed} of {self.wanted} answered, {self.failed} failed{earlier}"

    def __enter__(self) -> Saved:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt) and self.out is not None:
            count = f"{self.before + self.new} of {self.wanted}"
            click.echo(f"\nStopped: {count} are saved in {self.out}; the same command goes on from there", err=True)
            sys.exit(1)
