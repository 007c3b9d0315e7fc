"""The picture encoder gives what transformers' own processor and model give, and says what is wrong with a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.features.tiny_pictures import as_onnx, tiny

from cinescope.features.backbones import onnx_graph
from cinescope.features.backbones.picture_build import build_picture_model
from cinescope.features.backbones.picture_encoder import PictureEncoder, is_picture_model, prepared, read_meta
from cinescope.features.backbones.picture_input import PictureInput
from cinescope.types import CinescopeError, MissingPartError

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")
pytestmark = pytest.mark.filterwarnings(
    "ignore::Warning:torch.*", "ignore::Warning:transformers.*", "ignore:You are using the legacy"
)

KINDS = ["clip", "clip-gelu", "siglip", "siglip2"]
TEXTS = ["a red car", "the dog on the beach", "a", "Sea", "a red car on the beach, the sea and the dog on the red car"]
SHAPES = [(48, 64), (64, 36), (32, 32), (20, 71), (33, 500)]


@pytest.fixture(scope="session", params=KINDS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("checkpoints") / request.param, request.param)


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for height, width in SHAPES:  # a few coloured blocks each, with noise
        coarse = rng.integers(0, 256, (3, 4, 3))
        blocks = coarse[np.arange(height) * 3 // height][:, np.arange(width) * 4 // width]
        made.append(np.clip(blocks + rng.integers(-40, 40, blocks.shape), 0, 255).astype(np.uint8))
    return made


def original(checkpoint: Path, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """transformers' own embeddings of the pictures and the texts, of length 1."""
    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    clip = isinstance(model, transformers.CLIPModel)
    kind = transformers.CLIPImageProcessorPil if clip else transformers.SiglipImageProcessorPil
    pixels = kind.from_pretrained(checkpoint)(pictures(), return_tensors="pt")["pixel_values"]
    if clip:
        tokenizer = transformers.CLIPTokenizer.from_pretrained(checkpoint)
        given = tokenizer(texts, padding=True, truncation=True, max_length=16, return_tensors="pt")
    else:
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(checkpoint / "tokenizer.json"),
            pad_token=json.loads((checkpoint / "tokenizer_config.json").read_text())["pad_token"],
        )
        lower = [t.lower() for t in texts]
        written = [t.replace(",", "") for t in lower] if checkpoint.name == "siglip" else lower
        given = tokenizer(written, padding="max_length", truncation=True, max_length=12, return_tensors="pt")
        given = {"input_ids": given["input_ids"]}  # as SigLIP's tokenizer_config.json says: no mask
    with torch.no_grad():
        seen = model.get_image_features(pixel_values=pixels).pooler_output
        read = model.get_text_features(**{k: v for k, v in given.items() if k != "token_type_ids"}).pooler_output
    return tuple((v / v.norm(dim=1, keepdim=True)).numpy() for v in (seen, read))  # type: ignore[return-value]


def test_it_computes_what_the_checkpoint_does(checkpoint: Path, tmp_path: Path) -> None:
    meta = build_picture_model(checkpoint, tmp_path / "made", checkpoint.name)
    encoder = PictureEncoder(tmp_path / "made")
    assert encoder.meta == meta
    assert meta.space == f"picture:{checkpoint.name}@{meta.version}"
    want_pictures, want_texts = original(checkpoint, TEXTS)
    assert meta.dimension == want_texts.shape[1]
    np.testing.assert_allclose(encoder.pictures(pictures()), want_pictures, atol=1e-5)
    np.testing.assert_allclose(encoder.texts(TEXTS), want_texts, atol=1e-5)
    assert np.ptp(want_pictures, axis=0).max() > 0.1  # the pictures differ at all
    assert np.ptp(want_texts, axis=0).max() > 0.1


def test_pixels_are_prepared_as_transformers_does(checkpoint: Path) -> None:
    import transformers

    raw = json.loads((checkpoint / "preprocessor_config.json").read_text())
    family = "clip" if checkpoint.name.startswith("clip") else "siglip"
    kind = transformers.CLIPImageProcessorPil if family == "clip" else transformers.SiglipImageProcessorPil
    for changes in ({}, {"resample": 2}, {"rescale_factor": 1 / 127.5}, {"do_normalize": False}):
        told = raw | changes
        ours = PictureInput.read(told, family, 32)
        theirs = kind(**{k: v for k, v in told.items() if not k.endswith("_type")})
        for picture in pictures():
            want = theirs(picture, return_tensors="np")["pixel_values"][0]
            np.testing.assert_allclose(ours(picture), want, atol=1e-5)


