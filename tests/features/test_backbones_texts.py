from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.features.tiny_backbones import Tiny, copy_of, said, tiny

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.texts import split
from cinescope.types import BadQueryError, Clip, MissingPartError, Span

__all__ = ["tiny"]
TEXT = "a red car. in the seaside garden!"
CLIP = said(TEXT)


def make(tiny: Tiny, name: str, feature: str = "bert", **settings: Any) -> Any:
    return EXTRACTORS.create(feature, model=str(tiny(name)), **settings)


def steps(folder: Path, text: str) -> tuple[np.ndarray, list[int | None]]:
    """transformers' own: (T, D) of one text with its special tokens, and the index of each token's word."""
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(text.split(), is_split_into_words=True, return_tensors="pt")
    words = inputs.word_ids()
    inputs.pop("token_type_ids", None)
    model = hf.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**inputs).last_hidden_state[0].numpy(), words


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert"])
def test_tokens_words_and_texts_are_what_transformers_gives(tiny: Tiny, name: str) -> None:
    wanted, words = steps(tiny(name), TEXT)
    inner = [i for i, w in enumerate(words) if w is not None]
    tokens = make(tiny, name, level="token")(CLIP)
    np.testing.assert_allclose(tokens.values, wanted[inner], atol=1e-5)
    by_word = make(tiny, name, level="word")(CLIP)
    means = [wanted[[i for i, w in enumerate(words) if w == k]].mean(0) for k in range(7)]
    np.testing.assert_allclose(by_word.values, means, atol=1e-5)
    np.testing.assert_allclose(make(tiny, name)(CLIP).values, wanted.mean(0, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(make(tiny, name, pool="class")(CLIP).values, wanted[:1], atol=1e-5)


def test_rows_have_the_times_of_their_words(tiny: Tiny) -> None:
    spans = [(w.span.start, w.span.end) for w in CLIP.words]
    np.testing.assert_allclose(make(tiny, "bert", level="word")(CLIP).times, spans)
    tokens = make(tiny, "bert", level="token")(CLIP)
    # car + . | sea + ##side | garden + !
    np.testing.assert_allclose(tokens.times, [spans[i] for i in (0, 1, 2, 2, 3, 4, 5, 5, 6, 6)])
    np.testing.assert_allclose(make(tiny, "bert")(CLIP).times, [(spans[0][0], spans[-1][1])])
    sentences = make(tiny, "bert", level="sentence")(CLIP)
    np.testing.assert_allclose(sentences.times, [(spans[0][0], spans[2][1]), (spans[3][0], spans[6][1])])
    assert sentences.modality == "text"


def test_a_sentence_is_computed_by_itself(tiny: Tiny) -> None:
    made = make(tiny, "bert", level="sentence")(CLIP)
    wanted = [steps(tiny("bert"), text)[0].mean(0) for text in ("a red car.", "in the seaside garden!")]
    np.testing.assert_allclose(made.values, wanted, atol=1e-5)


def test_a_text_without_times_has_those_of_the_clip(tiny: Tiny) -> None:
    clip = Clip(Span(4, 9), text=TEXT)
    for level, count in (("text", 1), ("sentence", 2), ("word", 7), ("token", 10)):
        made = make(tiny, "bert", level=level)(clip)
        assert made.times.tolist() == [[4, 9]] * count
        np.testing.assert_array_equal(made.values, make(tiny, "bert", level=level)(CLIP).values)


@pytest.mark.parametrize("level", ["text", "sentence", "word", "token"])
def test_nothing_said_gives_no_rows(tiny: Tiny, level: str) -> None:
    extractor = make(tiny, "bert", level=level)
    for clip in (Clip(Span(0, 1)), Clip(Span(0, 1), text="  \n "), said("")):
        assert extractor(clip).values.shape == (0, extractor.dim) == (0, 16)


def test_long_texts_are_computed_in_windows_of_whole_words(tiny: Tiny) -> None:
    """The tiny model takes 16 tokens, 14 beside [CLS] and [SEP]."""
    text = " ".join(["a red car stands in the garden seaside"] * 3)  # 27 tokens; 'seaside' is two
    extractor = make(tiny, "bert", level="word")
    made = extractor(said(text))
    assert len(made) == 24
    windows = extractor.windows(split(said(text), "text")[0])
    assert [len(w.ids) for w in windows] == [16, 15]
    assert all(w.ids[0] == 2 and w.ids[-1] == 3 for w in windows)
    assert not {w for w in windows[0].words if w >= 0} & {w for w in windows[1].words if w >= 0}
    first, _ = steps(tiny("bert"), " ".join(text.split()[:13]))
    np.testing.assert_allclose(made.values[:7], first[1:8], atol=1e-5)
    whole = make(tiny, "bert")(said(text)).values
    parts = [steps(tiny("bert"), " ".join(p))[0] for p in (text.split()[:13], text.split()[13:])]
    np.testing.assert_allclose(whole[0], np.concatenate(parts).mean(0), atol=1e-5)


def test_a_word_longer_than_the_model_takes(tiny: Tiny) -> None:
    made = make(tiny, "bert", level="word")(said("sea" + "side" * 40 + " car"))
    assert len(made) >= 2
    assert np.isfinite(made.values).all()


def test_the_size_of_a_batch_changes_nothing(tiny: Tiny) -> None:
    clip = said("a red car. sea! the garden stands in the sea. red.")
    for name in ("bert", "roberta", "distilbert"):
        one, many = (make(tiny, name, level="sentence", batch=b)(clip).values for b in (1, 8))
        np.testing.assert_allclose(one, many, atol=1e-5)


@pytest.mark.parametrize("name", ["clip", "siglip", "clap"])
def test_texts_lie_beside_pictures_or_sounds(tiny: Tiny, name: str) -> None:
    """The sentence level, so that a batch is of texts of several lengths."""
    made = make(tiny, name, f"{name}_text", level="sentence")(CLIP)
    whole = hf.AutoModel.from_pretrained(tiny(name)).eval()
    tokenizer = hf.AutoTokenizer.from_pretrained(tiny(name))
    wanted = []
    for text in ("a red car.", "in the seaside garden!"):
        padding = {"padding": "max_length", "max_length": 12} if name == "siglip" else {}
        inputs = tokenizer(text, return_tensors="pt", **padding)
        inputs.pop("token_type_ids", None)
        if name == "siglip":
            inputs.pop("attention_mask")
        with torch.no_grad():
            out = whole.get_text_features(**inputs)
        wanted.append(getattr(out, "pooler_output", out)[0].numpy())
    ours = made.values / np.linalg.norm(made.values, axis=1, keepdims=True) if name == "clap" else made.values
    np.testing.assert_allclose(ours, wanted, atol=1e-5)
    with pytest.raises(MissingPartError, match=f"models get backbone-{name}"):
        EXTRACTORS.create(f"{name}_text")


def test_a_sentence_transformer_is_pooled_as_it_says(tiny: Tiny, tmp_path: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    from sentence_transformers.sentence_transformer import modules

    for mode in ("cls", "mean"):
        inner = modules.Transformer(str(tiny("bert")))
        parts = [inner, modules.Pooling(16, pooling_mode=mode), modules.Normalize()]
        place = tmp_path / mode
        sentence_transformers.SentenceTransformer(modules=parts, device="cpu").save_pretrained(str(place))
        wanted = sentence_transformers.SentenceTransformer(str(place), device="cpu").encode(["a red car in the sea"])
        made = EXTRACTORS.create("bert", model=str(place))(said("a red car in the sea"))
        np.testing.assert_allclose(made.values, wanted, atol=1e-5)
        assert np.linalg.norm(made.values) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("parts", "pooling", "said_"),
    [
        (["Transformer", "Pooling", "Dense"], {}, "has a part 'Dense'"),
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}, "pools its tokens by pooling_mode_max_tokens"),
        (["Transformer", "Pooling"], {"pooling_mode": "lasttoken"}, "pools its tokens by lasttoken"),
        (["Transformer", "Pooling"], {"pooling_mode": ["cls", "mean"]}, "pools its tokens by cls and mean"),
    ],
)
def test_a_pooling_that_is_not_known_is_an_error(
    tiny: Tiny, tmp_path: Path, parts: list[str], pooling: dict[str, Any], said_: str
) -> None:
    place = copy_of(tiny("bert"), tmp_path)
    modules = [{"idx": i, "path": f"{i}_{p}" if i else "", "type": f"x.{p}"} for i, p in enumerate(parts)]
    (place / "modules.json").write_text(json.dumps(modules))
    (place / "1_Pooling").mkdir()
    (place / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    with pytest.raises(MissingPartError, match=said_):
        EXTRACTORS.create("bert", model=str(place))
    assert len(EXTRACTORS.create("bert", model=str(place), pool="mean")(CLIP)) == 1
    (place / "modules.json").write_text("{")
    with pytest.raises(MissingPartError, match=r"modules\.json of 'bert' cannot be read"):
        EXTRACTORS.create("bert", model=str(place))


def test_a_vocabulary_of_old_is_read_too(tiny: Tiny, tmp_path: Path) -> None:
    place = copy_of(tiny("bert"), tmp_path)
    vocabulary = json.loads((place / "tokenizer.json").read_text())["model"]["vocab"]
    (place / "tokenizer.json").unlink()
    (place / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n")
    (place / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}')
    made = EXTRACTORS.create("bert", model=str(place))(CLIP).values
    np.testing.assert_allclose(made, make(tiny, "bert")(CLIP).values, atol=1e-6)


@pytest.mark.parametrize("spoil", ["absent", "damaged"])
def test_a_tokenizer_that_cannot_be_read_is_an_error(tiny: Tiny, tmp_path: Path, spoil: str) -> None:
    place = copy_of(tiny("bert"), tmp_path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (place / file).unlink()
    if spoil == "damaged":
        (place / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(MissingPartError, match="has no tokenizer that can be read") as caught:
        EXTRACTORS.create("bert", model=str(place))(CLIP)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_of_another_model_is_an_error(tiny: Tiny, tmp_path: Path) -> None:
    place = copy_of(tiny("bert"), tmp_path)
    stated = (place / "tokenizer.json").read_text()
    (place / "tokenizer.json").write_text(stated.replace('"garden": 10', '"garden": 99'))
    with pytest.raises(MissingPartError, match="knows more tokens than its model, which has 15"):
        EXTRACTORS.create("bert", model=str(place))(CLIP)


def test_settings_are_checked(tiny: Tiny) -> None:
    for wrong in ({"level": "paragraph"}, {"pool": "max"}, {"layer": 1.5}, {"batch": -1}):
        with pytest.raises(BadQueryError, match=next(iter(wrong))):
            make(tiny, "bert", **wrong)
    with pytest.raises(BadQueryError, match="the model has 0 to 2"):
        make(tiny, "bert", layer=9)(CLIP)
    assert make(tiny, "bert", layer=1)(CLIP).values.shape == (1, 16)
    with pytest.raises(MissingPartError, match="none is named"):
        EXTRACTORS.create("bert")


def test_a_word_longer_than_a_window_is_one_row(tiny: Tiny) -> None:
    word = ":".join("0" * 40)
    made = make(tiny, "bert", level="word")(Clip(Span(1, 2), text=f"a {word} b"))
    assert made.times.tolist() == [[1, 2]] * 3
    each = make(tiny, "bert", level="token")(Clip(Span(1, 2), text=f"a {word} b"))
    np.testing.assert_allclose(made.values[1], each.values[1:-1].mean(0), atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
@example("0:0:0:0:0:0:0:0")
def test_any_text_gives_rows_within_the_clip(tiny: Tiny, text: str) -> None:
    held = _HELD.setdefault("bert", make(tiny, "bert", level="word"))
    made = held(Clip(Span(1, 2), text=text))
    assert made.times.tolist() == [[1, 2]] * len(made)
    assert len(made) <= len(text.split())


_HELD: dict[str, Any] = {}
