"""What the fusions share: the roles of a batch as masks, softmax over what is present, one vector a role, and joining.

Functions and small modules, no base class. Knows shapes and masks; knows no fusion by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch
from cinescope.nn.pooling import POOLINGS
from cinescope.nn.protocols import Pooling
from cinescope.nn.sequences import Sequences, absent_like
from cinescope.types import BadQueryError

Parts = dict[str, Sequences]
Pool = str | Mapping[str, Any]


def checked(dims: Mapping[str, int], dim: int, drop: float, dropout: float) -> dict[str, int]:
    """`dims` as a dict of its own. BadQueryError for sizes that no fusion can have."""
    if not dims:
        raise BadQueryError("a fusion needs at least one role", "give dims, such as {video: 64, sound: 40}")
    small = [role for role, width in dims.items() if width < 1]
    if small or dim < 1:
        raise BadQueryError(
            f"a fusion cannot have the widths {dict(dims)} and {dim}", "give widths of at least 1 for each role"
        )
    for name, chance in (("drop", drop), ("dropout", dropout)):
        if not 0 <= chance < 1:
            raise BadQueryError(f"'{name}' is a probability below 1, not {chance}", "give 0 to leave it out")
    return dict(dims)


def gather(batch: Batch, dims: Mapping[str, int], drop: float = 0.0) -> Parts:
    """Role -> its Sequences (B, T, dims[role]) in the order of `dims`, zeros where there is no step,
    in times too.

    A role that the batch lacks is absent in every row. With `drop` above 0 (training), each present role of a row
    becomes absent with that probability, never all of them, from torch's own random numbers (ModDrop, Neverova 2016).
    ValueError for a role of another width.
    """
    parts: Parts = {}
    for role, width in dims.items():
        given = batch.inputs.get(role)
        if given is None:
            given = _absent(batch, width)
        elif given.values.ndim != 3 or given.values.shape[2] != width:
            raise ValueError(f"the fusion takes '{role}' as (B, T, {width}), got {tuple(given.values.shape)}")
        parts[role] = Sequences(given.zeroed(), given.mask, given.times.masked_fill(~given.mask[..., None], 0.0))
    return _dropped(parts, drop) if drop > 0 else parts


def _absent(batch: Batch, width: int) -> Sequences:
    like = next(iter(batch.inputs.values()), None)
    if like is None:
        like = Sequences.of(torch.zeros(len(batch), 1, width))
    floating = [s.values.dtype for s in batch.inputs.values() if s.values.is_floating_point()]
    return absent_like(like, width, floating[0] if floating else torch.float32)


def _dropped(parts: Parts, drop: float) -> Parts:
    here = present(parts)
    luck = torch.rand(here.shape, device=here.device)
    kept = here & (luck >= drop)
    best = luck.masked_fill(~here, -1.0).argmax(1, keepdim=True)
    last = torch.zeros_like(here).scatter(1, best, True)  # the role that stays where all would go
    kept = torch.where(kept.any(1, keepdim=True), kept, last)
    out: Parts = {}
    for i, (role, s) in enumerate(parts.items()):
        gone = s.without(~kept[:, i])
        out[role] = replace(gone, values=gone.zeroed())
    return out


def present(parts: Mapping[str, Sequences]) -> Tensor:
    """(B, R) bool: which roles each row has."""
    return torch.stack([s.present for s in parts.values()], 1)


def masked_softmax(logits: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Softmax over where `mask` is true; zeros elsewhere, and zeros all along where it is true nowhere."""
    low = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
    return torch.softmax(low, dim).masked_fill(~mask, 0.0)


def equal_shares(here: Tensor) -> Tensor:
    """(B, R) bool -> (B, R): one divided by the number of present roles; zeros for a row without any."""
    known = here.to(torch.float32)
    return known / known.sum(1, keepdim=True).clamp_min(1.0)


def weighted_mean(values: Tensor, mask: Tensor) -> Tensor:
    """(B, N, D), (B, N) bool -> (B, D): the mean of the true ones; zeros where there is none."""
    weight = mask.to(values.dtype)[..., None]
    return (values * weight).sum(1) / weight.sum(1).clamp_min(1.0)


