"""GeoCLIP without training: its published weights as a world, and its image half on random CLIP weights."""

from __future__ import annotations

import importlib.util
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import make_world
from geoclip_weights import RNG, capsule_weights, image_weights

from geoagent import plugs
from geoagent.errors import ConfigError, ResourceError, ShapeError, WeightsError, WorldError
from geoagent.protocols import Assets
from geoagent.types import Photo
from geoagent.worlds.gallery import Gallery, GalleryHead
from geoagent.worlds.world import World, add_photos

torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'geoagent-photo[train]')")

from geoagent.worlds.training.geoclip import (  # noqa: E402
    GeoClip,
    embed_places,
    equal_earth,
    land_weights,
    make_geoclip_world,
    read_geoclip,
)

WHEELS = sorted((Path(__file__).resolve().parents[1] / "gazetteer" / "build" / ".cache").glob("geoclip-*.whl"))
HERE = importlib.util.find_spec("geoclip") is not None
published = pytest.mark.skipif(
    not WHEELS and not HERE, reason="the package geoclip is neither installed nor downloaded"
)


def toy_geoclip():
    """Gallery points in cells 0 to 8 of the toy world, some of them twice; 9, 10 and 11 have none."""
    cells = make_world().cells
    points = cells.centroids[RNG.integers(0, 9, 60)] + RNG.uniform(-0.5, 0.5, (60, 2))
    points = np.concatenate([points, cells.centroids[:9], points[:10]])
    return GeoClip(capsule_weights(), image_weights(), 20.0, points, {"file": "toy"})


TOY = toy_geoclip()


@pytest.fixture(scope="module")
def world() -> World:
    return make_geoclip_world(TOY, base=make_world(), storage="float32")


def test_equal_earth_is_the_published_projection():
    """Points of the projection as PROJ gives them (+proj=eqearth +R=1), at GeoCLIP's scale."""
    found = equal_earth([(0, 0), (0, 90), (90, 0), (45, 45), (-45, -45)]) * 180 / 66.50336
    assert found[0] == pytest.approx((0, 0), abs=1e-6)
    assert found[1] == pytest.approx((np.pi / 2 * 2 / np.sqrt(3) / 1.340264, 0), rel=1e-5)
    assert found[2] == pytest.approx((0, 1.3173627591574), rel=1e-5)
    assert (found[3] == -found[4]).all()
    assert found[3] == pytest.approx((0.5975, 0.8574), abs=2e-2)


def test_places_are_embedded_as_the_architecture_says():
    """Against the same layers written once more in torch, float64."""
    from torch.nn.functional import relu

    places = RNG.uniform(-60, 60, (30, 2))
    weights = {name: torch.tensor(array, dtype=torch.float64) for name, array in TOY.location.items()}
    at = torch.tensor(equal_earth(places), dtype=torch.float64)
    want = torch.zeros(30, 8, dtype=torch.float64)
    for i in range(3):
        phase = 2 * np.pi * at @ weights[f"LocEnc{i}.capsule.0.b"].T
        x = torch.cat([torch.cos(phase), torch.sin(phase)], dim=1)
        for layer in (1, 3, 5):
            x = relu(x @ weights[f"LocEnc{i}.capsule.{layer}.weight"].T + weights[f"LocEnc{i}.capsule.{layer}.bias"])
        want += x @ weights[f"LocEnc{i}.head.0.weight"].T + weights[f"LocEnc{i}.head.0.bias"]
    done = []
    found = embed_places(TOY.location, places, batch_size=7, progress=lambda *step: done.append(step))
    np.testing.assert_allclose(found, want.numpy(), atol=5e-3)
    assert done[-1] == (30, 30)
    np.testing.assert_allclose(embed_places(TOY.location, places), found, atol=1e-5)


def test_a_crowd_of_points_weighs_no_more_than_the_land_it_stands_on():
    crowd = np.array([10.0, 10.0]) + RNG.normal(size=(60, 2)) * 0.005
    spread = np.array([(10 + 0.15 * i, 10.5 + 0.15 * j) for i in range(4) for j in range(4)])
    weights = land_weights(np.concatenate([crowd, spread]))
    assert weights.sum() == pytest.approx(1)
    assert weights[:60].sum() < 0.1
    assert land_weights(np.array([(1.0, 2.0)])).tolist() == [1.0]
    assert land_weights(np.array([(1.0, 2.0)] * 5)) == pytest.approx(np.full(5, 0.2))


