"""CLIP and SigLIP as two ONNX graphs, one for pictures and one for texts, from a checkpoint's weights without torch.

    vision_model.onnx   pixel_values (B, 3, H, W) float32 -> image_embeds (B, D) float32
    text_model.onnx     input_ids (B, T) int64            -> text_embeds (B, D) float32

Input and output are named as Optimum names them, so that its exports and these are used alike. The embeddings are not
yet of length 1. CLIP: Radford et al. 2021; SigLIP: Zhai et al. 2023; SigLIP 2 of fixed size (Tschannen et al. 2025) is
built like SigLIP. Layouts and defaults are those of transformers' `clip` and `siglip`. Knows neither pixels nor texts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.features.backbones.onnx_graph import Graph, Weights, read_weights
from cinescope.types import MissingPartError

FAMILIES = ("clip", "siglip")
VISION, TEXT = "vision_model.onnx", "text_model.onnx"
_ACTIVATIONS = ("quick_gelu", "gelu", "gelu_pytorch_tanh")
# What a config.json leaves out is as in transformers' CLIPConfig and SiglipConfig; published SigLIP configs say little.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "clip": {"num_attention_heads": 12, "layer_norm_eps": 1e-5, "hidden_act": "quick_gelu", "image_size": 224},
    "siglip": {"num_attention_heads": 12, "layer_norm_eps": 1e-6, "hidden_act": "gelu_pytorch_tanh", "image_size": 224},
}
_CLIP_TEXT_HEADS = 8
_CLIP_END = 49407
_END_IS_HIGHEST = 2  # in configs before transformers 4.31, which meant "the highest id in the text"


@dataclass(frozen=True, slots=True)
class Tower:
    """One half of the model: a Transformer whose norms come first."""

    prefix: str  # of its weights
    width: int
    heads: int
    layers: int
    epsilon: float
    activation: str


def family_of(config: dict[str, Any], name: str) -> str:
    """ "clip" or "siglip". MissingPartError for a checkpoint of another kind."""
    kind = str(config.get("model_type", "") or "unknown")
    if kind in FAMILIES:
        return kind
    why = ""
    if kind == "siglip2":
        why = ", which takes pictures of any size and is not known here"
    elif kind in ("clip_vision_model", "clip_text_model", "siglip_vision_model", "siglip_text_model"):
        why = ", one half of a picture model"
    raise MissingPartError(
        f"'{name}' is a model of the kind '{kind}'{why or ', not a picture model'}",
        "take a checkpoint of CLIP or SigLIP, for example openai/clip-vit-large-patch14"
        + (" or google/siglip2-base-patch16-224" if kind == "siglip2" else ""),
    )


def image_size(config: dict[str, Any]) -> int:
    """Height and width in pixels of what the picture half takes."""
    stated = (config.get("vision_config") or {}).get("image_size", _DEFAULTS[config["model_type"]]["image_size"])
    if not isinstance(stated, int):
        height, width = (int(v) for v in stated)
        if height != width:
            raise MissingPartError(f"it takes pictures of {width} x {height}, and only squares are known here")
        return height
    return stated


def write_graphs(checkpoint: Path, out: Path) -> None:
    """Write both graphs into the folder `out` from `checkpoint` (config.json, model.safetensors).

    MissingPartError for another kind of model, or weights that are missing or do not fit the config.
    """
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    family = family_of(config, checkpoint.name)
    weights = read_weights(checkpoint / "model.safetensors")
    try:
        _write_vision(weights, config, family, out / VISION)
        _write_text(weights, config, family, out / TEXT)
    except KeyError as error:
        raise MissingPartError(
            f"'{checkpoint.name}' lacks the weight {error}", "fetch the model again, or take another"
        ) from error


def _tower(weights: Weights, config: dict[str, Any], family: str, half: str) -> Tower:
    stated = _DEFAULTS[family] | (config.get(f"{half}_config") or {})
    if family == "clip" and half == "text":
        stated["num_attention_heads"] = (config.get("text_config") or {}).get("num_attention_heads", _CLIP_TEXT_HEADS)
    prefix = f"{half}_model."
    pattern = re.compile(re.escape(prefix) + r"encoder\.layers\.(\d+)\.")
    found = {int(match[1]) for name in weights if (match := pattern.match(name))}
    layers = int(stated.get("num_hidden_layers", 12))
    if found != set(range(layers)):
        raise MissingPartError(
            f"its config.json says {layers} layers of the {half} half, and its weights have {len(found)}",
            "fetch the model again, or take another",
        )
    width = weights[f"{prefix}embeddings.position_embedding.weight"].shape[1]
    activation = str(stated["hidden_act"])
    if activation not in _ACTIVATIONS:
        raise MissingPartError(f"it uses the activation '{activation}', which is not known here")
    return Tower(prefix, width, int(stated["num_attention_heads"]), layers, stated["layer_norm_eps"], activation)


def _write_vision(weights: Weights, config: dict[str, Any], family: str, out: Path) -> None:
    tower = _tower(weights, config, family, "vision")
    size = image_size(config)
    graph = Graph()
    places = f"{tower.prefix}embeddings."
    kernel = weights[places + "patch_embedding.weight"]  # (D, 3, P, P)
    patch = kernel.shape[-1]
    inputs = ["pixel_values", graph.weight(places + "patch_embedding.weight", kernel)]
    if family == "siglip":
        inputs.append(graph.weight(places + "patch_embedding.bias", weights[places + "patch_embedding.bias"]))
    squares = graph.add("Conv", *inputs, strides=[patch, patch], kernel_shape=[patch, patch])
    flat = graph.add("Reshape", squares, graph.weight("one_row", np.array([0, tower.width, -1], np.int64)))
    hidden = graph.add("Transpose", flat, perm=[0, 2, 1])  # (B, N, D)
    if family == "clip":
        own = graph.weight(places + "class_embedding", weights[places + "class_embedding"].reshape(1, 1, -1))
        batch = graph.add("Shape", "pixel_values", start=0, end=1)
        shape = graph.add("Concat", batch, graph.weight("one_each", np.array([1, tower.width], np.int64)), axis=0)
        hidden = graph.add("Concat", graph.add("Expand", own, shape), hidden, axis=1)
    steps = (size // patch) ** 2 + (family == "clip")
    positions = weights[places + "position_embedding.weight"]
    if len(positions) != steps:
        raise MissingPartError(
            f"its weights have {len(positions)} positions, and pictures of {size} pixels have {steps}",
            "fetch the model again, or take another",
        )
    hidden = graph.add("Add", hidden, graph.weight(places + "position_embedding.weight", positions))
    if family == "clip":
        hidden = graph.norm(weights, tower.prefix + "pre_layrnorm.", hidden, tower.epsilon)  # so spelt in the weights
    for layer in range(tower.layers):
        hidden = _layer(graph, weights, tower, f"{tower.prefix}encoder.layers.{layer}.", hidden, None)
    if family == "clip":
        own_step = graph.step(hidden, 0)
        pooled = graph.norm(weights, tower.prefix + "post_layernorm.", own_step, tower.epsilon)
        graph.dense(weights, "visual_projection.", pooled, output="image_embeds", bias=False)
        dimension = len(weights["visual_projection.weight"])
    else:
        hidden = graph.norm(weights, tower.prefix + "post_layernorm.", hidden, tower.epsilon)
        _probe(graph, weights, tower, tower.prefix + "head.", hidden)
        dimension = tower.width
    graph.save(out, [("pixel_values", np.float32, ["B", 3, size, size])], ("image_embeds", ["B", dimension]))


def _write_text(weights: Weights, config: dict[str, Any], family: str, out: Path) -> None:
    tower = _tower(weights, config, family, "text")
    graph = Graph()
    places = f"{tower.prefix}embeddings."
    positions = weights[places + "position_embedding.weight"]
    zero, one = graph.weight("zero", np.array([0], np.int64)), graph.weight("one", np.array([1], np.int64))
    length = graph.add("Shape", "input_ids", start=1, end=2)
    rows = graph.add(
        "Slice", graph.weight(places + "position_embedding.weight", positions), zero, length, zero, one
    )  # fmt: skip
    tokens = graph.weight(places + "token_embedding.weight", weights[places + "token_embedding.weight"])
    hidden = graph.add("Add", graph.add("Gather", tokens, "input_ids"), rows)
    mask = None
    if family == "clip":  # a token sees those before it only
        whole = np.triu(np.full((len(positions), len(positions)), -1e9, np.float32), 1)
        both = graph.add("Concat", length, length, axis=0)
        start = graph.weight("corner", np.array([0, 0], np.int64))
        mask = graph.add("Slice", graph.weight("causal", whole), start, both)
    for layer in range(tower.layers):
        hidden = _layer(graph, weights, tower, f"{tower.prefix}encoder.layers.{layer}.", hidden, mask)
    hidden = graph.norm(weights, tower.prefix + "final_layer_norm.", hidden, tower.epsilon)
    if family == "clip":
        at = _end(graph, (config.get("text_config") or {}).get("eos_token_id", _CLIP_END))
        pooled = graph.add("GatherND", hidden, at, batch_dims=1)
        graph.dense(weights, "text_projection.", pooled, output="text_embeds", bias=False)
        dimension = len(weights["text_projection.weight"])
    else:  # the last step, which the padding is where the text is short: so it was trained
        graph.dense(weights, tower.prefix + "head.", graph.step(hidden, -1), output="text_embeds")
        dimension = len(weights[tower.prefix + "head.weight"])
    graph.save(out, [("input_ids", np.int64, ["B", "T"])], ("text_embeds", ["B", dimension]))


def _end(graph: Graph, token: Any) -> str:
    """(B, 1): where each text ends, at the first of its end tokens."""
    from onnx import TensorProto

    ids = "input_ids"
    if token != _END_IS_HIGHEST:
        ids = graph.add("Equal", ids, graph.weight("end_token", np.array(int(token), np.int64)))
        ids = graph.add("Cast", ids, to=TensorProto.INT32)
    return graph.add("ArgMax", ids, axis=1, keepdims=1)


def _layer(graph: Graph, weights: Weights, tower: Tower, prefix: str, hidden: str, mask: str | None) -> str:
    normal = graph.norm(weights, prefix + "layer_norm1.", hidden, tower.epsilon)
    split = graph.weight(prefix + "split", np.array([0, 0, tower.heads, tower.width // tower.heads], np.int64))

    def heads(name: str, order: list[int]) -> str:
        flat = graph.dense(weights, f"{prefix}self_attn.{name}.", normal)
        return graph.add("Transpose", graph.add("Reshape", flat, split), perm=order)

    attended = _attention(
        graph, tower, prefix, heads("q_proj", [0, 2, 1, 3]), heads("k_proj", [0, 2, 3, 1]),
        heads("v_proj", [0, 2, 1, 3]), mask,
    )  # fmt: skip
    hidden = graph.add("Add", graph.dense(weights, prefix + "self_attn.out_proj.", attended), hidden)
    normal = graph.norm(weights, prefix + "layer_norm2.", hidden, tower.epsilon)
    return graph.add("Add", _mlp(graph, weights, tower, prefix + "mlp.", normal), hidden)


def _attention(graph: Graph, tower: Tower, prefix: str, query: str, key: str, value: str, mask: str | None) -> str:
    """query, value (B, heads, T, d), key (B, heads, d, T) -> (B, T, D)."""
    scale = graph.weight(prefix + "scale", np.array((tower.width // tower.heads) ** -0.5, np.float32))
    scores = graph.add("Mul", graph.add("MatMul", query, key), scale)
    if mask is not None:
        scores = graph.add("Add", scores, mask)
    seen = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    merge = graph.weight(prefix + "merge", np.array([0, 0, tower.width], np.int64))
    return graph.add("Reshape", graph.add("Transpose", seen, perm=[0, 2, 1, 3]), merge)


def _mlp(graph: Graph, weights: Weights, tower: Tower, prefix: str, x: str) -> str:
    inner = graph.dense(weights, prefix + "fc1.", x)
    if tower.activation == "quick_gelu":
        steep = graph.add("Mul", inner, graph.weight(prefix + "steepness", np.array(1.702, np.float32)))
        inner = graph.add("Mul", inner, graph.add("Sigmoid", steep))
    else:
        inner = graph.add("Gelu", inner, approximate="none" if tower.activation == "gelu" else "tanh")
    return graph.dense(weights, prefix + "fc2.", inner)


def _probe(graph: Graph, weights: Weights, tower: Tower, prefix: str, hidden: str) -> None:
    """SigLIP's pooling: one learned question that attends to every patch."""
    matrices = np.split(weights[prefix + "attention.in_proj_weight"], 3)
    shifts = np.split(weights[prefix + "attention.in_proj_bias"], 3)
    parts = {f"{prefix}{n}.weight": m for n, m in zip("qkv", matrices, strict=True)}
    parts |= {f"{prefix}{n}.bias": s for n, s in zip("qkv", shifts, strict=True)}
    each = tower.width // tower.heads
    # The question is the same for every picture, so its query is a constant.
    asked = weights[prefix + "probe"].reshape(1, -1) @ matrices[0].T + shifts[0]
    query = graph.weight(prefix + "query", asked.reshape(1, tower.heads, 1, each).astype(np.float32))
    split = graph.weight(prefix + "split", np.array([0, 0, tower.heads, each], np.int64))

    def heads(name: str, order: list[int]) -> str:
        flat = graph.dense(parts, f"{prefix}{name}.", hidden)
        return graph.add("Transpose", graph.add("Reshape", flat, split), perm=order)

    pooled = _attention(graph, tower, prefix, query, heads("k", [0, 2, 3, 1]), heads("v", [0, 2, 1, 3]), None)
    pooled = graph.dense(weights, prefix + "attention.out_proj.", pooled)
    normal = graph.norm(weights, prefix + "layernorm.", pooled, tower.epsilon)
    summed = graph.add("Add", _mlp(graph, weights, tower, prefix + "mlp.", normal), pooled)
    graph.step(summed, 0, output="image_embeds")
