"""Export of an image tower alone to ONNX, in the smallest form that gives the same embeddings."""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.errors import WeightsError
from geoagent.evidence.quantised import eight_bit, halve
from geoagent.optional import needs
from geoagent.types import Float32, Photo
from geoagent.worlds.world import ENCODER_FILES

LEAST_COSINE = 0.999
"""Least cosine between the embeddings of the exported network and of the model it was exported from."""
LEAST_CENTRED = 0.99
"""The same about the mean of the photos, since embeddings of a model may all lie close together."""
FORMS = ("eight_bit", "half", "single")
"""Forms in the order in which they are tried: 8-bit matrix products; weights in half precision; single precision."""
WORTH = 1.15
"""How many times faster a larger form must be to be kept instead of a smaller one."""
_OPSET = 17


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported tower.

    Attributes:
        files: the network and its card, by their names in a world's folder.
        form: the form that was kept.
        cosines: least cosine to the model for each form that was tried, as it is and about the mean.
        size_mb: megabytes of the network.
    """

    files: Mapping[str, Path]
    form: str
    cosines: Mapping[str, tuple[float, float]]
    size_mb: float


def export_tower(
    encoder: Any,
    folder: Path,
    photos: Sequence[Photo],
    *,
    name: str,
    forms: Sequence[str] = FORMS,
    layers: Sequence[Float32] = (),
    wanted: Float32 | None = None,
) -> Exported:
    """Export the image tower of an `OpenClipEncoder`.

    Args:
        encoder: the encoder, with one crop a photo.
        folder: where to write `encoder.onnx` and its card.
        photos: photos on which each form is compared with the model, preprocessing included.
        name: name on the card.
        forms: forms to try, from small to large. Of those that reach `LEAST_COSINE` and `LEAST_CENTRED` the smallest is
            kept, or a larger one that is `WORTH` times as fast on this machine.
        layers: two linear layers (weight, bias, weight, bias) with a ReLU between them, put behind the tower.
        wanted: `(N, D)` rows that the network must give for `photos`; None for those of `encoder`.

    Raises:
        WeightsError: the model's preprocessing is unknown, or no form gives the same embeddings.
        MissingDependency: torch or onnx is not installed.
    """
    with needs("vision", "onnx"):
        import onnx
    card = {**_look(encoder), "name": name, "layout": "NCHW", "output": "embedding"}
    network, side = folder / ENCODER_FILES[0], folder / ENCODER_FILES[1]
    folder.mkdir(parents=True, exist_ok=True)
    side.write_text(json.dumps(card), "utf-8")
    want = encoder(photos) if wanted is None else wanted
    single = _traced(encoder, card["size"], layers)
    cosines: dict[str, tuple[float, float]] = {}
    best: tuple[str, float] | None = None
    for form in forms:
        tried = network if best is None else network.with_suffix(".tried.onnx")
        model = onnx.load_model_from_string(single)
        if form == "eight_bit":
            model = eight_bit(model)
        elif form == "half":
            halve(model)
        onnx.save(model, str(tried))
        del model
        if tried != network:
            tried.with_name(f"{tried.name}.json").write_text(json.dumps(card), "utf-8")
        exported = plugs.build("encoders", "onnx", None, model=tried)
        got, centre = exported(photos), want.mean(axis=0)
        cosines[form] = _least_cosine(want, got), _least_cosine(want - centre, got - centre)
        if cosines[form][0] >= LEAST_COSINE and cosines[form][1] >= LEAST_CENTRED:
            seconds = _seconds(exported, photos[0])
            # Forms are tried from small to large: a larger one must be worth its size.
            if best is None or seconds < best[1] / WORTH:
                best = form, seconds
                if tried != network:
                    tried.replace(network)
            if form == "eight_bit":
                break  # a quarter of the size, and on every processor that was measured the fastest
        for left in (tried, tried.with_name(f"{tried.name}.json")):
            if tried != network:
                left.unlink(missing_ok=True)
    if best is None:
        raise WeightsError(f"{encoder.name}: the exported tower differs from the model (least cosines {cosines})")
    size_mb = round(network.stat().st_size / 1e6, 1)
    return Exported({file: folder / file for file in ENCODER_FILES}, best[0], cosines, size_mb)


def _seconds(encoder: Any, photo: Photo) -> float:
    """Least time of three that one photo takes."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        encoder([photo])
        times.append(time.perf_counter() - begin)
    return min(times)


def _least_cosine(a: Float32, b: Float32) -> float:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return round(float(((a * b).sum(axis=1) / np.maximum(lengths, 1e-12)).min()), 6)


def _look(encoder: Any) -> dict[str, Any]:
    """The model's preprocessing in the words of the plug `onnx`."""
    config = dict(encoder._model.visual.preprocess_cfg)
    size = config.get("size", 224)
    fit = str(config.get("resize_mode", "shortest"))
    if fit not in ("shortest", "squash") or config.get("interpolation") not in ("bilinear", "bicubic"):
        raise WeightsError(f"{encoder.name}: its preprocessing cannot be exported: {config}")
    return {
        "size": [size, size] if isinstance(size, int) else list(size),
        "mean": list(config["mean"]),
        "std": list(config["std"]),
        "interpolation": config["interpolation"],
        "fit": fit,
    }


def _traced(encoder: Any, size: Sequence[int], layers: Sequence[Float32]) -> bytes:
    with needs("vision", "torch"):
        import torch

    class Tower(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = encoder._model
            self.layers = torch.nn.Sequential()
            if layers:
                first, last = (torch.nn.Linear(*layers[i].shape[::-1]) for i in (0, 2))
                for linear, weight, bias in ((first, *layers[:2]), (last, *layers[2:])):
                    linear.weight.data, linear.bias.data = (torch.from_numpy(np.array(a)) for a in (weight, bias))
                self.layers = torch.nn.Sequential(first, torch.nn.ReLU(), last)

        def forward(self, pixels: Any) -> Any:
            return self.layers(self.model.encode_image(pixels))

    buffer = io.BytesIO()
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its fused operator has no counterpart in ONNX
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # the exporter that replaces this one needs another package
            torch.onnx.export(
                Tower().eval(),
                (torch.zeros(1, 3, *size, device=encoder._device),),
                buffer,
                input_names=["pixels"],
                output_names=["embedding"],
                dynamic_axes={"pixels": {0: "n"}, "embedding": {0: "n"}},
                opset_version=_OPSET,
                dynamo=False,
            )
    except Exception as error:  # torch's exporter raises different types
        raise WeightsError(f"{encoder.name} cannot be exported: {' '.join(str(error).split())[:200]}") from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return buffer.getvalue()
