"""`geoagent compare`: effect of the text in photos."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._changes import show_changes
from geoagent.interfaces.cli._folders import photos_in, say_passed_over, say_some
from geoagent.interfaces.cli._jobs import answering, answers_of, failure, photo_jobs, row_jobs, row_options
from geoagent.interfaces.cli._main import agent_options, load_agent
from geoagent.interfaces.cli._params import PHOTOS, READ, READ_ANY, WRITE
from geoagent.interfaces.cli._positions import with_doubts
from geoagent.interfaces.cli._saved import Saved

if TYPE_CHECKING:
    from geoagent.answer import Answer, Best
    from geoagent.evidence.folders import PassedOver
    from geoagent.worlds.evaluation.changes import Truth


@click.command()
@click.argument("photos", nargs=-1, type=PHOTOS)
@click.option(
    "--answers",
    type=READ_ANY,
    help="JSON lines of `geoagent locate --out`, or a folder of `geoagent bulk`, instead of photos.",
)
@row_options
@click.option(
    "--truth",
    type=READ,
    help="CSV or JSON lines of true places: id, file or path; country (name or code), or lat and lon, or all three.",
)
@click.option("--out", type=WRITE, help="Append the answers as JSON lines here; resumes where it stopped.")
@click.option("--redo", is_flag=True, help="With --out: redo answers made under other settings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an object a photo, and one of the counts.")
@agent_options
def compare(
    photos: tuple[Path, ...],
    answers: Path | None,
    texts: Path | None,
    pairs: Path | None,
    features: Path | None,
    truth: Path | None,
    out: Path | None,
    redo: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Show vision-only, text-only and text-aware side by side, and what the text changed.

    PHOTOS are files or folders. One photo is shown in full. Several get a line each where the text changed the country
    or picture and text disagree, and then counts by stratum: text or none, script, kind of cue, conflict; with --truth
    also how often the text made an answer right or wrong.

    \b
    Examples:
      geoagent compare photo.jpg
      geoagent compare holiday/ --truth holiday/places.csv
      geoagent compare --answers answers.jsonl --truth truth.csv --json
    """
    from geoagent.interfaces.render import shown
    from geoagent.interfaces.render.text import file_says
    from geoagent.worlds.evaluation.changes import changes, read_truth, to_dict

    if sum((bool(photos), answers is not None, texts is not None)) != 1:
        raise click.UsageError("give exactly one of photos, --answers and --texts")
    notes: list[str] = []
    known = read_truth(truth, notes) if truth is not None else {}
    say_some(f"Warning: {note}" for note in notes)
    passed: Sequence[PassedOver] = ()
    odd: Sequence[str] = ()
    if answers is not None:
        found: Iterable[Answer] = _read(answers)
        alone, saved = False, None
    else:
        jobs_of = row_jobs(texts, pairs, features)
        paths: Sequence[Path] = ()
        if jobs_of is None:
            given = photos_in(photos)
            paths, passed = given.photos, given.passed_over
        agent = load_agent(settings)
        jobs = jobs_of(agent) if jobs_of else list(photo_jobs(paths, agent.locate))
        jobs, odd = with_doubts(jobs, paths)
        if truth is not None:
            _some_known(truth, known, [(job.id, job.key) for job in jobs])
        alone = len(jobs) == 1
        saved = Saved(agent, jobs, out, redo=redo)
        found = answering(jobs, saved, show=not alone)
    seen: list[Answer] = []
    with saved or nullcontext():
        for answer in found:
            seen.append(answer)
            if saved is not None:
                saved.count(answer)
            _tell(answer, alone, as_json)
    if out is not None and saved is not None:
        click.echo(saved.says(), err=True)
        if alone and not seen:
            _tell(answers_of(jobs, out)[0], alone, as_json)
        seen = answers_of(jobs, out)
    for line in odd:
        click.echo(line, err=True)
    say_passed_over(passed)
    if seen and all(answer.status == "error" for answer in seen):
        raise click.ClickException("no photo could be answered")
    if alone and not known:
        return
    if truth is not None and answers is not None:
        _some_known(truth, known, [(answer.id, answer.source) for answer in seen])
    if all(answer.looked is False or answer.status == "error" for answer in seen):
        from geoagent.interfaces.render import EYES_TEXT

        photos_seen = f"; {EYES_TEXT}" if texts is None else ""
        click.echo(
            f"Warning: no picture was judged, so there is nothing to compare its text with{photos_seen}", err=True
        )
    if not as_json:
        say_some(f"{shown(each.id or each.source)}: {told}" for each in seen if (told := file_says(each)))
    rows = changes(seen, known)
    if as_json:
        counts = to_dict(rows) | ({"passed_over": len(passed)} if passed else {})
        click.echo(json.dumps(counts, ensure_ascii=False))
    else:
        show_changes(rows)


