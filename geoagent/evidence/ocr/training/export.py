"""From weights to ONNX files: single precision, half-precision weights, and 8-bit matrix products."""

from __future__ import annotations

import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.evidence.ocr.training.damage import HEIGHT_PX
from geoagent.evidence.ocr.training.network import Checkpoint, Probabilities
from geoagent.optional import needs

with needs("reader", "torch"):
    import torch

FORMATS = ("single", "half", "eight_bit")
_OPSET = 17
_LEAST = 64  # numbers in an array that is worth a cast
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
        model = _eight_bit(model)
    if form != "single":
        _halve(model)
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


def _eight_bit(model: Any) -> Any:
    import onnx
    from onnxruntime.quantization import quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        single, small = Path(folder) / "single.onnx", Path(folder) / "small.onnx"
        # What it advises to run first changes nothing in this graph; without this mark it says so each time.
        onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
        onnx.save(model, str(single))
        quantize_dynamic(str(single), str(small), op_types_to_quantize=["MatMul"])
        return onnx.load(str(small))


def _halve(model: Any) -> None:
    """Keep large arrays in half precision, each with a cast to single, so that any CPU can compute with them."""
    import onnx

    casts = []
    for array in list(model.graph.initializer):
        if array.data_type == onnx.TensorProto.FLOAT and np.prod(array.dims) > _LEAST:
            half = onnx.numpy_helper.to_array(array).astype(np.float16)
            model.graph.initializer.remove(array)
            model.graph.initializer.append(onnx.numpy_helper.from_array(half, array.name + "_half"))
            casts.append(onnx.helper.make_node("Cast", [array.name + "_half"], [array.name], to=onnx.TensorProto.FLOAT))
    for at, node in enumerate(casts):
        model.graph.node.insert(at, node)
