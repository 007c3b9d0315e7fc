"""Tiny CLIP and SigLIP checkpoints with random weights, saved by transformers in the real Hugging Face format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WORDS = ["a", "red", "car", "sea", "dog", "the", "on", "beach"]
CLIP_END = 49  # of 50 tokens: the highest, as in the real ones
_SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}


def tiny(folder: Path, kind: str, **changes: Any) -> Path:
    """`kind`: "clip" (as OpenAI's), "clip-gelu" (as LAION's), "siglip" or "siglip2" (of fixed size)."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.manual_seed(changes.pop("seed", 0))
    if kind.startswith("clip"):
        act = "quick_gelu" if kind == "clip" else "gelu"
        end = 2 if kind == "clip" else CLIP_END  # OpenAI's configs state 2 and mean the highest
        text = _SIZES | {"vocab_size": 50, "max_position_embeddings": 16, "hidden_act": act, "eos_token_id": end}
        vision = _SIZES | {"hidden_size": 40, "image_size": 32, "patch_size": 8, "hidden_act": act}
        config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
        model = transformers.CLIPModel(config)
        processor = transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        )
    else:
        text = _SIZES | {"vocab_size": 50, "max_position_embeddings": 12}
        vision = _SIZES | {"image_size": 32, "patch_size": 8}
        config = transformers.SiglipConfig(text_config=text, vision_config=vision)
        model = transformers.SiglipModel(config)
        processor = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    for name, parameter in model.named_parameters():  # away from the start, at which much is zero
        gain = "norm" in name and name.endswith("weight")
        what_is_seen = "position" not in name and "class" not in name and not name.endswith("bias")
        torch.nn.init.normal_(parameter, mean=float(gain), std=0.25 if what_is_seen else 0.02)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    clip_tokenizer(folder) if kind.startswith("clip") else siglip_tokenizer(folder, kind)
    return folder


def clip_tokenizer(folder: Path) -> None:
    """tokenizer.json, vocab.json and merges.txt: letters, and one merge, as byte pairs."""
    from transformers import CLIPTokenizer

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    tokens = [letter + "</w>" for letter in letters[:16]] + letters + ["re", "red</w>", "ca", "car</w>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    vocabulary |= {"<|startoftext|>": 48, "<|endoftext|>": CLIP_END}
    merges = [("r", "e"), ("re", "d</w>"), ("c", "a")]
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
    tokenizer.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))


def siglip_tokenizer(folder: Path, kind: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pad, end = ("<pad>", "<eos>") if kind == "siglip2" else ("</s>", "</s>")
    tokens = list(dict.fromkeys([pad, end, "<unk>", *WORDS]))
    tokenizer = Tokenizer(models.WordLevel({t: i for i, t in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(f"$A {end}", special_tokens=[(end, tokens.index(end))])
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {"pad_token": pad, "tokenizer_class": "GemmaTokenizer" if kind == "siglip2" else "SiglipTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told | {"model_input_names": ["input_ids"]}))


def as_onnx(checkpoint: Path, out: Path) -> Path:
    """The checkpoint as Optimum and Xenova publish it: graphs in `onnx/`, no safetensors. Written here by torch."""
    import shutil

    import torch
    from transformers import AutoModel

    model: Any = AutoModel.from_pretrained(checkpoint, attn_implementation="eager").eval().requires_grad_(False)

    class Vision(torch.nn.Module):
        def forward(self, pixel_values: Any) -> Any:
            return model.get_image_features(pixel_values).pooler_output

    class Text(torch.nn.Module):
        def forward(self, input_ids: Any) -> Any:
            return model.get_text_features(input_ids).pooler_output

    (out / "onnx").mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
        if (checkpoint / name).exists():
            shutil.copy(checkpoint / name, out)
    for module, name, given, output, axes in (
        (Vision(), "vision_model.onnx", torch.zeros(1, 3, 32, 32), "image_embeds", {0: "B"}),
        (Text(), "text_model.onnx", torch.ones(1, 5, dtype=torch.long), "text_embeds", {0: "B", 1: "T"}),
    ):
        taken = "pixel_values" if "vision" in name else "input_ids"
        torch.onnx.export(
            module, (given,), str(out / "onnx" / name), input_names=[taken], output_names=[output],
            dynamic_axes={taken: axes}, dynamo=False,
        )  # fmt: skip
    return out
