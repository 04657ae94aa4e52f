"""Does the text help? Measured on pairs of picture features and sign texts, and on real photos from pixels.

    python benchmarks/bench_comparison.py --world WORLD [--out FOLDER] [--no-pixels]

WORLD is trained on ../shared/data/streetview (geoagent train --data …/panoramas.npz --out WORLD). The script fits it on
the pairs; the rows "cross-fitted" evaluate the fit on unseen texts. Photos and signs from pixels are scored by a world
of MobileNetV2 features, trained on photos from other sources.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from _shared import data
from bench_pixels import folds_of

from geoagent import GeoAgent
from geoagent.interfaces.cli.learn import make_encoder, progress_bar
from geoagent.worlds.evaluation.believe import fit_belief, fit_world, over
from geoagent.worlds.evaluation.cases import load_pairs, load_photos
from geoagent.worlds.evaluation.comparison import compare
from geoagent.worlds.evaluation.comparison_report import markdown, save_plots
from geoagent.worlds.training import read_table, train
from geoagent.worlds.training.embed import embed_table


def pairs(world: Path, out: Path, folds: int, bootstrap: int) -> None:
    """One view and all, over the world fitted on them."""
    agent = GeoAgent.load(world=world, ocr="nothing")
    files = data("pairs.csv"), data("sign_texts.jsonl"), data("streetview", "panoramas.npz")
    with progress_bar() as tell:
        views = (("1", "one view"), ("all", "all views"))
        cases = {name: load_pairs(*files, agent, views=which, progress=tell) for which, name in views}
        every = [case for mine in cases.values() for case in mine]
        fitted = over(agent, fit_world(agent.assets.world, fit_belief(every, agent), every, agent))
        said = {"pairs": "pairs.csv"}
        found = compare(cases, fitted, folds=folds, bootstrap=bootstrap, settings=said, progress=tell)
    found.save(out / "pairs.json")
    (out / "pairs.md").write_text(markdown(found), "utf-8")
    save_plots(found, out)


def pixels(out: Path, bootstrap: int) -> None:
    """Signs, and photos from sources that the world was not trained on, with their OCR text."""
    home = data("photos")
    plug = {"name": "onnx", "model": str(data("weights", "mobilenet_v2_imagenet_fp32.onnx"))}
    with (home / "photos.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    source = {row["file"]: row["source_repo"] for row in rows}
    with progress_bar() as tell, tempfile.TemporaryDirectory() as folder:
        photos = embed_table(read_table(home / "photos.csv", images=home), make_encoder(plug), progress=tell)
        held = folds_of([source[Path(ref).name] for ref in photos.refs], 5) == 0
        known = photos.take(np.flatnonzero(~held))
        train(known, encoder=plug, name="photos", out=Path(folder) / "world", progress=tell)
        agent = GeoAgent.load(world=Path(folder) / "world")
        unseen = {Path(ref).name for ref, out_of in zip(photos.refs, held, strict=True) if out_of}
        cases = {
            "signs": load_photos(data("signs", "truth.csv"), agent, progress=tell),
            "photos": [case for case in load_photos(home / "photos.csv", agent, progress=tell) if case.id in unseen],
        }
        found = compare(cases, agent, folds=0, bootstrap=bootstrap, settings={"photos": list(cases)}, progress=tell)
    found.save(out / "pixels.json")
    (out / "pixels.md").write_text(markdown(found), "utf-8")
    save_plots(found, out)


def main() -> None:
    """Run the comparison; write tables and plots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("bench_comparison"))
    parser.add_argument("--no-pixels", action="store_true")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--bootstrap", type=int, default=1000)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    pairs(asked.world, asked.out, asked.folds, asked.bootstrap)
    if not asked.no_pixels:
        pixels(asked.out, asked.bootstrap)
    print(f"tables and plots are in {asked.out}")


if __name__ == "__main__":
    main()
