"""A 3D CNN whose convolutions are factorised into space and time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar

from torch import Tensor, nn

from cinescope.nn.frames import as_long, clean_pictures, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.nn.video import (
    Shortcut,
    SpatialConv,
    TemporalConv,
    VideoNorm,
    as_video,
    covered,
    covered_times,
    place_mean,
)


def between(channels: int, out: int, size: int = 3, time: int = 3) -> int:
    """Channels between the two halves, for as many parameters as the 3D convolution has (Tran et al. 2018, 3.5)."""
    return max(1, time * size * size * channels * out // (size * size * channels + time * out))


class FactorisedConv(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> (B, out, T', H', W'): 1 x k x k, norm, ReLU, t x 1 x 1.

    Tran et al. 2018, section 3.5 and figure 1b.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        size: int = 3,
        time: int = 3,
        stride: int = 1,
        time_stride: int = 1,
        middle: int | None = None,
    ) -> None:
        super().__init__()
        middle = between(channels, out, size, time) if middle is None else middle
        self.space = SpatialConv(channels, middle, size, stride)
        self.norm = VideoNorm(middle, nn.ReLU())
        self.time = TemporalConv(middle, out, time, time_stride)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        done: Tensor = self.time(self.norm(self.space(x), mask), mask)
        return done


class FactorisedBlock(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> (B, out, T', H', W'): two factorised convolutions beside a shortcut."""

    def __init__(self, channels: int, out: int, stride: int, time_stride: int) -> None:
        super().__init__()
        self.time_stride = time_stride
        self.first = FactorisedConv(channels, out, stride=stride, time_stride=time_stride)
        self.second = FactorisedConv(out, out)
        self.norm1, self.norm2 = VideoNorm(out, nn.ReLU()), VideoNorm(out)
        self.shortcut, self.act = Shortcut(channels, out, stride, time_stride), nn.ReLU()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        after = covered(mask, self.time_stride)
        path = self.norm1(self.first(x, mask), after)
        path = self.norm2(self.second(path, after), after)
        done: Tensor = self.act(path + self.shortcut(x, mask))
        return done


class R2Plus1D(nn.Module):
    """(B, T, C, H, W) -> (B, T', dim): a residual network of (2+1)D convolutions (Tran et al. 2018, table 1), the mean
    over the places of each step, a linear layer.

    The stem halves the picture; so does each stage after the first. `time_strides` go stage by stage; the article's
    are 2 from the second stage on. T' = T divided by each of them in turn, rounded up: one frame gives one step. The
    smallest size is that of one place in the last stage.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: Sequence[int] = (16, 32, 64),
        depths: Sequence[int] = (1, 1, 1),
        time_strides: Sequence[int] = (1, 1, 2),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("r2plus1d", in_dim=in_dim, dim=dim, widths=widths, depths=depths, time_strides=time_strides)
        as_long("r2plus1d", widths=widths, depths=depths, time_strides=time_strides)
        self.in_dim, self.dim, self.smallest, self.stride = in_dim, dim, 2 ** len(widths), prod(time_strides)
        # The article's stem goes through 45 channels on its way to 64 (its released code); the same share here.
        self.stem = FactorisedConv(in_dim, widths[0], 3, 3, stride=2, middle=max(1, widths[0] * 45 // 64))
        self.norm = VideoNorm(widths[0], nn.ReLU())
        self.blocks = nn.ModuleList()
        self.time_strides: list[int] = []  # one a block
        channels = widths[0]
        for stage, (width, depth, time_stride) in enumerate(zip(widths, depths, time_strides, strict=True)):
            for block in range(depth):
                stride = 2 if stage and not block else 1
                self.time_strides.append(time_stride if not block else 1)
                self.blocks.append(FactorisedBlock(channels, width, stride, self.time_strides[-1]))
                channels = width
        self.dropout, self.out = nn.Dropout(dropout), nn.Linear(channels, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        mask, times = sequences.mask, sequences.times
        x = as_video(clean_pictures(sequences, self.in_dim, self.smallest, "r2plus1d"))
        x = self.norm(self.stem(x, mask), mask)
        for block, stride in zip(self.blocks, self.time_strides, strict=True):
            x = block(x, mask)
            times, mask = covered_times(times, mask, stride), covered(mask, stride)
        seen = self.out(self.dropout(place_mean(x))).masked_fill(~mask[..., None], 0.0)
        return Sequences(seen, mask, times)
