"""Whole or not at all: each way in which a checkpoint can be wrong is one sentence; no weight is left at random."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.features.tiny_backbones import Tiny, copy_of, pictures, tiny

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.checkpoints import find_checkpoint
from cinescope.features.backbones.loading import load_backbone
from cinescope.types import BadQueryError, CinescopeError, MissingPartError

__all__ = ["tiny"]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder and an empty Hugging Face cache; nothing may reach the network."""
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was asked of the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    return tmp_path


def weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    held = load_file(folder / "model.safetensors")
    change(held)
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})


def config(folder: Path, **changes: Any) -> None:
    stated = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(stated | changes))


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: weights(folder, lambda held: [held.pop(k) for k in list(held) if name in k] and None)


def cut_off(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) * 2 // 3])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weight": 1}))


def only_a_pickle(folder: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def nothing_left(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def of_another(kind: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        shutil.copy(folder.parent / f"{kind}.safetensors", folder / "model.safetensors")

    return change


def reshaped(folder: Path) -> None:
    weights(folder, lambda held: held.update({"visual_projection.weight": torch.zeros(9, 16)}))


def states(kind: str) -> Callable[[Path], Any]:
    return lambda folder: config(folder, model_type=kind)


def vision(**changes: Any) -> Callable[[Path], Any]:
    return lambda folder: config(folder, vision_config={"image_size": 32, "patch_size": 8} | changes)


def configured(text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / "config.json").write_text(text)


def prepared(text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / "preprocessor_config.json").write_text(text)


def no_numbers(folder: Path) -> None:
    weights(folder, lambda held: held.update({"visual_projection.weight": torch.full((12, 16), float("nan"))}))


SPOILT: list[tuple[Callable[[Path], Any], str]] = [
    (drop("vision_model.encoder.layers.1.mlp.fc1"), r"lacks 2 weights of its picture part: .*\.1\.mlp\.fc1\.bias"),
    (drop("visual_projection"), r"lacks 1 weight of its picture part: visual_projection\.weight"),
    (of_another("bert"), r"'clip' \(clip\) lacks \d+ weights of its picture part"),
    (reshaped, r"1 weight of another shape .* visual_projection\.weight is \(9, 16\), not \(12, 16\)"),
    (vision(hidden_size=32), "cannot be loaded|another shape|lacks"),
    (cut_off, r"'model\.safetensors' of 'clip' is cut off or no safetensors file"),
    (lambda f: (f / "model.safetensors").write_text("not weights"), "is cut off or no safetensors file"),
    (lambda f: (f / "model.safetensors").write_bytes(b""), "is cut off or no safetensors file"),
    (pickled, r"'model\.safetensors' of 'clip' is a pickle, which could run code"),
    (only_a_pickle, r"has its weights as pytorch_model\.bin, a pickle, which could run code"),
    (nothing_left, "'clip' has no weights"),
    (lambda f: (f / "config.json").unlink(), r"has no config\.json"),
    (configured("{"), r"config\.json of 'clip' cannot be read"),
    (configured("[1]"), r"config\.json of 'clip' is no JSON object"),
    (configured('{"architecture": "x"}'), "names no model_type"),
    (states("llama"), "'clip' is a model of the kind 'llama', and the feature 'clip' reads clip"),
    (states("../clip"), "is a model of the kind"),
    (vision(hidden_size="wide"), "cannot be loaded"),
    (lambda f: (f / "preprocessor_config.json").unlink(), "does not say how its pictures are prepared"),
    (prepared("{}"), "takes 32 x 32"),
    (prepared('{"image_processor_type": "Foo"}'), "'Foo' is not known"),
    (prepared('{"image_processor_type": "CLIPImageProcessor"}'), "takes 32 x 32"),
    (no_numbers, "gives values that are no numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILT, ids=[said[:40] for _, said in SPOILT])
def test_what_is_wrong_is_one_sentence(tiny: Tiny, tmp_path: Path, spoil: Callable[[Path], Any], said: str) -> None:
    shutil.copy(tiny("bert") / "model.safetensors", tmp_path / "bert.safetensors")
    place = copy_of(tiny("clip"), tmp_path)
    spoil(place)
    with pytest.raises(CinescopeError, match=said) as caught:
        EXTRACTORS.create("clip", model=str(place))(pictures(1))
    assert isinstance(caught.value, MissingPartError)
    assert "\n" not in str(caught.value)
    assert not caught.value.what.endswith(".")
    assert caught.value.do


@pytest.mark.parametrize(
    ("name", "part", "weight"),
    [
        ("clip", "text", "text_projection"), ("siglip", "picture", "vision_model.head.probe"),
        ("siglip", "text", "text_model.head.weight"), ("vit", "picture", "layernorm.weight"),
        ("resnet", "picture", "running_mean"), ("videomae", "video", "query.weight"),
        ("wav2vec2", "sound", "feature_projection.projection.weight"),
        ("wav2vec2", "sound", "conv_layers.0.conv.weight"),
        ("whisper", "sound", "encoder.conv2.weight"), ("whisper", "sound", "encoder.embed_positions.weight"),
        ("clap", "sound", "audio_projection.linear1.weight"), ("clap", "text", "text_model.pooler.dense.weight"),
        ("bert", "text", "embeddings.word_embeddings.weight"), ("roberta", "text", "attention.output.dense.bias"),
        ("distilbert", "text", "position_embeddings.weight"),
    ],
)  # fmt: skip
def test_one_missing_weight_of_any_family_is_named(
    tiny: Tiny, tmp_path: Path, name: str, part: Any, weight: str
) -> None:
    place = copy_of(tiny(name), tmp_path)
    before = set(load_file(place / "model.safetensors"))
    drop(weight)(place)
    assert set(load_file(place / "model.safetensors")) < before
    with pytest.raises(MissingPartError, match=rf"lacks \d+ weights? of its {part} part: .*\w"):
        load_backbone(str(place), part)


def test_weights_of_parts_that_are_not_used_may_be_absent(tiny: Tiny, tmp_path: Path) -> None:
    """CLIP's text half for pictures, Whisper's decoder, the vector that wav2vec 2.0 masks with in training."""
    for name, part, weight in (("clip", "picture", "text_model"), ("whisper", "sound", "decoder")):
        place = copy_of(tiny(name), tmp_path)
        drop(weight)(place)
        whole, half = (load_backbone(str(p), part).model.state_dict() for p in (tiny(name), place))
        assert whole.keys() == half.keys()
        assert all(torch.equal(whole[k], half[k]) for k in whole)
    place = copy_of(tiny("wav2vec2"), tmp_path)
    drop("masked_spec_embed")(place)
    assert not load_backbone(str(place)).model.masked_spec_embed.any()


def test_every_weight_is_the_files(tiny: Tiny) -> None:
    """Not one is drawn: two loads agree, whatever the global generator gives."""
    for name in ("clip", "vit", "resnet", "mobilenet", "videomae", "wav2vec2", "whisper", "clap", "bert", "distilbert"):
        torch.manual_seed(1)
        one = load_backbone(str(tiny(name))).model.state_dict()
        torch.manual_seed(2)
        other = load_backbone(str(tiny(name))).model.state_dict()
        drawn = [k for k in one if not torch.equal(one[k], other[k])]
        assert not drawn, f"{name}: {drawn}"


def test_weights_in_several_files(tiny: Tiny, tmp_path: Path) -> None:
    place = copy_of(tiny("vit"), tmp_path)
    held = load_file(place / "model.safetensors")
    (place / "model.safetensors").unlink()
    names = sorted(held)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, keys in parts.items():
        save_file({k: held[k] for k in keys}, place / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": {k: f for f, keys in parts.items() for k in keys}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    made = EXTRACTORS.create("vit", model=str(place))(pictures(2)).values
    np.testing.assert_array_equal(made, EXTRACTORS.create("vit", model=str(tiny("vit")))(pictures(2)).values)
    (place / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(MissingPartError, match=r"lacks its weights model-00002-of-00002\.safetensors"):
        EXTRACTORS.create("vit", model=str(place))
    index["weight_map"][names[0]] = "../../elsewhere.safetensors"
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(MissingPartError, match="names files that are no safetensors"):
        EXTRACTORS.create("vit", model=str(place))


def test_weights_in_half_precision_are_read_as_float32(tiny: Tiny, tmp_path: Path) -> None:
    place = copy_of(tiny("vit"), tmp_path)
    weights(place, lambda held: held.update({k: v.to(torch.bfloat16) for k, v in held.items()}))
    config(place, dtype="bfloat16")
    backbone = load_backbone(str(place))
    assert {v.dtype for v in backbone.model.parameters()} == {torch.float32}
    assert not backbone.model.training
    assert not any(p.requires_grad for p in backbone.model.parameters())


def test_a_name_that_is_nowhere_says_how_to_get_it(tmp_path: Path) -> None:
    for name, said in (
        ("backbone-clip", "`cinescope models get backbone-clip`"),
        ("openai/clip-vit-base-patch32", "`cinescope models get backbone:openai/clip-vit-base-patch32`"),
        ("resnet", "`cinescope models`"),
        ("a/b/c", "cinescope models get"),
    ):
        with pytest.raises(MissingPartError, match="is not on this machine") as caught:
            EXTRACTORS.create("clip", model=name)
        assert said in caught.value.do
    for name in ("", "   "):
        with pytest.raises(MissingPartError, match="no model is named"):
            load_backbone(name)
    with pytest.raises(MissingPartError, match="there is no folder"):
        load_backbone(str(tmp_path / "nowhere"))
    (tmp_path / "vit").mkdir()
    (tmp_path / "vit" / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(BadQueryError, match="has no part"):
        load_backbone(str(tmp_path / "vit"), "sound")


def test_names_are_looked_up_in_the_models_folder_and_the_hugging_face_cache(tiny: Tiny, folders: Path) -> None:
    shelf = folders / "models"
    for kept in ("backbone--someone--tiny", "someone--other", "by-hand"):
        shutil.copytree(tiny("vit"), shelf / kept)
    cached = folders / "hub" / "models--someone--cached" / "snapshots" / "abc"
    shutil.copytree(tiny("vit"), cached)
    (cached.parents[1] / "refs").mkdir()
    (cached.parents[1] / "refs" / "main").write_text("abc")
    for name in ("someone/tiny", "someone/other", "by-hand", "someone/cached"):
        found = find_checkpoint(name)
        assert (found.name, found.kind) == (name, "vit")
        assert EXTRACTORS.create("vit", model=name)(pictures(1)).values.shape == (1, 16)
    digests = {find_checkpoint(name).digest for name in ("someone/tiny", "someone/cached")}
    assert len(digests) == 1
    (cached / "model.safetensors").rename(cached / "pytorch_model.bin")
    with pytest.raises(MissingPartError, match=r"pytorch_model\.bin, a pickle"):
        EXTRACTORS.create("vit", model="someone/cached")
    (cached / "pytorch_model.bin").unlink()  # as a download that was broken off
    with pytest.raises(MissingPartError, match="is not on this machine"):
        find_checkpoint("someone/cached")


def test_a_picture_model_made_for_search_is_not_mistaken_for_a_checkpoint(folders: Path) -> None:
    """`cinescope models get clip` makes ONNX graphs, in a folder of that name."""
    (folders / "models" / "clip").mkdir(parents=True)
    (folders / "models" / "clip" / "meta.json").write_text("{}")
    with pytest.raises(MissingPartError, match="is not on this machine"):
        find_checkpoint("clip")


def test_code_beside_the_weights_is_not_run(tiny: Tiny, tmp_path: Path) -> None:
    place = copy_of(tiny("vit"), tmp_path)
    (place / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: pass\n")
    config(place, auto_map={"AutoModel": "evil.Model", "AutoConfig": "evil.Model"})
    load_backbone(str(place))
    assert not (tmp_path / "ran").exists()
