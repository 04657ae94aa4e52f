"""Image encoders exported to ONNX, run with onnxruntime.

An ONNX file does not specify the image preprocessing. It is read from a card next to the file (`MODEL.onnx.json` or
`MODEL.json`), whose keys are any options of `build`, and "sha256" of the model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from geoagent.errors import ConfigError, WeightsError
from geoagent.evidence.encoders import check_crops, square_crops, unit_row
from geoagent.types import Float32, Photo

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_EMBEDDINGS = (
    "embedding",
    "embeddings",
    "image_embeds",
    "image_embedding",
    "image_features",
    "features",
    "pooler_output",
)
_CARD = ("name", "size", "mean", "std", "interpolation", "layout", "output", "crops", "fit", "sha256")
_FITS = ("crop", "shortest", "squash")
_PROVIDERS = {
    "auto": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """Image preprocessing for the network's input."""

    size: tuple[int, int]
    mean: Float32
    std: Float32
    interpolation: str
    layout: str
    dtype: Any
    fit: str

    def __call__(self, picture: Image.Image) -> Any:
        height, width = self.size
        if self.fit == "shortest":
            scale = max(height / picture.height, width / picture.width)
            size = max(width, int(picture.width * scale + 1e-6)), max(height, int(picture.height * scale + 1e-6))
            whole = picture.resize(size, _FILTERS[self.interpolation])
            left, top = round((whole.width - width) / 2), round((whole.height - height) / 2)
            resized = whole.crop((left, top, left + width, top + height))
        else:
            resized = picture.resize((width, height), _FILTERS[self.interpolation])
        pixels = np.asarray(resized)
        if self.dtype is not np.uint8:  # a network with uint8 input does its own preprocessing
            pixels = ((pixels.astype(np.float32) / 255 - self.mean) / self.std).astype(self.dtype)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1) if self.layout == "NCHW" else pixels)[None]


