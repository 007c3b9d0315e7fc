"""Alignment against plain references: every path tried, finite differences, torch's own CTC."""

from __future__ import annotations

from itertools import groupby, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from cinescope.nn import Sequences
from cinescope.nn.alignment import (
    AttentionAlignment,
    align_labels,
    attended,
    attended_spans,
    attention_alignment,
    distances,
    dtw,
    forced_alignment,
    soft_dtw,
    soft_dtw_divergence,
    soft_path,
    squared_distances,
    strongest_spans,
    warped_spans,
)
from cinescope.types import BadQueryError


def paths(n: int, m: int) -> list[list[tuple[int, int]]]:
    """Every warping path from (0, 0) to (n - 1, m - 1)."""
    if n == m == 1:
        return [[(0, 0)]]
    before = [(n - 1, m - 1), (n - 1, m), (n, m - 1)]
    return [[*path, (n - 1, m - 1)] for a, b in before if a and b for path in paths(a, b)]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_dtw_is_the_cheapest_of_all_paths(n: int, m: int, seed: int) -> None:
    cost = np.random.default_rng(seed).random((n, m))
    best = min(sum(cost[i, j] for i, j in path) for path in paths(n, m))
    found = dtw(cost)
    assert found.cost == pytest.approx(best)
    assert [tuple(p) for p in found.path] in paths(n, m)
    assert cost[found.path[:, 0], found.path[:, 1]].sum() == pytest.approx(best)
    assert dtw(torch.from_numpy(cost)).cost == found.cost


def test_a_band_keeps_the_path_near_the_diagonal() -> None:
    rng = np.random.default_rng(2)
    cost = rng.random((6, 6)) + 0.1
    cost[0], cost[:, 5] = 0.01, 0.01  # the cheapest way goes round the corner
    near = [p for p in paths(6, 6) if all(abs(i - j) <= 1 for i, j in p)]
    banded = dtw(cost, band=1)
    assert banded.cost == pytest.approx(min(sum(cost[i, j] for i, j in p) for p in near))
    assert banded.cost > dtw(cost).cost
    assert dtw(cost, band=0).cost == pytest.approx(np.trace(cost))
    with pytest.raises(BadQueryError, match="band of 0"):
        dtw(rng.random((3, 9)), band=0)
    with pytest.raises(ValueError, match="finite"):
        dtw([[np.nan]])


def test_times_come_through_a_warp() -> None:
    a = np.array([[0.0], [1.0], [5.0]])
    b = np.array([[0.0], [0.0], [1.0], [5.0], [5.0]])
    path = dtw(distances(a, b)).path
    times = np.array([[10, 11], [11, 12], [12, 13], [13, 14], [14, 15.5]])
    assert warped_spans(path, times, 3).tolist() == [[10, 12], [12, 13], [13, 15.5]]


def test_soft_dtw_is_the_soft_minimum_over_all_paths_and_becomes_dtw() -> None:
    rng = np.random.default_rng(1)
    cost = rng.random((4, 5))
    sums = np.array([sum(cost[i, j] for i, j in p) for p in paths(4, 5)])
    every = torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 5, dtype=torch.bool)
    for gamma in (0.1, 1.0):
        expected = -gamma * np.log(np.exp(-sums / gamma).sum())
        assert float(soft_dtw(torch.from_numpy(cost)[None], *every, gamma)) == pytest.approx(expected, abs=1e-9)
    assert float(soft_dtw(torch.from_numpy(cost)[None], *every, 1e-3)) == pytest.approx(dtw(cost).cost, abs=1e-6)


