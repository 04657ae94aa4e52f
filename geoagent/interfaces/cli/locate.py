"""`geoagent locate`: photos, folders and texts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from geoagent.interfaces.cli._album import album_jobs, album_of, album_options
from geoagent.interfaces.cli._folders import photos_in, say_passed_over
from geoagent.interfaces.cli._jobs import (
    Shared,
    answering,
    answers_of,
    failure,
    looking_options,
    photo_jobs,
    row_jobs,
    row_options,
    worker_count,
)
from geoagent.interfaces.cli._main import agent_options, load_config
from geoagent.interfaces.cli._params import ABSTAIN, CONFIDENCE, PHOTOS, PRECISION, WRITE
from geoagent.interfaces.cli._positions import WHERE, chosen, with_doubts
from geoagent.interfaces.cli._report import command_again, write_report
from geoagent.interfaces.cli._saved import Saved

if TYPE_CHECKING:
    from geoagent.agent.batch import Job
    from geoagent.agent.core import GeoAgent
    from geoagent.answer import Answer
    from geoagent.evidence.folders import PassedOver
    from geoagent.evidence.tracks import Track


@click.command()
@click.argument("photos", nargs=-1, type=PHOTOS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per photo.")
@click.option("--compare", is_flag=True, help="Show vision-only, text-only and text-aware side by side.")
@click.option("--map", "map_path", type=WRITE, help="Write one self-contained HTML map.")
@click.option(
    "--report",
    type=WRITE,
    help="Write one self-contained HTML report.",
)
@click.option(
    "--annotated",
    type=click.Path(path_type=Path),
    help="Write the photo with its numbered cues (a folder for several).",
)
@click.option("--out", type=WRITE, help="Append JSON lines here; resumes where it stopped.")
@click.option("--retry-errors", is_flag=True, help="With --out: retry photos that failed before.")
@click.option("--retry-partial", is_flag=True, help="With --out: retry answers that lack a part.")
@click.option("--redo", is_flag=True, help="With --out: redo answers made under other settings.")
@looking_options
@album_options
@row_options
@click.option("--where", type=click.Choice(WHERE), help="Only photos with no position of their own, or an odd one.")
@click.option("--within", metavar="AREA[,AREA]", help="Restrict to these: country codes, or names of areas.")
@click.option("--not", "exclude", metavar="AREA[,AREA]", help="Exclude these.")
@click.option("--hint", metavar="TEXT", help='What you believe, in words: "near Lyon", "the Balkans, not Greece".')
@click.option(
    "--max-precision",
    type=PRECISION,
    help="Disclose nothing finer; auto: the finest probable level.",
)
@click.option("--confidence", type=CONFIDENCE, metavar="P", help="With auto: probability that a level must reach; 0.8.")
@click.option("--abstain-below", type=ABSTAIN, metavar="P", help="Name no place if its country is less probable.")
@agent_options
@click.pass_context
def locate(
    context: click.Context,
    /,
    photos: tuple[Path, ...],
    as_json: bool,
    compare: bool,
    map_path: Path | None,
    report: Path | None,
    annotated: Path | None,
    out: Path | None,
    retry_errors: bool,
    retry_partial: bool,
    redo: bool,
    texts: Path | None,
    pairs: Path | None,
    features: Path | None,
    where: str | None,
    workers: int | Literal["auto"],
    batch: int,
    **settings: Any,
) -> None:
    """Estimate where photos were taken, and show the evidence.

    PHOTOS are files or folders. One photo is explained in full; several get one line each.

    \b
    Examples:
      geoagent locate photo.jpg --compare --map map.html
      geoagent locate photo.jpg --report report.html
      geoagent locate photo.jpg --hint "maybe southern Germany" --not AT
      geoagent locate holiday/ --out answers.jsonl --where missing-gps
      geoagent locate archive/ --workers auto --out answers.jsonl
      geoagent locate holiday/ --album --track walk.gpx --out answers.jsonl --map trip.html
      geoagent locate holiday/ --max-precision auto --confidence 0.9
      geoagent locate --texts rows.jsonl --out answers.jsonl
      geoagent locate photo.jpg --llm openai_compatible,model=qwen3,base_url=http://localhost:11434/v1 --dry-run
    """
    from geoagent.agent.core import GeoAgent
    from geoagent.agent.many import Ahead
    from geoagent.evidence.video import is_video
    from geoagent.interfaces.render.text import line_text

    if bool(photos) == (texts is not None):
        what = "not both" if photos else "as in: geoagent locate photo.jpg"
        raise click.UsageError(f"give photos or folders, or a file of texts by --texts; {what}")
    jobs_of = row_jobs(texts, pairs, features)
    if texts is not None and (map_path or annotated or report or where):
        raise click.UsageError("--map, --report, --annotated and --where need photos")
    paths: Sequence[Path] = ()
    passed: Sequence[PassedOver] = ()
    if jobs_of is None:
        given = photos_in(photos)
        paths, passed = given.photos, given.passed_over
    if where is not None and not (paths := chosen(paths, where)):
        say_passed_over(passed)
        return
    several = len(paths) != 1
    album = album_of(settings, paths, texts=texts is not None)
    if annotated and several and annotated.suffix:
        raise click.UsageError("--annotated with several photos must be a folder")
    for target in (map_path, report):
        if target is not None and os.path.realpath(target) in map(os.path.realpath, paths):
            raise click.UsageError(f"{target} is one of the photos, which are never written to")
    if report and several:
        raise click.UsageError(f"--report takes one photo, not {len(paths)}; use --map, or geoagent export")
    stated = settings["confidence"]
    if texts is not None and (workers != 1 or batch != 1):
        raise click.UsageError("--workers and --batch need photos: there is nothing to look at in texts")
    config = load_config(settings)
    count = worker_count(config, workers, len(paths))
    agent = GeoAgent.load(config, looks=count == 1 or (album is not None and any(map(is_video, paths))))
    ahead = Ahead(agent, count, batch)
    if stated is not None and agent.config.max_precision != "auto":
        raise click.UsageError("--confidence needs --max-precision auto")
    capped = agent.config.capped
    if capped and annotated:
        raise click.UsageError("--annotated shows text that --max-precision withholds; leave one out")
    if agent.config.llm_use.dry_run:
        if out is not None:
            raise click.UsageError("--dry-run makes no answers: leave out --out")
        _dry(jobs_of(agent) if jobs_of else photo_jobs(paths, agent.locate))
        return
    if album is not None:
        with ahead:
            jobs, odd = album_jobs(agent, paths, album, out, ahead), list[str]()
    else:
        jobs = jobs_of(agent) if jobs_of else list(photo_jobs(paths, ahead.locate))
        jobs, odd = with_doubts(jobs, paths)
    pictures = _pictures(paths, annotated) if annotated is not None else {}
    shared = Shared()
    answers: list[Answer] = []
    retry = {"retry_errors": retry_errors, "retry_partial": retry_partial, "redo": redo}
    retry["anew"] = album is not None  # each answer depends on all other photos, and weighing them again is quick
    with Saved(agent, jobs, out, **retry) as saved, ahead:
        if album is None and jobs_of is None:
            ahead.begin([path for job, path in zip(jobs, paths, strict=True) if job.key not in saved.done])
        for answer in answering(jobs, saved, show=several):
            saved.count(answer)
            shared.add(answer)
            if as_json:
                click.echo(answer.to_json())
            elif several and out is None:
                click.echo(line_text(answer))
            if answer.status == "error" and not (several and out is None and not as_json):
                click.echo(failure(answer), err=True)
            if annotated and answer.status != "error":
                _annotate(answer, pictures[answer.source] if several else annotated, several)
            if map_path or not several:
                answers.append(answer)
    if out is not None and (map_path or not several):
        answers = answers_of(jobs, out)
    if map_path and answers:
        tracks = () if album is None or capped else album.tracks
        _write_map(answers, map_path, agent, tracks, with_photo=not capped)
    if report and answers and answers[0].status != "error":
        write_report(answers[0], report, agent, command=command_again(context, capped=capped), capped=capped)
    if not several and not as_json and answers and answers[0].status != "error":
        _show(answers[0], compare)
    for warning in shared.warnings if several else ():
        click.echo(f"Warning, for all of them: {warning}", err=True)
    for note in odd:
        if not any(note.endswith(warning) for warning in shared.warnings):
            click.echo(note, err=True)
    if out is not None and (several or saved.before):
        click.echo(saved.says(), err=True)
    say_passed_over(passed)
    if saved.failed and saved.failed == saved.wanted:
        sys.exit(1)


def _dry(jobs: Iterable[Job]) -> None:
    """Print what would be sent for each photo or text, one JSON object per request."""
    import json

    from geoagent.agent.batch import run

    for answer in run(jobs, None):
        if answer.status == "error":
            click.echo(failure(answer), err=True)
        for payload in answer.llm.would_send if answer.llm is not None else ():
            click.echo(json.dumps(payload, ensure_ascii=False))
    click.echo("nothing was sent; further questions, where asked for, depend on the replies", err=True)


def _show(answer: Answer, compare: bool) -> None:
    from rich.console import Console

    from geoagent.interfaces.render.text import answer_text

    Console(highlight=False).print(answer_text(answer, compare=compare))


def _pictures(paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Where each photo is drawn, by its written name: as STEM.png, and below its own folder where stems are alike."""
    from collections import Counter

    from geoagent.filenames import written

    alike = Counter(path.stem.casefold() for path in paths)
    base = os.path.commonpath([os.path.abspath(path.parent) for path in paths]) if paths else ""
    drawn = {}
    for path in paths:
        below = f"{os.path.relpath(os.path.abspath(path), base)}.png"
        drawn[written(path)] = folder / (f"{path.stem}.png" if alike[path.stem.casefold()] == 1 else below)
    return drawn


