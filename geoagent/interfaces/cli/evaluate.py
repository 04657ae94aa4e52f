"""`geoagent evaluate`: accuracy of a world, and what text adds to its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._params import READ, WORLD, WRITE
from geoagent.interfaces.cli.learn import FOLDER, places, progress_bar

if TYPE_CHECKING:
    from geoagent.worlds.evaluation.cases import Case


@click.command()
@click.option("--world", "folder", type=WORLD, help="Folder or name of the world.")
@click.option("--data", type=READ, help="Places with features or photos, as for train.")
@click.option("--out", type=WRITE, help="Write the report as JSON.")
@click.option("--plots", type=FOLDER, help="Write the plots here.")
@click.option("--images", type=FOLDER, help="Folder that the table's photos are relative to.")
@click.option("--views", type=click.Choice(["1", "all"]), help="Views of each place; all by default, both for --pairs.")
@click.option("--split", help="Only the rows of this split.")
@click.option("--refiner", default="mode", show_default=True, help="How the place is refined.")
@click.option("--search", default="auto", show_default=True, help="How neighbours are found.")
@click.option("--pairs", type=READ, help="CSV text_id,panorama[,km_from_city]: compare picture and text on these.")
@click.option("--texts", type=READ, help="With --pairs: JSON lines of labelled texts.")
@click.option("--photos", type=READ, multiple=True, help="CSV file,country[,lat,lon] of photos to compare on.")
@click.option("--ocr", default="auto", show_default=True, help="With --photos: OCR engine.")
@click.option("--markdown", type=WRITE, help="With --pairs or --photos: write the tables here.")
@click.option(
    "--folds", type=click.IntRange(0), default=5, show_default=True, help="Folds of the cross-fitting; 0 for none."
)
@click.option("--bootstrap", type=int, default=1000, show_default=True, help="Bootstrap samples for the intervals.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def evaluate(
    folder: Path | None,
    data: Path | None,
    out: Path | None,
    plots: Path | None,
    images: Path | None,
    views: Any,
    split: str | None,
    refiner: str,
    search: str,
    pairs: Path | None,
    texts: Path | None,
    photos: tuple[Path, ...],
    ocr: str,
    markdown: Path | None,
    folds: int,
    bootstrap: int,
    seed: int,
    as_json: bool,
) -> None:
    """Measure a world: accuracy by distance, countries, calibration, radii, with 95 % intervals.

    With --pairs or --photos it measures what the text in a photo adds to its picture: vision-only, text-only,
    text-aware and other ways of joining them, by stratum.

    \b
    Examples:
      geoagent evaluate --world my-world --data features.npz --split test --out report.json
      geoagent evaluate --world my-world --data features.npz --pairs pairs.csv --texts texts.jsonl --markdown table.md
      geoagent evaluate --world my-world --photos photos/truth.csv --folds 0
    """
    if (pairs is None) != (texts is None) or (pairs is not None and data is None):
        raise click.UsageError("--pairs needs --texts and --data, and --texts needs --pairs")
    if pairs is not None or photos:
        _compare(folder, data, pairs, texts, photos, ocr, views, folds, bootstrap, seed, out, plots, markdown, as_json)
        return
    if folder is None or data is None:
        raise click.UsageError("give --world and --data, or photos or pairs to compare on")
    if markdown is not None:
        raise click.UsageError("--markdown needs --pairs or --photos")
    from geoagent.worlds.evaluation import evaluate as run
    from geoagent.worlds.installed import find
    from geoagent.worlds.world import World

    world = World.load(find(folder))
    with progress_bar() as tell:
        report = run(
            world,
            places(data, images, dict(world.encoder or {}) or None, tell),
            views=views or "all",
            split=split,
            refiner=refiner,
            search=search,
            bootstrap=bootstrap,
            seed=seed,
            progress=tell,
        )
    if out is not None:
        report.save(out)
    if plots is not None:
        from geoagent.worlds.evaluation.plots import save_plots

        save_plots(report, plots)
    if as_json:
        click.echo(report.to_json(), nl=False)
        return
    for name, value, interval in report.lines():
        click.echo(f"{name:20} {value:>12}   {interval}")


def _compare(
    folder: Path | None,
    data: Path | None,
    pairs: Path | None,
    texts: Path | None,
    photos: Sequence[Path],
    ocr: str,
    views: str | None,
    folds: int,
    bootstrap: int,
    seed: int,
    out: Path | None,
    plots: Path | None,
    markdown: Path | None,
    as_json: bool,
) -> None:
    import json

    from geoagent.agent.core import GeoAgent
    from geoagent.worlds.evaluation.cases import load_pairs, load_photos
    from geoagent.worlds.evaluation.comparison import compare
    from geoagent.worlds.evaluation.comparison_report import markdown as tables
    from geoagent.worlds.evaluation.comparison_report import save_plots
    from geoagent.worlds.installed import find

    agent = GeoAgent.load(world=find(folder), ocr=ocr if photos else "nothing")
    cases: dict[str, Sequence[Case]] = {}
    with progress_bar() as tell:
        if pairs is not None and texts is not None and data is not None:
            for which, name in (("1", "one view"), ("all", "all views")):
                if views in (None, which):
                    cases[name] = load_pairs(pairs, texts, data, agent, views=which, progress=tell)
        for truth in photos:
            name = f"photos {truth.parent.name}"
            cases[name if name not in cases else f"photos {truth}"] = load_photos(truth, agent, progress=tell)
        named = {"pairs": pairs and pairs.name, "texts": texts and texts.name, "data": data and data.name}
        settings = {**named, "photos": [truth.name for truth in photos]}
        found = compare(cases, agent, folds=folds, bootstrap=bootstrap, seed=seed, settings=settings, progress=tell)
    if out is not None:
        found.save(out)
    if plots is not None:
        save_plots(found, plots)
    if markdown is not None:
        markdown.parent.mkdir(parents=True, exist_ok=True)
        markdown.write_text(tables(found), "utf-8")
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    elif markdown is None:
        click.echo(tables(found), nl=False)
