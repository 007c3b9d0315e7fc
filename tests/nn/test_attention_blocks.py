"""Attention, positions and Transformer blocks against numpy and torch's own layers."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.nn.attention import (  # noqa: E402
    MultiHeadAttention,
    Positions,
    TransformerBlock,
    attend,
    causal,
    heads_for,
    rotate,
    true_places,
)
from cinescope.types import BadQueryError  # noqa: E402

MASK = torch.tensor([[True, True, False, True], [False] * 4])


def values(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def test_scaled_dot_product_by_hand() -> None:
    q, k, v = values(2, 3, 5), values(2, 4, 5, seed=1), values(2, 4, 6, seed=2)
    out, weights = attend(q, k, v, MASK[:, None].expand(2, 3, 4))
    for i in range(3):
        keys = [0, 1, 3]
        w = softmax(np.array([q[0, i].double().numpy() @ k[0, j].double().numpy() / np.sqrt(5) for j in keys]))
        np.testing.assert_allclose(weights[0, i, keys].numpy(), w, atol=1e-6)
        np.testing.assert_allclose(out[0, i].numpy(), w @ v[0, keys].double().numpy(), atol=1e-5)
    assert torch.equal(weights[0, :, 2], torch.zeros(3))
    assert torch.equal(out[1], torch.zeros(3, 6))
    fast = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(attend(q, k, v)[0], fast, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("is_causal", [False, True])
def test_heads_are_the_reference_side_by_side(is_causal: bool) -> None:
    torch.manual_seed(0)
    layer = MultiHeadAttention(8, heads=2)
    x = values(2, 4, 8)
    allowed = MASK[:, None].expand(2, 4, 4)
    if is_causal:
        allowed = allowed & torch.ones(4, 4).tril().bool()
    q, k, v = layer.query(x), layer.key(x), layer.value(x)
    heads = [attend(q[..., s], k[..., s], v[..., s], allowed)[0] for s in (slice(0, 4), slice(4, 8))]
    got = layer(x, mask=MASK, is_causal=is_causal)
    torch.testing.assert_close(got, layer.out(torch.cat(heads, -1)), atol=1e-6, rtol=1e-5)


def test_attention_is_torchs_multihead() -> None:
    torch.manual_seed(0)
    ours, theirs = (
        MultiHeadAttention(8, 2, context=6),
        torch.nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True),
    )
    with torch.no_grad():
        theirs.q_proj_weight.copy_(ours.query.weight)
        theirs.k_proj_weight.copy_(ours.key.weight)
        theirs.v_proj_weight.copy_(ours.value.weight)
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, torch.zeros(8), ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    x, context = values(1, 3, 8), values(1, 4, 6, seed=3)
    expected, _ = theirs(x, context, context, key_padding_mask=~MASK[:1])
    torch.testing.assert_close(ours(x, context, MASK[:1]), expected, atol=1e-6, rtol=1e-5)


def test_nothing_to_see_is_a_constant_with_finite_gradients() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, context=6)
    x, context = values(2, 4, 8).requires_grad_(), values(2, 5, 6).requires_grad_()
    none = torch.zeros(2, 5, dtype=torch.bool)
    out = block(x, MASK, context, none, is_causal=True)
    out.sum().backward()
    assert bool(out.isfinite().all())
    assert x.grad is not None
    assert context.grad is not None
    assert bool(x.grad.isfinite().all())
    assert torch.equal(context.grad, torch.zeros_like(context))


def test_block_is_torchs_pre_norm_layer() -> None:
    torch.manual_seed(0)
    ours = TransformerBlock(8, 2, 16)
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
    a = ours.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([a.query.weight, a.key.weight, a.value.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([a.query.bias, torch.zeros(8), a.value.bias]))
        theirs.self_attn.out_proj.load_state_dict(a.out.state_dict())
        theirs.linear1.load_state_dict(ours.wide[0].state_dict())
        theirs.linear2.load_state_dict(ours.wide[3].state_dict())
    x = values(2, 4, 8)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


def test_decoder_block_sees_no_later_step() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, context=6)
    x, context = values(1, 4, 8), values(1, 5, 6)
    other = x.clone()
    other[0, 2:] += 1
    seen = torch.ones(1, 4, dtype=torch.bool)
    first, second = (block(v, seen, context, is_causal=True) for v in (x, other))
    torch.testing.assert_close(first[0, :2], second[0, :2])
    assert not torch.allclose(first[0, 3], second[0, 3])
    with pytest.raises(ValueError, match="with a context"):
        block(x, seen)


def test_causal_with_more_keys_than_queries_is_the_end_of_the_square() -> None:
    assert torch.equal(causal(2, 5), torch.ones(5, 5).tril().bool()[3:])


def test_rotation_depends_on_distance_alone() -> None:
    q, k = values(1, 1, 1, 8), values(1, 1, 1, 8, seed=1)

    def product(i: int, j: int) -> float:
        return float((rotate(q, torch.tensor([[i]])) * rotate(k, torch.tensor([[j]]))).sum())

    assert product(3, 5) == pytest.approx(product(10, 12), abs=1e-4)
    assert product(3, 5) != pytest.approx(product(3, 6), abs=1e-3)
    assert product(0, 0) == pytest.approx(float((q * k).sum()), abs=1e-5)


def test_sinusoids_are_vaswanis() -> None:
    got = Positions("sinusoidal", 6)(torch.zeros(1, 4, 6), torch.tensor([[True, False, True, True]]))
    for step, place in ((0, 0), (2, 1), (3, 2)):
        angles = place / 10_000 ** (2 * np.arange(3) / 6)
        np.testing.assert_allclose(got[0, step].numpy(), np.concatenate([np.sin(angles), np.cos(angles)]), atol=1e-6)


def test_places_count_true_steps() -> None:
    assert true_places(MASK).tolist() == [[0, 1, 1, 2], [0, 0, 0, 0]]


def test_learned_positions_end() -> None:
    learned = Positions("learned", 4, longest=3)
    learned(torch.zeros(2, 4, 4), MASK)  # four steps, three of them true
    with pytest.raises(BadQueryError, match="learned for 3 steps and a row has 4"):
        learned(torch.zeros(1, 4, 4), torch.ones(1, 4, dtype=torch.bool))


def test_impossible_settings() -> None:
    assert [heads_for(d) for d in (8, 6, 5)] == [4, 2, 1]
    with pytest.raises(BadQueryError, match="3 heads"):
        heads_for(8, 3)
    with pytest.raises(BadQueryError, match="'relative'"):
        Positions("relative", 8)
