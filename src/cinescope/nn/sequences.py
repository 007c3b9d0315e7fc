"""Sequences: padded steps of one role with their mask and their clock. Knows nothing of models or files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """B rows of T steps; a row that is absent has no true step, never NaN.

    What stands in `values` where the mask is false means nothing, and no part may let it change a result.
    """

    values: Tensor  # (B, T, ...): (B, T, D) numbers, (B, T) token ids, (B, T, C, H, W) pictures
    mask: Tensor  # (B, T) bool, true where there is a step
    times: Tensor  # (B, T, 2) float64, seconds, half-open; 0 where there is no step

    def __post_init__(self) -> None:
        if torch.jit.is_tracing() or torch.compiler.is_compiling():
            return
        rows, steps = self.values.shape[:2]
        if self.mask.shape != (rows, steps) or self.mask.dtype != torch.bool:
            raise ValueError(
                f"Sequences of values {tuple(self.values.shape)} need a bool mask {(rows, steps)}, "
                f"got {self.mask.dtype} {tuple(self.mask.shape)}"
            )
        if self.times.shape != (rows, steps, 2):
            raise ValueError(
                f"Sequences of values {tuple(self.values.shape)} need times {(rows, steps, 2)}, "
                f"got {tuple(self.times.shape)}"
            )

    @classmethod
    def of(cls, values: Tensor, mask: Tensor | None = None, times: Tensor | None = None) -> Sequences:
        """With every step there and a second each, where nothing else is said."""
        rows, steps = values.shape[:2]
        if mask is None:
            mask = torch.ones(rows, steps, dtype=torch.bool, device=values.device)
        if times is None:
            start = torch.arange(steps, dtype=torch.float64, device=values.device)
            times = torch.stack([start, start + 1], -1).expand(rows, steps, 2)
        return cls(values, mask, times)

    @property
    def present(self) -> Tensor:
        """(B,) bool: rows with at least one step."""
        return self.mask.any(1)

    @property
    def lengths(self) -> Tensor:
        """(B,) int64: how many steps are true."""
        return self.mask.sum(1)

    def with_values(self, values: Tensor) -> Sequences:
        """The same steps at the same times with other values (B, T, ...)."""
        return Sequences(values, self.mask, self.times)

    def zeroed(self) -> Tensor:
        """The values with zeros where there is no step; NaN in padding goes too."""
        mask = self.mask.reshape(*self.mask.shape, *[1] * (self.values.ndim - 2))
        return torch.where(mask, self.values, torch.zeros((), dtype=self.values.dtype, device=self.values.device))

    def rows(self, index: Tensor) -> Sequences:
        """Rows by index (N,) or a bool mask (B,)."""
        return Sequences(self.values[index], self.mask[index], self.times[index])

    def without(self, gone: Tensor) -> Sequences:
        """The rows where `gone` (B,) is true become absent."""
        return Sequences(self.values, self.mask & ~gone[:, None], self.times)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Sequences:
        return Sequences(*(t.to(device, non_blocking=non_blocking) for t in (self.values, self.mask, self.times)))


def absent_like(like: Sequences, dim: int, dtype: torch.dtype = torch.float32) -> Sequences:
    """One absent step (B, 1, dim) for each row of `like`."""
    rows, device = len(like.values), like.values.device
    return Sequences(
        torch.zeros(rows, 1, dim, dtype=dtype, device=device),
        torch.zeros(rows, 1, dtype=torch.bool, device=device),
        torch.zeros(rows, 1, 2, dtype=torch.float64, device=device),
    )


def pad(rows: Sequence[tuple[Tensor, Tensor]]) -> Sequences:
    """[(values (T_i, ...), times (T_i, 2))] -> Sequences padded to the longest, at least one step wide."""
    longest = max([len(values) for values, _ in rows] + [1])

    def wide(t: Tensor) -> Tensor:
        return functional.pad(t, [0, 0] * (t.ndim - 1) + [0, longest - len(t)])

    values = torch.stack([wide(values) for values, _ in rows])
    times = torch.stack([wide(times.to(torch.float64)) for _, times in rows])
    lengths = torch.tensor([len(v) for v, _ in rows])
    return Sequences(values, torch.arange(longest)[None] < lengths[:, None], times)
