"""Encoders of token ids: settings, vectors from elsewhere, ids that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cinescope.models.conformance import check_encoder  # noqa: E402
from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.encoders import ENCODERS  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

IDS = torch.tensor([[3, 1, 2, 9], [4, 5, 0, 0]])
MASK = torch.tensor([[True] * 4, [True, True, False, False]])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("word_rnn", {"cell": "lstm", "bidirectional": True, "layers": 2}),
        ("word_rnn", {"cell": "rnn", "width": 8}),
        ("text_transformer", {"positions": "sinusoidal"}),
        ("text_transformer", {"positions": "rotary", "causal": True}),
    ],
)
def test_settings_conform(name: str, settings: dict[str, Any]) -> None:
    failed = [f for f in check_encoder(ENCODERS.load(name), settings) if f.result == "failed"]
    assert not failed, "\n".join(f"{f.check}: {f.note}" for f in failed)


@pytest.mark.parametrize(("name", "settings"), [("word_rnn", {"width": 6}), ("text_transformer", {})])
def test_vectors_from_elsewhere(name: str, settings: dict[str, Any]) -> None:
    encoder = ENCODERS.create(name, 10, 6, **settings)
    before = encoder.words.weight.detach().clone()
    vectors = torch.arange(60.0).reshape(10, 6)
    known = torch.arange(10) != 7
    vectors[7] = float("nan")
    encoder.load_vectors(vectors, known, freeze=True)
    assert torch.equal(encoder.words.weight[1:7], vectors[1:7])
    assert torch.equal(encoder.words.weight[7], before[7])
    assert torch.equal(encoder.words.weight[0], torch.zeros(6))
    assert not encoder.words.weight.requires_grad
    encoder(Sequences.of(IDS, MASK)).values.sum().backward()
    assert encoder.words.weight.grad is None
    encoder.load_vectors(torch.ones(10, 6))
    assert encoder.words.weight.requires_grad
    with pytest.raises(BadQueryError, match=r"\(9, 6\) do not fit"):
        encoder.load_vectors(torch.ones(9, 6))
    with pytest.raises(BadQueryError, match="not finite"):
        encoder.load_vectors(vectors)


def test_ids_beyond_the_vocabulary() -> None:
    encoder = ENCODERS.create("word_rnn", 9, 4)
    with pytest.raises(BadQueryError, match="from 0 to 9, the vocabulary has 9"):
        encoder(Sequences.of(IDS, MASK))
    with pytest.raises(BadQueryError, match="takes token ids"):
        encoder(Sequences.of(torch.zeros(2, 4, 3)))


def test_padding_word_learns_nothing() -> None:
    encoder = ENCODERS.create("text_transformer", 10, 4)
    encoder(Sequences.of(IDS, torch.ones_like(MASK))).values.square().sum().backward()
    assert torch.equal(encoder.words.weight.grad[0], torch.zeros(4))
    assert bool((encoder.words.weight.grad[3] != 0).any())


def test_a_vocabulary_of_nothing() -> None:
    with pytest.raises(BadQueryError, match="embedding of 1 words"):
        ENCODERS.create("word_rnn", 1, 4)
