"""The photos that a command is given, and what is said at its end of files that were passed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from geoagent.evidence.folders import Found, PassedOver

_SOME = 20
"""Photos or rows of which something is told one by one."""
_NAMED = 50
"""Files that are named one by one."""


def photos_in(photos: Sequence[Path]) -> Found:
    """Photos by files and folders, and what is passed over.

    Raises:
        ClickException: there are no photos.
    """
    from geoagent.evidence.folders import scan
    from geoagent.filenames import written

    found = scan(photos)
    if not found.photos:
        say_passed_over(found.passed_over)
        where = ", ".join(map(written, photos))
        read = " that can be read" if found.passed_over else ""
        raise click.ClickException(f"no photos{read} in {where}")
    return found


def say_passed_over(passed: Sequence[PassedOver]) -> None:
    """Name on stderr what was passed over, and count it by kind; nothing where there is nothing."""
    from geoagent.filenames import written
    from geoagent.interfaces.render import shown

    if not passed:
        return
    for each in passed[:_NAMED]:
        click.echo(f"Passed over: {shown(written(each.path))}: {each.why}", err=True)
    if len(passed) > _NAMED:
        click.echo(f"Passed over: {len(passed) - _NAMED} more", err=True)
    click.echo(counted(passed), err=True)


def say_some(lines: Iterable[str]) -> None:
    """Print lines about single photos or rows on stderr: the first of them, and how many more there are."""
    told = list(lines)
    for line in told[:_SOME]:
        click.echo(line, err=True)
    if len(told) > _SOME:
        click.echo(f"… and {len(told) - _SOME} more", err=True)


def counted(passed: Sequence[PassedOver]) -> str:
    """Return "passed over 5 files: 4 RAW (ARW, DNG): pip install …; 1 JPEG XL"."""
    from geoagent.optional import DISTRIBUTION

    kinds: dict[str, list[PassedOver]] = {}
    for each in passed:
        kinds.setdefault(each.kind, []).append(each)
    parts = []
    for kind, files in kinds.items():
        if kind == "folder":
            parts.append(f"{len(files)} folder{'s' if len(files) > 1 else ''} that cannot be listed")
            continue
        suffixes = ", ".join(sorted({file.path.suffix[1:].upper() for file in files}))
        part = f"{len(files)} {kind}" + (f" ({suffixes})" if kind == "RAW" else "")
        if any(file.extra for file in files):
            part += f": pip install '{DISTRIBUTION}[raw]' reads the previews in more of them"
        parts.append(part)
    what = "file" if all(each.kind != "folder" for each in passed) else "item"
    return f"Passed over {len(passed)} {what}{'s' if len(passed) > 1 else ''}: {'; '.join(parts)}"
