"""GeoCLIP as a geoagent world, compared with the package `geoclip` on the same random CLIP weights.

The package is read from its wheel; its CLIP is built from its configuration with random weights instead of being
downloaded, and the same weights are loaded into open_clip. Scores and time are comparable; the predictions are
meaningless. Needs: pip install transformers pandas geopy tqdm, and the wheel (pip download --no-deps geoclip).

    python benchmarks/bench_geoclip.py --wheel geoclip-1.3.0-py3-none-any.whl [--photos 32] [--threads 2] [--clock cpu]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _shared import table

from geoagent import plugs
from geoagent.protocols import Assets
from geoagent.types import Photo
from geoagent.worlds.gallery import Gallery, GalleryHead
from geoagent.worlds.training.geoclip import GeoClip, embed_places, make_geoclip_world, read_geoclip
from geoagent.worlds.world import World


def open_clip_names(theirs: dict[str, Any], layers: int) -> dict[str, Any]:
    """The vision tower of transformers' CLIP under open_clip's names."""
    import torch

    start = "vision_model."
    ours = {
        "visual.class_embedding": theirs[start + "embeddings.class_embedding"],
        "visual.positional_embedding": theirs[start + "embeddings.position_embedding.weight"],
        "visual.conv1.weight": theirs[start + "embeddings.patch_embedding.weight"],
        "visual.proj": theirs["visual_projection.weight"].T.contiguous(),
    }
    for mine, name in (("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm")):
        for part in ("weight", "bias"):
            ours[f"visual.{mine}.{part}"] = theirs[f"{start}{name}.{part}"]
    for i in range(layers):
        mine, name = f"visual.transformer.resblocks.{i}.", f"{start}encoder.layers.{i}."
        for part in ("weight", "bias"):
            heads = [theirs[f"{name}self_attn.{letter}_proj.{part}"] for letter in "qkv"]
            ours[f"{mine}attn.in_proj_{part}"] = torch.cat(heads)
            for a, b in (
                ("attn.out_proj", "self_attn.out_proj"),
                ("ln_1", "layer_norm1"),
                ("ln_2", "layer_norm2"),
                ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
            ):
                ours[f"{mine}{a}.{part}"] = theirs[f"{name}{b}.{part}"]
    return ours


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
clock: Callable[[], float] = time.perf_counter


def seconds(call: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Minimum time of a call, and its result."""
    took, result = [], None
    for _ in range(times):
        begin = clock()
        result = call()
        took.append(clock() - begin)
    return min(took), result


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wheel", type=Path, required=True, help="the package geoclip as a wheel")
    parser.add_argument("--photos", type=int, default=32, help="photos in a batch")
    parser.add_argument("--alone", type=int, default=1, help="photos used to time the package's predict()")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall", help="use cpu on a busy machine")
    asked = parser.parse_args()
    global clock
    clock = CLOCKS[asked.clock]
    import torch

    torch.set_num_threads(asked.threads)
    from geoagent.evidence.encoders import open_clip as plug  # first: it works around torchvision with a CPU-only torch

    with tempfile.TemporaryDirectory(prefix="bench-geoclip-") as folder:
        home = Path(folder)
        with zipfile.ZipFile(asked.wheel) as wheel:
            wheel.extractall(home / "package")
        sys.path.insert(0, str(home / "package"))
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            from geoclip import GeoCLIP

            torch.manual_seed(0)
            package = GeoCLIP(clip_pretrained=False).eval()
        model = plug.open_clip.create_model("ViT-L-14-quickgelu")
        vision = open_clip_names(package.image_encoder.CLIP.state_dict(), 24)
        odd = model.load_state_dict(vision, strict=False)
        assert not odd.unexpected_keys, odd.unexpected_keys
        assert not [name for name in odd.missing_keys if name.startswith("visual.")], odd.missing_keys
        torch.save(model.state_dict(), home / "clip.pt")
        del model, vision
        parts = read_geoclip(asked.wheel)
        once, world = seconds(lambda: make_geoclip_world(parts, checkpoint=home / "clip.pt"))
        saved = world.save(home / "world")
        loading, world = seconds(lambda: World.load(saved))
        assets = Assets(world, None, None)  # type: ignore[arg-type]
        encoder = plugs.build("encoders", "geoclip", assets, checkpoint=home / "clip.pt", device="cpu")
        compare(package, encoder, world, parts, asked, home)
        print(f"\nmade once: {once:.1f} s (gallery embedded); loaded: {loading:.2f} s")