def test_exported_graphs_are_used_as_they_are(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs by torch, without safetensors; and nothing is written, so the extra is not needed."""
    exported = as_onnx(checkpoint, tmp_path / checkpoint.name)
    monkeypatch.setattr(onnx_graph, "require_builder", None)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    build_picture_model(exported, tmp_path / "made", "exported")
    encoder = PictureEncoder(tmp_path / "made")
    want_pictures, want_texts = original(checkpoint, TEXTS)
    np.testing.assert_allclose(encoder.pictures(pictures()), want_pictures, atol=1e-4)
    np.testing.assert_allclose(encoder.texts(TEXTS), want_texts, atol=1e-4)


def test_clip_without_tokenizer_json_and_the_processor_of_transformers_5(tmp_path: Path) -> None:
    whole = tiny(tmp_path / "whole", "clip")
    old = Path(shutil.copytree(whole, tmp_path / "old"))
    (old / "tokenizer.json").unlink()
    told = json.loads((old / "preprocessor_config.json").read_text())
    (old / "preprocessor_config.json").unlink()
    (old / "processor_config.json").write_text(
        json.dumps({"image_processor": told, "processor_class": "CLIPProcessor"})
    )
    build_picture_model(whole, tmp_path / "a", "a")
    build_picture_model(old, tmp_path / "b", "b")
    a, b = PictureEncoder(tmp_path / "a"), PictureEncoder(tmp_path / "b")
    texts = [*TEXTS, "It's 42  über <|endoftext|> !?", "\tRED\n"]
    np.testing.assert_array_equal(a.texts(texts), b.texts(texts))
    np.testing.assert_array_equal(a.pictures(pictures()), b.pictures(pictures()))


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_weights_are_read(tmp_path: Path, kind: str) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    checkpoint = tiny(tmp_path / "clip", "clip")
    weights = load_file(checkpoint / "model.safetensors")
    save_file({k: v.to(getattr(torch, kind)) for k, v in weights.items()}, checkpoint / "model.safetensors")
    read = onnx_graph.read_weights(checkpoint / "model.safetensors")
    for name, value in weights.items():
        want = value.to(getattr(torch, kind)).float().numpy()
        np.testing.assert_array_equal(read[name], want)


def test_the_version_changes_with_whatever_changes_a_vector(tmp_path: Path) -> None:
    base = tiny(tmp_path / "base", "clip")
    first = build_picture_model(base, tmp_path / "one", "x")
    assert build_picture_model(base, tmp_path / "two", "x") == first
    other = build_picture_model(tiny(tmp_path / "other", "clip", seed=1), tmp_path / "three", "x")
    told = json.loads((base / "preprocessor_config.json").read_text())
    (base / "preprocessor_config.json").write_text(json.dumps(told | {"resample": 2}))
    third = build_picture_model(base, tmp_path / "four", "x")
    assert len({first.version, other.version, third.version}) == 3


def test_texts_are_written_as_the_model_was_taught() -> None:
    assert prepared(" A red\n CAR, isn't it? ", "plain") == "a red car isnt it"
    assert prepared("A Red, car", "lower") == "a red, car"
    assert prepared("A Red, car", "as it is") == "A Red, car"
    assert prepared("?!", "plain") == ""


def test_an_empty_text_is_like_nothing(tmp_path: Path) -> None:
    build_picture_model(tiny(tmp_path / "siglip", "siglip"), tmp_path / "made", "x")
    encoder = PictureEncoder(tmp_path / "made")
    assert not encoder.texts(["", "?!"]).any()
    assert encoder.texts([]).shape == (0, 32)
    assert encoder.pictures([]).shape == (0, 32)


def bert(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": 8}')


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")


def disguised(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x02}q\x00." * 99)


def shorter(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 1
    (folder / "config.json").write_text(json.dumps(config))


def larger(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["image_size"] = 64
    (folder / "config.json").write_text(json.dumps(config))


def without(name: str) -> Any:
    return lambda folder: (folder / name).unlink()


def holding(name: str, text: str) -> Any:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (bert, "of the kind 'bert', not a picture model: take a checkpoint of CLIP or SigLIP"),
        (holding("config.json", '{"model_type": "siglip2"}'), "any size .*google/siglip2-base-patch16-224"),
        (holding("config.json", '{"model_type": "clip_vision_model"}'), "one half of a picture model"),
        (holding("config.json", "{}"), "of the kind 'unknown'"),
        (holding("config.json", "[]"), "cannot be made into a picture model"),
        (holding("config.json", "no"), "cannot be made into a picture model"),
        (without("config.json"), r"has no config\.json"),
        (pickled, "only as a pickle, which could run code when loaded: take one with model.safetensors, or with onnx"),
        (disguised, "no safetensors file"),
        (without("model.safetensors"), r"has no model\.safetensors: take one with"),
        (without("preprocessor_config.json"), r"has no preprocessor_config\.json"),
        (without("tokenizer.json"), r"has no tokenizer\.json"),
        (holding("tokenizer.json", "{}"), r"tokenizer\.json"),
        (shorter, "says 1 layers of the text half, and its weights have 2"),
        (larger, "makes pictures of \\(32, 32\\), and the model takes 64 x 64"),
        (holding("preprocessor_config.json", '{"size": {"longest_edge": 9}}'), "states the size"),
    ],
)
def test_what_is_no_picture_model_is_refused_in_one_sentence(tmp_path: Path, spoil: Any, said: str) -> None:
    checkpoint = tiny(tmp_path / "siglip", "siglip")
    spoil(checkpoint)
    with pytest.raises(CinescopeError, match=said) as caught:
        build_picture_model(checkpoint, tmp_path / "out" / "x", "x")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_damaged_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"no picture model in .*cinescope models get openai/clip-vit"):
        read_meta(tmp_path / "openai--clip-vit")
    build_picture_model(tiny(tmp_path / "clip", "clip"), tmp_path / "made", "made")
    assert is_picture_model(tmp_path / "made")
    (tmp_path / "made" / "vision_model.onnx").write_bytes(b"nothing")
    encoder = PictureEncoder(tmp_path / "made")
    with pytest.raises(MissingPartError, match="damaged or of another kind"):
        encoder.pictures(pictures())
    (tmp_path / "made" / "picture.json").write_text('{"name": "x"}')
    with pytest.raises(MissingPartError, match="damaged or of another kind"):
        PictureEncoder(tmp_path / "made")
