"""The positions that photos have of their own: choosing photos by them, and telling those that are doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from geoagent.agent.batch import Job
    from geoagent.answer import Answer
    from geoagent.evidence.exif import Said

WHERE = ("missing-gps", "incomplete-gps", "doubtful-gps")
"""Choices of photos by their positions."""
_NAMED = 20
"""Photos that are named one by one."""


def what_they_say(paths: Iterable[Path]) -> dict[Path, Said]:
    """What files say about where they were taken, without decoding a pixel; unreadable ones are left out."""
    from geoagent.evidence.photos import what_it_says

    said: dict[Path, Said] = {}
    for path in paths:
        try:
            said[path] = what_it_says(path)
        except Exception:  # locating it reports the error
            continue
    return said


def chosen(paths: Sequence[Path], where: str) -> list[Path]:
    """Photos by their positions; with "missing-gps" unreadable ones stay, so that locating them reports the error.

    What is left out is counted on stderr, and incomplete and doubtful positions are named there.
    """
    from geoagent.evidence.copied import copied_over

    said = what_they_say(paths)
    copied = copied_over(said)
    states = {path: "doubtful" if path in copied else each.state for path, each in said.items()}
    wanted = {"missing-gps": ("none", None), "incomplete-gps": ("incomplete",), "doubtful-gps": ("doubtful",)}[where]
    kept = [path for path in paths if states.get(path) in wanted]
    left = [path for path in paths if states.get(path) not in wanted]
    if where == "missing-gps":
        odd = [path for path in left if states[path] in ("incomplete", "doubtful")]
        counts = Counter(states[path] for path in odd)
        some = ", ".join(f"{count} of them {state}" for state, count in sorted(counts.items(), reverse=True))
        why = f"they have a position{', ' + some if some else ''}"
    else:
        odd = kept
        why = f"they have no {'incomplete' if where == 'incomplete-gps' else 'doubtful'} position"
    _name(odd, lambda path: f"{said[path].says}{'; ' + copied[path] if path in copied else ''}")
    click.echo(f"{len(left)} of {len(paths)} photos left out: {why}", err=True)
    return kept


def _name(paths: Sequence[Path], says: Callable[[Path], str]) -> None:
    from geoagent.filenames import safe, written
    from geoagent.interfaces.render import shown

    for path in paths[:_NAMED]:
        click.echo(f"{shown(written(path))}: {shown(safe(says(path)))}", err=True)
    if len(paths) > _NAMED:
        click.echo(f"… and {len(paths) - _NAMED} more", err=True)


def with_doubts(jobs: Sequence[Job], paths: Sequence[Path]) -> tuple[list[Job], list[str]]:
    """Jobs whose answers say, among their warnings, that a position is that of the whole folder; and lines for the end.

    Args:
        jobs: one a photo.
        paths: the photos, in the order of the jobs.
    """
    from geoagent.evidence.copied import copied_over
    from geoagent.filenames import written
    from geoagent.interfaces.render import shown

    if len(paths) < 2 or len(jobs) != len(paths):
        return list(jobs), []
    said = what_they_say(paths)
    copied = copied_over(said)
    told = [
        replace(job, run=partial(_told, job.run, copied[path])) if path in copied else job
        for job, path in zip(jobs, paths, strict=True)
    ]
    folders = dict.fromkeys((path.parent, why) for path, why in copied.items())
    notes = [f"Warning: {shown(written(folder))}: {why}" for folder, why in folders]
    for state in ("incomplete", "doubtful"):
        odd = [path for path, each in said.items() if each.state == state]
        if odd:
            first = ", ".join(shown(written(path.name)) for path in odd[:3]) + (", …" if len(odd) > 3 else "")
            notes.append(f"Warning: the position in the file is {state} in {len(odd)} of {len(paths)} photos: {first}")
    return told, notes


def _told(run: Callable[[], Answer], doubt: str) -> Answer:
    answer = run()
    return answer.model_copy(update={"warnings": [*answer.warnings, doubt]})
