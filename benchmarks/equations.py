"""`python -m benchmarks.equations`: every equation of the articles against plain loops, in double precision.

Each figure is the largest absolute difference over several seeds and shapes; each must stay at or below 1e-5.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import equations_reference as plain
from benchmarks.bars import Bars
from cinescope.features.signal.hog import gradient_sum, hog
from cinescope.nn import Batch, Sequences
from cinescope.nn.attention import MultiHeadAttention, attend
from cinescope.nn.convolution import convolve2d, correlate2d, max_pool, mean_pool
from cinescope.nn.fusion.co_attention import CoAttention
from cinescope.nn.fusion.graph import Graph, GraphLayer
from cinescope.nn.fusion.graph_conv import normalised
from cinescope.nn.fusion.tensor import TensorFusion
from cinescope.nn.pooling.attention import Attention
from cinescope.nn.recurrence import Recurrence, recur
from cinescope.objectives import OBJECTIVES

LIMIT = 1e-5
SEEDS = (0, 1, 2)
Case = tuple[object, object]  # (what the package says, what the loops say)


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masked(seed: int, rows: int, steps: int, dim: int) -> Sequences:
    """Rows of 1 to `steps` steps, NaN in the padding."""
    lengths = torch.randint(1, steps + 1, (rows,), generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(steps)[None] < lengths[:, None]
    values = torch.where(mask[..., None], numbers(seed, rows, steps, dim), torch.nan)
    return Sequences.of(values, mask)


def drawn(module: nn.Module, seed: int) -> nn.Module:
    """The module in double precision with every parameter drawn, biases too."""
    module = module.double().eval()
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(0.5 * numbers(1000 * seed + i, *p.shape))
    return module


def filters(ours: Callable[..., Tensor], theirs: Callable[..., object]) -> Iterator[Case]:
    for seed in SEEDS:
        for (high, wide), (h, w), padding, stride in (
            ((7, 9), (3, 3), 0, 1),
            ((8, 6), (2, 4), 1, 2),
            ((5, 5), (5, 5), 4, 1),
        ):
            picture, kernel = numbers(seed, high, wide), numbers(seed + 9, h, w)
            yield ours(picture, kernel, padding, stride), theirs(picture.numpy(), kernel.numpy(), padding, stride)


def pools(ours: Callable[..., Tensor], largest: bool) -> Iterator[Case]:
    for seed in SEEDS:
        for high, wide, size, stride in ((8, 8, 2, 2), (9, 7, 3, 2), (6, 11, 3, 1)):
            picture = numbers(seed, high, wide)
            yield ours(picture, size, stride), plain.pool(picture.numpy(), size, stride, largest)


def recurrences() -> Iterator[Case]:
    for seed in SEEDS:
        for steps, dim, hidden in ((1, 3, 2), (9, 4, 6)):
            x, w_x, w_h = numbers(seed, 2, steps, dim), numbers(seed, hidden, dim), numbers(seed + 1, hidden, hidden)
            b = numbers(seed, hidden)
            states = recur(x, w_x, w_h, b)
            for i in range(len(x)):
                yield states[i], plain.rnn(x[i].numpy(), w_x.numpy(), w_h.numpy(), b.numpy())


def recurrent_layers() -> Iterator[Case]:
    """The layer that models use, past padding."""
    for seed in SEEDS:
        layer = drawn(Recurrence("rnn", 4, 6), seed)
        weight = {n.rsplit(".", 1)[1]: p.detach().numpy() for n, p in layer.named_parameters()}
        s = masked(seed, 4, 7, 4)
        states = layer(s.values, s.mask)
        for i, length in enumerate(s.lengths.tolist()):
            bias = weight["bias_ih_l0"] + weight["bias_hh_l0"]
            x = s.values[i, :length].numpy()
            yield states[i, :length], plain.rnn(x, weight["weight_ih_l0"], weight["weight_hh_l0"], bias)


def attention_pooling() -> Iterator[Case]:
    for seed in SEEDS:
        pooling, s = Attention(5, hidden=7), masked(seed, 4, 6, 5)
        drawn(pooling, seed)
        alpha, pooled = pooling.weights(s), pooling(s)
        w, b, v = (p.detach().numpy() for p in (pooling.inner.weight, pooling.inner.bias, pooling.score.weight[0]))
        for i, length in enumerate(s.lengths.tolist()):
            h = s.values[i, :length].numpy()
            expected = plain.attention_weights(h, w, b, v)
            yield alpha[i, :length], expected
            yield pooled[i], plain.weighted_sum(expected, h)


def scaled_dot_products() -> Iterator[Case]:
    for seed in SEEDS:
        for queries, keys, d, e in ((1, 1, 2, 3), (5, 7, 4, 6)):
            q, k, v = numbers(seed, queries, d), numbers(seed + 1, keys, d), numbers(seed + 2, keys, e)
            allowed = numbers(seed + 3, queries, keys) > -0.5
            done, _ = attend(q, k, v, allowed)
            yield done, plain.scaled_dot_product(q.numpy(), k.numpy(), v.numpy(), allowed.numpy())


def multi_head() -> Iterator[Case]:
    """The layer that models use, on torch's fused kernel: heads side by side, each the equation."""
    for seed in SEEDS:
        layer = MultiHeadAttention(8, heads=2)
        drawn(layer, seed)
        x, context = numbers(seed, 2, 4, 8), numbers(seed + 5, 2, 6, 8)
        mask = numbers(seed, 2, 6) > -1
        done = layer(x, context, mask)
        for i in range(2):
            q, k, v = layer.query(x[i]), layer.key(context[i]), layer.value(context[i])
            allowed = mask[i][None].expand(4, 6).numpy()
            heads = [
                plain.scaled_dot_product(*(t[:, h : h + 4].detach().numpy() for t in (q, k, v)), allowed)
                for h in (0, 4)
            ]
            yield done[i], layer.out(torch.from_numpy(np.concatenate(heads, 1)))


