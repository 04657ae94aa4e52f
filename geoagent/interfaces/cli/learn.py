"""`geoagent train` and `tune`: worlds of your own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._main import parse_plug
from geoagent.interfaces.cli._params import READ, WORLD

if TYPE_CHECKING:
    from geoagent.protocols import Encoder
    from geoagent.worlds.training.table import Table
    from geoagent.worlds.world import World

FOLDER = click.Path(path_type=Path, file_okay=False)
ENCODER = "Encoder of the photos, as NAME[,option=value…]: onnx,model=encoder.onnx or open_clip,model=ViT-B-32."


@click.command()
@click.option("--data", type=READ, required=True, help="F.npz (lat, lon, views, split), or a CSV/Parquet table.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the world.")
@click.option("--encoder", "encoder_text", metavar="NAME[,k=v]", help=ENCODER)
@click.option("--images", type=FOLDER, help="Folder that the table's photos are relative to.")
@click.option("--cells", type=click.Choice(["semantic", "quadtree"]), default="semantic", show_default=True)
@click.option("--geocells", type=FOLDER, help="Geocells made by `geoagent geocells build` instead.")
@click.option("--min-size", type=int, help="Minimum training places per cell.")
@click.option("--max-size", type=int, help="Maximum training places per cell.")
@click.option("--tau-km", type=float, help="Scale of the haversine smoothing of labels.")
@click.option("--smoothing", type=click.Choice(["normalised", "released", "hard"]), help="Form of the labels.")
@click.option("--hidden", type=int, help="Units of the hidden layer; 0 for a linear head.")
@click.option("--models", type=int, help="Number of models in the head's ensemble.")
@click.option("--epochs", type=int)
@click.option(
    "--lens/--no-lens",
    default=True,
    show_default=True,
    help="Train a projection (lens) for the neighbours.",
)
@click.option("--budget-s", type=float, help="Seconds after which no further epoch of a model begins.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    help="Where the model is trained and photos are embedded; auto is a CUDA GPU if there is one.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on where the same command was interrupted.")
def train(
    data: Path,
    out: Path,
    encoder_text: str | None,
    images: Path | None,
    geocells: Path | None,
    seed: int,
    lens: bool,
    resume: bool,
    **chosen: Any,
) -> None:
    """Train a world on your own photos or features.

    While it runs, its state is kept in OUT.training; an interrupted command
    goes on from there with --resume. Several processes share the work when
    torchrun starts them: over gloo on CPUs, NCCL on GPUs.

    \b
    Examples:
      geoagent train --data features.npz --out my-world
      geoagent train --data photos.csv --encoder onnx,model=encoder.onnx \\
        --out my-world
      torchrun --nproc-per-node 2 -m geoagent train --data features.npz \\
        --out my-world
    """
    from geoagent.places.geocells import Geocells
    from geoagent.worlds.training import train as run
    from geoagent.worlds.training.group import together
    from geoagent.worlds.training.head import HeadSettings
    from geoagent.worlds.training.lens import LensSettings
    from geoagent.worlds.training.train import TrainSettings

    given = {name: value for name, value in chosen.items() if value is not None}
    head_names = ("hidden", "models", "epochs", "budget_s", "device")
    of_head = {name: given.pop(name) for name in head_names if name in given}
    if of_head.get("hidden") == 0:
        of_head.setdefault("models", 1)  # several linear models are one
    head = replace(HeadSettings(), **of_head)
    if not lens:
        given["lens"] = LensSettings(dims=0)
    settings = replace(TrainSettings(), head=head, seed=seed, **given)
    plug = parse_plug("--encoder", encoder_text)
    state = out.with_name(f"{out.name}.training")
    with together(head.device) as group, progress_bar(show=group.first) as tell:
        table = group.in_turn(lambda: places(data, images, plug, tell, head.device))
        cells = Geocells.load(geocells) if geocells is not None else None
        options: dict[str, Any] = {"cells": cells, "settings": settings, "encoder": plug, "progress": tell}
        try:
            world = run(table, out=out, checkpoints=state, resume=resume, group=group, **options)
        except KeyboardInterrupt:
            if group.first:
                click.echo(f"Interrupted; the state is in {state}. Go on with the same command and --resume.", err=True)
            raise
    if world is None:  # another process has it
        return
    for note in getattr(table, "notes", ()):
        click.echo(f"Note: {note}", err=True)
    click.echo(
        f"{out}: {len(world.cells):,} geocells in {len(world.cells.country_codes)} countries, {len(table):,} places"
    )


@click.command()
@click.option("--world", "folder", type=WORLD, required=True, help="Folder or name of the world.")
@click.option(
    "--data", type=READ, required=True, help="Validation places, as for train; its split “val” if it has one."
)
@click.option("--images", type=FOLDER, help="Folder that the table's photos are relative to.")
@click.option("--out", type=FOLDER, help="Where to save the tuned world; in place by default.")
def tune(folder: Path, data: Path, images: Path | None, out: Path | None) -> None:
    """Fit refinement (K, M, α, β, bandwidth) and radii on validation places.

    \b
    Example:
      geoagent tune --world my-world --data features.npz
    """
    from geoagent.worlds.installed import find
    from geoagent.worlds.training.tune import tune as run
    from geoagent.worlds.world import World

    place = find(folder)
    world = World.load(place)
    with progress_bar() as tell:
        table = places(data, images, dict(world.encoder or {}) or None, tell)
        if table.split is not None and "val" in set(table.split.tolist()):
            table = table.part("val")
        tuned = run(world, table, progress=tell)
    saved = tuned.save(out or place or folder)
    fitted = ", ".join(
        f"{name} {value:g}" for name, value in sorted(tuned.calibration.items()) if isinstance(value, float)
    )
    click.echo(f"{saved}: {fitted}")


def make_encoder(plug: dict[str, Any], device: str = "auto") -> Encoder:
    """Build an encoder outside of any agent, on a device if it runs on one and its options name none."""
    import inspect

    from geoagent import plugs
    from geoagent.config import Plug
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.places.gazetteer.facts import Facts
    from geoagent.protocols import Assets
    from geoagent.worlds.world import World

    checked = Plug.model_validate(plug)
    if device != "auto" and "device" in inspect.signature(plugs.factory("encoders", checked.name)).parameters:
        checked = Plug.model_validate({"device": device, **plug})
    encoder: Encoder = plugs.build(
        "encoders", checked.name, Assets(World.load(), Gazetteer.load(), Facts.load()), **checked.options
    )
    return encoder


@contextmanager
def progress_bar(*, transfer: bool = False, show: bool = True) -> Iterator[Any]:
    """A function `tell(what, done, total)` that draws a progress bar on stderr if it is a terminal.

    Args:
        transfer: whether bytes are counted: then size, rate and time left are shown, else the time that went by.
        show: whether to draw anything at all.
    """
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    rates = (progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    columns = rates if transfer else (progress.TimeElapsedColumn(),)
    described = (progress.TextColumn("{task.description}"), progress.BarColumn())
    with progress.Progress(*described, *columns, console=console, disable=not (show and console.is_terminal)) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=max(total, 1))
            bar.update(tasks[what], completed=done, total=max(total, 1))

        yield tell


def places(data: Path, images: Path | None, plug: dict[str, Any] | None, tell: Any, device: str = "auto") -> Table:
    """Places with features; photos are embedded by the named encoder, on a device."""
    from geoagent.worlds.evaluation.data import load_data
    from geoagent.worlds.training.table import read_table

    table = read_table(data, images=images)
    if table.views is not None:
        return table
    encoder = make_encoder(plug, device) if plug is not None else None
    return load_data(data, images=images, encoder=encoder, progress=tell)


def load_world(folder: Path | None) -> World:
    """A world by folder or name; the starter world for None."""
    from geoagent.worlds.installed import find
    from geoagent.worlds.world import World

    return World.load(find(folder))
