"""A module as an ONNX graph: traced from torch, small on disk, and compared with the module as ONNX Runtime runs it.

Weights lie in the file in float16, as in checkpoints, each with a Cast to float32 behind it, which a runtime computes
once when it loads the graph: instance and layer norms overflow in float16. onnx and onnxruntime are imported inside of
functions, since nothing else needs them.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ExportError

Precision = Literal["float16", "float32"]

OPSET = 18
TOLERANCE = 1e-3
"""Between what ONNX Runtime and torch compute: absolute, or a share of the largest number where that is above 1."""
SMALL = 4096
"""Tensors of fewer numbers keep float32 where float16 would round them: a batch norm's statistics may not fit."""


def to_onnx(module: nn.Module, inputs: Mapping[str, Tensor], output: str, precision: Precision = "float16") -> bytes:
    """A module in eval mode as an ONNX file, free in batch, height and width.

    Args:
        inputs: an example `(1, …)` of each of its inputs, by name and in its order.
        output: the name of the output.
        precision: of the weights on disk; all is computed in float32.

    Raises:
        ExportError: onnx is not installed.
    """
    onnx = _imported("onnx")
    axes = {0: "batch", 2: "height", 3: "width"}
    free = {name: {k: f"{name}_{axes[k]}" for k in axes if k < x.dim()} for name, x in inputs.items()}
    file: Any = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, on Python's view of shapes and on its age
        # Traced: the newer exporter compiles half a minute a graph. Weights are left as they are, for float16.
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=free,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    model = onnx.load_from_string(file.getvalue())
    _without_doubles(onnx, model.graph)
    if precision == "float16":
        _halve(onnx, model.graph)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _without_doubles(onnx: Any, graph: Any) -> None:
    """Make constants that the tracer wrote in float64 float32: each is cast to it anyway, which no browser can do."""
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.t.data_type == onnx.TensorProto.DOUBLE:
                values = onnx.numpy_helper.to_array(attribute.t).astype(np.float32)
                attribute.t.CopyFrom(onnx.numpy_helper.from_array(values))


def _halve(onnx: Any, graph: Any) -> None:
    """Keep a graph's weights in float16, with a Cast to float32 behind each."""
    casts = []
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if values.size < SMALL and not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


class Runtime:
    """An ONNX file as ONNX Runtime runs it, on the CPU."""

    def __init__(self, model: bytes) -> None:
        """Raises ExportError if onnxruntime is not installed."""
        self._session = _imported("onnxruntime").InferenceSession(model, providers=["CPUExecutionProvider"])
        self._names = [value.name for value in self._session.get_inputs()]

    def __call__(self, *inputs: Tensor) -> Tensor:
        """As the module, on CPU tensors."""
        arrays = [x.detach().float().contiguous().numpy() for x in inputs]
        return torch.from_numpy(self._session.run(None, dict(zip(self._names, arrays, strict=True)))[0])


def difference(found: Tensor, wanted: Tensor) -> float:
    """The largest between two results, absolute, or as a share of the largest number where that is above 1."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1))


def check(name: str, model: bytes, module: nn.Module, examples: Sequence[Sequence[Tensor]]) -> float:
    """Compare an ONNX file with its module on several inputs.

    Args:
        name: of the file, for the sentence.
        examples: sets of the module's inputs.

    Returns:
        The largest difference, as `difference` has it.

    Raises:
        ExportError: it is above `TOLERANCE`, or onnxruntime is not installed.
    """
    run = Runtime(model)
    with torch.inference_mode():
        found = max(difference(run(*inputs), module(*inputs)) for inputs in examples)
    if not found <= TOLERANCE:  # written so that NaN fails, too
        raise ExportError(
            f"{name} computes something else than the checkpoint: ONNX Runtime differs from torch by {found:.2g}, "
            f"more than {TOLERANCE:g}. If its weights are float32, try --precision float32."
        )
    return found


def _imported(package: str) -> Any:
    """Raises ExportError with what to install."""
    try:
        return __import__(package)
    except ImportError as error:
        raise ExportError(
            f"Exporting to ONNX needs {package}, which cannot be imported ({error}): `pip install onnx onnxruntime`."
        ) from None
