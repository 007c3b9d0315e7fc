"""A light 3D network: inverted bottlenecks with depthwise 3 x 3 x 3 convolutions and channel attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.frames import as_long, clean_pictures, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.nn.video import Shortcut, SpatialConv, VideoNorm, as_video, at_true, channels_innermost, place_mean
from cinescope.types import BadQueryError


class DepthwiseConv(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> (B, C, T, H', W'): a kernel t x k x k on each channel alone, over true steps."""

    def __init__(self, channels: int, time: int, size: int, stride: int = 1) -> None:
        super().__init__()
        padding = (time // 2, size // 2, size // 2)
        self.conv = nn.Conv3d(
            channels, channels, (time, size, size), (1, stride, stride), padding, groups=channels, bias=False
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        done: Tensor = self.conv(channels_innermost(at_true(x, mask)))
        return done


class ChannelAttention(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> the same shape, each channel times a number in 0..1 from its mean over true
    steps: squeeze and excitation (Hu et al. 2018, equations 2 to 4) as X3D uses it, with a share of 1/16."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(8, channels // 16)
        self.squeeze, self.excite = nn.Linear(channels, few), nn.Linear(few, channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        means = at_true(x, mask).mean((3, 4)).sum(2) / mask.sum(1).clamp_min(1)[:, None]
        share = self.excite(functional.relu(self.squeeze(means))).sigmoid()
        return x * share[:, :, None, None, None].to(x.dtype)


class LightBlock(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> (B, out, T, H', W'): widen, depthwise 3x3x3, attention, swish, narrow.

    A shortcut stands beside them (Feichtenhofer 2020, table 1 and section 3.1).
    """

    def __init__(self, channels: int, out: int, stride: int, expand: float, attention: bool) -> None:
        super().__init__()
        wide = max(1, round(out * expand))
        self.widen, self.norm1 = SpatialConv(channels, wide, 1), VideoNorm(wide, nn.ReLU())
        self.deep, self.norm2 = DepthwiseConv(wide, 3, 3, stride), VideoNorm(wide)
        self.attention, self.swish = ChannelAttention(wide) if attention else None, nn.SiLU()
        self.narrow, self.norm3 = SpatialConv(wide, out, 1), VideoNorm(out)
        self.shortcut, self.act = Shortcut(channels, out, stride), nn.ReLU()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        path = self.norm2(self.deep(self.norm1(self.widen(x), mask), mask), mask)
        path = path if self.attention is None else self.attention(path, mask)
        path = self.norm3(self.narrow(self.swish(path)), mask)
        done: Tensor = self.act(path + self.shortcut(x, mask))
        return done


class X3D(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): a light 3D network that keeps every step (Feichtenhofer 2020, table 1).

    A 1 x 3 x 3 stem of stride 2, a depthwise 5 x 1 x 1, stages of light blocks with channel attention in every other
    block, a last 1x1x1 convolution, the mean over the places of each step, a linear layer. Each stage halves the
    picture, so the smallest size is 2 to one more than their number; any number of frames works. The article's X3D-S
    has widths 24, 48, 96, 192, depths 3, 5, 11, 7 and expands 2.25 times.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: Sequence[int] = (16, 32),
        depths: Sequence[int] = (2, 2),
        expand: float = 2.25,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("x3d", in_dim=in_dim, dim=dim, widths=widths, depths=depths)
        as_long("x3d", widths=widths, depths=depths)
        if expand <= 0:
            raise BadQueryError(f"the encoder 'x3d' cannot expand {expand} times", "give a number above 0")
        self.in_dim, self.dim, self.smallest = in_dim, dim, 2 ** (len(widths) + 1)
        self.stem, self.deep = SpatialConv(in_dim, widths[0], 3, 2), DepthwiseConv(widths[0], 5, 1)
        self.norm = VideoNorm(widths[0], nn.ReLU())
        self.blocks = nn.ModuleList()
        channels = widths[0]
        for width, depth in zip(widths, depths, strict=True):
            for block in range(depth):
                self.blocks.append(LightBlock(channels, width, 1 if block else 2, expand, attention=block % 2 == 0))
                channels = width
        last = max(1, round(channels * expand))
        self.last, self.last_norm = SpatialConv(channels, last, 1), VideoNorm(last, nn.ReLU())
        self.dropout, self.out = nn.Dropout(dropout), nn.Linear(last, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        mask = sequences.mask
        x = as_video(clean_pictures(sequences, self.in_dim, self.smallest, "x3d"))
        x = self.norm(self.deep(self.stem(x), mask), mask)
        for block in self.blocks:
            x = block(x, mask)
        x = self.last_norm(self.last(x), mask)
        seen = self.out(self.dropout(place_mean(x)))
        return sequences.with_values(seen.masked_fill(~mask[..., None], 0.0))
