"""Many photos on all cores: worker processes look at photos ahead of the agent, which weighs what they saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from geoagent.agent import batch
from geoagent.agent.pool import Pool
from geoagent.agent.workers import Serve, sensible_workers
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import ConfigError, GeoAgentError
from geoagent.evidence.observation import Observation
from geoagent.filenames import written

Workers = int | Literal["auto"]


def workers_of(config: Config, workers: Workers) -> int:
    """Return how many workers there are to be.

    A language model is called from one process, since its caps and its account are those of a run.

    Args:
        config: of the agent.
        workers: a number, or "auto" for one a core (fewer where memory is short, one with a language model).

    Raises:
        ConfigError: no such number, or more than one with a language model.
    """
    if workers == "auto":
        return 1 if config.llm is not None else sensible_workers()
    if workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}")
    if workers > 1 and config.llm is not None:
        raise ConfigError("a language model is called from one process, so that its caps hold: leave out workers")
    return workers


def looking(config: Config) -> Serve:
    """What a worker does: from a path to an observation."""
    from geoagent.agent.core import GeoAgent

    agent = GeoAgent.load(config)

    def look(path: Path) -> Observation:
        with batch.told():
            return agent.observe(path)

    return look


class Ahead:
    """Looks at photos in worker processes, ahead of whoever asks for them in the same order.

    Args:
        agent: a `GeoAgent`, which weighs; the workers load their own from its configuration.
        workers: how many.
    """

    def __init__(self, agent: Any, workers: int) -> None:
        self._agent = agent
        self._pool = Pool(looking, (agent.config,), workers)
        self._stream: Iterator[tuple[Path, Any]] = iter(())

    def begin(self, paths: Iterable[Path]) -> None:
        """Say which photos will be asked for; nothing is looked at before the first is."""
        self._stream = self._pool.map(paths)

    def observe(self, path: Path) -> Observation:
        """What was seen in a photo; those before it that nobody asked for are passed over.

        Raises:
            GeoAgentError: the photo cannot be looked at.
        """
        seen = next(seen for asked, seen in self._stream if asked == path)
        if isinstance(seen, GeoAgentError):
            raise seen
        observed: Observation = seen
        return observed

    def locate(self, path: Path) -> Answer:
        """The answer for a photo; see `observe`."""
        answer: Answer = self._agent.answer(self.observe(path))
        return answer

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()


def locate_many(agent: Any, paths: Sequence[Path], workers: Workers, *, progress: bool) -> Iterator[Answer]:
    """See `GeoAgent.locate_many`."""
    count = min(workers_of(agent.config, workers), max(1, len(paths)))
    if count == 1:
        yield from _counted(batch.run(_jobs(paths, agent.locate), None), len(paths), progress)
        return
    with Ahead(agent, count) as ahead:
        ahead.begin(paths)
        yield from _counted(batch.run(_jobs(paths, ahead.locate), None), len(paths), progress)


def _jobs(paths: Sequence[Path], locate: Any) -> Iterator[batch.Job]:
    return (batch.Job(written(path), partial(locate, path)) for path in paths)


def _counted(answers: Iterator[Answer], total: int, progress: bool) -> Iterator[Answer]:
    if not progress:
        yield from answers
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(answers, "locating", total, console=Console(stderr=True))
