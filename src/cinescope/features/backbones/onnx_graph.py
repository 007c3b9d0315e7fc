"""An ONNX graph, node by node, from a checkpoint's weights, without torch. Knows the blocks that Transformers share.

Knows no model: which blocks follow each other is said in bert_graph.py and clip_graph.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types import MissingPartError

_OPSET = 20  # the first with Gelu
_IR_VERSION = 10  # what ONNX Runtime 1.18 reads
_LARGE = 1024  # bytes; larger weights lie in a file beside the graph: mapped, not parsed

Weights = dict[str, np.ndarray]


def require_builder(what: str) -> None:
    """MissingPartError where graphs cannot be written here; `what` is to be built ("a text encoder")."""
    try:
        import onnx  # noqa: F401
        import safetensors  # noqa: F401
    except ImportError as error:
        raise MissingPartError(
            f"{what} cannot be built here: {error.name} is not installed", "pip install 'cinescope[meaning-build]'"
        ) from error


class Graph:
    """Nodes and weights as they are added; each call returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, name: str, value: np.ndarray) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def norm(self, weights: Weights, prefix: str, x: str, epsilon: float) -> str:
        scale = self.weight(prefix + "weight", weights[prefix + "weight"])
        shift = self.weight(prefix + "bias", weights[prefix + "bias"])
        return self.add("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)

    def dense(self, weights: Weights, prefix: str, x: str, output: str | None = None, bias: bool = True) -> str:
        # PyTorch keeps (out, in); MatMul wants (in, out).
        matrix = self.weight(prefix + "weight", weights[prefix + "weight"].T)
        if not bias:
            return self.add("MatMul", x, matrix, output=output)
        product = self.add("MatMul", x, matrix)
        return self.add("Add", product, self.weight(prefix + "bias", weights[prefix + "bias"]), output=output)

    def step(self, x: str, index: int, output: str | None = None) -> str:
        """(B, T, D) -> (B, D): one of the steps, -1 the last."""
        name = f"step_{len(self.nodes)}"
        one = self.add("Gather", x, self.weight(name, np.array([index], np.int64)), axis=1)
        return self.add("Squeeze", one, self.weight(f"{name}_axis", np.array([1], np.int64)), output=output)

    def save(self, out: Path, inputs: list[tuple[str, Any, list[Any]]], output: tuple[str, list[Any]]) -> None:
        """Write `out` and, beside it, `out`_data with the weights. `inputs`: name, numpy type, shape (a text: any)."""
        import onnx
        from onnx import TensorProto, helper

        given = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)
            for name, kind, shape in inputs
        ]
        result = [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])]
        body = helper.make_graph(self.nodes, out.stem, given, result, self.weights)
        model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        data = f"{out.name}_data"
        onnx.save_model(
            model, str(out), save_as_external_data=True, all_tensors_to_one_file=True, location=data,
            size_threshold=_LARGE,
        )  # fmt: skip
        # onnx makes it for its owner alone
        out.with_name(data).touch(mode=0o644)
        out.with_name(data).chmod(out.stat().st_mode & 0o777)
        onnx.checker.check_model(str(out))  # by path: a model above 2 GB does not fit into one message


def read_weights(file: Path) -> Weights:
    """Every tensor of a safetensors file as float32; ValueError or OSError for what is none.

    Half-precision weights become float32: ONNX Runtime computes little in half precision on a processor.
    """
    from safetensors import SafetensorError, deserialize

    try:
        tensors = deserialize(file.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"'{file.name}' is no safetensors file ({error})") from error
    weights: Weights = {}
    for name, tensor in tensors:
        kind, raw = tensor["dtype"], tensor["data"]
        if kind == "BF16":  # the upper half of a float32
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif kind in ("F16", "F32", "F64"):
            values = np.frombuffer(raw, f"<f{int(kind[1:]) // 8}").astype(np.float32)
        else:
            continue  # positions and other whole numbers, which the graph counts by itself
        weights[name] = values.reshape(tensor["shape"])
    return weights