def test_every_cell_has_points_and_none_twice(world):
    assert world.gallery is not None
    assert set(world.gallery.cell.tolist()) == set(range(12))
    assert len(np.unique(world.gallery.latlon, axis=0)) == len(world.gallery)
    assert world.card["gallery"] == {"published": 79, "different": 69, "added_for_empty_cells": 6, "prior": "world"}
    inside = world.cells.assign(world.gallery.latlon)
    np.testing.assert_array_equal(inside, world.gallery.cell)


def test_cells_sum_the_softmax_of_their_points(world):
    assert isinstance(world.head, GalleryHead)
    assert world.gallery is not None
    query = RNG.normal(size=8)
    query /= np.linalg.norm(query)
    weight = np.exp(world.head.log_weight)
    per_cell = np.bincount(world.gallery.cell, weight, minlength=12)
    np.testing.assert_allclose(per_cell, np.exp(world.log_prior), rtol=1e-6)
    points = weight * np.exp(20.0 * (np.asarray(world.gallery.embeddings, dtype=np.float64) @ query))
    want = np.bincount(world.gallery.cell, points / points.sum(), minlength=12)
    np.testing.assert_allclose(np.exp(world.head(query)), want, rtol=1e-4)
    both = np.stack([query, -query])
    np.testing.assert_allclose(world.head.scores(both), 20 * both @ np.asarray(world.gallery.embeddings).T, atol=1e-4)


