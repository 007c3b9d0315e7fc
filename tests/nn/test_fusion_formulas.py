"""Each fusion's formula against numpy, one row at a time, from the weights alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cinescope.nn import Batch, Sequences
from cinescope.nn.fusion import FUSIONS
from cinescope.nn.fusion.attending import Attention as StepAttention
from cinescope.nn.fusion.graph import GraphLayer
from cinescope.nn.fusion.graph_conv import links, normalised
from cinescope.nn.fusion.tensor import outer, with_one
from cinescope.types import BadQueryError

DIMS = {"video": 5, "sound": 3, "speech": 4}
DIM = 6


def build(name: str, dims: dict[str, int] = DIMS, **settings: Any) -> Any:
    torch.manual_seed(0)
    fusion = FUSIONS.create(name, dims, DIM, dropout=0.0, **settings).double().eval()
    with torch.no_grad():
        for p in fusion.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return fusion


def batch(dims: dict[str, int] = DIMS, steps: int = 3) -> Batch:
    """Three rows: all roles, no first role, the last role alone."""
    generator = torch.Generator().manual_seed(1)
    inputs = {}
    for i, (role, width) in enumerate(dims.items()):
        mask = torch.ones(3, steps, dtype=torch.bool)
        mask[0, 1:] = torch.rand(steps - 1, generator=generator) > 0.4
        mask[1] = mask[1] & (i > 0)
        mask[2] = mask[2] & (i == len(dims) - 1)
        values = torch.randn(3, steps, width, generator=generator, dtype=torch.float64)
        inputs[role] = Sequences.of(values.masked_fill(~mask[..., None], float("nan")), mask)
    return Batch(inputs)


def n(t: Tensor) -> np.ndarray:
    return t.detach().numpy()


def linear(layer: nn.Linear, x: np.ndarray) -> np.ndarray:
    return x @ n(layer.weight).T + (n(layer.bias) if layer.bias is not None else 0.0)


def norm(layer: nn.LayerNorm, x: np.ndarray) -> np.ndarray:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return scaled * n(layer.weight) + n(layer.bias)


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(lambda v: float(torch.erf(torch.tensor(v / np.sqrt(2)))))(x))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def steps_of(given: Batch, role: str, row: int) -> np.ndarray:
    s = given.inputs[role]
    return n(s.values[row][s.mask[row]])


def vectors(fusion: Any, given: Batch, row: int) -> dict[str, np.ndarray]:
    """Role -> z, of the roles that the row has."""
    out = {}
    for role in fusion.roles:
        true = steps_of(given, role, row)
        if len(true):
            out[role] = norm(fusion.each.norm[role], linear(fusion.each.project[role], true).mean(0))
    return out


def joint(module: Any, zs: dict[str, np.ndarray], roles: tuple[str, ...], dim: int = DIM) -> np.ndarray:
    x = np.concatenate([zs.get(r, np.zeros(dim)) for r in roles] + [[float(r in zs) for r in roles]])
    return linear(module.net[3], gelu(linear(module.net[0], x)))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def test_concatenation_and_its_flags() -> None:
    fusion, given = build("concat"), batch()
    got = n(fusion(given).pooled)
    for row in range(3):
        zs = vectors(fusion, given, row)
        assert np.allclose(got[row], joint(fusion.joint, zs, fusion.roles), atol=1e-7)


def test_weighted_sum_and_late_decisions() -> None:
    given = batch()
    weighted, late = build("weighted"), build("late")
    fused_w, fused_l = weighted(given), late(given)
    for row in range(3):
        zs = vectors(weighted, given, row)
        at = [i for i, r in enumerate(weighted.roles) if r in zs]
        w = softmax(n(weighted.weight)[at])
        expected = sum(w[k] * linear(weighted.say[r], z) for k, (r, z) in enumerate(zs.items()))
        assert np.allclose(n(fused_w.pooled[row]), expected, atol=1e-7)
        assert np.allclose(n(fused_w.shares[row])[at], w, atol=1e-6)
        zs = vectors(late, given, row)
        said = {r: linear(late.decide[r][3], gelu(linear(late.decide[r][0], z))) for r, z in zs.items()}
        assert np.allclose(n(fused_l.pooled[row]), np.mean(list(said.values()), 0), atol=1e-6)
        for r, decision in said.items():
            assert np.allclose(n(fused_l.parts[r].values[row, 0]), decision, atol=1e-7)


def test_a_linear_head_over_late_fusion_is_the_mean_of_the_roles_decisions() -> None:
    late, given = build("late"), batch()
    head = nn.Linear(DIM, 4).double()
    fused = late(given)
    mean = torch.stack([head(s.values[0, 0]) for s in fused.parts.values()]).mean(0)
    assert torch.allclose(head(fused.pooled[0]), mean, atol=1e-6)


@pytest.mark.parametrize("tied", [True, False])
def test_gated_unit(tied: bool) -> None:
    fusion, given = build("gated", tied=tied), batch()
    got = n(fusion(given).pooled)
    for row in range(3):
        zs = vectors(fusion, given, row)
        x = np.concatenate([zs.get(r, np.zeros(DIM)) for r in fusion.roles] + [[float(r in zs) for r in fusion.roles]])
        asked = linear(fusion.gate, x).reshape(len(fusion.roles), DIM)
        at = [i for i, r in enumerate(fusion.roles) if r in zs]
        gates = np.stack([softmax(asked[at, k]) for k in range(DIM)], 1) if tied else sigmoid(asked[at])
        expected = sum(gates[k] * np.tanh(linear(fusion.say[r], z)) for k, (r, z) in enumerate(zs.items()))
        assert np.allclose(got[row], expected, atol=1e-7)


def test_two_tied_gates_are_z_and_one_minus_z() -> None:
    dims = {"video": 5, "sound": 3}
    fusion = build("gated", dims)
    zs, here = torch.randn(2, 2, DIM, dtype=torch.float64), torch.ones(2, 2, dtype=torch.bool)
    gates = fusion.gates(zs, here)
    asked = fusion.gate(torch.cat([zs.flatten(1), here.double()], 1)).unflatten(1, (2, DIM))
    assert torch.allclose(gates[:, 0], torch.sigmoid(asked[:, 0] - asked[:, 1]))
    assert torch.allclose(gates[:, 1], 1 - gates[:, 0])


def test_attention_over_roles() -> None:
    fusion, given = build("attention"), batch()
    fused = fusion(given)
    for row in range(3):
        zs = vectors(fusion, given, row)
        alpha = softmax(np.array([linear(fusion.score, np.tanh(linear(fusion.key, z)))[0] for z in zs.values()]))
        side = {r: a * z for a, (r, z) in zip(alpha, zs.items(), strict=True)}
        scaled = {r: v * len(zs) for r, v in side.items()}
        expected = sum(side.values()) + joint(fusion.joint, scaled, fusion.roles)
        assert np.allclose(n(fused.pooled[row]), expected, atol=1e-7)
        assert np.allclose([x for x in n(fused.shares[row]) if x], alpha, atol=1e-7)


@pytest.mark.parametrize("kind", ["factorised", "full"])
def test_bilinear(kind: str) -> None:
    fusion, given = build("bilinear", kind=kind), batch()
    got = n(fusion(given).pooled)
    for row in range(3):
        zs = vectors(fusion, given, row)
        terms = [linear(fusion.shortcut[r], z) for r, z in zs.items()]
        for pair, (i, j) in enumerate(fusion.pairs):
            a, b = fusion.roles[i], fusion.roles[j]
            if a in zs and b in zs:
                if kind == "full":
                    terms.append(np.array([zs[a] @ w @ zs[b] for w in n(fusion.full[pair])]))
                else:
                    left, right = (np.tanh(linear(fusion.factor[r], zs[r])) for r in (a, b))
                    terms.append(linear(fusion.products[pair], left * right))
        assert np.allclose(got[row], np.mean(terms, 0), atol=1e-7)


def test_tensor_fusion_is_every_product_of_units() -> None:
    fusion, given = build("tensor", width=2), batch()
    got, weight = n(fusion(given).pooled), n(fusion.weight).reshape(DIM, 3, 3, 3)
    for row in range(3):
        zs = vectors(fusion, given, row)
        ones = [np.concatenate([[1.0], fusion.scale * zs.get(r, np.zeros(2))]) for r in fusion.roles]
        expected = n(fusion.bias).copy()
        for k, (a, b, c) in product(range(DIM), product(range(3), repeat=3)):
            expected[k] += weight[k, a, b, c] * ones[0][a] * ones[1][b] * ones[2][c]
        assert np.allclose(got[row], expected, atol=1e-7)


def test_low_rank_is_the_tensor_fusion_of_its_full_weight() -> None:
    fusion, given = build("low_rank", rank=3, width=2), batch()
    zs = torch.randn(4, 3, 2, dtype=torch.float64)
    full = outer(with_one(zs)) @ fusion.full_weight().T + fusion.bias
    assert torch.allclose(fusion.fused(with_one(zs)), full)
    factors = n(fusion.factors)
    one = n(with_one(zs))
    expected = sum(np.prod([factors[m, i] @ one[0, m] for m in range(3)], axis=0) for i in range(3)) + n(fusion.bias)
    assert np.allclose(n(full[0]), expected)
    assert bool(fusion(given).pooled.isfinite().all())


def test_a_tensor_too_large_says_so_and_what_to_take() -> None:
    with pytest.raises(BadQueryError, match="low_rank"):
        FUSIONS.create("tensor", {f"r{i}": 4 for i in range(20)}, 64)
    with pytest.raises(BadQueryError, match="smaller width"):
        FUSIONS.create("tensor", {"a": 4, "b": 4}, 64, width=1000)
    with pytest.raises(BadQueryError, match="factorised"):
        FUSIONS.create("bilinear", {"a": 4, "b": 4}, 512, kind="full", width=512)
    assert FUSIONS.create("tensor", {f"r{i}": 4 for i in range(6)}, 8).width >= 2


def test_the_articles_graph_update() -> None:
    torch.manual_seed(0)
    layer = GraphLayer(4).double()
    nodes, edges = torch.randn(1, 3, 4, dtype=torch.float64), torch.rand(1, 3, 3, dtype=torch.float64)
    h, a, w, b = n(nodes[0]), n(edges[0]), n(layer.weight.weight), n(layer.bias)
    expected = np.stack([np.maximum(0, sum(a[i, j] * (w @ h[j]) for j in range(3)) + b) for i in range(3)])
    assert np.allclose(n(layer(nodes, edges)[0]), expected)


def test_graph_fusion_leaves_absent_nodes_out() -> None:
    fusion, given = build("graph"), batch()
    got = n(fusion(given).pooled)
    for row in range(3):
        zs = vectors(fusion, given, row)
        at = [i for i, r in enumerate(fusion.roles) if r in zs]
        edges = np.stack([softmax(n(fusion.edges)[i, at]) for i in at])
        first = nodes = np.stack(list(zs.values()))
        for layer in fusion.layers:
            nodes = np.maximum(0, edges @ nodes @ n(layer.weight.weight).T + n(layer.bias))
        expected = linear(fusion.out, np.concatenate([first, nodes], 1).mean(0))
        assert np.allclose(got[row], expected, atol=1e-7)


def test_links_of_modality_time_nodes_and_their_normalisation() -> None:
    def role(*spans: tuple[float, float], mask: list[bool]) -> Sequences:
        times = torch.tensor([spans], dtype=torch.float64)
        return Sequences(torch.zeros(1, len(spans), 1), torch.tensor([mask]), times)

    video = role((0, 1), (1, 2), (9, 9.5), (0, 0), mask=[True, True, True, False])
    sound = role((0.5, 1.5), (0, 9), (2, 3), mask=[True, False, True])
    a = n(links({"video": video, "sound": sound})[0])
    assert np.array_equal(a, a.T)
    linked = {(i, j) for i, j in zip(*np.nonzero(a), strict=True) if i < j}
    # 0-1, 1-2 in the video; 4-6 in the sound, whose second step is not there; 4 overlaps 0 and 1; 6 is nearest to 1
    # (it overlaps nothing); 2 overlaps nothing either, and 6 is its nearest.
    assert linked == {(0, 1), (1, 2), (4, 6), (0, 4), (1, 4), (1, 6), (2, 6)}
    looped = a + np.eye(7)
    d = np.diag(looped.sum(1) ** -0.5)
    assert np.allclose(n(normalised(torch.from_numpy(a)[None])[0]), d @ looped @ d)


def test_graph_convolution_step() -> None:
    fusion, given = build("graph_conv", layers=1, clock="sound"), batch()
    tokens = fusion.tokens({r: Sequences(s.zeroed(), s.mask, s.times) for r, s in given.inputs.items()})
    spread = n(normalised(links(tokens)).double())
    x = np.concatenate([n(s.values) for s in tokens.values()], 1)
    heard = x + np.maximum(0, linear(fusion.layers[0], spread @ x))
    fused = fusion(given)
    mask = n(torch.cat([s.mask for s in tokens.values()], 1))
    got = np.concatenate([n(s.values) for s in fused.parts.values()], 1)
    assert np.allclose(got[mask], heard[mask], atol=1e-6)
    assert torch.equal(fused.steps.values, fused.parts["sound"].values)


def test_coattention_as_the_articles_write_it() -> None:
    """One step a role: A = sigma(W_v V + W_t T + b), the same for both."""
    dims = {"video": 5, "speech": 4}
    fusion, given = build("co_attention", dims), batch(dims, steps=1)
    tokens = fusion.tokens(dict(given.rows(torch.tensor([0])).inputs))
    v, t = n(tokens["video"].values[0, 0]), n(tokens["speech"].values[0, 0])
    a = sigmoid(linear(fusion.view["video"], v) + linear(fusion.view["speech"], t) + n(fusion.bias))
    gates = fusion.gates(tokens)
    assert np.allclose(n(gates["video"][0, 0]), a)
    assert np.allclose(n(gates["speech"][0, 0]), a)
    fused = fusion(given)
    assert np.allclose(n(fused.parts["video"].values[0, 0]), a * v, atol=1e-7)
    assert np.allclose(
        n(fused.pooled[0]), joint(fusion.joint, {"video": a * v, "speech": a * t}, fusion.roles), atol=1e-7
    )


def test_parallel_coattention_of_lu() -> None:
    dims = {"video": 5, "speech": 4}
    fusion, given = build("co_attention", dims, kind="parallel"), batch(dims)
    tokens = fusion.tokens({r: Sequences(s.zeroed(), s.mask, s.times) for r, s in given.inputs.items()})
    row = 0
    v, q = (n(tokens[r].values[row][tokens[r].mask[row]]).T for r in dims)  # (D, N) as in the paper
    wv, wq, wb = n(fusion.view["video"].weight), n(fusion.view["speech"].weight), n(fusion.affinity[0])
    c = np.tanh(q.T @ wb.T @ v)  # (T, N)
    hv, hq = np.tanh(wv @ v + (wq @ q) @ c), np.tanh(wq @ q + (wv @ v) @ c.T)
    av, aq = softmax((n(fusion.score["video"].weight) @ hv)[0]), softmax((n(fusion.score["speech"].weight) @ hq)[0])
    weights = fusion.attention(tokens)
    assert np.allclose(n(weights["video"][row][tokens["video"].mask[row]]), av)
    assert np.allclose(n(weights["speech"][row][tokens["speech"].mask[row]]), aq)
    expected = joint(fusion.joint, {"video": v @ av, "speech": q @ aq}, fusion.roles)
    assert np.allclose(n(fusion(given).pooled[row]), expected, atol=1e-6)


def attend(layer: StepAttention, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x (Q, D), y (K, D): one head after another, one query after another."""
    q, k, v = linear(layer.query, x), linear(layer.key, y), linear(layer.value, y)
    width = q.shape[1] // layer.heads
    mixed = np.zeros_like(q)
    for h in range(layer.heads):
        at = slice(h * width, (h + 1) * width)
        for i in range(len(q)):
            mixed[i, at] = softmax(k[:, at] @ q[i, at] / np.sqrt(width)) @ v[:, at]
    return linear(layer.out, mixed)


