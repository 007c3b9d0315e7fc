"""Soft-DTW: dynamic time warping with a soft minimum, so that it can be a loss. Batched and masked."""

from __future__ import annotations

import torch
from torch import Tensor

from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError

_FAR = 1e10  # stands for infinity outside the matrix: infinity itself would give NaN gradients


def squared_distances(a: Sequences, b: Sequences) -> Tensor:
    """a (B, N, D), b (B, M, D) -> (B, N, M): squared Euclidean distances of all pairs of steps."""
    if a.values.ndim != 3 or b.values.ndim != 3 or a.values.shape[2] != b.values.shape[2]:
        raise ValueError(f"distances are of (B, N, D) and (B, M, D), got {a.values.shape} and {b.values.shape}")
    x, y = a.zeroed(), b.zeroed()
    return (x[:, :, None] - y[:, None]).square().sum(-1)


def soft_dtw(cost: Tensor, mask_a: Tensor, mask_b: Tensor, gamma: float = 1.0) -> Tensor:
    """cost (B, N, M), masks (B, N) and (B, M) of the true steps -> (B,): the soft minimum over all warping paths.

    Cuturi and Blondel 2017, eq. 1 and algorithm 1: R_ij = cost_ij + softmin(R_i-1,j-1, R_i-1,j, R_i,j-1), with
    softmin(x) = -gamma log sum exp(-x / gamma). Towards gamma 0 it is the cost of DTW; it may be negative. The gradient
    in `cost` is the expected path. A row where either side has no step gives 0. BadQueryError for a gamma that is not
    above 0.
    """
    if gamma <= 0:
        raise BadQueryError(f"soft-DTW needs a gamma above 0, not {gamma}", "give 1, or take dtw for no softness")
    rows, n, m = cost.shape
    if mask_a.shape != (rows, n) or mask_b.shape != (rows, m):
        raise ValueError(f"costs {tuple(cost.shape)} need masks {(rows, n)} and {(rows, m)}")
    cost = _to_the_front(_to_the_front(cost, mask_a).transpose(1, 2), mask_b).transpose(1, 2)
    i = torch.arange(n, device=cost.device)
    k = torch.arange(n + m - 1, device=cost.device)
    j = k[:, None] - i  # (N + M - 1, N): the cells of each anti-diagonal
    inside = (j >= 0) & (j < m)
    skewed = cost[:, i.expand_as(j), j.clamp(0, m - 1)]  # (B, N + M - 1, N)
    far = cost.new_full((rows, n), _FAR)
    corner = far.clone()
    corner[:, 0] = 0.0  # what lies before the first cell
    before, last = far, far
    sums = []
    for step in range(n + m - 1):
        # From above (i - 1, j), from the left (i, j - 1), from the corner (i - 1, j - 1).
        diagonal = corner if step == 0 else _down(before)
        ways = torch.stack([diagonal, _down(last), last], -1)
        soft = -gamma * torch.logsumexp(-ways / gamma, -1)
        here = torch.where(inside[step], skewed[:, step] + soft, far)
        before, last = last, here
        sums.append(here)
    every = torch.stack(sums, 1)
    count_a, count_b = mask_a.sum(1), mask_b.sum(1)
    some = (count_a > 0) & (count_b > 0)
    diagonal_at = (count_a + count_b - 2).clamp_min(0)
    end = every[torch.arange(rows, device=cost.device), diagonal_at, (count_a - 1).clamp_min(0)]
    return torch.where(some, end, torch.zeros_like(end))


def _down(diagonal: Tensor) -> Tensor:
    return torch.cat([torch.full_like(diagonal[:, :1], _FAR), diagonal[:, :-1]], 1)


def _to_the_front(x: Tensor, mask: Tensor) -> Tensor:
    """(B, N, M), (B, N) -> the true steps first, in their order; zeros behind them."""
    order = (~mask).to(torch.int8).argsort(stable=True, dim=1)
    return x.masked_fill(~mask[..., None], 0.0).gather(1, order[..., None].expand_as(x))


def soft_dtw_divergence(a: Sequences, b: Sequences, gamma: float = 1.0) -> Tensor:
    """a (B, N, D), b (B, M, D) -> (B,): soft-DTW less the mean of each with itself; 0 for equal sequences, not below.

    Blondel, Mensch and Vert 2021, eq. 8, on squared Euclidean distances.
    """
    own = [soft_dtw(squared_distances(s, s), s.mask, s.mask, gamma) for s in (a, b)]
    both = soft_dtw(squared_distances(a, b), a.mask, b.mask, gamma)
    return torch.where(a.present & b.present, both - (own[0] + own[1]) / 2, torch.zeros_like(both))


def soft_path(cost: Tensor, mask_a: Tensor, mask_b: Tensor, gamma: float = 1.0) -> Tensor:
    """The same arguments -> (B, N, M): how likely each pair of steps lies on the path, the gradient of soft-DTW.

    Cuturi and Blondel 2017, section 2.2. Zeros at padding.
    """
    with torch.enable_grad():
        leaf = cost.detach().requires_grad_()
        (path,) = torch.autograd.grad(soft_dtw(leaf, mask_a, mask_b, gamma).sum(), leaf)
    return path
