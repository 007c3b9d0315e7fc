"""A BERT encoder as an ONNX graph, written from a checkpoint's weights without torch.

The graph takes `input_ids` and `attention_mask` (B, T) int64 and gives `embedding` (B, D) float32: the mean of the last
hidden states over the true tokens, at length 1 (Reimers & Gurevych 2019, Sentence-BERT, section 3, MEAN pooling).
Reads BERT, RoBERTa and XLM-RoBERTa in the Hugging Face layout. Knows nothing about texts or tokenizers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cinescope.features.backbones.onnx_graph import Graph, require_builder
from cinescope.types import MissingPartError

_OPSET = 20  # the first with Gelu
FAMILIES = ("bert", "roberta", "xlm-roberta")


@dataclass(frozen=True, slots=True)
class _Shape:
    width: int
    heads: int
    layers: int
    epsilon: float
    first_position: int  # RoBERTa counts positions from after the padding token's


def _shape(folder: Path) -> _Shape:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = config.get("model_type", "")
    if family not in FAMILIES:
        raise MissingPartError(
            f"'{folder.name}' is a model of the kind '{family or 'unknown'}', not a text encoder",
            f"take one of the kinds {', '.join(FAMILIES)}",
        )
    if config.get("hidden_act", "gelu") != "gelu":
        raise MissingPartError(f"'{folder.name}' uses the activation '{config['hidden_act']}', which is not known here")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise MissingPartError(f"'{folder.name}' uses relative positions, which are not known here")
    first = 0 if family == "bert" else int(config.get("pad_token_id", 1)) + 1
    return _Shape(
        config["hidden_size"],
        config["num_attention_heads"],
        config["num_hidden_layers"],
        config.get("layer_norm_eps", 1e-12),
        first,
    )


def write_graph(folder: Path, out: Path) -> int:
    """Write `out` (an .onnx file) from the checkpoint in `folder` (config.json, model.safetensors); the dimension D.

    Raises MissingPartError for another kind of model, missing weights, or where `onnx` or `safetensors` is missing.
    """
    require_builder("a text encoder")
    import onnx
    from onnx import TensorProto, helper
    from safetensors.numpy import load_file

    shape = _shape(folder)
    weights = {
        k.removeprefix("bert.").removeprefix("roberta."): v for k, v in load_file(folder / "model.safetensors").items()
    }
    graph = Graph()
    try:
        hidden = _embeddings(graph, weights, shape)
        bias = _mask_bias(graph)
        for layer in range(shape.layers):
            hidden = _layer(graph, weights, shape, f"encoder.layer.{layer}.", hidden, bias)
    except KeyError as error:
        raise MissingPartError(f"'{folder.name}' lacks the weight {error}", "fetch the model again") from error
    _pool(graph, hidden)
    tokens = [helper.make_tensor_value_info(n, TensorProto.INT64, ["B", "T"]) for n in ("input_ids", "attention_mask")]
    result = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", shape.width])]
    body = helper.make_graph(graph.nodes, "text_encoder", tokens, result, graph.weights)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, str(out))
    return shape.width


def _embeddings(graph: Graph, weights: dict[str, np.ndarray], shape: _Shape) -> str:
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    # Sentences have one segment type, so its embedding is added to the positions once and for all.
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    positions = graph.weight("positions", places[shape.first_position :])
    length = graph.add("Shape", "input_ids", start=1, end=2)
    zero, one = graph.weight("zero", np.array([0], np.int64)), graph.weight("one", np.array([1], np.int64))
    rows = graph.add("Slice", positions, zero, length, zero, one)
    summed = graph.add("Add", graph.add("Gather", words, "input_ids"), rows)
    return graph.norm(weights, "embeddings.LayerNorm.", summed, shape.epsilon)


def _mask_bias(graph: Graph) -> str:
    """(B, 1, 1, T): 0 where there is a token, very negative where there is padding."""
    from onnx import TensorProto

    mask = graph.add("Cast", "attention_mask", output="mask", to=TensorProto.FLOAT)
    absent = graph.add("Sub", graph.weight("unit", np.array(1, np.float32)), mask)
    bias = graph.add("Mul", absent, graph.weight("never", np.array(-1e9, np.float32)))
    return graph.add("Unsqueeze", bias, graph.weight("heads_and_queries", np.array([1, 2], np.int64)))


def _layer(graph: Graph, weights: dict[str, np.ndarray], shape: _Shape, prefix: str, hidden: str, bias: str) -> str:
    split = graph.weight(prefix + "split", np.array([0, 0, shape.heads, shape.width // shape.heads], np.int64))
    merge = graph.weight(prefix + "merge", np.array([0, 0, shape.width], np.int64))

    def heads(name: str, order: list[int]) -> str:
        flat = graph.dense(weights, f"{prefix}attention.self.{name}.", hidden)
        return graph.add("Transpose", graph.add("Reshape", flat, split), perm=order)

    scores = graph.add("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
    scale = graph.weight(prefix + "scale", np.array((shape.width // shape.heads) ** -0.5, np.float32))
    scores = graph.add("Add", graph.add("Mul", scores, scale), bias)
    seen = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), heads("value", [0, 2, 1, 3]))
    joined = graph.add("Reshape", graph.add("Transpose", seen, perm=[0, 2, 1, 3]), merge)
    attended = graph.dense(weights, prefix + "attention.output.dense.", joined)
    hidden = graph.norm(
        weights, prefix + "attention.output.LayerNorm.", graph.add("Add", attended, hidden), shape.epsilon
    )
    inner = graph.add("Gelu", graph.dense(weights, prefix + "intermediate.dense.", hidden))
    outer = graph.add("Add", graph.dense(weights, prefix + "output.dense.", inner), hidden)
    return graph.norm(weights, prefix + "output.LayerNorm.", outer, shape.epsilon)


def _pool(graph: Graph, hidden: str) -> None:
    tokens = graph.weight("tokens", np.array([1], np.int64))
    kept = graph.add("Unsqueeze", "mask", graph.weight("width", np.array([2], np.int64)))
    total = graph.add("ReduceSum", graph.add("Mul", hidden, kept), tokens, keepdims=0)
    mean = graph.add("Div", total, graph.add("ReduceSum", kept, tokens, keepdims=0))
    graph.add("LpNormalization", mean, output="embedding", axis=-1, p=2)