def block(layer: Any, x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    keys = norm(layer.before, x if y is None else y)
    if len(keys):
        x = x + attend(layer.attention, norm(layer.before, x), keys)
    return x + linear(layer.feed[3], gelu(linear(layer.feed[0], norm(layer.between, x))))


def true_tokens(fusion: Any, given: Batch, row: int) -> dict[str, np.ndarray]:
    tokens = fusion.tokens(
        {r: Sequences(s.zeroed(), s.mask, s.times.masked_fill(~s.mask[..., None], 0)) for r, s in given.inputs.items()}
    )
    return {r: n(s.values[row][s.mask[row]]) for r, s in tokens.items()}


def part(fused: Any, role: str, row: int) -> np.ndarray:
    s = fused.parts[role]
    return n(s.values[row][s.mask[row]])


def test_self_attention_is_one_transformer_over_everything() -> None:
    fusion, given = build("self_attention", layers=2, heads=2), batch()
    fused = fusion(given)
    for row in range(3):
        tokens = true_tokens(fusion, given, row)
        x = np.concatenate([n(fusion.first[0]), *tokens.values()])
        for b in fusion.blocks:
            x = block(b, x, None)
        x = norm(fusion.norm, x)
        got = np.concatenate([part(fused, r, row) for r in fusion.roles])
        assert np.allclose(got, x[1:], atol=1e-5)


def test_cross_attention_looks_at_the_others_only() -> None:
    fusion, given = build("cross_attention", heads=2), batch()
    fused = fusion(given)
    for row in range(3):
        tokens = true_tokens(fusion, given, row)
        for role, x in tokens.items():
            if len(x):
                y = np.concatenate([v for r, v in tokens.items() if r != role])
                expected = norm(fusion.norm[role], block(fusion.blocks[0][role], x, y))
                assert np.allclose(part(fused, role, row), expected, atol=1e-5)


def test_mult_reinforces_each_role_by_each_other() -> None:
    fusion, given = build("mult", heads=2, layers=2), batch()
    fused = fusion(given)
    for row in range(3):
        tokens = true_tokens(fusion, given, row)
        for role, own in tokens.items():
            if not len(own):
                continue
            side = []
            for source, y in tokens.items():
                if source == role:
                    continue
                x = own
                for b in fusion.cross[f"{source}->{role}"]:
                    x = block(b, x, y)
                side += [x if len(y) else np.zeros_like(x), np.full((len(x), 1), float(len(y) > 0))]
            reinforced = own + linear(fusion.narrow[role], np.concatenate(side, 1))
            expected = norm(fusion.norm[role], block(fusion.own[role], reinforced, None))
            assert np.allclose(part(fused, role, row), expected, atol=1e-5)


def test_bottleneck_tokens_carry_all_that_passes_between_roles() -> None:
    fusion, given = build("bottleneck", heads=2, bottlenecks=2, pool="class"), batch()
    fused = fusion(given)
    for row in range(3):
        tokens = {r: x for r, x in true_tokens(fusion, given, row).items() if len(x)}
        shared = n(fusion.shared[0])
        streams = {r: np.concatenate([n(fusion.first[fusion.roles.index(r)])[None], x]) for r, x in tokens.items()}
        for layer in fusion.blocks:
            made = []
            for r in tokens:
                x = block(layer[r], np.concatenate([streams[r], shared]), None)
                streams[r] = x[:-2]
                made.append(x[-2:])
            shared = np.mean(made, 0)
        for r in tokens:
            assert np.allclose(part(fused, r, row), norm(fusion.norm[r], streams[r])[1:], atol=1e-5)
        expected = np.mean([norm(fusion.norm[r], x)[0] for r, x in streams.items()], 0)
        assert np.allclose(n(fused.pooled[row]), expected, atol=1e-5)


def test_contextual_runs_over_true_utterances_alone() -> None:
    fusion, given = build("contextual"), batch(steps=4)
    fused = fusion(given)
    for row in range(3):
        masks = {r: n(s.mask[row]) for r, s in given.inputs.items()}
        any_role = np.any(list(masks.values()), 0)
        side = np.zeros((4, 3 * (DIM + 1)))
        for i, r in enumerate(fusion.roles):
            true = steps_of(given, r, row)
            if len(true):
                x = norm(fusion.norm[r], linear(fusion.project[r], true))
                lstm = fusion.alone[r]
                heard = linear(lstm.out, n(lstm.lstm(torch.from_numpy(x)[None])[0][0]))
                side[masks[r], i * DIM : (i + 1) * DIM] = x + heard
                side[masks[r], 3 * DIM + i] = 1
        together = fusion.together
        context = torch.from_numpy(side[any_role])[None]
        values = linear(fusion.skip, side[any_role]) + linear(together.out, n(together.lstm(context)[0][0]))
        values = values + linear(fusion.after[3], gelu(linear(fusion.after[0], values)))
        assert np.array_equal(n(fused.steps.mask[row]), any_role)
        assert np.allclose(n(fused.steps.values[row])[any_role], values, atol=1e-6)
        assert np.allclose(n(fused.pooled[row]), values.mean(0), atol=1e-6)
