"""Many photos on all cores: worker processes look at photos ahead of the agent, which weighs what they saw."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from PIL import Image

from geoagent.agent import batch
from geoagent.agent.pool import Pool
from geoagent.agent.workers import Serve, sensible_workers
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import ConfigError, GeoAgentError, InputError
from geoagent.evidence.observation import Observation
from geoagent.evidence.photos import Input
from geoagent.filenames import written
from geoagent.types import Photo

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
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise ConfigError(f'workers must be a whole number from 1 on, or "auto", got {workers!r}')
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


def several(photos: Iterable[Input]) -> list[Input]:
    """Return photos as a list.

    Raises:
        InputError: one photo, of which a list would be its letters, bytes or rows.
    """
    one = (str, os.PathLike, bytes, bytearray, memoryview, np.ndarray, Image.Image, Photo)
    if isinstance(photos, one) or hasattr(photos, "read"):
        raise InputError(f"expected several photos, got one {type(photos).__name__}: give a list, as [photo]")
    try:
        return list(photos)
    except TypeError as error:
        raise InputError(f"expected several photos, got {type(photos).__name__}: give a list of them") from error


def locate_many(agent: Any, photos: Sequence[Input], workers: Workers, *, progress: bool) -> Iterator[Answer]:
    """See `GeoAgent.locate_many`; what is wrong with the arguments is raised now, not at the first answer."""
    count = min(workers_of(agent.config, workers), max(1, len(photos)))
    if count > 1 and (other := next((p for p in photos if not isinstance(p, str | os.PathLike)), None)) is not None:
        raise InputError(f"with more than one worker photos are files, got {type(other).__name__}; leave out workers")
    return _located(agent, photos, count, progress)


def _located(agent: Any, photos: Sequence[Input], count: int, progress: bool) -> Iterator[Answer]:
    if count == 1:
        yield from _counted(batch.run(_jobs(photos, agent.locate), None), len(photos), progress)
        return
    paths = [Path(photo) for photo in photos if isinstance(photo, str | os.PathLike)]
    with Ahead(agent, count) as ahead:
        ahead.begin(paths)
        yield from _counted(batch.run(_jobs(paths, ahead.locate), None), len(paths), progress)


def _jobs(photos: Sequence[Input], locate: Any) -> Iterator[batch.Job]:
    return (batch.Job(_name(photo), partial(locate, photo)) for photo in photos)


def _name(photo: Input) -> str:
    """What a photo is called in its answer where it cannot be opened."""
    if isinstance(photo, str | os.PathLike):
        return written(photo)
    return photo.source if isinstance(photo, Photo) else type(photo).__name__


def _counted(answers: Iterator[Answer], total: int, progress: bool) -> Iterator[Answer]:
    if not progress:
        yield from answers
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(answers, "locating", total, console=Console(stderr=True))
