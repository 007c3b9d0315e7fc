"""Contextual fusion over neighbouring utterances: rows are dialogues or videos, steps are utterances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Parts, Pool, checked, gather, pooling
from cinescope.nn.sequences import Sequences


class OverSteps(nn.Module):
    """x (B, T, D), mask (B, T) -> (B, T, dim): a bidirectional LSTM over the true steps alone, wherever they stand."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, (dim + 1) // 2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * ((dim + 1) // 2), dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        order = (~mask).to(torch.int8).argsort(stable=True, dim=1)  # true steps to the front, in their order
        ahead = x.masked_fill(~mask[..., None], 0.0).gather(1, order[..., None].expand_as(x))
        lengths = mask.sum(1).clamp_min(1).cpu()
        packed = pack_padded_sequence(ahead, lengths, batch_first=True, enforce_sorted=False)
        heard = self.out(pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0])
        back = order.argsort(1)
        return heard.gather(1, back[..., None].expand_as(heard)).masked_fill(~mask[..., None], 0.0)


class Contextual(nn.Module):
    """Roles (B, T, D_r), step i the same utterance in all -> steps (B, T, dim), pooled (B, dim) over them.

    bc-LSTM, Poria et al. 2017, section 3.2: a bidirectional LSTM over each role's utterances, then one over their
    outputs side by side (the hierarchical variant, figure 2). Utterances that a role lacks are left out of its LSTM and
    flagged to the joint one, which runs over the utterances that any role has. Step i is utterance i in every role,
    whatever its times say: roles of other steps must be brought to the utterances first. Residuals around both LSTMs
    and a perceptron after them are ours.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = False  # packed sequences
    same_steps: ClassVar[bool] = True  # step i is the same thing in all roles

    def __init__(
        self, dims: Mapping[str, int], dim: int, *, pool: Pool = "mean", dropout: float = 0.2, drop: float = 0.0
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.project = nn.ModuleDict({role: nn.Linear(width, dim) for role, width in dims.items()})
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.alone = nn.ModuleDict({role: OverSteps(dim, dim) for role in dims})
        self.together = OverSteps(len(dims) * (dim + 1), dim)
        self.skip = nn.Linear(len(dims) * (dim + 1), dim)
        self.after = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * dim, dim))
        self.dropout = nn.Dropout(dropout)
        self.pool = pooling(pool, dim)
        self.out = nn.Identity() if self.pool.dim == dim else nn.Linear(self.pool.dim, dim)

    def forward(self, batch: Batch) -> Fused:
        given = self._side_by_side(gather(batch, self.dims, self.drop if self.training else 0.0))
        parts: Parts = {}
        for role, s in given.items():
            x = self.dropout(self.norm[role](self.project[role](s.values)))
            context = self.dropout(x + self.alone[role](x, s.mask))
            parts[role] = s.with_values(context.masked_fill(~s.mask[..., None], 0.0))
        masks = torch.stack([s.mask for s in parts.values()], -1)  # (B, T, R)
        mask = masks.any(-1)
        side = torch.cat([*(s.values for s in parts.values()), masks.to(next(iter(parts.values())).values.dtype)], -1)
        values = self.skip(side) + self.together(side, mask)
        values = (values + self.after(values)).masked_fill(~mask[..., None], 0.0)
        steps = Sequences(values, mask, self._times(parts))
        return Fused(steps, self.out(self.pool(steps)), parts)

    @staticmethod
    def _times(parts: Parts) -> Tensor:
        times = torch.zeros_like(next(iter(parts.values())).times)
        for s in reversed(parts.values()):  # the first role that has a step says when it is
            times = torch.where(s.mask[..., None], s.times, times)
        return times

    def _side_by_side(self, given: Parts) -> Parts:
        most = max(s.mask.shape[1] for s in given.values())
        return {role: _longer(s, most) for role, s in given.items()}


def _longer(s: Sequences, steps: int) -> Sequences:
    more = steps - s.mask.shape[1]
    return Sequences(
        functional.pad(s.values, [0, 0, 0, more]),
        functional.pad(s.mask, [0, more]),
        functional.pad(s.times, [0, 0, 0, more]),
    )
