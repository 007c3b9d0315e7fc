"""A model folder for `PictureEncoder` from a checkpoint in the Hugging Face layout: whole, or not at all.

Takes the ONNX graphs that Optimum and the repositories of Xenova and onnx-community have (`onnx/vision_model.onnx` and
`onnx/text_model.onnx`); else writes the graphs from `model.safetensors`, for which the extra `meaning-build` is needed
once, and never torch. Pickles are refused: they can run code when they are loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.features.backbones.onnx_graph import require_builder
from cinescope.features.backbones.picture_encoder import TEXT, VISION, PictureEncoder, PictureMeta, TextInput
from cinescope.features.backbones.picture_input import PictureInput
from cinescope.features.backbones.text_encoder import card_languages
from cinescope.types import CinescopeError, MissingPartError

# What a config.json leaves out, from transformers' CLIPTextConfig and SiglipTextConfig.
_LONGEST = {"clip": 77, "siglip": 64}
_PAD = 1  # of SigLIP's first vocabulary
SAFETENSORS = "model.safetensors"
PICKLES = ("pytorch_model.bin", "model.bin", "model.pt", "model.pth", "model.ckpt")


def build_picture_model(checkpoint: str | os.PathLike[str], out: str | os.PathLike[str], name: str) -> PictureMeta:
    """MissingPartError for another kind of model, or one that lacks something; CinescopeError for a damaged one."""
    checkpoint, out = Path(checkpoint), Path(out)
    try:
        config = read_config(checkpoint)
        return _build(checkpoint, out, name, config)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CinescopeError(
            f"'{name}' cannot be made into a picture model ({type(error).__name__}: {error})",
            "fetch it again, or take another",
        ) from error


def read_config(checkpoint: Path) -> dict[str, Any]:
    """config.json of CLIP or SigLIP. MissingPartError where it is none, or a checkpoint of another kind."""
    from cinescope.features.backbones.clip_graph import family_of

    file = checkpoint / "config.json"
    if not file.is_file():
        raise MissingPartError(f"'{checkpoint.name}' has no config.json", "give a folder in the Hugging Face layout")
    config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    family_of(config, checkpoint.name)
    return config


def graphs_in(checkpoint: Path) -> Path | None:
    """The folder with the ready graphs of a checkpoint, None where it has none."""
    return next((p for p in (checkpoint / "onnx", checkpoint) if (p / VISION).is_file() and (p / TEXT).is_file()), None)


def _build(checkpoint: Path, out: Path, name: str, config: dict[str, Any]) -> PictureMeta:
    from cinescope.features.backbones.clip_graph import image_size, write_graphs

    family = config["model_type"]
    ready = graphs_in(checkpoint)
    if ready is None:
        _check_weights(checkpoint, name)
        require_builder("a picture model")
    pixels = PictureInput.read(_preprocessing(checkpoint), family, image_size(config))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=out.parent) as work:
        place = Path(work) / out.name
        place.mkdir()
        tokenizer = _tokenizer(checkpoint, family)
        tokenizer.save(str(place / "tokenizer.json"))
        text = _text_input(checkpoint, config, family, tokenizer)
        # All that a vector depends on, and not how the graphs are written here.
        made_of = [checkpoint / "config.json", place / "tokenizer.json"]
        if ready is None:
            write_graphs(checkpoint, place)
            made_of.append(checkpoint / SAFETENSORS)
        else:
            graphs = [f for f in sorted(ready.iterdir()) if f.name.removesuffix("_data") in (VISION, TEXT)]
            for graph in graphs:
                shutil.copy(graph, place)
            made_of += graphs
        digest = _digest(made_of, pixels, text)
        meta = PictureMeta(name, digest, 0, _languages(checkpoint, name, text), pixels, text)
        meta = replace(meta, dimension=_dimension(place, meta))
        _write_meta(place, meta)
        if out.exists():
            shutil.rmtree(out)
        os.replace(place, out)
    return meta


def _check_weights(checkpoint: Path, name: str) -> None:
    file = checkpoint / SAFETENSORS
    if file.is_file():
        return
    if (checkpoint / f"{SAFETENSORS}.index.json").is_file():
        raise MissingPartError(f"'{name}' has its weights in several files, which is not known here", "take another")
    pickled = any((checkpoint / n).exists() for n in PICKLES)
    raise MissingPartError(
        f"'{name}' has "
        + ("its weights only as a pickle, which could run code when loaded" if pickled else f"no {SAFETENSORS}"),
        f"take one with {SAFETENSORS}, or with onnx/{VISION} and onnx/{TEXT}: cinescope models get clip",
    )


def _preprocessing(checkpoint: Path) -> dict[str, Any]:
    """What preprocessor_config.json says, or the part of processor_config.json in which transformers 5 writes it."""
    for file, part in (("preprocessor_config.json", None), ("processor_config.json", "image_processor")):
        if (checkpoint / file).is_file():
            raw: dict[str, Any] = json.loads((checkpoint / file).read_text(encoding="utf-8"))
            if part is None or part in raw:
                return raw if part is None else raw[part]
    raise MissingPartError(
        f"'{checkpoint.name}' has no preprocessor_config.json, which says how pictures are prepared",
        "give a folder in the Hugging Face layout",
    )


def _tokenizer(checkpoint: Path, family: str) -> Any:
    """From tokenizer.json; for CLIP also from vocab.json and merges.txt, as older checkpoints have them."""
    from tokenizers import Tokenizer

    if (checkpoint / "tokenizer.json").is_file():
        try:
            return Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
        except Exception as error:
            raise ValueError(f"tokenizer.json: {error}") from error
    if family == "clip" and (checkpoint / "vocab.json").is_file() and (checkpoint / "merges.txt").is_file():
        return _clip_tokenizer(checkpoint)
    raise MissingPartError(f"'{checkpoint.name}' has no tokenizer.json", "give a folder in the Hugging Face layout")


def _clip_tokenizer(checkpoint: Path) -> Any:
    """CLIP's byte pairs (Radford et al. 2021, section 2.4, and the pattern of OpenAI's simple_tokenizer.py)."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    begin, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary = json.loads((checkpoint / "vocab.json").read_text(encoding="utf-8"))
    lines = (checkpoint / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [(a, b) for a, b in (line.split() for line in lines if line.strip() and not line.startswith("#version"))]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, end_of_word_suffix="</w>", unk_token=end))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        (end, vocabulary[end]), (begin, vocabulary[begin]), trim_offsets=False, add_prefix_space=False
    )
    return tokenizer


