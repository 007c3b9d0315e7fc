"""The text encoder gives what the original gives, and says what is wrong with a folder that is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cinescope.features.backbones import text_encoder
from cinescope.features.backbones.text_encoder import TextEncoder, build
from cinescope.types import MissingPartError

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")

SENTENCES = ["a red car drives down the street", "money", "The quick brown fox. " * 90, "", "so many words, here"]


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if text_encoder.packaged_minilm() is None:
        pytest.skip("the package that carries MiniLM is not installed")
    place = tmp_path_factory.mktemp("models") / "minilm"
    text_encoder.build_minilm(place)
    return place


def tiny(folder: Path, kind: str) -> Path:
    """A checkpoint with random weights, saved by transformers in the real format."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(0)
    sizes = dict.fromkeys(("hidden_size", "intermediate_size"), 32)
    sizes |= {"num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 40, "max_position_embeddings": 64}
    config = {"bert": transformers.BertConfig, "xlm-roberta": transformers.XLMRobertaConfig}[kind](**sizes)
    model = {"bert": transformers.BertModel, "xlm-roberta": transformers.XLMRobertaModel}[kind](config).eval()
    model.save_pretrained(folder)
    words = ["<pad>", "<s>", "</s>", "<unk>", *SENTENCES[0].split(), "so", "many", "words", "here", "money"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_the_graph_computes_what_the_checkpoint_does(tmp_path: Path, kind: str) -> None:
    checkpoint = tiny(tmp_path / "tiny", kind)
    meta = build(checkpoint, tmp_path / "made", name="tiny", languages=(), longest=48)
    assert (meta.dimension, meta.reads("zh"), meta.space) == (32, True, f"tiny@{meta.version}")
    encoder = TextEncoder(tmp_path / "made")
    texts = ["a red car", "the street here so many words", "money"]
    got = encoder.encode(texts)

    import torch
    import transformers

    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    for text, vector in zip(texts, got, strict=True):
        ids = torch.tensor([encoder._tokenizer.encode(text).ids])
        ids = ids[:, : len(text.split())]
        with torch.no_grad():
            mean = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1)[0].numpy()
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_minilm_is_the_original(minilm: Path) -> None:
    got = TextEncoder(minilm).encode(SENTENCES)
    assert got.shape == (5, 384)
    assert not got[3].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(got, 3, 0), axis=1), 1, atol=1e-5)
    sentence_transformers = pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers is not installed"
    )
    original = sentence_transformers.SentenceTransformer(str(text_encoder.packaged_minilm()), device="cpu")
    texts = [s for s in SENTENCES if s]
    want = original.encode(texts, normalize_embeddings=True)
    assert ((np.delete(got, 3, 0) * want).sum(1) > 0.9999).all()


def test_minilm_knows_meaning_and_its_limits(minilm: Path) -> None:
    encoder = TextEncoder(minilm)
    money, cash, dog = encoder.encode(["what they said about money", "we ran out of cash", "a dog barks"])
    assert money @ cash > money @ dog + 0.1
    assert encoder.meta.reads("en-GB")
    assert encoder.meta.reads("")
    assert not encoder.meta.reads("zh-Hans")


def test_what_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"there is no text encoder in .*cinescope models get"):
        TextEncoder(tmp_path / "nothing")
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "meta.json").write_text("[]")
    with pytest.raises(MissingPartError, match="damaged or of another kind"):
        TextEncoder(odd)
    meta = {"name": "x", "version": "1", "dimension": 3, "languages": [], "longest": 9}
    (odd / "meta.json").write_text(json.dumps(meta))
    (odd / "tokenizer.json").write_text("{}")
    (odd / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(MissingPartError, match="damaged"):
        TextEncoder(odd).encode(["a"])


def test_pickles_and_other_kinds_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    with pytest.raises(MissingPartError, match=r"has no config\.json"):
        build(folder, tmp_path / "out", name="x", languages=(), longest=9)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(MissingPartError, match="only as a pickle"):
        build(folder, tmp_path / "out", name="x", languages=(), longest=9)
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1, np.float32)}, folder / "model.safetensors")
    with pytest.raises(MissingPartError, match="of the kind 'gpt2', not a text encoder"):
        build(folder, tmp_path / "out", name="x", languages=(), longest=9)
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.glob(".building-*")) == []
