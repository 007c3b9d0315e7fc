"""A small encoder and pooling that conform, and one broken in each way that the suite knows."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn import Sequences


class Good(nn.Module):
    """Each step beside the mean of its row."""

    takes: ClassVar[str] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.each = nn.Linear(in_dim, dim)
        self.mean = nn.Linear(in_dim, dim)

    def forward(self, s: Sequences) -> Any:
        x = self.clean(s)
        mean = x.sum(1, keepdim=True) / self.count(s)
        return s.with_values((self.each(x) + self.mean(mean)) * s.mask[..., None])

    def clean(self, s: Sequences) -> Tensor:
        return s.zeroed()

    def count(self, s: Sequences) -> Tensor:
        return s.lengths.clamp_min(1)[:, None, None]


class NeedsMore(Good):
    def __init__(self, in_dim: int) -> None:
        super().__init__(in_dim, in_dim)


class NoModule:
    takes = "steps"

    def __init__(self, in_dim: int, dim: int) -> None:
        self.dim = dim


class UnseededStart(Good):
    starts = 0

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        UnseededStart.starts += 1
        self.each.weight.data.fill_(float(UnseededStart.starts))


class WrongDim(Good):
    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        self.dim = dim + 1


class TakesNothing(Good):
    takes = "films"


class GivesTensor(Good):
    def forward(self, s: Sequences) -> Any:
        return super().forward(s).values


class NeedsTwoSteps(Good):
    def forward(self, s: Sequences) -> Any:
        if s.mask.shape[1] < 2:
            raise ValueError("needs two steps")
        return super().forward(s)


class LosesRows(Good):
    def forward(self, s: Sequences) -> Any:
        out = super().forward(s)
        return Sequences(out.values, out.mask & (s.lengths > 3)[:, None], out.times)


class LateClock(Good):
    def forward(self, s: Sequences) -> Any:
        return Sequences(super().forward(s).values, s.mask, s.times + 100)


class FallingClock(Good):
    def forward(self, s: Sequences) -> Any:
        turned = s.times.max() - s.times.flip(-1)
        inside = turned.clamp(min=s.times[:, :1, :1], max=s.times.amax((1, 2), keepdim=True))
        return Sequences(super().forward(s).values, s.mask, inside)


class ReadsPadding(Good):
    def clean(self, s: Sequences) -> Tensor:
        return s.values.nan_to_num(0.0, 0.0, 0.0)


class BatchNormed(Good):
    """Right in eval mode; in training its statistics are those of padding too, when that is large."""

    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        self.norm = nn.BatchNorm1d(in_dim)

    def clean(self, s: Sequences) -> Tensor:
        x = s.zeroed()
        return self.norm(x.transpose(1, 2)).transpose(1, 2) * s.mask[..., None]


class CountsPadding(Good):
    def count(self, s: Sequences) -> Tensor:
        return torch.full((len(s.mask), 1, 1), s.mask.shape[1])


class SeesOtherRows(Good):
    def clean(self, s: Sequences) -> Tensor:
        x = s.zeroed()
        return (x - x.mean((0, 1))) * s.mask[..., None]


class DividesByNothing(Good):
    def forward(self, s: Sequences) -> Any:
        x = s.zeroed()
        mean = x.sum(1, keepdim=True) / s.lengths[:, None, None]
        return s.with_values(torch.where(s.mask[..., None], self.each(x) + self.mean(mean), 0.0))


class AbsentComesBack(Good):
    def forward(self, s: Sequences) -> Any:
        return Sequences(super().forward(s).values, s.mask | ~s.present[:, None], s.times)


class Forgotten(Good):
    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        self.unused = nn.Linear(in_dim, dim)


class Noisy(Good):
    def forward(self, s: Sequences) -> Any:
        out = super().forward(s)
        return out.with_values(out.values + 1e-6 * torch.randn(self.dim) * s.mask[..., None])


class Counts(Good):
    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, s: Sequences) -> Any:
        self.calls += 1
        return super().forward(s)


class Unsaved(Good):
    def __init__(self, in_dim: int, dim: int) -> None:
        super().__init__(in_dim, dim)
        self.secret = torch.randn(dim)

    def forward(self, s: Sequences) -> Any:
        out = super().forward(s)
        return out.with_values(out.values + self.secret * s.mask[..., None])


class Cancels(Good):
    def clean(self, s: Sequences) -> Tensor:
        x = self.each.weight.new_tensor(1.0) * s.zeroed()
        if torch.is_autocast_enabled("cpu"):
            x = ((x + 300).bfloat16() - 300).float() * s.mask[..., None]
        return x


class FixedLength(Good):
    """The tracer writes the number of steps into the graph."""

    def count(self, s: Sequences) -> Tensor:
        count = torch.zeros(len(s.mask), 1, 1)
        for t in range(s.mask.shape[1]):
            count = count + s.mask[:, t, None, None]
        return count.clamp_min(1)


class Raises(Good):
    def forward(self, s: Sequences) -> Any:
        raise KeyError("no such thing")


class GoodPooling(nn.Module):
    onnx: ClassVar[bool] = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, sequences: Sequences) -> Tensor:
        return self.scale * sequences.zeroed().sum(1) / sequences.lengths.clamp_min(1)[:, None]


class PoolsPadding(GoodPooling):
    def forward(self, sequences: Sequences) -> Tensor:
        return self.scale * sequences.values.mean(1)


class LeavesBias(GoodPooling):
    def forward(self, sequences: Sequences) -> Tensor:
        return super().forward(sequences) + self.scale


class KeepsTime(GoodPooling):
    def forward(self, sequences: Sequences) -> Tensor:
        return self.scale * sequences.zeroed()


class NoDim(GoodPooling):
    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        del self.dim
