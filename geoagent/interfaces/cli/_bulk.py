"""What `bulk` and `embed` have in common: their options, their executors, progress and summary."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from geoagent.interfaces.cli._params import WORKERS

if TYPE_CHECKING:
    from geoagent.interfaces.bulk.making import Tell
    from geoagent.interfaces.bulk.plan import Plan, State
    from geoagent.interfaces.bulk.running import Run


_NAMED = 5
"""Photos that failed and are named in the summary."""


class _Share(click.ParamType):  # type: ignore[type-arg]
    """I/N: the I-th of N parts of the work, from 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        which, _, of = str(value).partition("/")
        if not (which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of)):
            self.fail(f"{value!r} is no part of the work; expected I/N, such as 3/16", param, ctx)
        return int(which) - 1, int(of)


@dataclass(frozen=True)
class Asked:
    """How a bulk run was asked for."""

    images: str | None
    shard: int | None
    workers: int | Literal["auto"]
    address: str | None
    on_ray: bool
    gpus: float
    share: tuple[int, int]
    retry_errors: bool
    redo: bool
    as_json: bool


def bulk_options(command: Any) -> Any:
    """Add the options that `asked_of` takes."""
    options = (
        click.option("--images", metavar="FOLDER", help="Where the paths of a table start from; its own folder."),
        click.option("--shard", type=click.IntRange(1, 100_000), help="Photos a file of the output; 500."),
        click.option("--workers", type=WORKERS, default="auto", metavar="N|auto", help="Processes; auto: one a core."),
        click.option("--address", help="Run on this Ray cluster, such as ray://head:10001."),
        click.option("--ray", "on_ray", is_flag=True, help="Run on a Ray cluster started on this machine."),
        click.option("--gpus", type=click.FloatRange(0), default=0.0, help="With Ray: GPUs that the workers share."),
        click.option("--part", "share", type=_Share(), default="1/1", metavar="I/N", help="Do part I of N alone."),
        click.option("--retry-errors", is_flag=True, help="Try photos again that failed before."),
        click.option("--redo", is_flag=True, help="Make again what was made under other settings."),
        click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def asked_of(settings: dict[str, Any]) -> Asked:
    """Take the options of `bulk_options` out of the settings.

    Raises:
        UsageError: options that do not belong together.
    """
    asked = Asked(**{name: settings.pop(name) for name in Asked.__dataclass_fields__})
    if asked.gpus and not asked.on_ray and asked.address is None:
        raise click.UsageError("--gpus needs Ray: --address or --ray")
    return asked


def run_bulk(plan: Plan, url: str, asked: Asked, workers: int) -> Run:
    """Make what is missing of an output, showing progress; where somebody interrupts, say what is saved.

    Args:
        plan: what is made.
        url: INPUT.
        asked: how.
        workers: processes on this machine.
    """
    from geoagent.interfaces.bulk.running import SHARD, on_this_machine, prepare

    run = prepare(
        plan,
        url,
        images=asked.images,
        shard=asked.shard or SHARD,
        retry_errors=asked.retry_errors,
        redo=asked.redo,
        share=asked.share,
    )
    if run.wanted:
        try:
            with _progress(run) as tell:
                if asked.on_ray or asked.address is not None:
                    _on_ray(run, asked, tell)
                else:
                    with on_this_machine(plan, workers, retry_errors=asked.retry_errors, tell=tell) as executor:
                        for _ in run.make(executor):
                            pass
        except KeyboardInterrupt:
            there = f"{run.rows:,} of {run.photos:,} photos stand in whole files of {plan.out}"
            click.echo(f"\nStopped: {there}; the same command goes on from there", err=True)
            sys.exit(1)
    return run


def say(run: Run, asked: Asked, more: dict[str, Any], line: str) -> None:
    """Print the summary."""
    from geoagent.interfaces.render import shown

    counts = {"photos": run.photos, "done": run.rows, "errors": run.errors, "shards": len(run.ours)}
    if asked.as_json:
        click.echo(json.dumps(counts | more, ensure_ascii=False))
        return
    click.echo(line)
    failed = run.failures(_NAMED)
    for photo, why in failed:
        click.echo(f"Failed: {shown(photo)}: {shown(why)}", err=True)
    if run.errors > len(failed):
        click.echo(f"Failed: {run.errors - len(failed):,} more", err=True)


def _on_ray(run: Run, asked: Asked, tell: Tell) -> None:
    from geoagent.interfaces.bulk.cluster import make_on_ray

    count = None if asked.workers == "auto" else asked.workers
    address, gpus, again = asked.address, asked.gpus, asked.retry_errors

    def executor(numbers: Sequence[int]) -> Iterator[State]:
        return make_on_ray(run.plan, numbers, address=address, workers=count, gpus=gpus, retry_errors=again)

    for state in run.make(executor):
        tell(state.rows, state.errors)


@contextmanager
def _progress(run: Run) -> Iterator[Tell]:
    """Photos a second, errors and time left on stderr: a bar on a terminal, else a line a minute."""
    total, failed, begin = sum(run.manifest.count(n) for n in run.wanted), 0, time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[says]}"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=total, says="")

            def tell(count: int, errors: int) -> None:
                nonlocal failed
                failed += errors
                rate = bar.tasks[0].completed / max(time.monotonic() - begin, 1e-9)
                bar.update(task, advance=count, says=f"{rate:.2f}/s, {failed} errors")

            yield tell
        return
    done, last = 0, begin

    def line(count: int, errors: int) -> None:
        nonlocal done, failed, last
        done, failed, now = done + count, failed + errors, time.monotonic()
        if now - last >= 60:
            rate, last = done / (now - begin), now
            left = (total - done) / rate / 60
            says = f"{done:,} of {total:,} photos, {rate:.2f} a second, {failed} errors, {left:.0f} min left"
            click.echo(says, err=True)

    yield line


def folder_of(target: Path) -> str:
    """Where the shards of a table are kept while it is made."""
    return str(target.with_name(f"{target.name}.parts"))
