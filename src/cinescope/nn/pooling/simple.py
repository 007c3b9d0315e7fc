"""Poolings without weights: mean, max, last step, mean and deviation. Know masks, learn nothing."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.sequences import Sequences


class Mean(nn.Module):
    """(B, T, D) -> (B, D): the mean of the true steps."""

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, sequences: Sequences) -> Tensor:
        return masked_mean(sequences.zeroed(), sequences.mask)


class Max(nn.Module):
    """(B, T, D) -> (B, D): the largest of the true steps, number by number."""

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, sequences: Sequences) -> Tensor:
        values = sequences.zeroed()
        low = values.masked_fill(~sequences.mask[..., None], torch.finfo(values.dtype).min)
        return low.amax(1).masked_fill(~sequences.present[:, None], 0.0)


class Last(nn.Module):
    """(B, T, D) -> (B, D): the last true step; what a recurrent encoder that reads forwards knows at its end."""

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, sequences: Sequences) -> Tensor:
        mask = sequences.mask
        place = torch.arange(mask.shape[1], device=mask.device)[None].expand_as(mask)
        last = place.masked_fill(~mask, 0).amax(1)  # 0 for an absent row, whose values are zeros
        values = sequences.zeroed()
        return values.gather(1, last[:, None, None].expand(-1, 1, values.shape[2]))[:, 0]


class Stats(nn.Module):
    """(B, T, D) -> (B, 2 D): mean and standard deviation of the true steps (x-vectors, Snyder et al. 2018, 2.1).

    The deviation is that of the steps themselves (divided by their number), at least 0.001 so that its gradient stays
    finite where nothing varies.
    """

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = 2 * dim

    def forward(self, sequences: Sequences) -> Tensor:
        values, mask = sequences.zeroed(), sequences.mask
        # Squares of bf16 lose the deviation.
        wide = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
        mean = masked_mean(wide, mask)
        variance = masked_mean((wide - mean[:, None]).square().masked_fill(~mask[..., None], 0.0), mask)
        both = torch.cat([mean, variance.clamp_min(1e-6).sqrt()], 1).to(values.dtype)
        return both.masked_fill(~sequences.present[:, None], 0.0)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """values (B, T, D) that are zeros where mask (B, T) is false -> their mean (B, D); zeros for an absent row."""
    return values.sum(1) / mask.sum(1, keepdim=True).clamp_min(1).to(values.dtype)
