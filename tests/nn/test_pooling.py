"""The poolings against numpy over each row's true steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cinescope.nn import Sequences  # noqa: E402
from cinescope.nn.pooling import POOLINGS  # noqa: E402
from cinescope.nn.pooling.attention import Attention  # noqa: E402
from cinescope.nn.pooling.netvlad import NetVLAD  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

MASK = torch.tensor([[True] * 5, [True, False, True, False, False], [False] * 5])


def given() -> Sequences:
    values = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    values[~MASK] = float("nan")
    return Sequences.of(values, MASK)


def true(row: int) -> np.ndarray:
    s = given()
    return s.values[row][s.mask[row]].double().numpy()


PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda x: x.mean(0),
    "max": lambda x: x.max(0),
    "last": lambda x: x[-1],
    "stats": lambda x: np.concatenate([x.mean(0), x.std(0)]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain(name: str) -> None:
    pooling = POOLINGS.create(name, 4)
    got = pooling(given())
    assert got.shape == (3, pooling.dim)
    for row in range(2):
        np.testing.assert_allclose(got[row].numpy(), PLAIN[name](true(row)), atol=1e-5)
    assert torch.equal(got[2], torch.zeros(pooling.dim))


def test_max_of_negative_steps_is_not_the_padding() -> None:
    s = Sequences.of(torch.full((1, 3, 2), -5.0), torch.tensor([[True, True, False]]))
    assert torch.equal(POOLINGS.create("max", 2)(s), torch.full((1, 2), -5.0))


def test_stats_of_a_single_step_has_finite_gradients() -> None:
    values = torch.ones(1, 1, 3, requires_grad=True)
    POOLINGS.create("stats", 3)(Sequences.of(values)).sum().backward()
    assert values.grad is not None
    assert bool(values.grad.isfinite().all())


def test_attention_is_the_articles_alpha() -> None:
    torch.manual_seed(0)
    pooling = Attention(4, hidden=3)
    got, alpha = pooling(given()).detach(), pooling.weights(given()).detach()
    inner, bias, score = (
        t.detach().double().numpy() for t in (pooling.inner.weight, pooling.inner.bias, pooling.score.weight)
    )
    for row in range(2):
        h = true(row)
        a = np.array([score[0] @ np.tanh(inner @ step + bias) for step in h])
        weights = np.exp(a) / np.exp(a).sum()
        np.testing.assert_allclose(alpha[row][MASK[row]].numpy(), weights, atol=1e-5)
        np.testing.assert_allclose(got[row].numpy(), (weights[:, None] * h).sum(0), atol=1e-5)
    assert torch.equal(alpha[~MASK], torch.zeros(int((~MASK).sum())))
    assert torch.equal(got[2], torch.zeros(4))


def test_netvlad_is_the_papers_sum_of_residuals() -> None:
    torch.manual_seed(0)
    pooling = NetVLAD(4, clusters=3)
    with torch.no_grad():
        for p in pooling.parameters():
            p.add_(0.1 * torch.randn_like(p))
    got = pooling(given()).detach()
    assert got.shape == (3, 12)
    w, b, c = (t.detach().double().numpy() for t in (pooling.assign.weight, pooling.assign.bias, pooling.centres))
    for row in range(2):
        v = np.zeros((3, 4))
        for step in true(row):
            x = step / np.linalg.norm(step)
            scores = np.exp(w @ x + b)
            for k in range(3):
                v[k] += scores[k] / scores.sum() * (x - c[k])
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        np.testing.assert_allclose(got[row].numpy(), (v / np.linalg.norm(v)).ravel(), atol=1e-5)
    assert torch.equal(got[2], torch.zeros(12))


def test_netvlad_starts_as_soft_assignment_by_distance() -> None:
    torch.manual_seed(0)
    pooling = NetVLAD(4, clusters=3, alpha=7.0)
    x = torch.nn.functional.normalize(torch.randn(5, 4), dim=1)
    by_distance = torch.softmax(-7.0 * torch.cdist(x, pooling.centres).square(), 1)
    torch.testing.assert_close(torch.softmax(pooling.assign(x), 1), by_distance, atol=1e-4, rtol=1e-4)


def test_netvlad_without_clusters() -> None:
    with pytest.raises(BadQueryError, match="0 clusters"):
        NetVLAD(4, clusters=0)
