"""`geoagent export`: answers as files for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._params import PRECISION, WRITE
from geoagent.interfaces.cli._positions import what_they_say

if TYPE_CHECKING:
    from geoagent.interfaces.outputs import Row
    from geoagent.interfaces.outputs.xmp import Style
    from geoagent.places.gazetteer import Gazetteer


@click.command()
@click.argument("answers", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--csv", type=WRITE, help="Write a table for spreadsheets; the only format with errors.")
@click.option("--geojson", type=WRITE, help="Write GeoJSON (RFC 7946).")
@click.option("--gpx", type=WRITE, help="Write GPX waypoints, marked as estimates.")
@click.option("--geoparquet", type=WRITE, help="Write GeoParquet; needs the extra geo.")
@click.option(
    "--as",
    "others",
    type=(str, WRITE),
    multiple=True,
    metavar="MODULE FILE",
    help="Write a format of your own: a module with write(rows, target), by its dotted path.",
)
@click.option("--xmp", is_flag=True, help="Write a sidecar beside each photo, marked as an estimate; replaces nothing.")
@click.option(
    "--photos",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="With --xmp: folder that relative names refer to.",
)
@click.option(
    "--sidecar",
    type=click.Choice(["auto", "darktable", "lightroom"]),
    help="With --xmp: PHOTO.jpg.xmp (darktable, digiKam) or PHOTO.xmp (Lightroom, Capture One); "
    "auto, the default: as the sidecars of its folder, else PHOTO.jpg.xmp.",
)
@click.option(
    "--even-with-gps", is_flag=True, help="With --xmp: also if the photo already has a position, or a part of one."
)
@click.option("--max-precision", type=PRECISION, help="Disclose nothing finer than this.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written and skipped as one JSON object.")
def export(
    answers: tuple[Path, ...],
    others: tuple[tuple[str, Path], ...],
    xmp: bool,
    photos: Path | None,
    sidecar: Style | None,
    even_with_gps: bool,
    max_precision: str | None,
    as_json: bool,
    **tables: Path | None,
) -> None:
    """Write answers as CSV, GeoJSON, GPX, GeoParquet or XMP sidecars.

    ANSWERS are JSON lines of `geoagent locate --out`, folders of `geoagent bulk`, or "-".
    Lines that are no answers are reported and passed over.
    --csv - and --geojson - write to standard output.
    Sidecars are written beside photos that have no position of their own, never into a photo, never over a sidecar.

    \b
    Examples:
      geoagent export answers.jsonl --csv answers.csv --geojson answers.geojson
      geoagent export answers.jsonl --xmp --photos archive/ --max-precision region
      geoagent locate holiday/ --json | geoagent export - --geoparquet holiday.parquet
    """
    from geoagent.filenames import written
    from geoagent.interfaces import outputs
    from geoagent.places.gazetteer import Gazetteer

    wanted = {name: tables[name] for name in outputs.FORMATS if tables[name] is not None} | dict(others)
    if not wanted and not xmp:
        raise click.UsageError("say what to write: --csv, --geojson, --gpx, --geoparquet, --as or --xmp")
    if not xmp and (photos is not None or even_with_gps or sidecar is not None):
        raise click.UsageError("--photos, --sidecar and --even-with-gps go with --xmp")
    streamed = [name for name, target in wanted.items() if str(target) == "-"]
    if len(streamed) > 1 or not {"csv", "geojson"}.issuperset(streamed) or (streamed and as_json):
        raise click.UsageError("- is standard output, which takes one of --csv and --geojson, and then no --json")
    for target in wanted.values():
        if str(target) != "-" and target is not None and target.resolve() in {file.resolve() for file in answers}:
            raise click.UsageError(f"{target} holds the answers; choose another file")
    gazetteer = Gazetteer.load() if xmp or max_precision not in (None, "full") else None
    bad: list[dict[str, Any]] = []
    rows = list(_rows(answers, bad, max_precision, gazetteer))
    report: dict[str, Any] = {
        "answers": sum(row.status != "error" for row in rows),
        "errors": sum(row.status == "error" for row in rows),
        "bad_lines": bad,
    }
    for line in bad:
        click.echo(f"Error: {line['file']}, line {line['line']}: {line['error']}", err=True)
    if not rows:
        if as_json:
            click.echo(json.dumps(report, ensure_ascii=False))
        made = "they are made by geoagent locate --out"
        raise click.ClickException(f"no answers in {', '.join(map(str, answers))}; {made}")
    for name, target in wanted.items():
        assert target is not None
        count = _streamed(name, rows) if name in streamed else outputs.write(name, rows, target)
        report[name] = {"file": written(target), "rows": count, "left_out": len(rows) - count}
        if not as_json:
            left = len(rows) - count
            said = f"{written(target)}: {count} rows" + (f", {left} without an answer left out" if left else "")
            click.echo(said, err=bool(streamed))
    failed = _sidecars(rows, report, photos, sidecar or "auto", even_with_gps, gazetteer) if xmp else 0
    if xmp and not as_json:
        done = report["xmp"]
        said = f"XMP: {len(done['written'])} sidecars written, {len(done['left_out'])} left out"
        click.echo(said, err=bool(streamed))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    if failed:
        sys.exit(1)


def _streamed(name: str, rows: Sequence[Row]) -> int:
    """Write a table to standard output, once it is whole; returns the number of its rows."""
    from geoagent.interfaces import outputs

    with TemporaryDirectory() as folder:
        made = Path(folder) / name
        count = outputs.write(name, rows, made)
        click.echo(made.read_bytes(), nl=False)
    return count


def _rows(files: Sequence[Path], bad: list[dict[str, Any]], cap: Any, gazetteer: Gazetteer | None) -> Iterator[Row]:
    """Rows of all files; what is no answer goes into `bad`, of a file without any answer its first line alone."""
    from geoagent.agent.disclosure import disclose
    from geoagent.errors import InputError
    from geoagent.interfaces.outputs import read_answers, read_folder, row_of

    for file in files:
        wrong: list[dict[str, Any]] = []
        found = False
        try:
            with nullcontext() if file.is_dir() else click.open_file(str(file), "rb") as lines:
                for number, answer in read_folder(file) if lines is None else read_answers(lines):
                    if isinstance(answer, str):
                        wrong.append({"file": str(file), "line": number, "error": answer})
                    else:
                        found = True
                        yield row_of(answer if gazetteer is None or cap is None else disclose(answer, cap, gazetteer))
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
        bad += wrong if found else wrong[:1]


def _sidecars(
    rows: Sequence[Row],
    report: dict[str, Any],
    photos: Path | None,
    style: Style,
    over_gps: bool,
    gazetteer: Gazetteer | None,
) -> int:
    """Write sidecars and report each; returns the number that failed with an error."""
    from geoagent.evidence.copied import copied_over
    from geoagent.evidence.exif import sidecars
    from geoagent.filenames import path_of, written
    from geoagent.interfaces.outputs import xmp
    from geoagent.interfaces.render import shown

    def name(code: str) -> str | None:
        place = gazetteer.country(code) if gazetteer is not None else None
        return place.name if place is not None else None

    def path(row: Row) -> Path:
        return path_of(row.source, photos)

    names = xmp.SidecarNames(style)
    refused = names.refused([(row, path(row)) for row in rows if not xmp.unfit(row)], over_gps=over_gps)
    shared = {photo: why for photo, why in refused.items() if not sidecars(photo)}
    copied = copied_over(what_they_say(dict.fromkeys(path(row) for row in rows if row.id is None)))

    def outcome(row: Row) -> xmp.Outcome:
        if path(row) in shared and not xmp.unfit(row):
            return xmp.Outcome(row.source, reason=shared[path(row)])
        try:
            done = xmp.write(row, folder=photos, over_gps=over_gps, names=names, country_name=name)
        except Exception as error:  # what is wrong with one photo stops no other
            return xmp.Outcome(row.source, reason=f"unexpected {type(error).__name__}: {error}", failed=True)
        doubt = copied.get(path(row), "")
        return replace(done, reason=f"{done.reason}; {doubt}") if doubt and done.reason else done

    done = [outcome(row) for row in rows]
    made = [each for each in done if each.sidecar is not None]
    left = [each for each in done if each.sidecar is None]
    report["xmp"] = {
        "written": [written(each.sidecar) for each in made if each.sidecar is not None],
        "left_out": [{"photo": each.photo, "reason": each.reason} for each in left],
    }
    for each in left:
        reason = each.reason.removeprefix(f"{each.photo}: ")
        click.echo(f"{'Error: ' if each.failed else ''}{shown(each.photo)}: {reason}", err=True)
    return sum(each.failed for each in left)
