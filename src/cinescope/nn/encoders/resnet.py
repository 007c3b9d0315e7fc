"""Residual networks on every frame: basic blocks, and a quick shallow one for small pictures. Knows no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor, nn

from cinescope.nn.frames import ConvNorm, FrameNorm, PlaceMean, as_long, clean_pictures, each_frame, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class BasicBlock(nn.Module):
    """(N, C, H, W) -> (N, out, H', W'): two 3x3 convolutions and a shortcut (He et al. 2016, figure 2 and equation 2).

    The shortcut is a 1x1 convolution where width or size changes (their option B).
    """

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.path = nn.Sequential(ConvNorm(channels, out, 3, stride, act=nn.ReLU()), ConvNorm(out, out))
        same = channels == out and stride == 1
        self.shortcut = nn.Identity() if same else ConvNorm(channels, out, 1, stride)
        self.act = nn.ReLU()

    def forward(self, frames: Tensor) -> Tensor:
        done: Tensor = self.act(self.path(frames) + self.shortcut(frames))
        return done


class ResNet(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): per frame, a ResNet of basic blocks (He et al. 2016, table 1 and section 4.2).

    One stage a width with its depth of blocks; each stage after the first halves the picture. The stem "small" is one
    3x3 convolution (their CIFAR-10 networks); "large" is 7x7 with stride 2 and a pooling of stride 2 (their ImageNet
    ones; ResNet-18 is widths 64, 128, 256, 512 and depths 2, 2, 2, 2). The smallest size is that of one place in the
    last stage.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: Sequence[int] = (32, 64, 128),
        depths: Sequence[int] = (1, 1, 1),
        stem: Literal["small", "large"] = "small",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("resnet", in_dim=in_dim, dim=dim, widths=widths, depths=depths)
        as_long("resnet", widths=widths, depths=depths)
        if stem not in ("small", "large"):
            raise BadQueryError(f"the encoder 'resnet' has no stem '{stem}'", "give small or large")
        self.in_dim, self.dim = in_dim, dim
        self.smallest = 2 ** (len(widths) - 1) * (4 if stem == "large" else 1)
        size, stride = (7, 2) if stem == "large" else (3, 1)
        parts: list[nn.Module] = [ConvNorm(in_dim, widths[0], size, stride, act=nn.ReLU())]
        if stem == "large":
            parts.append(nn.MaxPool2d(3, 2, 1))
        channels = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for block in range(depth):
                parts.append(BasicBlock(channels, width, 2 if stage and not block else 1))
                channels = width
        self.network = nn.Sequential(*parts, PlaceMean(), nn.Dropout(dropout), nn.Linear(channels, dim))

    def forward(self, sequences: Sequences) -> Sequences:
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "resnet")
        return sequences.with_values(each_frame(self.network, pictures, sequences.mask))


class ResNet9(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): per frame, the nine-layer residual network of the quick CIFAR-10 runs.

    Page 2018, "How to Train Your ResNet 4: Architecture" (DAWNBench): a convolution, then three stages that widen and
    pool, a residual pair of convolutions in the first and the last, the maximum over the places, a linear layer.
    `widths` are those of the stem and of the three stages. The smallest size is 8 x 8.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True
    smallest: ClassVar[int] = 8

    def __init__(self, in_dim: int, dim: int, widths: Sequence[int] = (32, 64, 128, 256), dropout: float = 0.0) -> None:
        super().__init__()
        positive("resnet9", in_dim=in_dim, dim=dim, widths=widths)
        if len(widths) != 4:
            raise BadQueryError(f"the encoder 'resnet9' has four widths, got {tuple(widths)}", "give four numbers")
        self.in_dim, self.dim = in_dim, dim
        stem, first, second, third = widths
        self.network = nn.Sequential(
            ConvNorm(in_dim, stem, act=nn.ReLU()),
            _Stage(stem, first, residual=True),
            _Stage(first, second, residual=False),
            _Stage(second, third, residual=True),
            _PlaceMax(),
            nn.Dropout(dropout),
            nn.Linear(third, dim),
        )

    def forward(self, sequences: Sequences) -> Sequences:
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "resnet9")
        return sequences.with_values(each_frame(self.network, pictures, sequences.mask))


class _Stage(nn.Module):
    """(N, C, H, W) -> (N, out, H/2, W/2)."""

    def __init__(self, channels: int, out: int, residual: bool) -> None:
        super().__init__()
        # Pooled before the norm, not after: norm and activation then cost a quarter.
        self.conv = nn.Sequential(nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.MaxPool2d(2))
        self.after = nn.Sequential(FrameNorm(out), nn.ReLU())
        self.pair = (
            nn.Sequential(ConvNorm(out, out, act=nn.ReLU()), ConvNorm(out, out, act=nn.ReLU())) if residual else None
        )

    def forward(self, frames: Tensor) -> Tensor:
        done: Tensor = self.after(self.conv(frames))
        return done if self.pair is None else done + self.pair(done)


class _PlaceMax(nn.Module):
    """(N, C, H, W) -> (N, C)."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.amax((2, 3))