def co_attentions() -> Iterator[Case]:
    for seed in SEEDS:
        for steps in (1, 5):
            fusion = CoAttention({"video": 4, "speech": 4, "sound": 4}, 4)
            drawn(fusion, seed)
            parts = {r: masked(seed + i, 3, steps, 4) for i, r in enumerate(fusion.roles)}
            clean = {r: s.with_values(s.zeroed()) for r, s in parts.items()}
            gates = fusion.gates(clean)
            weight = {r: fusion.view[r].weight.detach().numpy() for r in fusion.roles}
            for role in fusion.roles:
                rest = [r for r in fusion.roles if r != role]
                for i in range(3):
                    steps_of = {r: s.values[i, s.mask[i]].numpy() for r, s in parts.items()}
                    yield (
                        gates[role][i, parts[role].mask[i]],
                        plain.co_attention(
                            steps_of[role],
                            [steps_of[r] for r in rest],
                            weight[role],
                            [weight[r] for r in rest],
                            fusion.bias.detach().numpy(),
                        ),
                    )


def parallel_co_attentions() -> Iterator[Case]:
    for seed in SEEDS:
        fusion = CoAttention({"video": 4, "speech": 4}, 4, kind="parallel")
        drawn(fusion, seed)
        parts = {r: masked(seed + i, 3, 5, 4) for i, r in enumerate(fusion.roles)}
        alpha = fusion.attention({r: s.with_values(s.zeroed()) for r, s in parts.items()})
        view = {r: fusion.view[r].weight.detach().numpy() for r in fusion.roles}
        affinity = fusion.affinity[0].detach().numpy()
        for role, other, w_b in (("video", "speech", affinity), ("speech", "video", affinity.T)):
            score = fusion.score[role].weight[0].detach().numpy()
            for i in range(3):
                v, q = (parts[r].values[i, parts[r].mask[i]].numpy() for r in (role, other))
                expected = plain.parallel_co_attention(v, q, w_b, view[role], view[other], score)
                yield alpha[role][i, parts[role].mask[i]], expected


def reconstructions() -> Iterator[Case]:
    for seed in SEEDS:
        s, said = masked(seed, 1, 6, 5), numbers(seed + 4, 1, 6, 5)
        loss = OBJECTIVES.create("reconstruction")(
            {"reconstruct": said}, {"reconstruct": s.values, "reconstruct.mask": s.mask}
        )
        yield loss.mean(), plain.reconstruction(said[0].numpy(), s.values[0].numpy(), s.mask[0].numpy())


def sides(seed: int, rows: int, items: int = 0) -> dict[str, Tensor]:
    right = numbers(seed + 1, rows, items, 5) if items else numbers(seed + 1, rows, 5)
    outputs = {
        "left": nn.functional.normalize(numbers(seed, rows, 5), dim=-1),
        "right": nn.functional.normalize(right, dim=-1),
        "known": torch.ones(rows, dtype=torch.bool),
        "scale": torch.tensor(7.5, dtype=torch.float64),
    }
    outputs |= {"mask": torch.ones(rows, items, dtype=torch.bool)} if items else {}
    return {f"similarities.{name}": o for name, o in outputs.items()}


def contrasts(name: str, items: int) -> Iterator[Case]:
    theirs = plain.mil_nce if items else plain.contrastive
    for seed in SEEDS:
        for rows in (1, 2, 6):
            said = sides(seed, rows, items)
            left, right = (said[f"similarities.{side}"].numpy() for side in ("left", "right"))
            yield OBJECTIVES.create(name)(said, {}).mean(), theirs(left, right, 7.5)


