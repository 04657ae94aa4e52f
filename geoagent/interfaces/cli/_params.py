"""Parameter types of the command line; a wrong value is wrong usage, exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


class _Photos(click.Path):
    """A photo or a folder, which need not exist; an empty name would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            self.fail("the name is empty; give a photo or a folder (. for this one)", param, ctx)
        return super().convert(value, param, ctx)


class _World(click.Path):
    """A world that exists, by its folder or its name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from geoagent.worlds.installed import find

        path = Path(str(super().convert(value, param, ctx)))
        found = find(path)
        if str(value) == "" or (found is not None and not found.exists()):
            self.fail(f"{str(value)!r} is no folder, and no world of that name is on this machine", param, ctx)
        return path if found is None else found


class _Probability(click.FloatRange):
    """A probability below 1; `zero` says whether it may be 0."""

    def __init__(self, *, zero: bool) -> None:
        super().__init__(min=0, max=1, min_open=not zero, max_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        p = super().convert(value, param, ctx)
        if p != p:  # NaN is in no range, and fails no comparison
            self.fail(
                f"{value} is no probability; expected a number {'above' if self.min_open else 'from'} 0 and below 1",
                param,
                ctx,
            )
        return p


class _Workers(click.ParamType):  # type: ignore[type-arg]
    """A number of processes, or "auto"."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "auto" or (isinstance(value, int) and value > 0):
            return value
        if not str(value).isdecimal() or int(value) < 1:
            self.fail(f"{value!r} is no number of processes; expected 1 or more, or auto", param, ctx)
        return int(value)


WORKERS = _Workers()
BATCH = click.IntRange(1, 1024)
PHOTOS = _Photos(path_type=Path)
WORLD = _World(path_type=Path)
READ = click.Path(path_type=Path, dir_okay=False, exists=True)
"""A file that is read."""
READ_ANY = click.Path(path_type=Path, exists=True)
"""A file or a folder that is read."""
WRITE = click.Path(path_type=Path, dir_okay=False)
"""A file that is written, or written to."""
PRECISION = click.Choice(["country", "region", "city", "full", "auto"])
CONFIDENCE, ABSTAIN = _Probability(zero=False), _Probability(zero=True)


@contextmanager
def value_of(option: str) -> Iterator[None]:
    """Turn our errors about the value of an option into wrong usage."""
    from geoagent.errors import GeoAgentError

    try:
        yield
    except GeoAgentError as error:
        raise click.BadParameter(str(error), param_hint=option) from error
