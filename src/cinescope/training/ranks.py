"""One process or several: sums and gathers over ranks. Knows nothing of models."""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def start() -> None:
    """Join the group that `torchrun` describes in the environment; nothing where there is none."""
    if "RANK" in os.environ and "WORLD_SIZE" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def stop() -> None:
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def world() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def is_first() -> bool:
    return rank() == 0


def wait() -> None:
    if world() > 1:
        dist.barrier()


def summed(values: dict[str, float]) -> dict[str, float]:
    """The sums over ranks, in double precision. Every rank must name the same."""
    if world() == 1:
        return values
    names = sorted(values)
    total = torch.tensor([values[n] for n in names], dtype=torch.float64)
    dist.all_reduce(total)
    return dict(zip(names, total.tolist(), strict=True))


class _Gather(torch.autograd.Function):
    """All ranks' rows in order of rank; the gradient of a row is the sum of what all ranks have for it.

    Ranks may have different numbers of rows (the last batch): they are padded for the wire.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(world())]
        dist.all_gather(counts, torch.tensor([len(rows)]))
        numbers = [int(c) for c in counts]
        longest = max(numbers)
        padded = rows.new_zeros(longest, *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in numbers]
        dist.all_gather(parts, padded)
        ctx.start, ctx.own = sum(numbers[: rank()]), len(rows)
        return torch.cat([part[:n] for part, n in zip(parts, numbers, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        whole = gradients[0].contiguous().clone()
        dist.all_reduce(whole)
        return whole[ctx.start : ctx.start + ctx.own]


def gather(rows: Tensor) -> Tensor:
    """(B, ...) of this rank -> (sum of B, ...) of all, in order of rank, with gradients."""
    return rows if world() == 1 else _Gather.apply(rows)
