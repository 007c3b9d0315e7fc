"""Text encoders among the models: built where the weights are, fetched as checkpoints, refused where they are odd."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinescope.features import models
from cinescope.features.backbones import text_encoder
from cinescope.features.backbones.text_encoder import ENCODER_FILES, TextEncoder, card_languages
from cinescope.types import MissingPartError

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


def checkpoint(folder: Path, card: str = "", pooling: dict[str, Any] | None = None) -> Path:
    """A BERT of one layer with random weights, in the layout of sentence-transformers."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel

    width, rng = 8, np.random.default_rng(0)
    config = {"model_type": "bert", "hidden_size": width, "num_attention_heads": 2, "num_hidden_layers": 1}
    dense = {f"attention.self.{n}": (width, width) for n in ("query", "key", "value")}
    dense |= {"attention.output.dense": (width, width), "intermediate.dense": (16, width), "output.dense": (width, 16)}
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (9, width),
        "embeddings.position_embeddings.weight": (32, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    for name, (out, into) in dense.items():
        shapes |= {f"encoder.layer.0.{name}.weight": (out, into), f"encoder.layer.0.{name}.bias": (out,)}
    for norm in ("embeddings.", "encoder.layer.0.attention.output.", "encoder.layer.0.output."):
        shapes |= {f"{norm}LayerNorm.weight": (width,), f"{norm}LayerNorm.bias": (width,)}
    folder.mkdir(parents=True)
    save_file({n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()}, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(["?", "a", "red", "car", "sea"])}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "README.md").write_text(card)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16}')
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


def hub(source: Path) -> Any:
    """A stand-in for huggingface_hub.snapshot_download that has one checkpoint."""

    def download(repository: str, local_dir: str, allow_patterns: list[str]) -> str:
        assert repository == "someone/tiny-sentences"
        for name in allow_patterns:
            if (source / name).is_file():
                (Path(local_dir) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / name, Path(local_dir) / name)
        return local_dir

    return download


def test_any_encoder_of_the_hub_is_made_and_reads_what_its_card_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    card = "---\nlanguage:\n- de\n- fr-CA\nlicense: mit\n---\n# Tiny\n"
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(checkpoint(tmp_path / "tiny", card)))
    place = models.get("someone/tiny-sentences")
    assert place == folder / "someone--tiny-sentences"
    assert {p.name for p in place.iterdir()} - {"weights.bin"} == set(ENCODER_FILES)
    assert list(folder.iterdir()) == [place]
    encoder = TextEncoder(place)
    assert (encoder.meta.dimension, encoder.meta.longest, encoder.meta.languages) == (8, 16, ("de", "fr"))
    assert encoder.encode(["a red car", "sea"]).shape == (2, 8)
    assert models.encoders() == {"someone--tiny-sentences": place}
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert models.get("someone/tiny-sentences") == place


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("cls", "does not take the mean of its tokens"),
        ("dense", "has a part 'Dense'"),
        ("pickle", r"'model\.safetensors' .* is a pickle"),
        ("none", r"lacks model\.safetensors"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, change: str, said: str
) -> None:
    made = checkpoint(tmp_path / "tiny", pooling={"pooling_mode_mean_tokens": change != "cls"})
    if change == "dense":
        parts = [{"type": f"sentence_transformers.models.{n}"} for n in ("Transformer", "Pooling", "Dense")]
        (made / "modules.json").write_text(json.dumps(parts))
    if change == "pickle":
        (made / "model.safetensors").write_bytes(b"\x80\x04\x95....")
    if change == "none":
        (made / "model.safetensors").unlink()
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(made))
    with pytest.raises(MissingPartError, match=said):
        models.get("someone/tiny-sentences")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("card", "languages"),
    [
        ("", ("en",)),
        ("# no front matter\nlanguage: de\n", ("en",)),
        ("---\nlanguage: en\n---\n", ("en",)),
        ("---\nlanguage: [de, 'fr']\n---\n", ("de", "fr")),
        ("---\nlicense: mit\nlanguage:\n  - multilingual\n  - ar\n---\n", ()),
    ],
)
def test_languages_of_a_model_card(tmp_path: Path, card: str, languages: tuple[str, ...]) -> None:
    (tmp_path / "README.md").write_text(card)
    assert card_languages(tmp_path / "README.md") == languages


def test_minilm_is_built_without_the_hub_where_its_package_is(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    if text_encoder.packaged_minilm() is None:
        pytest.skip("the package that carries MiniLM is not installed")
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert models.encoders() == {}
    place = models.get("minilm")
    assert TextEncoder(place).meta.dimension == 384
    (place / "meta.json").unlink()
    assert models.encoders() == {}
    assert models.get("minilm") == place
    assert models.encoders() == {"minilm": place}


def test_without_the_hub_it_is_said_what_works(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    with pytest.raises(MissingPartError, match="words are found by their letters only"):
        models.get("someone/tiny-sentences")
    assert list(folder.iterdir()) == []