def _text_input(checkpoint: Path, config: dict[str, Any], family: str, tokenizer: Any) -> TextInput:
    told = config.get("text_config") or {}
    longest = int(told.get("max_position_embeddings", _LONGEST[family]))
    if family == "clip":
        return TextInput(longest)  # what follows a text's end cannot be seen from it
    stated = _json(checkpoint / "tokenizer_config.json")
    token = stated.get("pad_token")
    pad = tokenizer.token_to_id(token["content"] if isinstance(token, dict) else token) if token else None
    if stated.get("padding_side", "right") != "right":
        raise MissingPartError("it fills texts up on the left, which is not known here")
    own = "Siglip2" in str(stated.get("tokenizer_class")) or "Gemma" in str(stated.get("tokenizer_class"))
    return TextInput(longest, "lower" if own else "plain", int(told.get("pad_token_id", _PAD)) if pad is None else pad)


def _languages(checkpoint: Path, name: str, text: TextInput) -> tuple[str, ...]:
    """What its model card says. The cards of the multilingual ones are silent: SigLIP 2 is, others say so by name."""
    if text.writing == "lower" or "multilingual" in name.lower() or "i18n" in name.lower():
        return ()
    return card_languages(checkpoint / "README.md")


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _digest(files: Sequence[Path], pixels: PictureInput, text: TextInput) -> str:
    digest = hashlib.blake2b(json.dumps([asdict(pixels), asdict(text)]).encode(), digest_size=4)
    for file in files:
        with open(file, "rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _dimension(place: Path, meta: PictureMeta) -> int:
    """The length of its vectors, known by making one of each kind: what cannot run is no model."""
    _write_meta(place, meta)
    encoder = PictureEncoder(place)
    grey = np.full((meta.pixels.height, meta.pixels.width, 3), 128, np.uint8)
    seen = encoder._vision.run({"pixel_values": meta.pixels(grey)[None]})
    read = encoder._text.run({"input_ids": np.array([encoder._tokenizer.encode("a").ids], np.int64)})
    if seen.shape != read.shape or seen.ndim != 1:
        raise MissingPartError(
            f"its vectors of pictures and of texts differ in shape ({seen.shape}, {read.shape})",
            "use an export with image_embeds and text_embeds",
        )
    return len(seen)


def _write_meta(place: Path, meta: PictureMeta) -> None:
    raw = asdict(meta) | {"languages": list(meta.languages)}
    (place / "picture.json").write_text(json.dumps(raw, indent=1), encoding="utf-8")