def pooling(pool: Pool, dim: int) -> Pooling:
    """A part of `nn.pooling` by name, or by {"name": ..., setting: ...}: Sequences (B, T, dim) -> (B, its dim)."""
    settings = dict(pool) if isinstance(pool, Mapping) else {"name": pool}
    name = settings.pop("name", "mean")
    return cast(Pooling, POOLINGS.create(name, dim, **settings))


class Pooled(nn.Module):
    """Parts -> (B, R, dim): each role's steps projected, pooled and normalised on their own; zeros where absent."""

    def __init__(self, dims: Mapping[str, int], dim: int, pool: Pool = "mean", dropout: float = 0.0) -> None:
        super().__init__()
        self.project = nn.ModuleDict({role: nn.Linear(width, dim) for role, width in dims.items()})
        self.pool = nn.ModuleDict({role: cast(nn.Module, pooling(pool, dim)) for role in dims})
        widths = {role: int(cast(Any, p).dim) for role, p in self.pool.items()}
        self.narrow = nn.ModuleDict({role: nn.Linear(w, dim) for role, w in widths.items() if w != dim})
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.dropout = nn.Dropout(dropout)

    def forward(self, parts: Mapping[str, Sequences]) -> Tensor:
        out = []
        for role, s in parts.items():
            row = self.pool[role](s.with_values(self.project[role](s.values)))
            if role in self.narrow:
                row = self.narrow[role](row)
            row = self.dropout(self.norm[role](row))
            out.append(row.masked_fill(~s.present[:, None], 0.0))
        return torch.stack(out, 1)


class Joint(nn.Module):
    """(B, R, dim), (B, R) bool -> (B, dim): a perceptron over the roles side by side and which of them are there.

    What stands for an absent role is a flag, so that a true vector of zeros is another thing than no vector.
    """

    def __init__(self, roles: int, dim: int, dropout: float = 0.0, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or 2 * dim
        self.net = nn.Sequential(
            nn.Linear(roles * (dim + 1), hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim)
        )

    def forward(self, vectors: Tensor, here: Tensor) -> Tensor:
        masked = vectors.masked_fill(~here[..., None], 0.0)
        return self.net(torch.cat([masked.flatten(1), here.to(masked.dtype)], 1))


class ByRole(nn.Module):
    """Parts of width `dim` -> (B, dim): each role's steps pooled, and the roles joined."""

    def __init__(self, dims: Mapping[str, int], dim: int, pool: Pool = "mean", dropout: float = 0.0) -> None:
        super().__init__()
        self.pool = nn.ModuleDict({role: cast(nn.Module, pooling(pool, dim)) for role in dims})
        width = int(next(iter(cast(Any, self.pool).values())).dim)
        self.joint = Joint(len(dims), width, dropout)
        self.out = nn.Identity() if width == dim else nn.Linear(width, dim)

    def forward(self, parts: Mapping[str, Sequences]) -> Tensor:
        vectors = torch.stack([self.pool[role](s) for role, s in parts.items()], 1)
        return self.out(self.joint(vectors, present(parts)))


def whole(pooled: Tensor, parts: Mapping[str, Sequences]) -> Sequences:
    """(B, D) as one step (B, 1, D) that spans all true steps of the row: for fusions that keep no time."""
    times, masks = ([getattr(s, name) for s in parts.values()] for name in ("times", "mask"))
    every, mask = torch.cat(times, 1), torch.cat(masks, 1)
    some = mask.any(1)
    start = every[..., 0].masked_fill(~mask, float("inf")).amin(1)
    end = every[..., 1].masked_fill(~mask, float("-inf")).amax(1)
    span = torch.stack([start, end], -1).masked_fill(~some[:, None], 0.0)
    values = pooled.masked_fill(~some[:, None], 0.0)
    return Sequences(values[:, None], some[:, None], span[:, None])


def clock_role(dims: Mapping[str, int], clock: str | None) -> str:
    """The role on whose steps the fused steps stand: the first where none is named."""
    if clock is None:
        return next(iter(dims))
    if clock not in dims:
        raise BadQueryError(f"the clock '{clock}' is not a role of the fusion", f"name one of {', '.join(dims)}")
    return clock