def _tell(answer: Answer, alone: bool, as_json: bool) -> None:
    """Print the comparison of one answer."""
    from geoagent.interfaces.render import shown

    if answer.status == "error":
        click.echo(failure(answer), err=True)
    if as_json:
        click.echo(json.dumps(_side_by_side(answer), ensure_ascii=False))
    elif answer.status == "error":
        return
    elif alone:
        _show(answer)
    elif (says := _worth_a_line(answer)) is not None:
        click.echo(f"{shown(answer.id or answer.source)}: {says}")


def _some_known(path: Path, known: Mapping[str, Truth], photos: Sequence[tuple[str | None, str]]) -> None:
    """Say of how many photos the truth is known, unless it is of all.

    Raises:
        InputError: of none.
    """
    from geoagent.errors import InputError
    from geoagent.worlds.evaluation.changes import truth_of

    count = sum(truth_of(id, source, known) is not None for id, source in photos)
    if not count:
        named = f"it tells {len(known)} countries, for example of {next(iter(known))!r}" if known else "it tells none"
        wanted = f"; expected ids or files, as {photos[0][0] or photos[0][1]!r}" if photos else ""
        raise InputError(f"{path} tells the country of none of these photos: {named}{wanted}")
    if count < len(photos):
        click.echo(f"{path} tells the country of {count} of {len(photos)} photos", err=True)


def _read(path: Path) -> Iterator[Answer]:
    from pydantic import ValidationError

    from geoagent.answer import Answer
    from geoagent.errors import InputError
    from geoagent.interfaces.outputs import read_folder
    from geoagent.tables import lines_of

    if path.is_dir():
        for number, answer in read_folder(path):
            if isinstance(answer, str):
                raise InputError(f"{path}, photo {number}: {answer}")
            yield answer
        return
    with path.open("rb") as file:
        for number, line in enumerate(lines_of(file), start=1):
            if line.strip():
                try:
                    yield Answer.model_validate_json(line)
                except ValidationError as error:
                    first = error.errors()[0]
                    raise InputError(f"{path}, line {number}: no answer of geoagent ({first['msg']})") from error


def _side_by_side(answer: Answer) -> dict[str, Any]:
    whole = answer.model_dump(by_alias=True)
    names = ("id", "source", "status", "error", "vision_only", "text_only", "text_aware", "comparison", "warnings")
    return {name: whole[name] for name in names}


def _worth_a_line(answer: Answer) -> str | None:
    """The line about one of many answers, if the text changed its country or conflicts with the picture."""
    from geoagent.interfaces.render.names import country_name
    from geoagent.worlds.evaluation.changes import changed, country_of

    told = answer.comparison
    if told is not None:
        return f"{told.says} {told.change}".strip() if told.conflict or told.changed == "country" else None
    if answer.text_aware is None or changed(answer) != "country":
        return None
    before, after = country_of(answer.vision_only), country_of(answer.text_aware)
    names = [country_name(code) if code else "none" for code in (before, after)]
    return f"The text changed the country from {names[0]} to {names[1]}: {_placed(answer.text_aware.best)}."


def _placed(best: Best) -> str:
    """The place by name, or that there is none."""
    from geoagent.interfaces.render._evidence import where_text
    from geoagent.interfaces.render.names import country_name

    return "no place can be named" if best.precision == "none" else where_text(best, country_name)


def _show(answer: Answer) -> None:
    from rich.console import Console

    from geoagent.interfaces.render.text import comparison_text

    Console(highlight=False).print(comparison_text(answer))
