"""The vision pipeline from pixels: a small encoder and a world trained on photos, cross-validated by source.

195 real photos and MobileNetV2 (an object classifier, not trained for geolocation): this tests whether the pipeline
carries signal, not how accurate it can be. Photos from one source repository are never in both training and test.

    python benchmarks/bench_pixels.py [--folds 5]
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data, table

from geoagent import GeoAgent, plugs
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.protocols import Assets
from geoagent.worlds.evaluation.predict import Predictor
from geoagent.worlds.lens import unit_rows
from geoagent.worlds.training import HeadSettings, TrainSettings, read_table, train
from geoagent.worlds.training.embed import embed_table
from geoagent.worlds.training.views import mean_view
from geoagent.worlds.world import World


def folds_of(sources: list[str], count: int) -> np.ndarray:
    """Fold of each photo: whole sources, largest first, each into the smallest fold."""
    fold, filled = {}, [0] * count
    for source, photos in Counter(sources).most_common():
        fold[source] = int(np.argmin(filled))
        filled[fold[source]] += photos
    return np.array([fold[source] for source in sources])


def neighbours_vote(known: Any, countries: Any, asked: Any, count: int = 10) -> list[str]:
    """Majority country of the nearest photos."""
    mean = known.mean(axis=0)
    near = np.argsort(-(unit_rows(asked - mean) @ unit_rows(known - mean).T), axis=1)[:, :count]
    return [Counter(countries[row].tolist()).most_common(1)[0][0] for row in near]


def main() -> None:
    """Train one world per fold, and evaluate it on the held-out photos."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    home = data("photos")
    plug = {"name": "onnx", "model": str(data("weights", "mobilenet_v2_imagenet_fp32.onnx"))}
    with (home / "photos.csv").open(encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    options = {name: value for name, value in plug.items() if name != "name"}
    encoder = plugs.build("encoders", plug["name"], Assets(World.load(), Gazetteer.load(), Facts.load()), **options)
    photos = embed_table(read_table(home / "photos.csv", images=home), encoder)
    names = [Path(ref).name for ref in photos.refs]
    true = np.array([rows[name]["country"] for name in names])
    fold = folds_of([rows[name]["source_repo"] for name in names], asked.folds)
    embeddings = mean_view(photos.unit_views())
    right: dict[str, list[bool]] = {"world": [], "10 neighbours": [], "commonest country": []}
    shown = 0
    how = TrainSettings(head=replace(HeadSettings(), models=1))
    for number in range(asked.folds):
        test = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        world = train(photos.take(rest), settings=how, encoder=plug, name=f"fold {number}")
        found = Predictor(world)(embeddings[test], radii=False)
        right["world"] += (found.country == true[test]).tolist()
        vote = neighbours_vote(embeddings[rest], true[rest], embeddings[test])
        right["10 neighbours"] += (np.array(vote) == true[test]).tolist()
        right["commonest country"] += (true[test] == Counter(true[rest].tolist()).most_common(1)[0][0]).tolist()
        with tempfile.TemporaryDirectory() as folder:
            agent = GeoAgent.load(world=world.save(Path(folder) / "world"), ocr="nothing")
            shown += sum(bool(agent.locate(home / names[i]).neighbours) for i in test[:5])
    print(f"answers of `locate` with neighbours shown: {shown} of {5 * asked.folds}")
    table(("country right, sources held out", "photos", "%"), [(k, len(v), 100 * np.mean(v)) for k, v in right.items()])


if __name__ == "__main__":
    main()
