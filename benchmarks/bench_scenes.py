"""Rendered scenes from pixels: how often a country is named, and how often it is right, by what is in the scene.

    python benchmarks/bench_scenes.py --cache FOLDER [--scenes N] [--seed N] [--draw FOLDER]

`scenes.py` says what is drawn. Texts read are kept in the cache, so a second run takes seconds. Where nothing in a
scene tells the country, an answer is right with the prior of the country that it names, and its log loss is the mean
over the prior: nothing is better there than to stay with the prior. Texts come from the tables that the cues read, so
the figures say how far evidence and appearance are told apart, not how good the tables are.

Half of the scenes without a country have a real photo as their background, mirrored and cropped, where the benchmark
data is there: those of `textless_photos.txt`, in which a person saw no text. Their own country is no truth here, since
nothing of it can be read. None of them is of the frozen part of `bench_photos.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from _drawing import VERSION, missing, render
from _photos import Sample, judge, key_of, print_errors, print_figures, read
from _shared import DATA
from scenes import Scene, compose

from geoagent import GeoAgent
from geoagent.worlds.evaluation.generated import Signs


def textless_photos() -> list[Path]:
    """Photos without text, in the order of their names; none without the benchmark data."""
    names = (Path(__file__).parent / "textless_photos.txt").read_text("utf-8").split()
    return [path for name in names if (path := DATA / "photos" / name).is_file()]


def samples(scenes: Sequence[Scene]) -> list[Sample]:
    """The scenes as samples, grouped by part, and by part and kind."""
    return [
        Sample(
            id=f"{scene.seed % 100:02d}/{scene.id}",
            picture=partial(render, scene),
            key=key_of(f"{VERSION} {scene}"),
            country=scene.country,
            groups=(scene.part, f"{scene.part} {scene.kind}"),
            says=" / ".join(scene.lines),
        )
        for scene in scenes
    ]


def main() -> None:
    """Draw and read the scenes, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the texts read")
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draw", type=Path, help="also write the scenes into this folder, to look at")
    parser.add_argument("--ocr", default="auto", help="the engine; auto is the default of geoagent")
    args = parser.parse_args()
    if why := missing():
        sys.exit(f"skipped: {why}")
    agent = GeoAgent.load(looks=False)
    signs = Signs(agent.assets.gazetteer, agent.assets.facts, agent.assets.world.country_prior)
    photos = textless_photos()
    print(f"{len(photos)} real photos as backgrounds")
    scenes = compose(args.scenes, signs, seed=args.seed, photos=photos)
    if args.draw:
        args.draw.mkdir(parents=True, exist_ok=True)
        for scene in scenes:
            (args.draw / f"{scene.id}.jpg").write_bytes(render(scene))
    judged = [judge(seen, agent) for seen in read(samples(scenes), args.cache, ocr=args.ocr)]
    print_figures(sorted(judged, key=lambda row: row.seen.sample.groups))
    print_errors(judged, agent)


if __name__ == "__main__":
    main()
