"""Encoders: unit rows, independent of their batch, and one clear line where weights are missing or wrong."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoagent import plugs
from geoagent.errors import ConfigError, MissingDependency, WeightsError
from geoagent.evidence.encoders import check_crops, square_crops, unit_row
from geoagent.types import Photo

MOBILENET = Path(__file__).resolve().parents[2] / "shared/data/weights/mobilenet_v2_imagenet_fp32.onnx"


def photos(count: int = 4) -> list[Photo]:
    rng = np.random.default_rng(3)
    return [Photo(rng.integers(0, 255, (60 + 20 * i, 140 - 15 * i, 3), dtype=np.uint8)) for i in range(count)]


# --- squares and rows ------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 5))
def test_squares_cover_the_longer_side(width: int, height: int, crops: int) -> None:
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    squares = square_crops(Photo(pixels), crops)
    side = min(width, height)
    assert {square.size for square in squares} == {(side, side)}
    assert len(squares) == min(crops, max(1, abs(width - height) + 1) if crops > 1 else 1)
    if crops > 1 and width > height:
        pixels[:, 0], pixels[:, -1] = 255, 255
        first, *_, last = square_crops(Photo(pixels), crops)
        assert np.asarray(first)[0, 0, 0] == np.asarray(last)[0, -1, 0] == 255


def test_rows_are_mean_directions() -> None:
    assert unit_row([[2.0, 0.0], [0.0, 5.0]], "toy") == pytest.approx([0.5**0.5, 0.5**0.5])
    for broken in ([[0.0, 0.0]], [[np.nan, 1.0]], [[np.inf, 1.0]]):
        with pytest.raises(WeightsError, match="damaged"):
            unit_row(broken, "toy")


@pytest.mark.parametrize("crops", [0, 17, 1.5, True, "3"])
def test_crops_that_cannot_be_are_refused(crops: Any) -> None:
    with pytest.raises(ConfigError, match="crops"):
        check_crops(crops)


def behaves(encoder: Any) -> None:
    """What the protocol promises."""
    four = photos()
    rows = encoder(four)
    assert rows.shape == (4, encoder.dim)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    np.testing.assert_array_equal(np.concatenate([encoder([one]) for one in four]), rows)
    np.testing.assert_array_equal(encoder(four[::-1])[::-1], rows)
    assert encoder([]).shape == (0, encoder.dim)
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


# --- ONNX ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mobilenet(tmp_path: Path) -> Path:
    if not MOBILENET.is_file():
        pytest.skip(f"needs the test weights {MOBILENET.name} in the shared data folder beside the checkout")
    return Path(shutil.copy(MOBILENET, tmp_path / "mobilenet.onnx"))


def onnx(**options: Any) -> Any:
    return plugs.build("encoders", "onnx", None, **options)


def test_onnx_encoder_keeps_the_protocol(mobilenet: Path) -> None:
    encoder = onnx(model=mobilenet)
    assert (encoder.name, encoder.dim) == ("onnx:mobilenet", 1280)
    behaves(encoder)


def test_onnx_prepares_pictures_as_told(mobilenet: Path) -> None:
    """The network itself, fed by hand with pixels / 127.5 - 1, gives the same row."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pixels = np.random.default_rng(1).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(str(mobilenet), providers=["CPUExecutionProvider"])
    fed = (pixels.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    want = session.run(["embedding"], {"pixels": fed})[0][0]
    got = onnx(model=mobilenet)([Photo(pixels)])[0]
    np.testing.assert_allclose(got, want / np.linalg.norm(want), atol=1e-5)


def test_onnx_crops_see_the_edges(mobilenet: Path) -> None:
    wide = np.full((80, 240, 3), 90, dtype=np.uint8)
    edge = wide.copy()
    edge[:, :60] = np.random.default_rng(2).integers(0, 255, (80, 60, 3))
    one, three = onnx(model=mobilenet), onnx(model=mobilenet, crops=3)
    assert three.name == "onnx:mobilenet:3"
    np.testing.assert_array_equal(one([Photo(wide)]), one([Photo(edge)]))
    assert np.abs(three([Photo(wide)]) - three([Photo(edge)])).max() > 1e-3
    behaves(three)


def test_onnx_card_gives_defaults_and_options_win(mobilenet: Path) -> None:
    digest = hashlib.sha256(mobilenet.read_bytes()).hexdigest()
    card = mobilenet.with_suffix(".json")
    card.write_text(json.dumps({"name": "mobile", "output": "logits", "mean": [0.4, 0.5, 0.6], "sha256": digest}))
    encoder = onnx(model=mobilenet)
    assert (encoder.name, encoder.dim) == ("onnx:mobile", 1001)
    assert onnx(model=mobilenet, output="embedding").dim == 1280
    assert onnx(model=mobilenet, output=0).dim == 1280
    assert np.abs(encoder(photos(1)) - onnx(model=mobilenet, mean=0.5)(photos(1))).max() > 1e-4
    card.write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(WeightsError, match=digest):
        onnx(model=mobilenet)
    card.write_text(json.dumps({"meann": 0.5}))
    with pytest.raises(ConfigError, match="meann"):
        onnx(model=mobilenet)
    card.write_text("{")
    with pytest.raises(ConfigError, match="not JSON"):
        onnx(model=mobilenet)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"output": "pooled"}, WeightsError, r"no output 'pooled'; choose from embedding .*logits"),
        ({"output": 7}, WeightsError, "choose from embedding"),
        ({"size": 256}, ConfigError, r"size 256 .*\[224, 224\]"),
        ({"size": "big"}, ConfigError, "size must be"),
        ({"std": 0.0}, ConfigError, "std must be above 0"),
        ({"mean": [1, 2]}, ConfigError, "mean must be one number or three"),
        ({"layout": "NHWC"}, WeightsError, "it has pixels"),
        ({"layout": "CHWN"}, ConfigError, "layout must be"),
        ({"interpolation": "cubic"}, ConfigError, "bicubic"),
        ({"crops": 0}, ConfigError, "crops"),
    ],
)
def test_onnx_says_what_is_wrong(mobilenet: Path, options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        onnx(model=mobilenet, **options)


def test_onnx_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no ONNX file at"):
        onnx(model=tmp_path / "absent.onnx")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(WeightsError, match="no ONNX model"):
        onnx(model=tmp_path / "junk.onnx")


@pytest.fixture
def make_onnx(tmp_path: Path) -> Callable[..., Path]:
    """Write a small network: the mean colour of a picture, times a matrix."""
    helper = pytest.importorskip("onnx.helper", reason="needs the package onnx to make a network (pip install onnx)")
    numpy_helper = importlib.import_module("onnx.numpy_helper")
    proto = importlib.import_module("onnx").TensorProto

    def make(shape: list[Any], axes: list[int], *, pool: bool = True, kind: str = "FLOAT") -> Path:
        weights = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
        nodes = [helper.make_node("Cast", ["picture"], ["x"], to=proto.FLOAT)]
        if pool:
            nodes.append(helper.make_node("ReduceMean", ["x", "axes"], ["colour"], keepdims=0))
            nodes.append(helper.make_node("MatMul", ["colour", "w"], ["out"]))
        else:
            nodes.append(helper.make_node("Identity", ["x"], ["out"]))
        graph = helper.make_graph(
            nodes,
            "toy",
            [helper.make_tensor_value_info("picture", getattr(proto, kind), shape)],
            [helper.make_tensor_value_info("out", proto.FLOAT, None)],
            [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(np.array(axes), "axes")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        path = tmp_path / "toy.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return make


@pytest.mark.parametrize(
    ("shape", "axes", "kind"),
    [
        (["n", 3, "h", "w"], [2, 3], "FLOAT"),
        ([1, 32, 48, 3], [1, 2], "FLOAT"),
        (["n", 3, 16, 16], [2, 3], "FLOAT16"),
        (["n", "h", "w", 3], [1, 2], "UINT8"),
    ],
)
def test_onnx_reads_layout_size_and_type_from_the_network(
    make_onnx: Callable[..., Path], shape: list[Any], axes: list[int], kind: str
) -> None:
    behaves(onnx(model=make_onnx(shape, axes, kind=kind)))


def test_onnx_networks_that_are_no_picture_encoders(make_onnx: Callable[..., Path]) -> None:
    with pytest.raises(WeightsError, match=r"one input, a picture .* it has picture \['n', 7\]"):
        onnx(model=make_onnx(["n", 7], [1], pool=False))
    with pytest.raises(WeightsError, match=r"takes 4 pictures at once"):
        onnx(model=make_onnx([4, 3, 16, 16], [2, 3]))
    with pytest.raises(WeightsError, match=r"has shape \(1, 3, 16, 16\) for one picture, wanted \(1, D\)"):
        onnx(model=make_onnx(["n", 3, 16, 16], [2, 3], pool=False))


# --- open_clip -------------------------------------------------------------------------------------------------------


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    monkeypatch.delitem(__import__("sys").modules, "geoagent.evidence.encoders.open_clip", raising=False)
    with pytest.raises(MissingDependency, match=r"torch is not installed; run: pip install 'geoagent-photo\[vision\]'"):
        plugs.build("encoders", "open_clip", None)


TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def clip() -> Any:
    """The plug's module, with a tiny architecture that open_clip can make on the spot."""
    try:
        module = importlib.import_module("geoagent.evidence.encoders.open_clip")
    except MissingDependency as error:
        pytest.skip(f"needs open_clip: {error}")
    return module


@pytest.fixture(scope="module")
def tiny(clip: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.safetensors: random weights of the architecture "tiny"."""
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny.json").write_text(json.dumps(TINY))
    clip.open_clip.add_model_config(folder / "tiny.json")
    torch.manual_seed(7)
    model = clip.open_clip.create_model("tiny")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / "tiny.safetensors")
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder


def test_open_clip_keeps_the_protocol(clip: Any, tiny: Path) -> None:
    encoder = clip.build(None, model="tiny", checkpoint=tiny / "tiny.safetensors")
    assert (encoder.name, encoder.dim) == ("open_clip:tiny/tiny.safetensors", 16)
    behaves(encoder)
    behaves(clip.build(None, model="tiny", checkpoint=tiny / "tiny.safetensors", crops=3))


def test_open_clip_file_pt_and_folder_are_the_same_model(clip: Any, tiny: Path, tmp_path: Path) -> None:
    want = clip.build(None, model="tiny", checkpoint=tiny / "tiny.safetensors")(photos())
    np.testing.assert_array_equal(clip.build(None, model="tiny", checkpoint=str(tiny / "tiny.pt"))(photos()), want)
    shutil.copy(tiny / "tiny.safetensors", tmp_path / "open_clip_model.safetensors")
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    np.testing.assert_array_equal(clip.build(None, checkpoint=tmp_path)(photos()), want)
    np.testing.assert_array_equal(clip.build(None, model=f"local-dir:{tmp_path}")(photos()), want)
    prepare = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY, "preprocess_cfg": prepare}))
    assert np.abs(clip.build(None, checkpoint=tmp_path)(photos()) - want).max() > 1e-4


def test_open_clip_row_is_the_models_own_embedding(clip: Any, tiny: Path) -> None:
    import torch
    from PIL import Image

    path = str(tiny / "tiny.safetensors")
    model, _, prepare = clip.open_clip.create_model_and_transforms("tiny", pretrained=path)
    photo = photos(1)[0]
    with torch.no_grad():
        row = model.eval().encode_image(prepare(Image.fromarray(np.asarray(photo.pixels)))[None], normalize=True)
    np.testing.assert_allclose(clip.build(None, model="tiny", checkpoint=path)([photo])[0], row[0].numpy(), atol=1e-6)


def test_open_clip_batches_agree(clip: Any, tiny: Path) -> None:
    one, many = (clip.build(None, model="tiny", checkpoint=tiny / "tiny.pt", batch_size=n)(photos()) for n in (1, 3))
    np.testing.assert_allclose(many, one, atol=1e-5)


def test_folder_without_weights_is_refused_not_random(clip: Any, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no open_clip_config\.json"):
        clip.build(None, checkpoint=tmp_path)
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    with pytest.raises(WeightsError, match=r"has no weights \(\*\.safetensors"):
        clip.build(None, model=f"local-dir:{tmp_path}")


def test_no_weights_at_all_is_refused_not_random(clip: Any, tiny: Path) -> None:
    with pytest.raises(WeightsError, match="tiny needs weights: give checkpoint="):
        clip.build(None, model="tiny")


def test_wrong_weights_are_one_line(clip: Any, tiny: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"visual.proj": np.zeros((2, 2), dtype=np.float32)}, tmp_path / "other.safetensors")
    (tmp_path / "junk.safetensors").write_bytes(b"junk" * 20)
    (tmp_path / "junk.pt").write_bytes(b"junk" * 20)
    for name in ("other.safetensors", "junk.safetensors", "junk.pt"):
        with pytest.raises(WeightsError, match=r"cannot load .* give the model that these weights are of") as caught:
            clip.build(None, model="tiny", checkpoint=tmp_path / name)
        assert "\n" not in str(caught.value)
        assert "weights_only" not in str(caught.value)
    with pytest.raises(WeightsError, match="no weights at"):
        clip.build(None, model="tiny", checkpoint=tmp_path / "absent.pt")


def test_tag_says_how_pictures_are_prepared(clip: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file carries neither mean nor QuickGELU: with the tag they are the tag's, without it nobody guesses."""
    tags = {"plain": {"hf_hub": "nobody/plain/"}, "art": {"hf_hub": "nobody/art/", "mean": (0, 0, 0), "std": (1, 1, 1)}}
    tags["quick"] = {"hf_hub": "nobody/quick/", "quick_gelu": True}
    published = importlib.import_module("open_clip.pretrained")._PRETRAINED
    path = tiny / "tiny.safetensors"
    bare = clip.build(None, model="tiny", checkpoint=path)(photos())
    monkeypatch.setitem(published, "tiny", tags)
    with pytest.raises(WeightsError, match=r"does not say how pictures .* add pretrained= one of plain, art, quick"):
        clip.build(None, model="tiny", checkpoint=path)
    rows = {tag: clip.build(None, model="tiny", checkpoint=path, pretrained=tag)(photos()) for tag in tags}
    np.testing.assert_array_equal(rows["plain"], bare)
    assert np.abs(rows["art"] - bare).max() > 1e-4
    assert np.abs(rows["quick"] - bare).max() > 1e-5
    with pytest.raises(WeightsError, match="no weights 'nope'; choose from plain, art, quick"):
        clip.build(None, model="tiny", pretrained="nope", checkpoint=path)


def test_unknown_models_and_devices(clip: Any) -> None:
    with pytest.raises(WeightsError, match="did you mean ViT-B-32"):
        clip.build(None, model="ViT-B-33", pretrained="openai")
    with pytest.raises(ConfigError, match="device must be"):
        clip.build(None, device="tpu")
    with pytest.raises(ConfigError, match="batch_size"):
        clip.build(None, batch_size=0)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "HF_HUB_OFFLINE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))


@pytest.mark.parametrize("options", [{"pretrained": "openai"}, {"model": "hf-hub:nobody/nothing"}])
def test_no_network_is_said_within_seconds(
    clip: Any, nowhere: None, options: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that nobody answers on: accepted by the system, silent for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(WeightsError, match=r"not in the local cache .* give checkpoint= a local weights file"):
            clip.build(None, timeout_s=1.0, **options)
        assert time.monotonic() - start < 9
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    with pytest.raises(WeightsError, match=r"http://hub.invalid cannot be reached"):
        clip.build(None, timeout_s=1.0, **options)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        clip.build(None, **options)


def test_what_the_hub_left_here_is_used_without_asking(
    clip: Any, tiny: Path, nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(importlib.import_module("huggingface_hub.constants"), "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(
        importlib.import_module("huggingface_hub.file_download").constants, "HF_HUB_CACHE", str(tmp_path)
    )
    snapshot = tmp_path / "models--nobody--tiny/snapshots/abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--nobody--tiny/refs").mkdir()
    (tmp_path / "models--nobody--tiny/refs/main").write_text("abc")
    shutil.copy(tiny / "tiny.safetensors", snapshot / "open_clip_model.safetensors")
    (snapshot / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY}))
    want = clip.build(None, model="tiny", checkpoint=tiny / "tiny.pt")(photos())
    hub = clip.build(None, model="hf-hub:nobody/tiny")
    assert hub.name == "open_clip:tiny/tiny"
    np.testing.assert_array_equal(hub(photos()), want)
    published = importlib.import_module("open_clip.pretrained")._PRETRAINED
    monkeypatch.setitem(published, "tiny", {"here": {"hf_hub": "nobody/tiny/"}})
    tagged = clip.build(None, model="tiny", pretrained="here")
    assert tagged.name == "open_clip:tiny/here"
    np.testing.assert_array_equal(tagged(photos()), want)
