"""CLIP-like encoders through the package open_clip, from a local file, a local folder, or the Hugging Face hub.

open_clip silently accepts wrong input: a folder without weights results in a random model, a weights file in the
default mean and deviation instead of its own, and a model trained with QuickGELU runs with GELU. This module raises an
error for each of these that says what to pass instead.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from geoagent.errors import ConfigError, WeightsError
from geoagent.evidence.encoders import check_crops, square_crops, unit_row
from geoagent.evidence.encoders._hub import cached, hub_url, reach
from geoagent.optional import needs
from geoagent.types import Float32, Photo


def _stand_in_for_torchvision_operators(torch: Any) -> Any:
    """Make torchvision importable with a torch build that cannot load its compiled operators.

    The torchvision wheels on PyPI are built for CUDA. With a CPU-only torch their library does not load, and `import
    torchvision` fails with "operator torchvision::nms does not exist", because it refers to operators that were never
    registered. No encoder uses these operators. If the library loads, this function does nothing; otherwise it declares
    the two names, so that only calling them fails.

    Returns:
        The declaration, which must be kept alive, or None if none was needed.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations or hasattr(torch.ops.torchvision, "nms"):
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    for library in sorted(path for path in folder.glob("_C*") if path.suffix in (".so", ".pyd", ".dylib")):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue
        if hasattr(torch.ops.torchvision, "nms"):
            return None
    declared = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return declared


with needs("vision", "torch", "torchvision", "open_clip"), warnings.catch_warnings():
    warnings.simplefilter("ignore")  # hide deprecation warnings between these packages
    import torch

    _KEPT_ALIVE = _stand_in_for_torchvision_operators(torch)
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2

_WEIGHTS = (".safetensors", ".bin", ".pth")
_LOOKS = ("mean", "std", "interpolation", "resize_mode", "fill_color")
"""Preprocessing settings that a pretrained tag specifies."""


