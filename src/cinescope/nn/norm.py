"""Normalisation that sees true steps only. Knows shapes and masks; knows no architecture.

Both norms have channels at axis 1, as torch's convolutions do: (B, C, T, ...) with a mask (B, T).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def over_steps(mask: Tensor, like: Tensor) -> Tensor:
    """A mask (B, T) that broadcasts over `like` (B, C, T, ...)."""
    return mask.reshape(mask.shape[0], 1, mask.shape[1], *[1] * (like.ndim - 3))


class MaskedBatchNorm(nn.Module):
    """x (B, C, T, ...) and mask (B, T) -> the same shape, zeros where there is no step.

    Batch normalisation (Ioffe and Szegedy 2015, algorithm 1) whose mean and variance, in the batch and running, are
    those of the true steps alone; with more ranks than one they are those of all ranks. Without a mask every value
    counts, whatever the shape (B, C, ...), such as (N, C, H, W) of true frames. The state has the names of
    `nn.BatchNorm2d`, so its weights load. A batch without any true step leaves the running statistics as they are.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.channels, self.eps, self.momentum = channels, eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if x.shape[1] != self.channels:
            raise ValueError(f"MaskedBatchNorm of {self.channels} channels got {tuple(x.shape)}")
        shape = (1, -1) + (1,) * (x.ndim - 2)
        keep = None if mask is None else over_steps(mask, x)
        # Squares of bf16 lose the variance; statistics are always taken in float32 or better.
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        if keep is not None:
            wide = wide.masked_fill(~keep, 0.0)
        mean, variance = self._statistics(wide, keep) if self.training else (self.running_mean, self.running_var)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        out = (wide - mean.reshape(shape)) * scale.reshape(shape) + self.bias.reshape(shape)
        if keep is not None:
            out = out.masked_fill(~keep, 0.0)
        return out.to(x.dtype)

    def _statistics(self, x: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        axes = [0, *range(2, x.ndim)]
        shape = (1, -1) + (1,) * (x.ndim - 2)
        if keep is None:
            count = x.new_tensor(x.numel() / self.channels)
        else:
            count = keep.sum().to(x.dtype) * (x.numel() // max(1, self.channels * keep.numel()))
        sums = _over_ranks(torch.cat([x.sum(axes), count[None]]))
        count = sums[-1].detach()
        mean = sums[:-1] / count.clamp_min(1)
        deviation = x - mean.reshape(shape)
        if keep is not None:
            deviation = deviation.masked_fill(~keep, 0.0)
        variance = _over_ranks(deviation.square().sum(axes)) / count.clamp_min(1)
        with torch.no_grad():
            # lerp by 0 where nothing was seen: no branch on a value, so that compile and ranks stay together.
            step = self.momentum * (count > 0).to(mean.dtype)
            unbiased = variance * count / (count - 1).clamp_min(1)
            self.running_mean.lerp_(mean.detach().to(self.running_mean.dtype), step.to(self.running_mean.dtype))
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), step.to(self.running_var.dtype))
            self.num_batches_tracked.add_((count > 0).long())
        return mean, variance

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={self.eps}, momentum={self.momentum}"


class ChannelLayerNorm(nn.Module):
    """x (B, C, T, ...) -> the same shape: each position normalised over its channels (ConvNeXt's LayerNorm2d).

    No position sees another, so padding cannot matter; with a mask (B, T) it comes out as zeros.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        keep = None if mask is None else over_steps(mask, x)
        if keep is not None:
            x = x.masked_fill(~keep, 0.0)
        moved = x.movedim(1, -1)
        out = nn.functional.layer_norm(moved, (self.channels,), self.weight, self.bias, self.eps).movedim(x.ndim - 1, 1)
        return out if keep is None else out.masked_fill(~keep, 0.0)

    def extra_repr(self) -> str:
        return f"{self.channels}, eps={self.eps}"


def _over_ranks(sums: Tensor) -> Tensor:
    """The sum over all ranks, with gradients back to each; itself in a single process."""
    dist = torch.distributed
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return sums
    from torch.distributed.nn.functional import all_reduce

    return all_reduce(sums)
