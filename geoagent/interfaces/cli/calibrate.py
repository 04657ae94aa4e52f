"""`geoagent calibrate …`: fitting reliabilities, fusion, and how people move."""

from __future__ import annotations

import json
from pathlib import Path

import click

from geoagent.interfaces.cli._params import READ_ANY, WORLD, WRITE


@click.group()
def calibrate() -> None:
    """Fit the reliability of evidence.

    \b
    Example:
      geoagent calibrate cues texts.jsonl --world my-world
    """


@calibrate.command()
@click.argument("texts", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--world", type=click.Path(path_type=Path, file_okay=False, exists=True), help="World to store them in.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as JSON here.")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Folds of the cross-validation.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for the folds and for generated texts.")
@click.option(
    "--generated",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Generated texts that help to fit rare kinds; never used for evaluation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cues(
    texts: tuple[Path, ...],
    world: Path | None,
    out: Path | None,
    folds: int,
    seed: int,
    generated: int,
    as_json: bool,
) -> None:
    """Measure how often each kind of cue is right, on labelled TEXTS.

    TEXTS are JSON Lines, a row a text: {"id": "1", "lines": ["Bäckerei", "…"], "country": "DE"}, and where known "also"
    (other countries that the text allows), "lat" and "lon"; in place of "lines" a row may have "regions", as OCR read
    them from a photo. Or a CSV table of photographed signs with the columns
    text_lines (lines separated by " | ") and country. With --world the reliabilities are stored in that world.

    \b
    Examples:
      geoagent calibrate cues texts.jsonl
      geoagent calibrate cues texts.jsonl signs.csv --generated 2000 --world my-world --out report.json
    """
    from geoagent.agent.core import GeoAgent
    from geoagent.worlds.evaluation.cues import measure, store

    agent = GeoAgent.load(ocr="nothing", world=world)
    report = measure(texts, agent, folds=folds, seed=seed, generated=generated)
    if out is not None:
        out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if world is not None:
        store(report, world)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    low, middle, high = report["strengths"]
    click.echo(f"{'kind':12} {'cues':>5} {'country':>8} {'city':>6}   believed at strength {low}, {middle}, {high}")
    for kind, row in report["kinds"].items():
        city = "" if row["city_right"] is None else f"{row['city_right']:.0%}"
        curve = "  ".join(f"{r:.2f}" for r in report["reliability"][kind])
        click.echo(f"{kind:12} {row['cues']:5} {row['country_right']:8.0%} {city:>6}   {curve}")
    for name, label in (("before", "as it was"), ("crossed", f"measured, {folds} folds")):
        figures = report[name]
        click.echo(
            f"{label}: country right {figures['country_right']:.1%}, log loss {figures['log_loss']:.3f}, "
            f"ECE {figures['ece']:.3f}, by chance {figures['ece_by_chance']:.3f} ({report['texts']} texts)"
        )
    if world is not None:
        click.echo(f"stored in {world}")


@calibrate.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--count", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Number of texts to generate."
)
@click.option(
    "--world", type=click.Path(path_type=Path, file_okay=False, exists=True), help="World whose prior is used."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed; the same seed gives the same texts.")
def texts(out: Path, count: int, world: Path | None, seed: int) -> None:
    """Make up labelled texts, as `calibrate cues --generated` uses them, and write them to OUT as JSON Lines.

    They are composed from the gazetteer's places and the cue tables, with misleading lines and misread letters.

    \b
    Example:
      geoagent calibrate texts made-up.jsonl --count 500 --seed 7
    """
    from geoagent.agent.core import GeoAgent
    from geoagent.worlds.evaluation.generated import Signs

    assets = GeoAgent.load(ocr="nothing", world=world).assets
    rows = Signs(assets.gazetteer, assets.facts, assets.world.country_prior, seed).texts(count)
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    click.echo(f"{len(rows)} texts written to {out}")


@calibrate.command()
@click.argument("positions", type=READ_ANY)
@click.option("--out", type=WRITE, required=True, help="Write the parameters here, for `locate --album --motion`.")
@click.option("--steps", type=click.IntRange(50, 5000), default=450, show_default=True, help="Steps of the search.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for hiding positions.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def motion(positions: Path, out: Path, steps: int, seed: int, as_json: bool) -> None:
    """Fit how people move, for `geoagent locate --album`.

    POSITIONS is a table with the columns person (or device), utc, lat and lon, or a folder of photos with times and
    positions of their own: each camera is a person then.

    \b
    Examples:
      geoagent calibrate motion holiday/ --out motion.json
      geoagent calibrate motion checkins.csv --seed 11 --out motion.json
    """
    from dataclasses import asdict
    from datetime import date

    from geoagent.album.motion import Motion
    from geoagent.interfaces.cli.learn import progress_bar
    from geoagent.worlds.training.motion import fit, positions_in, read_positions, scored

    people = positions_in(positions) if positions.is_dir() else read_positions(positions)
    with progress_bar() as tell:
        fitted = fit(list(people.values()), seed=seed, steps=steps, progress=tell)
    before, after = (scored(list(people.values()), each, seed=seed + 1) for each in (Motion.load(), fitted))
    count = sum(map(len, people.values()))
    card = {"source": positions.name, "persons": len(people), "positions": count, "date": date.today().isoformat()}
    fitted.save(out, {**card, "seed": seed, "score": round(after, 4), "score_before": round(before, 4)})
    if as_json:
        click.echo(json.dumps({"parameters": asdict(fitted), "score": after, "score_before": before, **card}))
        return
    click.echo(f"{count} positions of {len(people)} persons or cameras; score {before:.3f} before, {after:.3f} fitted")
    click.echo("(log density at hidden places plus twice the log probability within 25 km; more is better)")
    click.echo(f"written to {out}")


@calibrate.command()
@click.argument("texts", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--world", type=WORLD, required=True, help="World to fit; the fitted values are stored in it.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="NPZ of features of places outside the training set.",
)
@click.option(
    "--pairs", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="CSV that pairs texts with features."
)
@click.option("--split", default="val", show_default=True, help="Without --pairs: split to choose places from.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Save the world here instead of in place."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed for choosing places.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fusion(
    texts: Path, world: Path, data: Path, pairs: Path | None, split: str, out: Path | None, seed: int, as_json: bool
) -> None:
    """Fit how far picture and text are believed together, and the radii and sets of answers with text.

    TEXTS are labelled as for `calibrate cues`. Each is set beside places of its country: those that --pairs names, or
    the one nearest to the city that it names, or random ones.

    \b
    Examples:
      geoagent calibrate fusion texts.jsonl --world my-world --data features.npz
      geoagent calibrate fusion texts.jsonl --world my-world --data features.npz --pairs pairs.csv --out fitted
    """
    from geoagent.agent.core import GeoAgent
    from geoagent.interfaces.cli.learn import progress_bar
    from geoagent.worlds.evaluation.believe import fit_belief, fit_world
    from geoagent.worlds.evaluation.cases import load_pairs, pair_up, read_labelled
    from geoagent.worlds.evaluation.cues import fingerprint
    from geoagent.worlds.installed import find
    from geoagent.worlds.training.table import read_table

    place = find(world)
    agent = GeoAgent.load(world=place, ocr="nothing")
    with progress_bar() as tell:
        if pairs is not None:
            cases = [c for v in ("1", "all") for c in load_pairs(pairs, texts, data, agent, views=v, progress=tell)]
        else:
            held, labelled = read_table(data).part(split), list(read_labelled(texts).values())
            cases = [c for v in ("1", "all") for c in pair_up(labelled, held, agent, views=v, seed=seed)]
        fitted = fit_belief(cases, agent, progress=tell)
        source = [texts, data, *([pairs] if pairs is not None else [])]
        names = {"files": [path.name for path in source], "fingerprint": fingerprint(source)}
        saved = fit_world(agent.assets.world, fitted, cases, agent, data=names)
    saved.save(out or place or world)
    if as_json:
        click.echo(json.dumps({name: saved.calibration.get(name) for name in ("fusion", "conformal", "named_km")}))
        return
    belief, figures = fitted.belief, fitted.figures
    weights = ", ".join(f"{source} {weight:g}" for source, weight in belief.weights.items())
    click.echo(
        f"log loss of the country {figures['before']:.3f}, fitted {figures['fitted']:.3f} nats "
        f"({figures['texts']} texts, {figures['cases']} pairs)"
    )
    click.echo(
        f"weights: {weights}; reliability × {belief.reliability:g}; same line {belief.same_region:g}; "
        f"picture believed {belief.picture:.2%}"
    )
    for group, scales in saved.calibration["conformal"]["radius"].items():
        click.echo(f"radii of answers resting on {group}: × {scales[0]:.2f} (50 %), × {scales[1]:.2f} (90 %)")
    click.echo(f"stored in {out or place or world}")