def compare(package: Any, encoder: Any, world: World, parts: GeoClip, asked: argparse.Namespace, home: Path) -> None:
    """Scores over the package's own 100,000 points, then time."""
    import torch
    from PIL import Image

    rng = np.random.default_rng(0)
    photos = []
    for i in range(asked.photos):
        # Already 224 × 224, so that both get the same pixels whatever their resizing.
        small = Image.fromarray(rng.integers(0, 255, (7, 7, 3), dtype=np.uint8)).resize(
            (224, 224), Image.Resampling.BICUBIC
        )
        small.save(home / f"{i}.png")
        photos.append(Photo(np.asarray(small), source=str(home / f"{i}.png")))
    pixels = torch.cat([package.image_encoder.preprocess_image(Image.open(p.source)) for p in photos])
    head = world.head
    assert isinstance(head, GalleryHead)
    head(np.ones(head.dim, dtype=np.float32))  # the gallery is converted to float32 on first use

    with torch.no_grad():
        both, theirs = seconds(lambda: package(pixels, package.gps_gallery).numpy())
    ours_all, rows = seconds(lambda: look(encoder, head, photos))
    points = package.gps_gallery.numpy().astype(np.float64)
    known = world.gallery
    assert known is not None
    where = {tuple(place): i for i, place in enumerate(known.latlon.astype(np.float32).tolist())}
    order = np.array([where[tuple(place)] for place in package.gps_gallery.tolist()])
    ours = head.scores(rows)[:, order]
    table_scores(theirs, ours, head.scale, f"gallery as stored ({known.storage})")
    exact = Gallery.make(
        embed_places(parts.location, points), points, np.zeros(len(points)), [""] * len(points), storage="float32"
    )
    table_scores(theirs, (rows @ exact.rows(slice(None)).T) * np.float32(head.scale), head.scale, "gallery in float32")

    alone = photos[: asked.alone]
    predict, _ = seconds(lambda: [package.predict(p.source, 5) for p in alone])
    mine, _ = seconds(lambda: [look(encoder, head, [p]) for p in alone], 3)
    with torch.no_grad():
        clip_theirs, _ = seconds(lambda: package.image_encoder(pixels[:1]), 3)
    after, _ = seconds(lambda: head(rows[0]), 5)
    predict, mine = predict / len(alone), mine / len(alone)
    print(f"\nseconds ({asked.clock}) on {asked.threads} threads")
    rows_out = [
        ("one photo", predict, mine, predict / mine),
        (f"{asked.photos} photos, the package given all at once", both, ours_all, both / ours_all),
        (f"{asked.photos} photos, the package's predict() for each (from one)", predict * asked.photos, ours_all, 0.0),
        ("of one photo: the picture through CLIP", clip_theirs, mine - after, clip_theirs / (mine - after)),
        ("of one photo: everything after CLIP", predict - clip_theirs, after, (predict - clip_theirs) / after),
    ]
    rows_out[2] = (*rows_out[2][:3], rows_out[2][1] / ours_all)
    table(("", "geoclip", "geoagent", "ratio"), rows_out)


def look(encoder: Any, head: GalleryHead, photos: list[Photo]) -> Any:
    """The agent's preprocessing of photos."""
    rows = encoder(photos)
    for row in rows:
        head(row)
    return rows


def table_scores(theirs: Any, ours: Any, scale: float, what: str) -> None:
    """The largest differences of cosines, scores and softmax probabilities."""

    def softmax(scores: Any) -> Any:
        wide = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
        return wide / wide.sum(axis=1, keepdims=True)

    a, b = softmax(theirs), softmax(ours)
    print(
        f"{what}: largest difference of cosines {np.abs(theirs - ours).max() / scale:.1e}, of scores "
        f"{np.abs(theirs - ours).max():.1e}, of probabilities {np.abs(a - b).max():.1e} (largest {a.max():.3f}); "
        f"same best point for {(a.argmax(axis=1) == b.argmax(axis=1)).mean():.0%}"
    )


if __name__ == "__main__":
    main()
