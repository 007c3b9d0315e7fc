"""What per-frame networks share: checked pictures, a norm of true frames, running one network on every frame.

Knows shapes and masks; knows no architecture.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.norm import MaskedBatchNorm
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


def clean_pictures(sequences: Sequences, channels: int, smallest: int, name: str) -> Tensor:
    """The values (B, T, C, H, W) with zeros where there is no step.

    BadQueryError for other axes, other channels, or pictures smaller than `smallest` x `smallest`.
    """
    values = sequences.values
    if values.ndim != 5:
        raise BadQueryError(
            f"the encoder '{name}' takes pictures (rows, steps, channels, height, width), got {tuple(values.shape)}",
            "feed it frames, or choose an encoder that takes steps",
        )
    if values.shape[2] != channels:
        raise BadQueryError(
            f"the encoder '{name}' was built for {channels} channels, got pictures {tuple(values.shape[2:])}",
            f"give it in_dim {values.shape[2]}",
        )
    height, width = values.shape[3:]
    if not torch.compiler.is_compiling() and min(height, width) < smallest:
        raise BadQueryError(
            f"pictures of {height} x {width} are too small for the encoder '{name}', "
            f"whose smallest size is {smallest} x {smallest}",
            "give larger pictures, or settings that shrink them less",
        )
    return sequences.zeroed()


def positive(name: str, **settings: int | Sequence[int]) -> None:
    """BadQueryError for widths, depths or strides that are empty or below 1."""
    for key, value in settings.items():
        numbers = [value] if isinstance(value, int) else list(value)
        if not numbers or min(numbers) < 1:
            raise BadQueryError(f"the encoder '{name}' cannot have {key} {value}", "give numbers above 0")


def as_long(name: str, **settings: Sequence[int]) -> None:
    """BadQueryError where settings that go stage by stage are of different lengths."""
    if len({len(value) for value in settings.values()}) > 1:
        given = ", ".join(f"{key} {tuple(value)}" for key, value in settings.items())
        raise BadQueryError(
            f"the encoder '{name}' needs one number a stage in each of {given}", "make them equally long"
        )


class FrameNorm(MaskedBatchNorm):
    """`MaskedBatchNorm` by torch's own fused kernel where that sees true frames only: 2 to 8 times as fast on a CPU.

    x (B, C, T, ...) with a mask (B, T), or (N, C, H, W) of true frames without one. More ranks than one, and a single
    value a channel, go the plain way: there the kernel's statistics would be those of one rank, or none at all.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if not self.training:
            out = self._fused(x)
            return out if mask is None else _kept(out, mask)
        if _many_ranks() or torch.compiler.is_compiling():
            return super().forward(x, mask)
        if mask is None or bool(mask.all()):
            return self._fused(x) if x.numel() > self.channels else super().forward(x, mask)
        frames = x.movedim(2, 1)[mask]  # (n, C, ...)
        if frames.numel() <= self.channels:
            return super().forward(x, mask)
        done = self._fused(frames)
        out = done.new_zeros(x.shape[0], x.shape[2], *done.shape[1:]).index_put((mask,), done)
        return out.movedim(1, 2)

    def _fused(self, x: Tensor) -> Tensor:
        if self.training:
            self.num_batches_tracked.add_(1)
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )


class ConvNorm(nn.Sequential):
    """Frames (N, C, H, W) -> (N, out, H', W'): convolution with "same" padding, FrameNorm, and `act`."""

    def __init__(
        self, channels: int, out: int, size: int = 3, stride: int = 1, groups: int = 1, act: nn.Module | None = None
    ) -> None:
        conv = nn.Conv2d(channels, out, size, stride, size // 2, groups=groups, bias=False)
        parts: list[nn.Module] = [conv, FrameNorm(out)]
        super().__init__(*parts, *([] if act is None else [act]))


class PlaceMean(nn.Module):
    """(N, C, H, W) -> (N, C)."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames.mean((2, 3))


def each_frame(network: nn.Module, pictures: Tensor, mask: Tensor) -> Tensor:
    """pictures (B, T, C, H, W) -> (B, T, D), zeros where there is no step; `network` is (N, C, H, W) -> (N, D).

    In training only true frames go through, so that no norm sees padding. In use all do: shapes stay static for export.
    """
    rows, steps = mask.shape
    if not network.training:
        seen = network(as_channels_last(pictures.flatten(0, 1)))
        # Not unflatten: it would be exported with the traced numbers of rows and steps for what reads on from here.
        seen = seen.reshape(rows, steps, seen.shape[-1])
        return seen.masked_fill(~mask[..., None], 0.0)
    seen = network(as_channels_last(pictures[mask]))
    return seen.new_zeros(rows, steps, seen.shape[-1]).index_put((mask,), seen)


def as_channels_last(frames: Tensor) -> Tensor:
    """(N, C, H, W) with the channels innermost in memory: a convolution takes two thirds of the time on a CPU."""
    return frames if torch.jit.is_tracing() else frames.contiguous(memory_format=torch.channels_last)


def _kept(x: Tensor, mask: Tensor) -> Tensor:
    return x.masked_fill(~mask.reshape(mask.shape[0], 1, mask.shape[1], *[1] * (x.ndim - 3)), 0.0)


def _many_ranks() -> bool:
    dist = torch.distributed
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
