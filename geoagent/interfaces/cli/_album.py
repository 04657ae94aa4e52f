"""`geoagent locate --album`: the photos of a folder as evidence for one another."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._params import READ, value_of

if TYPE_CHECKING:
    from geoagent.agent.album_run import Looked
    from geoagent.agent.albums import AlbumSettings
    from geoagent.agent.batch import Job
    from geoagent.agent.core import GeoAgent
    from geoagent.agent.many import Ahead
    from geoagent.evidence.tracks import Track


@dataclass(frozen=True)
class AlbumRun:
    """What was asked of an album."""

    settings: AlbumSettings
    tracks: tuple[Track, ...] = ()


def album_options(command: Any) -> Any:
    """Add the options that `album_of` takes."""
    options = (
        click.option("--album", is_flag=True, help="Let the photos be evidence for one another, by time and camera."),
        click.option(
            "--track",
            "tracks",
            type=READ,
            multiple=True,
            help="With --album: where you were, as GPX, KML or Google's location history; may be repeated.",
        ),
        click.option(
            "--clock",
            "clocks",
            multiple=True,
            metavar="CAMERA=OFFSET",
            help='With --album: how far a clock is ahead of UTC, as in "Canon*=+2h"; may be repeated.',
        ),
        click.option("--together", is_flag=True, help="With --album: all cameras were together all the time."),
        click.option("--same-place", is_flag=True, help="All photos show one place, whatever their times; an --album."),
        click.option("--motion", type=READ, help="With --album: how people move, by `geoagent calibrate motion`."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def album_of(settings: dict[str, Any], paths: Sequence[Path], *, texts: bool) -> AlbumRun | None:
    """Take the album's options out of the settings; None if no album is asked for.

    Raises:
        UsageError: options that do not belong together, or a clock that is none.
    """
    from geoagent.agent.album_clocks import stated_clock
    from geoagent.agent.albums import AlbumSettings
    from geoagent.album.motion import Motion
    from geoagent.evidence.video import is_video

    wanted, same = settings.pop("album"), settings.pop("same_place")
    tracks, clocks = settings.pop("tracks"), settings.pop("clocks")
    together, motion = settings.pop("together"), settings.pop("motion")
    if not (wanted or same):
        if tracks or clocks or together or motion:
            raise click.UsageError("--track, --clock, --together and --motion need --album")
        return None
    if texts:
        raise click.UsageError("--album needs photos: texts have no times")
    if len(paths) < 2 and not tracks and not any(map(is_video, paths)):
        raise click.UsageError("--album needs two photos or more, or a --track")
    with value_of("--track"):
        read = _tracks(tracks)
    with value_of("--motion"):
        moves = Motion.load(motion) if motion is not None else None
    with value_of("--clock"):
        stated = tuple(map(stated_clock, clocks))
    return AlbumRun(AlbumSettings(clocks=stated, joined=together, same_place=same, motion=moves), read)


def album_jobs(agent: GeoAgent, paths: Sequence[Path], album: AlbumRun, out: Path | None, ahead: Ahead) -> list[Job]:
    """Look at the photos, and return one job a photo that gives its answer in the album.

    With `out`, what was seen is saved beside it as it goes, so that a run that was stopped goes on, and weighing the
    album again under other settings looks at no photo twice.
    """
    from geoagent.agent.album_run import answer_of, look_at
    from geoagent.agent.albums import Album
    from geoagent.agent.batch import Job
    from geoagent.answer import Answer
    from geoagent.filenames import safe

    saved = None if out is None else out.with_name(f"{out.stem}.seen.jsonl")
    try:
        with _looking(len(paths)) as tell:
            seen = look_at(agent, paths, saved, tell, ahead)
    except KeyboardInterrupt:
        if saved is None:
            raise
        click.echo(f"\nStopped: what was seen is saved in {saved}; the same command goes on from there", err=True)
        sys.exit(1)
    lines = Album(list(seen.photos.values()), agent.assets, agent.fusion, album.tracks, album.settings)
    for note in lines.notes:
        click.echo(f"Note: {note}", err=True)

    def failed(key: str) -> Answer:
        return Answer.failed(key, safe(seen.failed[key]))

    return [
        Job(key, partial(failed, key) if key in seen.failed else partial(answer_of, agent, lines, key))
        for key in seen.order
    ]


@contextmanager
def _looking(total: int) -> Iterator[Looked]:
    """Progress of looking at photos, on stderr if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("looking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("looking", total=total)
        yield lambda count: bar.update(task, completed=count)


def _tracks(paths: Sequence[Path]) -> tuple[Track, ...]:
    from geoagent.evidence.tracks import read_track

    tracks = tuple(read_track(path) for path in paths)
    for track in tracks:
        for note in track.notes:
            click.echo(f"Note: {note}", err=True)
    return tracks