class OnnxEncoder:
    """A loaded network that encodes photos as rows of unit length.

    Attributes:
        name: "onnx:NAME", with ":CROPS" if there is more than one crop.
        dim: D.
    """

    def __init__(self, session: Any, name: str, look: _Look, feed: str, output: str, crops: int) -> None:
        self.name = name
        self._session, self._look, self._feed, self._output, self._crops = session, look, feed, output, crops
        self.dim = len(self._run(Image.new("RGB", (8, 8), (90, 120, 150))))

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length; photos are encoded one by one, so rows are independent."""
        rows = [unit_row([self._run(picture) for picture in self._pictures(photo)], self.name) for photo in photos]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self.dim)

    def _pictures(self, photo: Photo) -> list[Image.Image]:
        whole = self._look.fit != "crop" and self._crops == 1
        return [Image.fromarray(np.asarray(photo.pixels))] if whole else square_crops(photo, self._crops)

    def _run(self, square: Image.Image) -> Float32:
        try:
            out = np.asarray(self._session.run([self._output], {self._feed: self._look(square)})[0])
        except Exception as error:  # onnxruntime's errors have no common base class
            raise WeightsError(f"{self.name} cannot take the picture it asks for: {_first(error)}") from error
        if out.size != max(out.shape, default=0):
            raise WeightsError(
                f"{self.name}: output {self._output!r} has shape {out.shape} for one picture, wanted (1, D); choose "
                f"another with output=: {_names(self._session.get_outputs())}"
            )
        return np.asarray(out.reshape(-1), dtype=np.float32)


def build(
    assets: Any,
    *,
    model: str | Path,
    size: int | Sequence[int] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    interpolation: str | None = None,
    layout: str | None = None,
    output: str | int | None = None,
    crops: int | None = None,
    fit: str | None = None,
    name: str | None = None,
    device: str = "auto",
) -> OnnxEncoder:
    """Load a network. Missing options are taken from the card, else from the network, else from the defaults below.

    Args:
        assets: not used.
        model: the .onnx file.
        size: height and width of the input, or one number for both; default 224.
        mean: mean of the input, one number or one per channel, where white is 1 and black 0; default 0.5.
        std: standard deviation of the input; default 0.5. With both 0.5 the input ranges from -1 to 1.
        interpolation: nearest, bilinear, bicubic or lanczos; default bilinear.
        layout: "NCHW" or "NHWC"; by default detected from the position of the 3 channels.
        output: name or index of the embedding output; by default the only output, or the one with a usual name.
        crops: number of square crops along the longer side; default 1.
        fit: how a photo is brought to the input's size with one crop: "crop" (the default) cuts out the centre square
            and resizes it, "shortest" resizes the shorter side and cuts out the centre, "squash" resizes both sides.
        name: short name for reports; by default that of the file.
        device: "auto" (a CUDA GPU if this onnxruntime runs on one), "cpu", "cuda", or "mps" for Core ML.

    Raises:
        ConfigError: an option or the card is invalid, or this onnxruntime does not run on the device.
        WeightsError: the file does not exist, is not an image encoder, or does not match the card.
    """
    path = Path(model).expanduser()
    if not path.is_file():
        raise WeightsError(f"no ONNX file at {path}: give model= the path of an image encoder exported to ONNX")
    given: dict[str, Any] = {"size": size, "mean": mean, "std": std, "interpolation": interpolation, "layout": layout}
    given |= {"output": output, "crops": crops, "name": name, "fit": fit}
    card = _card(path)
    options = {key: card.get(key) if value is None else value for key, value in given.items()}
    session = _session(path, device)
    feed = _image_input(session, path, options["layout"])
    look = _look(feed.shape, feed.type, options)
    chosen = _choose_output(session, path, options["output"])
    squares = check_crops(1 if options["crops"] is None else options["crops"])
    label = f"onnx:{options['name'] or path.stem}" + (f":{squares}" if squares > 1 else "")
    return OnnxEncoder(session, label, look, feed.name, chosen, squares)


def _card(path: Path) -> Mapping[str, Any]:
    for file in (path.with_name(path.name + ".json"), path.with_suffix(".json")):
        if not file.is_file():
            continue
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"the card {file} is not JSON: {_first(error)}") from error
        if not isinstance(card, dict) or set(card) - set(_CARD):
            strange = sorted(set(card) - set(_CARD)) if isinstance(card, dict) else type(card).__name__
            raise ConfigError(f"the card {file} may hold {', '.join(_CARD)}; got {strange}")
        if "sha256" in card:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != str(card["sha256"]).lower():
                raise WeightsError(f"{path} is not the file that its card describes: sha256 {digest}; get it again")
        return card
    return {}


def _session(path: Path, device: str) -> Any:
    options = onnxruntime.SessionOptions()
    if (threads := os.environ.get("OMP_NUM_THREADS", "")).isdecimal():  # which onnxruntime does not read itself
        options.intra_op_num_threads = min(int(threads), os.cpu_count() or 1)
    there = onnxruntime.get_available_providers()
    if device not in _PROVIDERS:
        raise ConfigError(f"device must be one of {', '.join(_PROVIDERS)}; got {device!r}")
    wanted = _PROVIDERS[device]
    if device != "auto" and wanted not in there:
        raise ConfigError(
            f"device {device!r} was asked for, but this onnxruntime runs on {', '.join(there)} only; use device='auto'"
        )
    providers = [name for name in dict.fromkeys((wanted, _PROVIDERS["cpu"])) if name in there]
    options.log_severity_level = 3  # errors only; they are raised as exceptions as well
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's errors have no common base class
        raise WeightsError(f"{path} is no ONNX model that can be run: {_first(error)}") from error


def _image_input(session: Any, path: Path, layout: str | None) -> Any:
    inputs = session.get_inputs()
    fitting = [i for i in inputs if i.type in _TYPES and len(i.shape) == 4 and _layout(i.shape, layout)]
    if len(fitting) != 1 or len(inputs) != 1:
        raise WeightsError(
            f"{path} must have one input, a picture (n, 3, height, width) or (n, height, width, 3); "
            f"it has {_names(inputs)}"
        )
    if isinstance(fitting[0].shape[0], int) and fitting[0].shape[0] != 1:
        raise WeightsError(
            f"{path} takes {fitting[0].shape[0]} pictures at once; export it with a free batch size, or 1"
        )
    return fitting[0]


def _layout(shape: Sequence[Any], asked: str | None) -> str | None:
    """Return the layout, "NCHW" or "NHWC"; free dimensions may be channels; None if neither fits."""
    fits = [kind for kind, axis in (("NCHW", 1), ("NHWC", 3)) if shape[axis] == 3 or not isinstance(shape[axis], int)]
    if asked is not None:
        if asked not in ("NCHW", "NHWC"):
            raise ConfigError(f"layout must be NCHW or NHWC, got {asked!r}")
        return asked if asked in fits else None
    sure = [kind for kind, axis in (("NCHW", 1), ("NHWC", 3)) if shape[axis] == 3]
    return next(iter(sure + fits), None)


def _look(shape: Sequence[Any], kind: str, options: Mapping[str, Any]) -> _Look:
    layout = _layout(shape, options["layout"]) or "NCHW"
    fixed = shape[2:] if layout == "NCHW" else shape[1:3]
    asked = options["size"]
    pair = [asked, asked] if isinstance(asked, int) else list(asked) if asked is not None else [None, None]
    if len(pair) != 2 or any(v is not None and (not isinstance(v, int) or not 8 <= v <= 4096) for v in pair):
        raise ConfigError(f"size must be a number from 8 to 4096, or a height and a width, got {asked!r}")
    for want, has in zip(pair, fixed, strict=True):
        if want is not None and isinstance(has, int) and want != has:
            raise ConfigError(f"size {asked!r} was asked for, but the network takes {list(fixed)}")
    height, width = (has if isinstance(has, int) else want or 224 for want, has in zip(pair, fixed, strict=True))
    interpolation = options["interpolation"] or "bilinear"
    if interpolation not in _FILTERS:
        raise ConfigError(f"interpolation must be one of {', '.join(_FILTERS)}, got {interpolation!r}")
    mean, std = (_channels(key, options[key]) for key in ("mean", "std"))
    if (std <= 0).any():
        raise ConfigError(f"std must be above 0, got {options['std']!r}")
    fit = options["fit"] or _FITS[0]
    if fit not in _FITS:
        raise ConfigError(f"fit must be one of {', '.join(_FITS)}, got {fit!r}")
    return _Look((height, width), mean, std, interpolation, layout, _TYPES[kind], fit)


def _channels(key: str, value: Any) -> Float32:
    try:
        array = np.asarray(0.5 if value is None else value, dtype=np.float32)
        if array.shape not in ((), (1,), (3,)) or not np.isfinite(array).all():
            raise ValueError(f"shape {array.shape}")
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key} must be one number or three, got {value!r}") from error
    return np.broadcast_to(array, (3,))


def _choose_output(session: Any, path: Path, asked: str | int | None) -> str:
    outputs = [out.name for out in session.get_outputs()]
    if isinstance(asked, int) and not isinstance(asked, bool) and 0 <= asked < len(outputs):
        return str(outputs[asked])
    if asked is not None:
        if asked in outputs:
            return str(asked)
        raise WeightsError(f"{path} has no output {asked!r}; choose from {_names(session.get_outputs())}")
    usual = [name for name in _EMBEDDINGS if name in outputs]
    if usual or len(outputs) == 1:
        return str((usual or outputs)[0])
    raise WeightsError(f"{path} has several outputs; choose one with output=: {_names(session.get_outputs())}")


def _names(nodes: Sequence[Any]) -> str:
    return ", ".join(f"{node.name} {list(node.shape)}" for node in nodes) or "none"


def _first(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