def cross_entropies() -> Iterator[Case]:
    for seed in SEEDS:
        logits, classes = 5 * numbers(seed, 6, 4), [0, 1, 2, 3, 1, 0]
        loss = OBJECTIVES.create("cross_entropy")({"classes": logits}, {"label": torch.tensor(classes)})
        yield loss.mean(), plain.cross_entropy(logits.numpy(), classes)


def tensor_fusions() -> Iterator[Case]:
    for seed in SEEDS:
        for roles in (("video", "sound"), ("video", "sound", "speech")):
            fusion = TensorFusion(dict.fromkeys(roles, 4), 5, width=3)
            drawn(fusion, seed)
            parts = {r: Sequences.of(numbers(seed + i, 2, 3, 4)) for i, r in enumerate(roles)}
            pooled = fusion(Batch(parts)).pooled
            vectors = (fusion.scale * fusion.each(parts)).detach().numpy()
            for i in range(2):
                weight, bias = fusion.weight.detach().numpy(), fusion.bias.detach().numpy()
                yield pooled[i], plain.tensor_fusion(list(vectors[i]), weight, bias)


def graph_updates() -> Iterator[Case]:
    for seed in SEEDS:
        fusion, layer = Graph({"video": 4, "sound": 4, "speech": 4}, 5), GraphLayer(5)
        drawn(fusion, seed)
        drawn(layer, seed + 1)
        present = torch.tensor([[True, True, True], [True, False, True], [False, False, True]])
        edges, nodes = fusion.adjacency(present), numbers(seed, 3, 3, 5)
        updated = layer(nodes, edges)
        for i in range(3):
            expected = plain.graph_edges(fusion.edges.detach().numpy(), present[i].tolist())
            yield edges[i], expected
            weight, bias = layer.weight.weight.detach().numpy(), layer.bias.detach().numpy()
            yield updated[i], plain.graph_update(nodes[i].numpy(), expected, weight, bias)


def graph_convolutions() -> Iterator[Case]:
    for seed in SEEDS:
        links = (numbers(seed, 7, 7) > 0.3).double()
        links = ((links + links.T) > 0).double().fill_diagonal_(0)
        yield normalised(links[None])[0], plain.graph_convolution(links.numpy())


def hogs() -> Iterator[Case]:
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        for high, wide, orientations, cell, block in ((32, 40, 9, 8, 2), (27, 21, 6, 5, 3)):
            grey = random.random((high, wide))
            yield hog(grey, orientations, (cell, cell), (block, block)), plain.hog(grey, orientations, cell, block)
            byte = random.integers(0, 256, (high, wide), dtype=np.uint8)
            expected = plain.hog(byte.astype(np.float64), orientations, cell, block)
            yield hog(byte, orientations, (cell, cell), (block, block)), expected


def gradient_sums() -> Iterator[Case]:
    for seed in SEEDS:
        grey = np.random.default_rng(seed).random((20, 26))
        for window, step in ((4, 4), (5, 3)):
            yield gradient_sum(grey, (window, window), (step, step)), plain.gradient_sum(grey, window, step)


EQUATIONS: dict[str, Callable[[], Iterator[Case]]] = {
    "convolution": lambda: filters(convolve2d, plain.convolve),
    "correlation": lambda: filters(correlate2d, plain.correlate),
    "max_pooling": lambda: pools(max_pool, True),
    "mean_pooling": lambda: pools(mean_pool, False),
    "rnn": recurrences,
    "rnn_layer": recurrent_layers,
    "attention_weights": attention_pooling,
    "scaled_dot_product": scaled_dot_products,
    "multi_head": multi_head,
    "co_attention": co_attentions,
    "parallel_co_attention": parallel_co_attentions,
    "reconstruction": reconstructions,
    "contrastive": lambda: contrasts("contrastive", 0),
    "mil_nce": lambda: contrasts("mil_nce", 3),
    "softmax_cross_entropy": cross_entropies,
    "tensor_fusion": tensor_fusions,
    "graph_update": graph_updates,
    "graph_convolution": graph_convolutions,
    "hog": hogs,
    "gradient_sum": gradient_sums,
}


def error(cases: Iterator[Case]) -> float:
    """The largest difference; infinite where shapes differ or a number is none, NaN where there were no cases."""
    worst = np.nan
    for ours, theirs in cases:
        a, b = (np.asarray(x.detach() if isinstance(x, Tensor) else x, dtype=np.float64) for x in (ours, theirs))
        apart = np.inf if a.shape != b.shape else float(np.abs(a - b).max())
        worst = np.inf if np.isnan(apart) else float(np.nanmax([worst, apart]))
        if np.isinf(worst):
            break
    return worst


def main() -> int:
    torch.set_num_threads(1)
    bars = Bars()
    for name, cases in EQUATIONS.items():
        bars.at_most(f"equations.{name}.error", error(cases()), LIMIT)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
