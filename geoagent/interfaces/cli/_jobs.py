"""Jobs of `locate` and `compare`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from geoagent.interfaces.cli._params import BATCH, READ, WORKERS, value_of

if TYPE_CHECKING:
    from geoagent.agent.batch import Job
    from geoagent.agent.core import GeoAgent
    from geoagent.answer import Answer
    from geoagent.config import Config
    from geoagent.interfaces.cli._saved import Saved

    JobsOf = Callable[[GeoAgent], list[Job]]


def row_options(command: Any) -> Any:
    """Add the options that `row_jobs` takes."""
    options = (
        click.option("--texts", type=READ, help='JSON lines {"id", "lines"} of text without a photo.'),
        click.option("--pairs", type=READ, help="CSV text_id,panorama: rows of --texts and --features."),
        click.option("--features", type=READ, help="NPZ of features (lat, lon, views) for --pairs."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def row_jobs(texts: Path | None, pairs: Path | None, features: Path | None) -> JobsOf | None:
    """Jobs from --texts, --pairs and --features; None if photos are given. Files are read immediately.

    Raises:
        UsageError: incompatible options.
    """
    if (pairs is None) != (features is None) or (pairs is not None and texts is None):
        raise click.UsageError("--pairs needs --features and --texts, and --features needs --pairs")
    if texts is None:
        return None
    return text_jobs(texts) if pairs is None or features is None else pair_jobs(texts, pairs, features)


def photo_jobs(paths: Sequence[Path], locate: Callable[[Path], Answer]) -> Iterator[Job]:
    """One job per photo."""
    from geoagent.agent.batch import Job
    from geoagent.filenames import written

    for path in paths:
        yield Job(written(path), partial(locate, path))


def looking_options(command: Any) -> Any:
    """Add `--workers`, which `worker_count` takes, and `--batch`."""
    helps = "Look at photos in N processes; auto: one a core, by memory. 1.1 GB each."
    options = (
        click.option("--workers", type=WORKERS, default="1", metavar="N|auto", help=helps),
        click.option("--batch", type=BATCH, default=1, help="Photos that the encoder gets at once; more on a GPU. 1."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def worker_count(config: Config, workers: int | Literal["auto"], photos: int) -> int:
    """How many worker processes a run of so many photos has; 1 for none beside this process.

    Raises:
        UsageError: more than one, and a language model.
    """
    from geoagent.agent.many import workers_of

    with value_of("--workers"):
        return min(workers_of(config, workers), max(1, photos))


def text_jobs(path: Path) -> JobsOf:
    """One job per row of JSON lines, read now so that a bad row is reported before anything is loaded."""
    from geoagent.agent.batch import Job, read_texts

    # JSON can hold lone surrogates, which no file of answers can.
    rows = [(key.encode("utf-8", "backslashreplace").decode(), lines) for key, lines in read_texts(path)]
    return lambda agent: [Job(key, partial(agent.locate_text, lines, id=key), id=key) for key, lines in rows]


def pair_jobs(texts: Path, pairs: Path, features: Path) -> JobsOf:
    """Texts, each paired with the features of a place: the mean of its views."""
    import numpy as np

    from geoagent.agent.batch import Job, read_pairs, read_texts
    from geoagent.worlds.training.table import read_table
    from geoagent.worlds.training.views import mean_view

    lines, table = dict(read_texts(texts)), read_table(features)
    rows = read_pairs(pairs, lines, len(table))
    means = mean_view(table.take(np.array([row for _, row in rows], dtype=np.int64)).unit_views())
    return lambda agent: [
        Job(key, partial(agent.locate_features, mean, lines[key], id=key), id=key)
        for (key, _), mean in zip(rows, means, strict=True)
    ]


def answering(jobs: Sequence[Job], saved: Saved, *, show: bool) -> Iterable[Answer]:
    """Answers as they come, with a progress bar on stderr if it is a terminal."""
    from geoagent.agent.batch import run

    answers = run(jobs, saved.out, saved.done)
    if not show or not sys.stderr.isatty():
        yield from answers
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("locating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    places = {job.key: i for i, job in enumerate(jobs, start=1)}
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("locating", total=len(jobs))
        for answer in answers:
            bar.update(task, completed=places.get(answer.id if answer.id is not None else answer.source, 0))
            yield answer
        bar.update(task, completed=len(jobs))


class Shared:
    """Warnings common to all answers of a run, so that each is printed once."""

    def __init__(self) -> None:
        self._common: dict[str, None] | None = None

    def add(self, answer: Answer) -> None:
        """Take an answer into account; errors have no warnings."""
        if answer.status != "error":
            before = answer.warnings if self._common is None else self._common
            self._common = dict.fromkeys(w for w in before if w in answer.warnings)

    @property
    def warnings(self) -> list[str]:
        """The common warnings, in order; that of pictures not judged names the command to have them judged."""
        from geoagent.belief.explanation import NOT_JUDGED
        from geoagent.interfaces.render import EYES_TEXT

        return [f"{w}; {EYES_TEXT}" if w == NOT_JUDGED else w for w in self._common or ()]


def failure(answer: Answer) -> str:
    """The line on stderr about a photo that could not be answered."""
    from geoagent.interfaces.render import shown
    from geoagent.interfaces.render.text import error_text

    return f"Error: {shown(answer.id or answer.source)}: {error_text(answer)}"


def answers_of(jobs: Sequence[Job], out: Path) -> list[Answer]:
    """The answers to these jobs in a file of answers, including those of earlier runs."""
    from geoagent.interfaces.outputs import read_answers

    keys = {job.key for job in jobs}
    with out.open("rb") as lines:
        found = [answer for _, answer in read_answers(lines) if not isinstance(answer, str)]
    return [answer for answer in found if (answer.source if answer.id is None else answer.id) in keys]
