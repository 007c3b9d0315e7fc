"""Light networks of depthwise separable convolutions on every frame. Knows no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor, nn

from cinescope.nn.frames import ConvNorm, PlaceMean, as_long, clean_pictures, each_frame, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class SeparableConv(nn.Sequential):
    """(N, C, H, W) -> (N, out, H', W'): 3x3 on each channel alone, then 1x1 (Howard et al. 2017, section 3.1)."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__(
            ConvNorm(channels, channels, 3, stride, groups=channels, act=nn.ReLU6()),
            ConvNorm(channels, out, 1, act=nn.ReLU6()),
        )


class InvertedResidual(nn.Module):
    """(N, C, H, W) -> (N, out, H', W'): widen by `expand`, 3x3 on each channel alone, narrow without an activation.

    Sandler et al. 2018, table 1 and figure 4: the input is added where width and size stay.
    """

    def __init__(self, channels: int, out: int, stride: int = 1, expand: int = 4) -> None:
        super().__init__()
        wide = channels * expand
        widen = [ConvNorm(channels, wide, 1, act=nn.ReLU6())] if expand > 1 else []
        self.path = nn.Sequential(
            *widen, ConvNorm(wide, wide, 3, stride, groups=wide, act=nn.ReLU6()), ConvNorm(wide, out, 1)
        )
        self.adds = channels == out and stride == 1

    def forward(self, frames: Tensor) -> Tensor:
        done: Tensor = self.path(frames)
        return frames + done if self.adds else done


class MobileNet(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): per frame, a stem of stride `strides[0]`, stages of light blocks, a 1x1
    convolution, the mean over the places, a linear layer.

    `block` is "inverted" (MobileNetV2: Sandler et al. 2018, section 4) or "separable" (MobileNet: Howard et al. 2017,
    table 1). `widths`, `depths` and `strides` go stage by stage, the first being the stem's (its depth is 1). The
    defaults shrink a picture 8 times, and so 8 x 8 is the smallest; the articles' for 224 x 224 shrink it 32 times.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: Sequence[int] = (16, 24, 40, 64),
        depths: Sequence[int] = (1, 2, 2, 2),
        strides: Sequence[int] = (1, 2, 2, 2),
        block: Literal["inverted", "separable"] = "inverted",
        expand: int = 4,
    ) -> None:
        super().__init__()
        positive("mobilenet", in_dim=in_dim, dim=dim, widths=widths, depths=depths, strides=strides, expand=expand)
        as_long("mobilenet", widths=widths, depths=depths, strides=strides)
        if block not in ("inverted", "separable"):
            raise BadQueryError(f"the encoder 'mobilenet' has no block '{block}'", "give inverted or separable")
        self.in_dim, self.dim, self.smallest = in_dim, dim, 1
        for stride in strides:
            self.smallest *= stride
        parts: list[nn.Module] = [ConvNorm(in_dim, widths[0], 3, strides[0], act=nn.ReLU6())]
        channels = widths[0]
        for width, depth, stride in list(zip(widths, depths, strides, strict=True))[1:]:
            for index in range(depth):
                step = stride if index == 0 else 1
                parts.append(
                    InvertedResidual(channels, width, step, expand)
                    if block == "inverted"
                    else SeparableConv(channels, width, step)
                )
                channels = width
        last = channels * expand
        self.network = nn.Sequential(
            *parts, ConvNorm(channels, last, 1, act=nn.ReLU6()), PlaceMean(), nn.Linear(last, dim)
        )

    def forward(self, sequences: Sequences) -> Sequences:
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "mobilenet")
        return sequences.with_values(each_frame(self.network, pictures, sequences.mask))
