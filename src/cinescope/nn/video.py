"""What video networks share: convolutions over frames and over time that honour masks, and strides of time.

Knows shapes and masks; knows no architecture. Tensors are (B, C, T, H, W), as torch's 3D convolutions have them, with
the channels innermost in memory: a (2+1)D pair of convolutions is then two 2D ones on views, which a CPU computes 2 to
4 times as fast over time as a 3D convolution, and as fast over the picture.

Strides of time: with stride s, step t' of the result covers the steps s t' to s t' + s - 1. It is true where any of
them is, and its time spans those that are. There are ceil(T / s) of them, so fewer steps than a stride or a kernel
work (zeros stand beyond the ends), and padding behind the last true step adds only steps that are not true.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.frames import FrameNorm


def as_video(pictures: Tensor) -> Tensor:
    """(B, T, C, H, W) -> (B, C, T, H, W) with the channels innermost in memory."""
    return channels_innermost(pictures.transpose(1, 2))


def channels_innermost(x: Tensor) -> Tensor:
    """(B, C, T, H, W), the same values; an ONNX graph has no such orders in memory."""
    return x if torch.jit.is_tracing() else x.contiguous(memory_format=torch.channels_last_3d)


def at_true(x: Tensor, mask: Tensor) -> Tensor:
    """x (B, C, T, H, W) with zeros where mask (B, T) is false."""
    return x.masked_fill(~mask[:, None, :, None, None], 0.0)


def by_stride(t: Tensor, stride: int, fill: float | bool = 0) -> Tensor:
    """(B, T, ...) -> (B, T', stride, ...), T' = ceil(T / stride), with `fill` behind the end."""
    short = -t.shape[1] % stride
    padded = functional.pad(t, [0, 0] * (t.ndim - 2) + [0, short], value=fill) if stride > 1 else t
    return padded.reshape(t.shape[0], -1, stride, *t.shape[2:])


def covered(mask: Tensor, stride: int) -> Tensor:
    """mask (B, T) -> (B, T'): true where any covered step is."""
    return mask if stride == 1 else by_stride(mask, stride, False).any(2)


def covered_times(times: Tensor, mask: Tensor, stride: int) -> Tensor:
    """times (B, T, 2) and mask (B, T) -> (B, T', 2): from the first true covered step's start to the last one's end.

    0 where no covered step is true.
    """
    if stride == 1:
        return times
    there, inf = by_stride(mask, stride, False), float("inf")
    starts = by_stride(times[..., 0], stride).masked_fill(~there, inf).amin(2)
    ends = by_stride(times[..., 1], stride).masked_fill(~there, -inf).amax(2)
    return torch.stack([starts, ends], -1).masked_fill(~there.any(2)[..., None], 0.0)


class SpatialConv(nn.Module):
    """(B, C, T, H, W) -> (B, out, T, H', W'): a kernel 1 x k x k, each step alone, with "same" padding."""

    def __init__(self, channels: int, out: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, stride, size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows, channels, steps, high, wide = x.shape
        frames: Tensor = self.conv(x.transpose(1, 2).reshape(rows * steps, channels, high, wide))
        return frames.reshape(rows, steps, *frames.shape[1:]).transpose(1, 2)


class TemporalConv(nn.Module):
    """(B, C, T, H, W) and mask (B, T) -> (B, out, T', H, W): a kernel k x 1 x 1 over the true steps, "same" padding.

    Steps that are not true count as zeros, as what lies beyond the ends does.
    """

    def __init__(self, channels: int, out: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, (size, 1), (stride, 1), (size // 2, 0), bias=False)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        rows, channels, steps, high, wide = x.shape
        done: Tensor = self.conv(at_true(x, mask).reshape(rows, channels, steps, high * wide))
        return done.reshape(*done.shape[:3], high, wide)


class VideoNorm(FrameNorm):
    """`FrameNorm` of (B, C, T, H, W) over true steps, and `act` behind it; zeros where there is no step."""

    def __init__(self, channels: int, act: nn.Module | None = None) -> None:
        super().__init__(channels)
        self.act = act

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        done = super().forward(x, mask)
        return done if self.act is None else self.act(done)


class Shortcut(nn.Module):
    """(B, C, T, H, W) and mask (B, T) -> (B, out, T', H', W'): 1x1x1 with strides where the shape changes, else itself.

    With a stride of time it takes the first of the covered steps, zeros where that one is not true.
    """

    def __init__(self, channels: int, out: int, stride: int = 1, time_stride: int = 1) -> None:
        super().__init__()
        self.time_stride = time_stride
        same = channels == out and stride == 1 and time_stride == 1
        self.conv = None if same else SpatialConv(channels, out, 1, stride)
        self.norm = None if same else VideoNorm(out)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.conv is None or self.norm is None:
            return x
        taken: Tensor = self.norm(
            self.conv(at_true(x, mask)[:, :, :: self.time_stride]), covered(mask, self.time_stride)
        )
        return taken


def place_mean(x: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B, T, C)."""
    return x.mean((3, 4)).transpose(1, 2)
