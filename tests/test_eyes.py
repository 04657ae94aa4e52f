"""Picture halves by one command: fetched from a hub on this machine, made into worlds, used and removed."""

from __future__ import annotations

import errno
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from geoclip_weights import write_package
from hub_server import COMMIT, Hub, clip_files, serving

from geoagent.agent.core import GeoAgent
from geoagent.config import Config
from geoagent.errors import DownloadError, MissingDependency, WeightsError, WorldError
from geoagent.evidence.photos import open_photo
from geoagent.interfaces.cli import main
from geoagent.optional import EYES_COST
from geoagent.places.geocells import Geocells
from geoagent.resources import data_dir
from geoagent.worlds import catalogue, home
from geoagent.worlds.downloads import alone
from geoagent.worlds.world import Support, World

for package in ("torch", "open_clip", "onnx"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed (pip install 'geoagent-photo[vision]')", allow_module_level=True)

from geoagent.worlds import eyes  # noqa: E402

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
CROPPED = {"size": 32, "mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic"}
CROPPED |= {"resize_mode": "shortest"}
SQUASHED = {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
PHOTO = data_dir("examples") / "photos" / "no_text.jpg"
BEST, FAST = (catalogue.entry(name) for name in ("best", "fast"))


@pytest.fixture(scope="module")
def models() -> dict[tuple[str, str], bytes]:
    """Both recommended repositories, holding tiny models with their preprocessing."""
    assert isinstance(BEST, catalogue.Eyes)
    assert isinstance(FAST, catalogue.Eyes)
    held = {BEST.repository: clip_files(TINY, SQUASHED, 5), FAST.repository: clip_files(TINY, CROPPED, 6)}
    return {(repository, name): data for repository, files in held.items() for name, data in files.items()}


@pytest.fixture
def hub(models, monkeypatch, tmp_path) -> Iterator[Hub]:
    with serving() as server:
        server.files = dict(models)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
        monkeypatch.setenv("GEOAGENT_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


@pytest.fixture(scope="module")
def few() -> World:
    """Six cells in five countries."""
    at = np.array([(47.37, 8.54), (60.17, 24.94), (-34.6, -58.4), (21.03, 105.85), (6.45, 3.4), (45.46, 9.19)])
    code = np.array(["CH", "FI", "AR", "VN", "NG", "IT"])
    cells = Geocells(at, code, np.array(["", "FI.01", "AR.07", "", "NG.05", "IT.09"]), np.full(6, 30.0))
    return World("few", cells, np.log([1.0, 2.0, 4.0, 2.0, 1.5, 3.0]), Support.of_centroids(cells))


def run(*args: object):
    return CliRunner().invoke(main, [str(a) for a in args])


def test_one_command_gives_eyes_and_the_answer_says_so(hub):
    blind = GeoAgent.load(ocr="nothing").locate(str(PHOTO))
    assert not blind.looked
    done = run("get", "vision")
    assert done.exit_code == 0, done.output
    assert "Apache-2.0" in done.stderr
    assert "never measured here" in done.stdout
    located = run("locate", PHOTO, "--json", "--ocr", "nothing")
    assert located.exit_code == 0, located.output
    answer = json.loads(located.stdout)
    assert answer["looked"]
    assert answer["world"]["name"] == "best"
    assert not any("not judged" in warning for warning in answer["warnings"])
    text = run("locate", PHOTO, "--ocr", "nothing").stdout
    assert "The picture was judged by the encoder of the world “best” (onnx)." in text
    assert not json.loads(run("locate", PHOTO, "--json", "--ocr", "nothing", "--world", "starter").stdout)["looked"]
    listed = json.loads(run("get", "--json").stdout)
    assert listed["default"] == "best"
    assert [row["name"] for row in listed["rows"] if row["here"]] == ["best"]
    assert run("get", "starter").exit_code == 0
    assert not GeoAgent.load(ocr="nothing").locate(str(PHOTO)).looked
    before = len(hub.seen)
    assert run("get", "vision").exit_code == 0
    assert len(hub.seen) == before, "what is here is not fetched again"
    assert home.default() == home.home() / "best"


def test_a_cut_half_way_is_resumed_by_the_same_command(hub, few, monkeypatch):
    monkeypatch.setattr(World, "load", lambda folder=None, real=World.load: few if folder is None else real(folder))
    size = len(hub.files[FAST.repository, "open_clip_model.safetensors"])
    hub.cuts = [size // 2, 0, 0, 0, 0]
    done = run("get", "fast")
    assert done.exit_code == 1
    assert "run the same command again" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2, "what is fetched, and the error"
    assert home.default() is None
    hub.cuts = []
    assert run("get", "fast").exit_code == 0
    assert hub.gets()[-1]["range"] == f"bytes={size // 2}-"
    assert GeoAgent.load(ocr="nothing").locate(str(PHOTO)).looked


def test_the_world_gives_the_models_embeddings_without_torch(hub, few, tmp_path):
    from geoagent.evidence.encoders import onnx, open_clip

    for entry in (BEST, FAST):
        folder = eyes.get_eyes(entry, folder=tmp_path / "worlds", base=few, keep=True)
        model = open_clip.build(None, checkpoint=tmp_path / "worlds" / ".downloads" / entry.name)
        tower = onnx.build(None, model=folder / "encoder.onnx")
        rng = np.random.default_rng(9)
        shapes = ((50, 90), (91, 47), (32, 32), (200, 33), (640, 480))
        photos = [open_photo(PHOTO)]
        photos += [replace(photos[0], pixels=rng.integers(0, 255, (*shape, 3), dtype=np.uint8)) for shape in shapes]
        assert ((model(photos) * tower(photos)).sum(axis=1) > 0.999).all()
    code = (
        "import sys, geoagent; a = geoagent.GeoAgent.load(world=sys.argv[1], ocr='nothing').locate(sys.argv[2]);"
        "assert a.looked; assert not {'torch', 'open_clip', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder), str(PHOTO)], check=True, timeout=120)


def test_the_card_says_what_it_is_of(hub, few, tmp_path):
    folder = eyes.get_eyes(FAST, folder=tmp_path / "w", base=few)
    card = World.load(folder).card
    assert card["weights"]["repository"] == FAST.repository
    assert card["weights"]["commit"] == COMMIT
    assert len(card["weights"]["sha256"]) == 64
    assert card["licence"] == "MIT"
    assert card["accuracy"].startswith("not measured")
    assert card["moved_by_nothing_nats"] <= 0.1
    assert card["encoder"]["cosine_to_model"][card["encoder"]["form"]][0] >= 0.999
    assert not list((tmp_path / "w" / ".downloads").glob("*")), "the weights are not needed any more"
    assert home.default() == folder
    assert Config().world == Path("auto")


def test_a_picture_that_shows_nothing_leaves_the_prior(hub, few, tmp_path):
    from geoagent.worlds.training.content_free import content_free_photos

    agent = GeoAgent.load(world=eyes.get_eyes(BEST, folder=tmp_path, base=few), ocr="nothing")
    want = few.country_prior
    for photo in content_free_photos(8, seed=77):
        for country in agent.locate(photo).countries:
            assert country.p == pytest.approx(want[country.code], abs=0.25)


def test_a_world_keeps_its_encoder_where_it_is_saved(hub, few, tmp_path):
    world = World.load(eyes.get_eyes(FAST, folder=tmp_path / "a", base=few))
    moved = world.save(tmp_path / "b" / "copy")
    eyes.remove("fast", tmp_path / "a")
    assert GeoAgent.load(world=moved, ocr="nothing").locate(str(PHOTO)).looked


def test_removal_goes_back_to_the_best_that_is_left(hub, few):
    for entry in (BEST, FAST):
        eyes.get_eyes(entry, base=few)
    assert home.default() == home.home() / "fast"
    assert run("get", "fast", "--remove").exit_code == 0
    assert home.default() == home.home() / "best"
    assert "starter" in run("get", "best", "--remove").stdout
    assert home.default() is None
    done = run("get", "best", "--remove")
    assert (done.exit_code, len(done.stderr.strip().splitlines())) == (1, 1)


def test_another_folder_is_remembered(hub, few, tmp_path, monkeypatch):
    monkeypatch.setattr(World, "load", lambda folder=None, real=World.load: few if folder is None else real(folder))
    assert run("get", "fast", "--dir", tmp_path / "big disk").exit_code == 0
    assert home.default() == tmp_path / "big disk" / "fast"
    assert [row["name"] for row in catalogue.rows() if row["here"]] == ["fast"]
    assert run("get", "fast", "--remove").exit_code == 0
    assert not (tmp_path / "big disk" / "fast").exists()


def test_two_at_once_are_not_made_twice(hub, few):
    with alone(home.home() / ".best.lock", "x"), pytest.raises(DownloadError, match="another geoagent"):
        eyes.get_eyes(BEST, base=few)
    assert eyes.get_eyes(BEST, base=few).is_dir()


def test_what_is_missing_is_named_with_one_command(hub, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "open_clip" else real(name))
    with pytest.raises(MissingDependency, match=r"pip install 'geoagent-photo\[vision\]'"):
        eyes.get_eyes(BEST)
    assert hub.seen == []
    done = run("get", "geoclip")
    assert done.exit_code == 1


def test_geoclip_is_made_into_a_world_that_needs_no_torch(hub, few, models, tmp_path, monkeypatch):
    from geoagent.evidence.encoders import geoclip, onnx
    from geoagent.protocols import Assets
    from geoagent.worlds.training.geoclip import make_geoclip_world

    if importlib.util.find_spec("geoclip") is not None:
        pytest.skip("geoclip is installed")
    entry = catalogue.entry("geoclip")
    for name in ("open_clip_config.json", "open_clip_model.safetensors"):
        hub.files[entry.repository, name] = models[FAST.repository, name]
    spots = few.cells.centroids.repeat(5, axis=0) + np.random.default_rng(2).uniform(-0.2, 0.2, (30, 2))
    package = write_package(tmp_path / "site", spots)
    monkeypatch.syspath_prepend(package)
    folder = eyes.get_eyes(entry, folder=tmp_path / "w", base=few, keep=True)
    answer = GeoAgent.load(ocr="nothing").locate(str(PHOTO))
    assert answer.looked
    assert World.load(folder).encoder_arrays == {}
    made = make_geoclip_world(package, base=few)
    facts = Assets(made, None, None)  # type: ignore[arg-type]
    whole = geoclip.build(facts, checkpoint=tmp_path / "w" / ".downloads" / "geoclip", pretrained=None)
    photo = open_photo(PHOTO)
    rows = whole([photo]), onnx.build(None, model=folder / "encoder.onnx")([photo])
    assert float((rows[0] * rows[1]).sum()) > 0.999


def test_no_space_while_the_world_is_made_is_said(hub, few, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(eyes, "export_tower", full)
        with pytest.raises(DownloadError, match="no space left"):
            eyes.get_eyes(FAST, base=few)
    before = len(hub.gets())
    assert eyes.get_eyes(FAST, base=few).is_dir()
    assert len(hub.gets()) == before, "the weights were kept"


def test_geoclip_names_its_package(hub):
    if importlib.util.find_spec("geoclip") is not None:
        pytest.skip("geoclip is installed")
    done = run("get", "geoclip")
    assert done.exit_code == 1
    assert "pip install --no-deps geoclip" in done.stderr


def test_weights_of_another_model_are_refused(hub, few):
    config = json.loads(hub.files[BEST.repository, "open_clip_config.json"])
    config["model_cfg"]["vision_cfg"]["layers"] = 3
    hub.files[BEST.repository, "open_clip_config.json"] = json.dumps(config).encode()
    with pytest.raises(WeightsError, match="cannot load"):
        eyes.get_eyes(BEST, base=few)


def test_a_damaged_default_says_how_to_go_back(hub, few):
    folder = eyes.get_eyes(FAST, base=few)
    (folder / "head.npz").write_bytes(b"")
    with pytest.raises(WorldError, match="--world starter"):
        GeoAgent.load(ocr="nothing")
    assert not GeoAgent.load(world="starter", ocr="nothing").locate(str(PHOTO)).looked


@pytest.mark.parametrize("args", [("get", "nothing-such"), ("get", "--remove"), ("get", "--dir", "x")])
def test_wrong_usage(hub, args):
    assert run(*args).exit_code == 2


def test_the_cost_that_answers_state_is_that_of_the_recommended_one():
    recommended = catalogue.entry(catalogue.VISION)
    assert f"{recommended.size_mb / 1000:.1f} GB and about {recommended.minutes} minutes" in EYES_COST


def test_the_list_names_licences_sizes_and_scripts(hub):
    text = run("get").stdout
    for words in ("Apache-2.0", "MIT", "MB", "recommended", "rapidocr-arabic", "paddle-th", "starter"):
        assert words in text
    assert "not pinned" in run("get", "--json").stdout
    assert all(row["licence"] and row["from"] for row in catalogue.rows())


@pytest.mark.slow
def test_the_quick_picture_half_at_full_size(hub, few, tmp_path):
    """DataComp's ViT-B/32-256 as published, 151 million numbers, but random ones."""
    from geoagent.evidence.encoders.open_clip import open_clip

    look = {"size": 256, "mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}
    look |= {"interpolation": "bicubic", "resize_mode": "shortest"}
    for name, data in clip_files(open_clip.get_model_config("ViT-B-32-256"), look).items():
        hub.files[FAST.repository, name] = data
    size = len(hub.files[FAST.repository, "open_clip_model.safetensors"])
    assert abs(size / 1e6 - FAST.size_mb) < 1
    hub.cuts = [size // 3, size // 3]
    folder = eyes.get_eyes(FAST, folder=tmp_path, base=few)
    assert [headers.get("range") for headers in hub.gets()] == [
        None,
        f"bytes={size // 3}-",
        f"bytes={size // 3 * 2}-",
    ]
    card = World.load(folder).card["encoder"]
    assert card["cosine_to_model"][card["form"]][0] >= 0.999
    assert GeoAgent.load(ocr="nothing").locate(str(PHOTO)).looked