class OpenClipEncoder:
    """A loaded model that encodes photos as rows of unit length.

    Attributes:
        name: "open_clip:MODEL/WEIGHTS", with ":CROPS" if there is more than one crop.
        dim: D.
    """

    def __init__(self, model: Any, name: str, device: str, crops: int, batch_size: int) -> None:
        self.name = name
        self._model, self._device, self._crops, self._batch = model, device, crops, batch_size
        self._prepare = image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False)
        size = self._prepare_size()
        self.dim = int(self._encode([np.zeros((*size, 3), dtype=np.uint8)]).shape[1])

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length, in the order of `photos`.

        On a CPU photos are encoded one by one (batches are not faster), so that a row is bit-identical whatever else is
        in the call; on a GPU, rows differ in the last digits between batches.
        """
        squares = [self._squares(photo) for photo in photos]
        rows = self._encode([square for each in squares for square in each])
        ends = np.cumsum([len(each) for each in squares])
        out = [unit_row(part, self.name) for part in np.split(rows, ends[:-1])] if squares else []
        return np.array(out, dtype=np.float32).reshape(len(squares), self.dim)

    def _squares(self, photo: Photo) -> list[Any]:
        # One crop uses the model's own preprocessing of the whole photo, to match published features.
        return (
            [np.asarray(photo.pixels)]
            if self._crops == 1
            else [np.asarray(s) for s in square_crops(photo, self._crops)]
        )

    def _prepare_size(self) -> tuple[int, int]:
        size = self._model.visual.preprocess_cfg.get("size", 224)
        return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))

    def _encode(self, images: Sequence[Any]) -> Float32:
        rows = [np.zeros((0, getattr(self, "dim", 0)), dtype=np.float32)] if not images else []
        with torch.inference_mode():
            for start in range(0, len(images), self._batch):
                batch = [self._prepare(Image.fromarray(image)) for image in images[start : start + self._batch]]
                out = self._model.encode_image(torch.stack(batch).to(self._device))
                rows.append(out.float().cpu().numpy())
        return np.concatenate(rows).astype(np.float32)


def build(
    assets: Any,
    *,
    model: str = "ViT-B-32",
    pretrained: str | None = None,
    checkpoint: str | Path | None = None,
    device: str = "auto",
    crops: int = 1,
    batch_size: int | None = None,
    timeout_s: float = 3.0,
) -> OpenClipEncoder:
    """Load a model.

    Args:
        assets: not used.
        model: open_clip's name of the architecture, or "hf-hub:ORG/REPO", or "local-dir:FOLDER".
        pretrained: a pretrained tag of open_clip ("laion2b_s34b_b79k"). With `checkpoint`, only the tag's preprocessing
            and QuickGELU settings are used, and nothing is downloaded.
        checkpoint: a weights file (.safetensors, .bin, .pt, .pth), or a folder with open_clip_config.json and weights.
        device: "auto" (a CUDA GPU if available), "cpu", "cuda", "cuda:1", "mps".
        crops: number of square crops along the longer side; their embeddings are averaged.
        batch_size: images per batch; if None, 1 on a CPU and 32 elsewhere.
        timeout_s: how long to wait for a response of the hub.

    Raises:
        ConfigError: an option is invalid.
        WeightsError: the weights are missing or do not match the model.
        MissingDependency: torch, torchvision or open_clip is not installed.
    """
    if ":" not in model:
        model = model.replace("/", "-")  # spelling in papers: ViT-B/32
    check_crops(crops)
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
    chosen = _device(device)
    source, options, weights = _source(model, pretrained, checkpoint, timeout_s)
    loaded = _load(source, chosen, options, weights)
    name = f"open_clip:{_name(model)}/{pretrained or _name(weights)}" + (f":{crops}" if crops > 1 else "")
    return OpenClipEncoder(loaded, name, chosen, crops, batch_size or (1 if chosen == "cpu" else 32))


def _name(path: str) -> str:
    return Path(path.partition(":")[2] if path.startswith(("local-dir:", "hf-hub:")) else path).name


def _device(asked: str) -> str:
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind = asked.partition(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.get(kind)
    if there is None:
        raise ConfigError(f"device must be auto, cpu, cuda, cuda:N or mps, got {asked!r}")
    if not there:
        raise ConfigError(f"device {asked!r} was asked for, but torch sees none; use device='auto' or 'cpu'")
    return asked


def _source(
    model: str, tag: str | None, checkpoint: str | Path | None, timeout_s: float
) -> tuple[str, dict[str, Any], str]:
    """Return the arguments for open_clip: model name, options, and a description of the weights for messages."""
    if model.startswith("local-dir:"):
        checkpoint = checkpoint or model.partition(":")[2]
    if checkpoint is not None:
        path = Path(checkpoint).expanduser()
        if path.is_dir():
            _check_folder(path)
            return f"local-dir:{path}", {}, str(path)
        if not path.is_file():
            raise WeightsError(f"no weights at {path}: give checkpoint= an existing file, or a folder with a model")
        return model, {"pretrained": str(path), **_looks(model, tag, path)}, str(path)
    if model.startswith("hf-hub:"):
        repository = model.partition(":")[2]
        folder = cached(repository, ("open_clip_config.json",))
        if folder is not None and _has_weights(folder.parent):
            return f"local-dir:{folder.parent}", {}, model
        reach(hub_url(), f"the weights of {model}", timeout_s)
        return model, {}, model
    known = _tags(model)
    if tag is None:
        some = f" or pretrained= one of {_some(known)}" if known else ""
        raise WeightsError(f"{model} needs weights: give checkpoint= a file or folder{some}")
    if tag not in known:
        raise WeightsError(f"{model} has no weights {tag!r}; choose from {_some(known) or 'none: give checkpoint='}")
    return model, {"pretrained": str(_fetch(model, tag, timeout_s)), **_looks(model, tag, None)}, f"{model}/{tag}"


def _tags(model: str) -> list[str]:
    if model not in open_clip.list_models():
        close = difflib.get_close_matches(model, open_clip.list_models(), 4, 0.5)
        raise WeightsError(f"open_clip has no model {model!r}{'; did you mean ' + ', '.join(close) if close else ''}")
    return list(open_clip.list_pretrained_tags_by_model(model))


def _looks(model: str, tag: str | None, path: Path | None) -> dict[str, Any]:
    """Return the preprocessing and QuickGELU settings, which a tag specifies and a weights file does not."""
    known = _tags(model)
    if tag is not None and tag not in known:
        raise WeightsError(f"{model} has no weights {tag!r}; choose from {_some(known) or 'none: leave it out'}")
    own = bool((open_clip.get_model_config(model) or {}).get("quick_gelu", False))
    ways: dict[str, tuple[bool, dict[str, Any]]] = {}
    for each in [tag] if tag else known:
        config: dict[str, Any] = dict(open_clip.get_pretrained_cfg(model, each))
        looks = {key: config.get(key) or value for key, value in asdict(PreprocessCfg()).items() if key in _LOOKS}
        looks |= {key: tuple(looks[key]) for key in ("mean", "std")}
        way = (own or bool(config.get("quick_gelu")), looks)
        ways[repr(way)] = way
    if len(ways) > 1:
        raise WeightsError(
            f"{path} does not say how pictures for {model} must be prepared, and its published weights differ: add "
            f"pretrained= one of {_some(known)}, or give a folder with open_clip_config.json"
        )
    quick, prepare = next(iter(ways.values()), (own, None))
    return {"force_quick_gelu": quick, "force_preprocess_cfg": prepare}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _check_folder(folder: Path) -> None:
    if not (folder / "open_clip_config.json").is_file():
        raise WeightsError(
            f"{folder} has no open_clip_config.json; give a weights file, or add the model's configuration"
        )
    if not _has_weights(folder):
        raise WeightsError(
            f"{folder} has no weights ({', '.join('*' + end for end in _WEIGHTS)}); add the model's file"
        )


def _has_weights(folder: Path) -> bool:
    return any(path.suffix in _WEIGHTS for path in folder.iterdir())


def _load(source: str, device: str, options: dict[str, Any], weights: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = open_clip.create_model(source, device=device, require_pretrained=True, **options)
    except Exception as error:  # open_clip, torch, safetensors, pickle and the hub raise different types
        first = " ".join(str(error).split())[:220]
        if "weights_only" in first:  # torch suggests running arbitrary code from the file, which is unsafe
            first = "it is no file of plain weights"
        raise WeightsError(
            f"cannot load {weights} as {source}: {first}; give the model that these weights are of"
        ) from error
    return loaded.eval()


def _fetch(model: str, tag: str, timeout_s: float) -> Path:
    """Return the weights file of a tag, from the local cache, else downloaded after checking that the host responds."""
    config = open_clip.get_pretrained_cfg(model, tag)
    what = f"the weights {tag!r} of {model}"
    host = hub_url()
    if config.get("hf_hub"):
        repository, name = os.path.split(config["hf_hub"])
        names = [name, Path(name).with_suffix(".safetensors").name] if name else []
        found = cached(repository, names or ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"])
        if found is not None:
            return found
    elif config.get("url"):
        found = Path.home() / ".cache" / "clip" / Path(config["url"]).name
        if found.is_file():
            return found
        host = config["url"]
    reach(host, what, timeout_s)
    try:
        return Path(open_clip.download_pretrained(config))
    except Exception as error:
        first = " ".join(str(error).split())[:220]
        raise WeightsError(
            f"{what} could not be downloaded: {first}; give checkpoint= a local file or folder"
        ) from error