def test_soft_dtw_has_the_gradient_of_finite_differences_with_masks() -> None:
    torch.manual_seed(0)
    cost = torch.rand(3, 4, 5, dtype=torch.float64)
    mask_a = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]], dtype=torch.bool)
    mask_b = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda c: soft_dtw(c, mask_a, mask_b, 0.3), cost.requires_grad_())
    spoilt = torch.where(mask_a[:, :, None] & mask_b[:, None], cost, torch.full_like(cost, float("nan")))
    assert torch.allclose(soft_dtw(spoilt, mask_a, mask_b, 0.3), soft_dtw(cost, mask_a, mask_b, 0.3))
    small = cost[1][mask_a[1]][:, mask_b[1]][None]
    one = torch.ones(1, 2, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
    assert torch.allclose(soft_dtw(small, *one, 0.3), soft_dtw(cost, mask_a, mask_b, 0.3)[1:2])
    path = soft_path(spoilt, mask_a, mask_b, 0.3)
    assert path[0, 0, 0] == pytest.approx(1.0)
    assert float(path[2].abs().sum()) == 0.0
    assert bool(path.isfinite().all())


def test_the_divergence_is_zero_for_equals_and_above_otherwise() -> None:
    torch.manual_seed(0)
    a, b = Sequences.of(torch.randn(2, 4, 3)), Sequences.of(torch.randn(2, 6, 3))
    assert torch.allclose(soft_dtw_divergence(a, a), torch.zeros(2), atol=1e-5)
    assert bool((soft_dtw_divergence(a, b) > 0).all())
    assert squared_distances(a, b)[0, 1, 2] == pytest.approx(float((a.values[0, 1] - b.values[0, 2]).square().sum()))
    with pytest.raises(BadQueryError, match="above 0"):
        soft_dtw(torch.ones(1, 1, 1), *[torch.ones(1, 1, dtype=torch.bool)] * 2, gamma=0)


@pytest.mark.parametrize("labels", [[1], [1, 2], [1, 1], [2, 1, 2], []])
def test_forced_alignment_is_the_best_of_all_paths(labels: list[int]) -> None:
    torch.manual_seed(len(labels))
    scores = torch.randn(5, 3, dtype=torch.float64).log_softmax(-1)
    found = []
    for path in product(range(3), repeat=5):
        if [k for k, _ in groupby(path) if k] == labels:
            found.append((sum(float(scores[t, k]) for t, k in enumerate(path)), path))
    best, path = max(found)
    aligned = forced_alignment(scores, labels)
    assert aligned.score == pytest.approx(best)
    assert tuple(aligned.path) == path
    assert [s.label for s in aligned.labels] == labels
    for span in aligned.labels:
        assert span.score == pytest.approx(float(scores[span.first : span.last + 1, span.label].mean()))
    if labels:
        loss = functional.ctc_loss(scores[:, None], torch.tensor([labels]), [5], [len(labels)], reduction="sum")
        assert float(-loss) == pytest.approx(np.logaddexp.reduce([s for s, _ in found]), abs=1e-6)
        assert aligned.score <= float(-loss)


def test_labels_get_their_seconds() -> None:
    likely = torch.full((1, 7, 3), -9.0)
    for t, label in enumerate([0, 1, 1, 0, 1, 2, 0]):
        likely[0, t, label] = 0.0
    mask = torch.tensor([[True, True, True, True, True, True, False]])
    start = 100 + 0.5 * torch.arange(7, dtype=torch.float64)
    steps = Sequences(likely.log_softmax(-1), mask, torch.stack([start, start + 0.5], -1)[None])
    (row,) = align_labels(steps, [[1, 1, 2]])
    assert [(x.label, x.start, x.end) for x in row] == [(1, 100.5, 101.5), (1, 102.0, 102.5), (2, 102.5, 103.0)]
    assert align_labels(steps, [[]]) == [()]
    with pytest.raises(BadQueryError, match=r"row 0: 4 labels need at least 7 steps, and there are 6"):
        align_labels(steps, [[1, 1, 1, 1]])
    with pytest.raises(BadQueryError, match="impossible"):
        forced_alignment(np.array([[0.0, -np.inf]] * 3), [1])


def test_attention_alignment_is_softmax_of_products_over_true_steps() -> None:
    torch.manual_seed(0)
    mask_b = torch.tensor([[1, 1, 0], [0, 0, 0]], dtype=torch.bool)
    mask_a = torch.tensor([[1, 0], [1, 1]], dtype=torch.bool)
    values = torch.randn(2, 3, 4).masked_fill(~mask_b[..., None], float("nan"))
    a, b = Sequences.of(torch.randn(2, 2, 4), mask_a), Sequences.of(values, mask_b)
    weights = attention_alignment(a, b)
    scores = np.array([float(a.values[0, 0] @ values[0, u]) / 2 for u in range(2)])
    expected = np.exp(scores) / np.exp(scores).sum()
    assert np.allclose(weights[0, 0, :2], expected, atol=1e-6)
    assert float(weights[0, 1].sum()) == float(weights[1].sum()) == float(weights[0, :, 2].sum()) == 0.0
    said = attended(weights, b)[0, 0]
    assert torch.allclose(said, weights[0, 0, 0] * values[0, 0] + weights[0, 0, 1] * values[0, 1])
    spans = attended_spans(weights, b)
    assert spans[0, 0].tolist() == pytest.approx([expected[1], 1 + expected[1]], abs=1e-6)
    assert spans[1].abs().sum() == 0
    at = int(expected.argmax())
    assert strongest_spans(weights, b)[0, 0].tolist() == [at, at + 1]
    learned = AttentionAlignment(4, 4, 8)
    learned(a, b).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learned.parameters())
