"""Many photos: they are looked at in batches and on all cores, ahead of the agent that weighs what was seen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from PIL import Image

from geoagent.agent.batch import Job, attempt, run
from geoagent.agent.pool import Pool
from geoagent.agent.reading import look
from geoagent.agent.timing import Clock
from geoagent.agent.workers import Serve, sensible_workers
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import ConfigError, GeoAgentError, InputError
from geoagent.evidence.observation import Observation
from geoagent.evidence.photos import Input, open_photo
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


def observe_many(agent: Any, photos: Sequence[Input]) -> list[Observation | GeoAgentError]:
    """Look at photos together: the encoder gets all their pictures at once. They are in memory together.

    Args:
        agent: a `GeoAgent`.
        photos: as for `GeoAgent.observe`.

    Returns:
        What was seen in each photo, or why it cannot be looked at.
    """
    if len(photos) < 2:
        return [attempt(agent.observe, photo) for photo in photos]
    clocks = [Clock() for _ in photos]
    opened = [attempt(_open, photo, clock) for photo, clock in zip(photos, clocks, strict=True)]
    together = Clock()
    pictures = [photo for photo in opened if isinstance(photo, Photo)]
    with together("look"):
        looked = attempt(look, pictures, agent.assets.world, agent.encoder, silent=bool(agent.lost))
    failed = isinstance(looked, GeoAgentError)  # one photo is refused or breaks it, or there is no memory for so many
    judged = iter([None] * len(pictures) if failed else looked)  # then each is judged by itself
    share = round(together.seconds["look"] / len(photos), 4)
    found: list[Observation | GeoAgentError] = []
    for photo, clock in zip(opened, clocks, strict=True):
        if isinstance(photo, Photo):
            photo = attempt(agent.observe, photo, vision=next(judged))
        if isinstance(photo, Observation):
            photo = replace(photo, seconds={"look": share, **photo.seconds, **clock.seconds})
        found.append(photo)
    return found


def _open(photo: Input, clock: Clock) -> Photo:
    with clock("open"):
        return open_photo(photo)


def looking(config: Config) -> Serve:
    """What a worker does: from paths to an observation or error each."""
    from geoagent.agent.core import GeoAgent

    return partial(observe_many, GeoAgent.load(config))


_NOT_REACHED = GeoAgentError("not looked at: looking at the photos before it came to an end")


class Ahead:
    """Looks at photos in batches, and on all cores, ahead of whoever asks for them in the same order.

    Args:
        agent: a `GeoAgent`, which weighs; worker processes load their own from its configuration.
        workers: how many processes look at photos; 1 for the agent itself.
        batch: how many photos are looked at together.
    """

    def __init__(self, agent: Any, workers: int = 1, batch: int = 1) -> None:
        self._agent, self._batch = agent, batch
        self._pool = Pool(looking, (agent.config,), workers) if workers > 1 else None
        self._stream: Iterator[tuple[Input, Any]] = iter(())

    def begin(self, photos: Iterable[Input]) -> None:
        """Say which photos will be asked for; nothing is looked at before the first is."""
        self._stream = self._here(photos) if self._pool is None else self._pool.map(photos, self._batch)

    def observe(self, photo: Input) -> Observation:
        """What was seen in a photo; those before it that nobody asked for are passed over.

        Raises:
            GeoAgentError: the photo cannot be looked at.
        """
        if self._pool is None and self._batch == 1:  # nothing is gained by looking ahead
            alone: Observation = self._agent.observe(photo)
            return alone
        seen = next((seen for asked, seen in self._stream if asked is photo), _NOT_REACHED)
        if isinstance(seen, GeoAgentError):
            raise seen
        observed: Observation = seen
        return observed

    def locate(self, photo: Input) -> Answer:
        """The answer for a photo; see `observe`."""
        answer: Answer = self._agent.answer(self.observe(photo))
        return answer

    def _here(self, photos: Iterable[Input]) -> Iterator[tuple[Input, Any]]:
        source = iter(photos)
        while block := list(islice(source, self._batch)):
            yield from zip(block, observe_many(self._agent, block), strict=True)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
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


def locate_many(
    agent: Any, photos: Sequence[Input], workers: Workers, batch: int, *, progress: bool
) -> Iterator[Answer]:
    """See `GeoAgent.locate_many`; what is wrong with the arguments is raised now, not at the first answer."""
    count = min(workers_of(agent.config, workers), max(1, len(photos)))
    if count > 1 and (other := next((p for p in photos if not isinstance(p, str | os.PathLike)), None)) is not None:
        raise InputError(f"with more than one worker photos are files, got {type(other).__name__}; leave out workers")
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
        raise ConfigError(f"batch must be a whole number from 1 on, got {batch!r}")
    return _located(agent, photos, count, batch, progress)


def _located(agent: Any, photos: Sequence[Input], count: int, batch: int, progress: bool) -> Iterator[Answer]:
    if count > 1:  # what stands for a file (os.DirEntry) need not reach another process
        photos = [Path(photo) for photo in photos if isinstance(photo, str | os.PathLike)]
    with Ahead(agent, count, batch) as ahead:
        ahead.begin(photos)
        jobs = (Job(_name(photo), partial(ahead.locate, photo)) for photo in photos)
        yield from _counted(run(jobs, None), len(photos), progress)


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