def _annotate(answer: Answer, target: Path, several: bool) -> None:
    """Draw one photo; of several, one that cannot be drawn does not stop the others."""
    from geoagent.evidence.decoding import one_line
    from geoagent.evidence.photos import open_photo
    from geoagent.filenames import path_of
    from geoagent.interfaces.render import shown
    from geoagent.interfaces.render.annotate import annotate

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        annotate(open_photo(path_of(answer.source)), answer).save(target)
    except Exception as error:
        says = f"{shown(answer.source)}: cannot be drawn ({one_line(error)})"
        if not several:
            raise click.ClickException(says) from error
        click.echo(f"Error: {says}", err=True)


def _write_map(
    answers: list[Answer], target: Path, agent: GeoAgent, tracks: Sequence[Track], *, with_photo: bool
) -> None:
    from geoagent.evidence.photos import open_photo
    from geoagent.filenames import path_of
    from geoagent.interfaces.outputs import whole
    from geoagent.interfaces.render.map import map_html

    outlines = agent.assets.gazetteer.outlines()
    alone = with_photo and len(answers) == 1 and answers[0].status != "error"
    photo = open_photo(path_of(answers[0].source)) if alone else None
    page = map_html(answers[0] if len(answers) == 1 else answers, outlines=outlines, photo=photo, tracks=tracks)
    with whole(target) as temporary:
        temporary.write_text(page, "utf-8")
