"""A small fusion and head that conform, and one broken in each way that the suite knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn import Batch, Fused, Sequences, absent_like


class Good(nn.Module):
    """The mean of the present roles' projected means, through a tanh layer: a relation between roles."""

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(self, dims: Mapping[str, int], dim: int) -> None:
        super().__init__()
        self.dims, self.roles, self.dim = dict(dims), tuple(dims), dim
        self.project = nn.ModuleDict({role: nn.Linear(width, dim) for role, width in dims.items()})
        self.joint = nn.Linear(dim, dim)

    def forward(self, batch: Batch) -> Any:
        like = next(iter(batch.inputs.values()))
        parts = {r: self.part(batch, r, like) for r in self.roles}
        here = torch.stack([s.present for s in parts.values()], 1)
        rows = torch.stack([self.vector(r, s) for r, s in parts.items()], 1)
        shares = self.shares(here)
        pooled = self.join((shares[..., None] * rows).sum(1))
        first = parts[self.roles[0]]
        steps = Sequences(pooled[:, None].expand(-1, first.mask.shape[1], -1), first.mask, self.clock(first.times))
        return Fused(steps, pooled, parts, shares)

    def part(self, batch: Batch, role: str, like: Sequences) -> Sequences:
        given = batch.inputs.get(role)
        if given is None:
            return self.lacking(role, like)
        return given.with_values(given.zeroed())

    def lacking(self, role: str, like: Sequences) -> Sequences:
        return absent_like(like, self.dims[role])

    def vector(self, role: str, s: Sequences) -> Tensor:
        mean = s.values.sum(1) / s.lengths.clamp_min(1)[:, None]
        return self.project[role](mean) * s.present[:, None]

    def shares(self, here: Tensor) -> Tensor:
        return here / here.sum(1, keepdim=True).clamp_min(1)

    def join(self, mixed: Tensor) -> Tensor:
        return torch.tanh(self.joint(mixed))

    def clock(self, times: Tensor) -> Tensor:
        return times


class SortsRoles(Good):
    def __init__(self, dims: Mapping[str, int], dim: int) -> None:
        super().__init__(dict(sorted(dims.items())), dim)


class SaysNothing(Good):
    additive = None  # type: ignore[assignment]


class GivesPooled(Good):
    def forward(self, batch: Batch) -> Any:
        return super().forward(batch).pooled


class DropsParts(Good):
    def forward(self, batch: Batch) -> Any:
        fused = super().forward(batch)
        return Fused(fused.steps, fused.pooled, {self.roles[0]: fused.parts[self.roles[0]]}, fused.shares)


class EarlyClock(Good):
    def clock(self, times: Tensor) -> Tensor:
        return times - 50


class CountsLacking(Good):
    """Another pooled row where the batch lacks a role than where the role is masked."""

    def forward(self, batch: Batch) -> Any:
        fused = super().forward(batch)
        lacking = sum(role not in batch.inputs for role in self.roles)
        return Fused(fused.steps, fused.pooled + 0.01 * lacking, fused.parts, fused.shares)


class NeedsAll(Good):
    def lacking(self, role: str, like: Sequences) -> Sequences:
        raise KeyError(role)


class NeedsTwo(Good):
    def __init__(self, dims: Mapping[str, int], dim: int) -> None:
        super().__init__(dims, dim)
        self.first, self.second = list(dims)[:2]


class OnlyWithAll(Good):
    """Says nothing of a row that lacks a role."""

    def shares(self, here: Tensor) -> Tensor:
        return super().shares(here) * here.all(1, keepdim=True)


class TakesTheBatchsOrder(Good):
    def part(self, batch: Batch, role: str, like: Sequences) -> Sequences:
        first = next(iter(batch.inputs))
        s = super().part(batch, role, like)
        return s.with_values(s.values * 2) if role == first else s


class SharesWithAbsent(Good):
    def shares(self, here: Tensor) -> Tensor:
        return torch.full(here.shape, 1 / here.shape[1])


class SharesTooMuch(Good):
    def shares(self, here: Tensor) -> Tensor:
        return here.to(torch.float32)


class SaysAdditive(Good):
    additive = True


class Additive(Good):
    additive = True

    def join(self, mixed: Tensor) -> Tensor:
        return self.joint(mixed)


class HidesAdditive(Additive):
    additive = False


class ReadsPadding(Good):
    def part(self, batch: Batch, role: str, like: Sequences) -> Sequences:
        return batch.inputs.get(role) or super().part(batch, role, like)


class GoodHead(nn.Module):
    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, *, classes: int, role: str) -> None:
        super().__init__()
        self.role = role
        self.out = nn.Linear(dim, classes)
        self.each = nn.Linear(dim, classes)

    def forward(self, fused: Fused, batch: Batch) -> Any:
        s = batch.inputs[self.role]
        mean = s.zeroed().sum(1) / s.lengths.clamp_min(1)[:, None]
        return {"classes": self.out(fused.pooled + mean), "steps": self.each(fused.steps.zeroed())}


class GivesList(GoodHead):
    def forward(self, fused: Fused, batch: Batch) -> Any:
        return list(super().forward(fused, batch).values())


class GivesMean(GoodHead):
    def forward(self, fused: Fused, batch: Batch) -> Any:
        return {name: t[:1] for name, t in super().forward(fused, batch).items()}


class HeadReadsPadding(GoodHead):
    def forward(self, fused: Fused, batch: Batch) -> Any:
        return {
            "classes": self.out(fused.pooled + fused.steps.values.mean(1)),
            "steps": self.each(fused.steps.zeroed()),
        }


class NeedsATokenizer(GoodHead):
    def __init__(self, dim: int, *, tokenizer: nn.Module) -> None:
        super().__init__(dim, classes=2, role="video")
