"""`geoagent export`: answers as files for other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._params import ABSTAIN, PRECISION, WRITE

if TYPE_CHECKING:
    from geoagent.answer import Answer
    from geoagent.interfaces.outputs import Row
    from geoagent.interfaces.outputs.xmp import Style
    from geoagent.places.gazetteer import Gazetteer


@click.command()
@click.argument("answers", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--csv", type=WRITE, help="Write a table for spreadsheets; the only format with errors.")
@click.option("--geojson", type=WRITE, help="Write GeoJSON (RFC 7946).")
@click.option("--gpx", type=WRITE, help="Write GPX waypoints, marked as estimates.")
@click.option("--kml", type=WRITE, help="Write KML, for Google Earth.")
@click.option("--gpkg", type=WRITE, help="Write a GeoPackage, for GIS programs.")
@click.option("--geoparquet", type=WRITE, help="Write GeoParquet; needs the extra geo.")
@click.option(
    "--album-map",
    type=WRITE,
    help="Write all photos on one map: one HTML file that asks no server; under a cap without the photos.",
)
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
    help="With --xmp, --exiftool and --album-map: folder that relative names refer to.",
)
@click.option(
    "--sidecar",
    type=click.Choice(["auto", "darktable", "lightroom"]),
    help="With --xmp: PHOTO.jpg.xmp (darktable, digiKam) or PHOTO.xmp (Lightroom, Capture One); "
    "auto, the default: as the sidecars of its folder, else PHOTO.jpg.xmp.",
)
@click.option(
    "--even-with-gps",
    is_flag=True,
    help="With --xmp and --exiftool: also if the photo already has a position, or a part of one.",
)
@click.option(
    "--exiftool",
    type=WRITE,
    help="Write arguments for ExifTool, with which you may write the estimates into the photos (exiftool -@ FILE), "
    "marked as estimates; geoagent itself never does.",
)
@click.option(
    "--min-confidence",
    type=ABSTAIN,
    metavar="P",
    help="With --xmp and --exiftool: nothing for answers whose country is less probable; 0.8.",
)
@click.option("--max-precision", type=PRECISION, help="Disclose nothing finer than this.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written and skipped as one JSON object.")
def export(
    answers: tuple[Path, ...],
    others: tuple[tuple[str, Path], ...],
    album_map: Path | None,
    xmp: bool,
    photos: Path | None,
    sidecar: Style | None,
    even_with_gps: bool,
    exiftool: Path | None,
    min_confidence: float | None,
    max_precision: str | None,
    as_json: bool,
    **tables: Path | None,
) -> None:
    """Write answers as tables, maps or XMP sidecars.

    ANSWERS are JSON lines of `geoagent locate --out`, folders of `geoagent bulk`, or "-".
    Lines that are no answers are reported and passed over.
    --csv - and --geojson - write to standard output.
    Sidecars are written beside photos that have no position of their own, where the answer is sure enough; never into
    a photo, never over a sidecar.

    \b
    Examples:
      geoagent export answers.jsonl --csv answers.csv --gpkg answers.gpkg --kml answers.kml
      geoagent export answers.jsonl --album-map trip.html
      geoagent export answers.jsonl --xmp --photos archive/ --max-precision region --min-confidence 0.95
      geoagent export answers.jsonl --exiftool args.txt
      geoagent locate holiday/ --json | geoagent export - --geoparquet holiday.parquet
    """
    from geoagent.filenames import written
    from geoagent.interfaces import outputs
    from geoagent.interfaces.cli._album_map import album_line, write_album_map
    from geoagent.interfaces.cli._beside import Rules, arguments, counts_line, sidecars, written_beside
    from geoagent.interfaces.outputs.xmp import LEAST_CONFIDENCE
    from geoagent.places.gazetteer import Gazetteer

    wanted = {name: tables[name] for name in outputs.FORMATS if tables[name] is not None} | dict(others)
    beside = xmp or exiftool is not None
    if not wanted and not beside and album_map is None:
        tables_named = ", ".join(f"--{name}" for name in outputs.FORMATS)
        raise click.UsageError(f"say what to write: {tables_named}, --album-map, --as, --xmp or --exiftool")
    if not beside and (even_with_gps or min_confidence is not None):
        raise click.UsageError("--even-with-gps and --min-confidence go with --xmp and --exiftool")
    if not beside and album_map is None and photos is not None:
        raise click.UsageError("--photos goes with --xmp, --exiftool and --album-map")
    if not xmp and sidecar is not None:
        raise click.UsageError("--sidecar goes with --xmp")
    streamed = [name for name, target in wanted.items() if str(target) == "-"]
    if len(streamed) > 1 or not {"csv", "geojson"}.issuperset(streamed) or (streamed and as_json):
        raise click.UsageError("- is standard output, which takes one of --csv and --geojson, and then no --json")
    for target in (*wanted.values(), exiftool, album_map):
        if target is not None and str(target) != "-" and target.resolve() in {file.resolve() for file in answers}:
            raise click.UsageError(f"{target} holds the answers; choose another file")
    gazetteer = Gazetteer.load() if beside or album_map is not None or max_precision not in (None, "full") else None
    bad: list[dict[str, Any]] = []
    kept: list[Answer] | None = None if album_map is None else []
    rows = list(_rows(answers, bad, max_precision, gazetteer, kept))
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
            left, lacks = len(rows) - count, "a position" if name in ("gpx", "kml") else "an answer"
            counted = f"{count} row{'' if count == 1 else 's'}"
            said = f"{written(target)}: {counted}" + (f", {left} without {lacks} left out" if left else "")
            click.echo(said, err=bool(streamed))
    if album_map is not None and kept is not None and gazetteer is not None:
        report["album_map"] = write_album_map(kept, album_map, photos, gazetteer)
        if not as_json:
            click.echo(album_line(report["album_map"]), err=bool(streamed))
    rules = Rules(photos, even_with_gps, LEAST_CONFIDENCE if min_confidence is None else min_confidence)
    failed = 0
    if xmp:
        failed += written_beside(report, "xmp", sidecars(rows, rules, sidecar or "auto", gazetteer))
    if exiftool is not None:
        failed += written_beside(report, "exiftool", arguments(rows, rules, exiftool, gazetteer))
    if not as_json:
        for name in ("xmp", "exiftool"):
            if name in report:
                click.echo(counts_line(name, report[name], exiftool), err=bool(streamed))
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


def _rows(
    files: Sequence[Path],
    bad: list[dict[str, Any]],
    cap: Any,
    gazetteer: Gazetteer | None,
    kept: list[Answer] | None,
) -> Iterator[Row]:
    """Rows of all files; what is no answer goes into `bad`, of a file without any answer its first line alone.

    The answers themselves are large: they go into `kept` only if it is a list.
    """
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
                        answer = answer if gazetteer is None or cap is None else disclose(answer, cap, gazetteer)
                        if kept is not None:
                            kept.append(answer)
                        yield row_of(answer)
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror or error}") from error
        bad += wrong if found else wrong[:1]
