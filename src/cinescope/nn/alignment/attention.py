"""Soft alignment of two sequences by attention, and the times it points to. Knows neither words nor pictures."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cinescope.nn.sequences import Sequences


def attention_alignment(a: Sequences, b: Sequences, scale: float | None = None) -> Tensor:
    """a (B, T, D), b (B, U, D) -> (B, T, U): each true step of `a` as weights over the true steps of `b`.

    softmax over u of a_t . b_u * scale, scale 1 / sqrt(D) where none is given (Vaswani et al. 2017, eq. 1). Rows sum to
    1; those of steps that are not there, and all rows where `b` is absent, are zeros.
    """
    if a.values.ndim != 3 or b.values.ndim != 3 or a.values.shape[2] != b.values.shape[2]:
        raise ValueError(
            f"attention aligns (B, T, D) with (B, U, D), got {tuple(a.values.shape)} and {tuple(b.values.shape)}"
        )
    scale = 1 / math.sqrt(a.values.shape[2]) if scale is None else scale
    scores = a.zeroed() @ b.zeroed().transpose(1, 2) * scale
    scores = scores.masked_fill(~b.mask[:, None], torch.finfo(scores.dtype).min)
    both = a.mask[:, :, None] & b.mask[:, None]
    return scores.softmax(-1).masked_fill(~both, 0.0)


class AttentionAlignment(nn.Module):
    """a (B, T, a_dim), b (B, U, b_dim) -> (B, T, U), both brought to `dim` numbers by learned projections first."""

    def __init__(self, a_dim: int, b_dim: int, dim: int) -> None:
        super().__init__()
        self.of_a = nn.Linear(a_dim, dim)
        self.of_b = nn.Linear(b_dim, dim, bias=False)  # a bias here adds the same to a whole row of scores

    def forward(self, a: Sequences, b: Sequences) -> Tensor:
        return attention_alignment(a.with_values(self.of_a(a.zeroed())), b.with_values(self.of_b(b.zeroed())))


def attended(weights: Tensor, b: Sequences) -> Tensor:
    """weights (B, T, U), b (B, U, D) -> (B, T, D): what each step of the other sequence attends to."""
    return weights @ b.zeroed().to(weights.dtype)


def attended_spans(weights: Tensor, b: Sequences) -> Tensor:
    """weights (B, T, U) and the steps of b -> (B, T, 2) float64 seconds: the mean start and end of what is attended to.

    Zeros for a step that attends to nothing.
    """
    clean = b.times.masked_fill(~b.mask[..., None], 0.0)
    total = weights.sum(-1, keepdim=True).to(clean.dtype)
    return weights.to(clean.dtype) @ clean / torch.where(total > 0, total, torch.ones_like(total))


def strongest_spans(weights: Tensor, b: Sequences) -> Tensor:
    """weights (B, T, U) and the steps of b -> (B, T, 2) float64 seconds of the step that gets the most weight."""
    chosen = weights.argmax(-1)[..., None].expand(-1, -1, 2)
    spans = b.times.masked_fill(~b.mask[..., None], 0.0).gather(1, chosen)
    return spans.masked_fill(weights.sum(-1, keepdim=True) <= 0, 0.0)
