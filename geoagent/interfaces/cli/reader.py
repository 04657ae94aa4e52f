"""`geoagent train-reader`: a recogniser of lines of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geoagent.interfaces.cli._params import READ
from geoagent.interfaces.cli.learn import FOLDER, progress_bar

FOLDERS = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("train-reader")
@click.option("--fonts", type=FOLDERS, multiple=True, help="Folder of fonts, repeatable; the system's by default.")
@click.option(
    "--texts",
    type=FOLDERS,
    multiple=True,
    help="Folder of word lists, repeatable: *.txt, *.words (one word a line) or *.traineddata of Tesseract.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder for the model, its card, a checkpoint and the log.")
@click.option("--start", type=READ, help="Checkpoint to continue from: checkpoint.pt of an earlier run.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=685, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), help="End after so many steps instead, if that is sooner.")
@click.option("--workers", type=click.IntRange(min=0), help="Processes that draw lines; all cores but one by default.")
@click.option("--validation", type=click.IntRange(min=0), default=60, show_default=True, help="Lines per script.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def train_reader(
    fonts: tuple[Path, ...], texts: tuple[Path, ...], out: Path, start: Path | None, seed: int, **chosen: Any
) -> None:
    """Train the recogniser of text lines on rendered text.

    Words come from GeoNames, Unicode CLDR, the gazetteer's tables and the lists in --texts. Ctrl-C leaves
    OUT/checkpoint.pt, from which --start continues. With --ocr multiscript,model=OUT/multiscript.onnx the other
    commands read with the model.

    \b
    Examples:
      geoagent train-reader --out my-reader
      geoagent train-reader --fonts /usr/share/fonts --texts lists --out my-reader --seconds 3600
      geoagent train-reader --out more --start my-reader/checkpoint.pt --seconds 600
    """
    from geoagent.evidence.ocr.training.material import prepare
    from geoagent.evidence.ocr.training.network import Checkpoint
    from geoagent.evidence.ocr.training.train import ReaderSettings, train

    settings = ReaderSettings(seed=seed, **chosen)
    checkpoint = Checkpoint.load(start) if start is not None else None
    with progress_bar() as tell:
        known = checkpoint.characters if checkpoint is not None else None
        material = prepare(fonts, texts, known=known, seed=seed, progress=tell)
        for source in material.words.sources:
            if source.absent:
                click.echo(f"Note: {source.name} left out: {source.absent}", err=True)
        made = train(
            material,
            out,
            start=checkpoint,
            settings=settings,
            progress=tell,
            note=lambda line: click.echo(line, err=True),
        )
    if made.model is None:
        click.echo(f"Stopped: continue with --start {made.checkpoint}", err=True)
        raise SystemExit(1)
    click.echo(f"{made.model}: reads {', '.join(s for s in material.scripts() if s not in ('Hani', 'Latn'))}")
