"""`geoagent world …` and `geoagent geocells …`: inspecting worlds, making them without training, building geocells."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from geoagent.interfaces.cli._params import READ, READ_ANY, WORLD, WRITE
from geoagent.interfaces.cli.learn import FOLDER, load_world, progress_bar


@click.group()
def world() -> None:
    """Worlds: list, inspect, verify, download, and make without training.

    \b
    Example:
      geoagent world info my-world
    """


@world.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_worlds(as_json: bool) -> None:
    """List the starter world and the worlds known by name.

    \b
    Example:
      geoagent world list
    """
    from geoagent.worlds.installed import listed

    rows = listed()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        what = row.get("error") or f"{row['cells']:,} geocells, encoder {row['encoder'] or 'none'}"
        click.echo(f"{row['name']}: {what}   {row['folder']}")


@world.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(folder: Path | None, as_json: bool) -> None:
    """Show a world's contents: its card, calibration and figures.

    \b
    Example:
      geoagent world info my-world --json
    """
    from geoagent.worlds.installed import info as facts

    found = facts(load_world(folder))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            click.echo(f"{name}:")
            for key, inner in value.items():
                text = json.dumps(inner, ensure_ascii=False, default=str)
                click.echo(f"  {key}: {text if len(text) < 160 else text[:157] + '…'}")
        else:
            click.echo(f"{name}: {value}")


@world.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def verify(folder: Path | None) -> None:
    """Load every part of a world and use it once; exit code 1 on any problem.

    \b
    Example:
      geoagent world verify my-world
    """
    from geoagent.worlds.installed import find
    from geoagent.worlds.installed import verify as check

    problems = check(find(folder))
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    if problems:
        sys.exit(1)
    click.echo(f"{folder or 'starter'}: whole")


@world.command()
@click.argument("folder", type=WORLD)
@click.option(
    "--storage",
    type=click.Choice(["float32", "float16", "8bit", "pq"]),
    help="How the index keeps its rows; as the gallery does by default.",
)
def index(folder: Path, storage: Any) -> None:
    """Write the search index of a world's gallery, for searches by FAISS.

    `geoagent train` does so where the gallery has 100,000 photos or more.
    Storage pq (product quantisation) takes a byte for every four numbers and
    may miss neighbours; name it to use it: search = {name = "ivf",
    storage = "pq"} in the file of --config.

    \b
    Example:
      geoagent world index my-world --storage pq
    """
    from geoagent import plugs
    from geoagent.worlds.installed import find

    save = plugs.attribute("geoagent.worlds.search.ivf", "save_index")
    path = save(load_world(find(folder)), storage)
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@world.command()
@click.argument("address")
@click.option("--name", help="Name of the world on this machine.")
@click.option("--sha256", help="SHA-256 to verify; any other file is refused.")
def download(address: str, name: str | None, sha256: str | None) -> None:
    """Download a zipped world, so that --world NAME finds it.

    \b
    Example:
      geoagent world download https://example.org/my-world.zip --sha256 9f86d0…
    """
    from geoagent.worlds.installed import download as fetch

    with progress_bar() as tell:
        target = fetch(address, name=name, sha256=sha256, progress=tell)
    click.echo(f"{target}: fetched; use it with --world {target.name}")


@world.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the world.")
@click.option("--source", type=READ_ANY, help="Wheel or folder of geoclip; the installed package by default.")
@click.option("--base", type=WORLD, help="World whose geocells to use; the starter world's by default.")
@click.option("--checkpoint", type=READ_ANY, help="CLIP ViT-L/14 weights, as a file or folder.")
@click.option("--prior", type=click.Choice(["world", "gallery"]), default="world", show_default=True)
@click.option("--storage", type=click.Choice(["float32", "float16", "8bit"]), default="float16", show_default=True)
def geoclip(
    out: Path, source: Path | None, base: Path | None, checkpoint: Path | None, prior: Any, storage: Any
) -> None:
    """Make a world from GeoCLIP's published location encoder and gallery; nothing is trained.

    \b
    Example:
      pip install geoclip --no-deps && geoagent world geoclip --out geoclip-world
    """
    from geoagent.worlds.training.geoclip import make_geoclip_world

    with progress_bar() as tell:
        made = make_geoclip_world(
            source,
            base=load_world(base) if base is not None else None,
            prior=prior,
            storage=storage,
            checkpoint=checkpoint,
            name=out.name,
            progress=lambda done, total: tell("embedding the gallery", done, total),
        )
        made.save(out)
    click.echo(f"{out}: {made.summary()['gallery']:,} gallery points in {len(made.cells):,} geocells")


@world.command()
@click.option("--out", type=FOLDER, required=True, help="Folder of the world.")
@click.option("--model", default="ViT-B-32", show_default=True, help="An image-text model of open_clip.")
@click.option("--pretrained", help="Tag of its weights.")
@click.option("--checkpoint", type=READ_ANY, help="Its weights, as a file or folder.")
@click.option("--base", type=WORLD, help="World whose geocells to use; the starter world's by default.")
def zeroshot(out: Path, model: str, pretrained: str | None, checkpoint: Path | None, base: Path | None) -> None:
    """Make a world from an image-text model with one prompt per geocell; nothing is trained.

    \b
    Example:
      geoagent world zeroshot --model ViT-B-32 --pretrained laion2b_s34b_b79k --out zeroshot-world
    """
    from geoagent.worlds.training.zeroshot import make_zeroshot_world

    made = make_zeroshot_world(
        model=model,
        pretrained=pretrained,
        checkpoint=checkpoint,
        base=load_world(base) if base is not None else None,
        name=out.name,
    )
    made.save(out)
    click.echo(f"{out}: {len(made.cells):,} geocells")


@click.group()
def geocells() -> None:
    """Geocells: build them from administrative polygons and places.

    \b
    Example:
      geoagent geocells build --data features.npz --out cells --plot cells.png
    """


@geocells.command()
@click.option("--data", type=READ, required=True, help="Places, as for train; its split “train” if it has one.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the geocells.")
@click.option("--units", "units_file", type=READ, help="Polygons of your own (GeoPackage, GeoJSON, GeoParquet, …).")
@click.option("--kind", type=click.Choice(["semantic", "quadtree"]), default="semantic", show_default=True)
@click.option("--min-size", type=int, default=30, show_default=True, help="Minimum places per cell.")
@click.option("--max-size", type=int, default=60, show_default=True, help="Maximum places per cell.")
@click.option("--plot", type=WRITE, help="Draw the cells as a PNG.")
@click.option("--map", "map_path", type=WRITE, help="Write one self-contained HTML map of the cells.")
@click.option("--geojson", type=WRITE, help="Write the cells as GeoJSON.")
@click.option("--country", help="Draw this country only.")
@click.option("--seed", type=int, default=0, show_default=True)
def build(
    data: Path,
    out: Path,
    units_file: Path | None,
    kind: str,
    min_size: int,
    max_size: int,
    plot: Path | None,
    map_path: Path | None,
    geojson: Path | None,
    country: str | None,
    seed: int,
) -> None:
    """Cut semantic geocells (PIGEON's way) or quadtree cells.

    \b
    Example:
      geoagent geocells build --data features.npz --min-size 15 --max-size 40 --out cells --plot cells.png
    """
    import numpy as np

    from geoagent.interfaces.render.cells import cells_png
    from geoagent.interfaces.render.cells_page import cells_geojson, cells_html
    from geoagent.places.geocells import build_geocells, quadtree_cells, read_units
    from geoagent.worlds.training.table import read_table

    table = read_table(data)
    if table.split is not None and "train" in set(table.split.tolist()):
        table = table.part("train")
    units = read_units(units_file) if units_file is not None else None
    with progress_bar() as tell:
        if kind == "quadtree":
            cells = quadtree_cells(table.latlon, units, max_size=max_size)
            sizes = np.bincount(cells.assign(table.latlon), minlength=len(cells))
        else:
            built = build_geocells(table.latlon, units, min_size=min_size, max_size=max_size, seed=seed, progress=tell)
            cells, sizes = built.cells, built.sizes
            click.echo(str(built.report), err=True)
    out.mkdir(parents=True, exist_ok=True)
    cells.save(out)
    if plot is not None:
        cells_png(cells, plot, by="size", sizes=sizes, country=country, places=table.latlon if country else None)
    if map_path is not None:
        map_path.write_text(cells_html(cells, sizes=sizes), "utf-8")
    if geojson is not None:
        geojson.write_text(json.dumps(cells_geojson(cells, sizes)), "utf-8")
    click.echo(f"{out}: {len(cells):,} geocells in {len(cells.country_codes)} countries")


@geocells.command()
@click.argument("folder", type=FOLDER)
def check(folder: Path) -> None:
    """Check for overlaps, gaps and invalid polygons; exit code 1 if any are found.

    \b
    Example:
      geoagent geocells check cells
    """
    from geoagent.places.geocells import Geocells, check_cells

    problems = check_cells(Geocells.load(folder))
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    if problems:
        sys.exit(1)
    click.echo(f"{folder}: sound")
