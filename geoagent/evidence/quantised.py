"""Smaller forms of an ONNX model: 8-bit matrix products, and weights in half precision."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

_LEAST = 64  # numbers in an array that is worth a cast


def eight_bit(model: Any) -> Any:
    """Return the model with its matrix products in 8 bit, quantised dynamically.

    Args:
        model: an `onnx.ModelProto`; it gets a mark in its metadata.
    """
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


def halve(model: Any) -> None:
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
