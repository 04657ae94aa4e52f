"""`geoagent get`: what can be had for better answers, and getting it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli.learn import FOLDER, progress_bar

if TYPE_CHECKING:
    from geoagent.worlds.catalogue import Eyes, OcrModel


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--remove", "removing", is_flag=True, help="Remove it instead.")
@click.option("--dir", "folder", type=FOLDER, help="Folder to put it in; geoagent's own by default.")
@click.option("--keep-weights", is_flag=True, help="Keep the downloaded weights, to run them with torch.")
@click.option("--offline", is_flag=True, help="Make no network calls: list, remove, or choose what is here.")
def get(
    name: str | None, as_json: bool, removing: bool, folder: Path | None, keep_weights: bool, offline: bool
) -> None:
    """Get a picture half or an OCR model; without a name, list what can be had.

    The list has licences, sources and sizes; --json adds revisions and SHA-256 checksums, by which each download is
    verified.

    A picture half becomes the default world. `geoagent get starter` goes back to the world without one.
    A mirror of the model hub is named by HF_ENDPOINT.

    \b
    Examples:
      geoagent get
      geoagent get vision
      geoagent get fast --dir /data/geoagent
    """
    from geoagent.worlds import catalogue, home

    if name is None:
        if removing or folder is not None:
            raise click.UsageError("name what to get or to remove; `geoagent get` lists it")
        _list(as_json)
        return
    if name == home.STARTER:
        home.set_default(None)
        _say(as_json, {"name": name, "default": name}, "the starter world is the default again: no picture is judged")
        return
    entry = catalogue.entry(name)
    if offline and not removing and not catalogue.is_here(entry, folder):
        raise click.ClickException(f"{entry.name} is not here, and --offline allows no download")
    if removing:
        _remove(entry, folder, as_json)
    elif isinstance(entry, catalogue.Eyes):
        _get_eyes(entry, folder, keep_weights, as_json)
    else:
        _get_ocr(entry, folder, as_json)


def _say(as_json: bool, row: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(row, ensure_ascii=False, default=str) if as_json else text)


def _list(as_json: bool) -> None:
    from geoagent.worlds import catalogue, home

    rows = catalogue.rows()
    default = home.default()
    if as_json:
        click.echo(json.dumps({"default": default.name if default else home.STARTER, "rows": rows}, ensure_ascii=False))
        return
    for kind, title in (("picture half", "Picture halves"), ("OCR model", "OCR models, by script")):
        click.echo(click.style(title, bold=True))
        for row in rows:
            if row["kind"] == kind:
                _tell(row)
    click.echo("* is here. Fetch one by geoagent get NAME; details: geoagent get --json")
    click.echo(f"The default world is {default or home.STARTER}.")


def _tell(row: dict[str, Any]) -> None:
    """One entry as a short block of lines that fit 80 columns."""
    from geoagent.worlds.catalogue import VISION

    mark = "*" if row["here"] else " "
    also = f" (also: {VISION})" if row["recommended"] else ""
    if "size_mb" not in row:
        click.echo(f"{mark} {row['name']:<20} {row['for']}; {row['licence']}")
        return
    click.echo(f"{mark} {row['name']}{also}")
    cost = f"{row['size_mb']:,} MB, then about {row['minutes']} min of work, once; {row['licence']}"
    for line in (row["for"], cost, f"from {row['from']}", row["measured"]):
        click.echo(fill(line, width=80, initial_indent="    ", subsequent_indent="      "))


def _get_eyes(entry: Eyes, folder: Path | None, keep: bool, as_json: bool) -> None:
    from geoagent.worlds.eyes import get_eyes
    from geoagent.worlds.hub import endpoint
    from geoagent.worlds.world import World

    root = entry.world if folder is None else folder / entry.name
    if not (root / "world.json").is_file():
        click.echo(
            f"{entry.name}: about {entry.size_mb:,} MB of {entry.repository} ({entry.licence}) from {endpoint()}, "
            f"then about {entry.minutes} min of work, once",
            err=True,
        )
    with progress_bar(transfer=True) as tell:
        target = get_eyes(entry, folder=folder, keep=keep, tell=tell)
    made = World.load(target)
    form = made.card.get("encoder", {})
    _say(
        as_json,
        {"name": entry.name, "folder": target, "default": entry.name, **made.summary(), "card": dict(made.card)},
        f"{target}: encoder {entry.name} ({form.get('form')}, {form.get('mb')} MB) for {len(made.cells):,} geocells\n"
        f"It is the default world now; --world starter goes back for one command, `geoagent get starter` for all.\n"
        f"Its accuracy was never measured here; `geoagent evaluate --photos` measures it on your photos.",
    )


def _get_ocr(model: OcrModel, folder: Path | None, as_json: bool) -> None:
    from geoagent.worlds.eyes import get_ocr

    with progress_bar(transfer=True) as tell:
        target = get_ocr(model, folder, tell)
    option = "models" if model.engine == "rapidocr" else "recognition_dir"
    setting = f'ocr = {{name = "{model.engine}", {option} = "{target}"}}'
    _say(
        as_json,
        {"name": model.name, "folder": target, "setting": setting},
        f"{target}: fetched\nTo use it, put into the file of --config: {setting}",
    )


def _remove(entry: Eyes | OcrModel, folder: Path | None, as_json: bool) -> None:
    import shutil

    from geoagent.worlds import catalogue, home
    from geoagent.worlds.eyes import remove

    if isinstance(entry, catalogue.Eyes):
        gone, default = remove(entry.name, folder)
        left = default.name if default else home.STARTER
        _say(as_json, {"name": entry.name, "removed": gone, "default": left}, f"{gone}: removed; the default is {left}")
        return
    target = entry.folder if folder is None else folder / entry.name
    if not target.is_dir():
        raise click.ClickException(f"no OCR model {entry.name!r} in {target.parent}; nothing to remove")
    shutil.rmtree(target)
    _say(as_json, {"name": entry.name, "removed": target}, f"{target}: removed")
