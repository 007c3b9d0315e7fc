"""A light network over spectrogram steps: depthwise-separable convolutions along time. Knows bands as channels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.frames import FrameNorm
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.nn.video import by_stride, covered, covered_times
from cinescope.types import BadQueryError


class AudioLight(nn.Module):
    """Spectrogram steps (B, T, in_dim) -> (B, T', dim): inverted residuals along time (Sandler et al. 2018, figure 3b).

    Each widens by `widen`, convolves each channel for itself over `size` steps, and narrows again: depthwise-separable
    convolution (Howard et al. 2017, section 3.1), with the bands as channels as in Choi et al. 2019 (TC-ResNet, section
    2.1). With dim 64 and 40 bands it has 0.06 million weights. T' = ceil(T / stride), means of the steps covered.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        layers: int = 3,
        size: int = 5,
        widen: int = 2,
        stride: int = 1,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if layers < 1 or widen < 1 or stride < 1 or size < 1 or size % 2 == 0:
            raise BadQueryError(
                f"a light encoder cannot have {layers} layers of size {size}, widened by {widen}, stride {stride}",
                "give numbers above 0 and an odd size",
            )
        self.dim, self.stride = dim, stride
        self.into = nn.Conv1d(in_dim, dim, 1, bias=False)
        self.norm = FrameNorm(dim)
        self.blocks = nn.ModuleList([InvertedResidual(dim, widen * dim, size) for _ in range(layers)])
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(dim, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        mask = sequences.mask
        x = functional.hardswish(self.norm(self.into(sequences.zeroed().transpose(1, 2)), mask))
        for block in self.blocks:
            x = block(x, mask)
        values = strided_mean(x.transpose(1, 2), mask, self.stride)
        kept = covered(mask, self.stride)
        values = self.out(self.drop(values)).masked_fill(~kept[..., None], 0.0)
        return Sequences(values, kept, covered_times(sequences.times, mask, self.stride))


class InvertedResidual(nn.Module):
    """x (B, C, T), zeros where mask (B, T) is false -> the same: x + narrow(depthwise(widen(x)))."""

    def __init__(self, channels: int, wide: int, size: int) -> None:
        super().__init__()
        self.widen = nn.Conv1d(channels, wide, 1, bias=False)
        self.widen_norm = FrameNorm(wide)
        self.each = nn.Conv1d(wide, wide, size, padding=size // 2, groups=wide, bias=False)
        self.each_norm = FrameNorm(wide)
        self.narrow = nn.Conv1d(wide, channels, 1, bias=False)
        self.narrow_norm = FrameNorm(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = functional.hardswish(self.widen_norm(self.widen(x), mask))  # hardswish(0) = 0: padding stays zeros
        y = functional.hardswish(self.each_norm(self.each(y), mask))
        done: Tensor = x + self.narrow_norm(self.narrow(y), mask)
        return done


def strided_mean(x: Tensor, mask: Tensor, stride: int) -> Tensor:
    """x (B, T, D), zeros where mask (B, T) is false -> (B, T', D): the mean of the true steps of each `stride`."""
    if stride == 1:
        return x
    count = by_stride(mask, stride, False).sum(2).clamp_min(1)[..., None]
    return by_stride(x, stride).sum(2) / count.to(torch.float32).to(x.dtype)
