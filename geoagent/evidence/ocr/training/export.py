"""From weights to ONNX files: single precision, half-precision weights, and 8-bit matrix products."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from geoagent.evidence.ocr.training.damage import HEIGHT_PX
from geoagent.evidence.ocr.training.network import Checkpoint, Probabilities
from geoagent.evidence.quantised import eight_bit, halve
from geoagent.optional import needs

with needs("reader", "torch"):
    import torch

FORMATS = ("single", "half", "eight_bit")
_OPSET = 17
_TRACED_WIDTH_PX = 160


def export(checkpoint: Checkpoint, path: Path, form: str = "eight_bit") -> Path:
    """Write a model: input `line` (B, 1, 48, W), output `probs` (B, W / 4, K), its characters in the metadata.

    Args:
        checkpoint: weights and characters.
        path: the ONNX file.
        form: "single"; "half" for weights in half precision, computed with in single; "eight_bit" for matrix products
            in 8 bit, quantised dynamically, and the other weights in half precision.

    Returns:
        The path.

    Raises:
        MissingDependency: onnx is not installed.
    """
    with needs("reader", "onnx"):
        import onnx
    model = _traced(checkpoint)
    if form == "eight_bit":
        model = eight_bit(model)
    if form != "single":
        halve(model)
    onnx.helper.set_model_props(model, {"character": "\n".join(checkpoint.characters), "height": str(HEIGHT_PX)})
    temporary = path.with_name(path.name + ".part")
    onnx.save(model, str(temporary))
    temporary.replace(path)
    return path


def _traced(checkpoint: Checkpoint) -> Any:
    import onnx

    net = Probabilities(checkpoint.network()).float().eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that replaces this one needs another package and keeps no dynamic width in the reshapes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (torch.zeros(2, 1, HEIGHT_PX, _TRACED_WIDTH_PX),),
            buffer,
            input_names=["line"],
            output_names=["probs"],
            dynamic_axes={"line": {0: "batch", 3: "width"}, "probs": {0: "batch", 1: "time"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())