def test_the_packages_own_weighing_can_be_had():
    plain = make_geoclip_world(TOY, base=make_world(), prior="gallery", storage="float32")
    assert isinstance(plain.head, GalleryHead)
    assert np.ptp(plain.head.log_weight) == 0
    hot = make_geoclip_world(TOY, base=make_world(), temperature=1e6)
    assert hot.head is not None
    np.testing.assert_allclose(np.exp(hot.head(np.ones(8))), np.exp(hot.log_prior), atol=1e-4)
    for wrong in ({"prior": "flickr"}, {"temperature": 0}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            make_geoclip_world(TOY, base=make_world(), **wrong)


@pytest.mark.parametrize("storage", ["float32", "float16", "8bit"])
def test_it_is_saved_and_loaded_as_any_world(tmp_path, storage):
    made = make_geoclip_world(TOY, base=make_world(), storage=storage, checkpoint="/my/clip.safetensors")
    back = World.load(made.save(tmp_path / "w"))
    assert isinstance(back.head, GalleryHead)
    assert back.head.gallery is back.gallery
    query = RNG.normal(size=8)
    assert made.head is not None
    np.testing.assert_allclose(back.head(query), made.head(query), atol=1e-6)
    assert back.encoder == {"name": "geoclip", "checkpoint": "/my/clip.safetensors"}
    assert sorted(back.encoder_arrays) == sorted(TOY.image)
    assert back.calibration["alpha"] == 20.0
    assert back.summary()["head"] is True
    with pytest.raises(WorldError, match="serves as its head"):
        add_photos(tmp_path / "w", np.ones((1, 8)), [(1, 1)], ["a"])
    (tmp_path / "w" / "gallery_head.npz").write_bytes(b"garbage")
    with pytest.raises(WorldError, match="damaged"):
        World.load(tmp_path / "w")


def test_a_head_without_its_gallery_is_refused(tmp_path, world):
    folder = world.save(tmp_path / "w")
    shutil.rmtree(folder / "gallery")
    with pytest.raises(WorldError, match="no gallery"):
        World.load(folder)


def test_a_head_needs_points_in_every_cell(world):
    gallery = Gallery.make(np.eye(3), [(1, 1)] * 3, [0, 1, 1], ["a", "b", "c"])
    with pytest.raises(WorldError, match="1 geocells have no row"):
        GalleryHead(gallery, 3, np.zeros(3), 1.0, "toy", "x")
    with pytest.raises(ShapeError, match="log_weight"):
        GalleryHead(gallery, 2, np.zeros(2), 1.0, "toy", "x")
    assert world.head is not None
    with pytest.raises(ShapeError, match=r"\(8,\)"):
        world.head(np.ones(7))


def test_neighbours_of_such_a_world_are_gallery_points(world):
    assert world.gallery is not None
    search = plugs.build("search", "exact", Assets(world, None, None))  # type: ignore[arg-type]
    got = search(np.asarray(world.gallery.embeddings[5], dtype=np.float32), range(12), 3)
    assert got.refs[0] == "GeoCLIP gallery 5"
    assert got.log_weight[0] == pytest.approx(0, abs=1e-4)


# The image half, on random weights ------------------------------------------------------------------------------------

TINY = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    plug = "geoagent.evidence.encoders.open_clip"
    open_clip = pytest.importorskip(
        plug, reason="open_clip is not installed (pip install 'geoagent-photo[vision]')"
    ).open_clip
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-geoclip.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny-geoclip.json")
    torch.manual_seed(3)
    model = open_clip.create_model("tiny-geoclip")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    (folder / "tiny-geoclip.json").unlink()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    return folder


def pictures(count=3):
    rng = np.random.default_rng(8)  # of their own: what one test sees must not depend on those before it
    return [Photo(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(count)]


def test_the_image_half_is_clip_and_two_layers(clip_folder, world):
    encoder = plugs.build("encoders", "geoclip", Assets(world, None, None), checkpoint=clip_folder)  # type: ignore[arg-type]
    assert encoder.dim == 8
    photos = pictures()
    found = encoder(photos)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found[1:2], encoder(photos[1:2]))
    assert encoder([]).shape == (0, 8)
    # Written once more: the features as the network gives them, not of unit length.
    open_clip = pytest.importorskip("open_clip")
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{clip_folder}")
    from PIL import Image

    batch = torch.stack([prepare(Image.fromarray(np.asarray(p.pixels))) for p in photos])
    with torch.no_grad():
        features = model.eval().encode_image(batch).numpy()
    layers = world.encoder_arrays
    want = np.maximum(features @ layers["0.weight"].T + layers["0.bias"], 0) @ layers["2.weight"].T + layers["2.bias"]
    np.testing.assert_allclose(found, want / np.linalg.norm(want, axis=1, keepdims=True), atol=1e-5)


def test_layers_that_do_not_fit_are_refused(clip_folder, world):
    with pytest.raises(WeightsError, match="no GeoCLIP image layers"):
        plugs.build("encoders", "geoclip", Assets(make_world(), None, None), checkpoint=clip_folder)  # type: ignore[arg-type]
    other = make_world(encoder_arrays=image_weights(into=20))
    with pytest.raises(WeightsError, match="gives 16 numbers, GeoCLIP's image layers want 20"):
        plugs.build("encoders", "geoclip", Assets(other, None, None), checkpoint=clip_folder)  # type: ignore[arg-type]


def test_the_agent_uses_such_a_world_unchanged(clip_folder, tmp_path):
    from geoagent.agent.core import GeoAgent

    folder = make_geoclip_world(TOY, base=make_world(), checkpoint=clip_folder).save(tmp_path / "w")
    agent = GeoAgent.load(world=str(folder), ocr="nothing")
    answer = agent.locate(pictures(1)[0])
    assert answer.best is not None
    assert not any("not judged" in warning for warning in answer.warnings)
    assert answer.neighbours
    assert answer.neighbours[0].ref.startswith(("GeoCLIP gallery", "cell"))
    without = GeoAgent.load(
        world=str(make_geoclip_world(TOY, base=make_world(), checkpoint=tmp_path / "none.pt").save(tmp_path / "v")),
        ocr="nothing",
    )
    assert any("not judged" in warning for warning in without.locate(pictures(1)[0]).warnings)


# The published weights ------------------------------------------------------------------------------------------------


def test_what_is_not_the_package_is_refused(tmp_path):
    with pytest.raises(ResourceError, match="not the package geoclip"):
        read_geoclip(tmp_path / "none.whl")
    with pytest.raises(ResourceError, match="not the package geoclip"):
        read_geoclip(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        for name in ("image_encoder_mlp", "location_encoder", "logit_scale"):
            wheel.writestr(f"geoclip/model/weights/{name}_weights.pth", b"garbage")
        wheel.writestr("geoclip/model/gps_gallery/coordinates_100K.csv", "LAT,LON\n1,2\n")
    with pytest.raises(ResourceError, match="cannot be read"):
        read_geoclip(tmp_path / "a.whl")
    if not HERE:
        with pytest.raises(ResourceError, match="pip install --no-deps geoclip"):
            read_geoclip()


@published
def test_the_published_weights_put_places_near_themselves():
    parts = read_geoclip(WHEELS[-1] if WHEELS else None)
    assert parts.gallery.shape == (100_000, 2)
    assert parts.scale == pytest.approx(39.687, abs=1e-3)
    assert parts.image["2.weight"].shape == (512, 768)
    cities = np.array([(48.8584, 2.2945), (-33.8568, 151.2153), (35.6586, 139.7454), (40.6892, -74.0445)])
    rows = embed_places(parts.location, np.concatenate([cities, cities + 0.01]))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert (rows[:4] @ rows[4:].T).argmax(axis=1).tolist() == [0, 1, 2, 3]
