"""Attention pooling: which steps matter is learned. Knows one role at a time."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.sequences import Sequences


class Attention(nn.Module):
    """(B, T, D) -> (B, D): sum over t of alpha_t h_t.

    The articles' alpha_t = softmax over t of a_t, a_t = w^T tanh(W h_t + b), over the true steps alone: the additive
    attention of Bahdanau et al. 2015 with one query, as Yang et al. 2016, equations 5 to 7, use it to pool.
    """

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, hidden: int | None = None) -> None:
        super().__init__()
        self.dim = dim
        self.inner = nn.Linear(dim, hidden or dim)
        self.score = nn.Linear(hidden or dim, 1, bias=False)

    def forward(self, sequences: Sequences) -> Tensor:
        alpha = self.weights(sequences)
        values = sequences.zeroed()
        return (alpha.to(values.dtype)[..., None] * values).sum(1)

    def weights(self, sequences: Sequences) -> Tensor:
        """alpha (B, T): sums to 1 over the true steps, 0 elsewhere; all 0 for an absent row."""
        scores = self.score(torch.tanh(self.inner(sequences.zeroed())))[..., 0].float()
        low = scores.masked_fill(~sequences.mask, torch.finfo(scores.dtype).min)
        return torch.softmax(low, 1).masked_fill(~sequences.mask, 0.0)
