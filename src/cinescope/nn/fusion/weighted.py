"""Fusion by a learned weighted sum: additive, so it adds evidence up and cannot tell how roles relate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, masked_softmax, present, whole


class Weighted(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = sum of w_r V_r z_r, z_r the pooled role; shares (B, R) = w.

    w is a softmax over the present roles of one learned number each, so an absent role's weight goes to the others.
    Additive: under a linear head the score is a sum of one function a role, and no such sum is (a + b) mod 4.
    """

    additive: ClassVar[bool] = True
    onnx: ClassVar[bool] = True

    def __init__(
        self, dims: Mapping[str, int], dim: int, *, pool: Pool = "mean", dropout: float = 0.2, drop: float = 0.0
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.each = Pooled(dims, dim, pool, dropout)
        self.say = nn.ModuleDict({role: nn.Linear(dim, dim) for role in dims})
        self.weight = nn.Parameter(torch.zeros(len(dims)))

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        here, vectors = present(parts), self.each(parts)
        said = torch.stack([self.say[role](vectors[:, i]) for i, role in enumerate(self.roles)], 1)
        shares = masked_softmax(self.weight.expand(here.shape), here)
        pooled = (shares[..., None] * said).sum(1)
        return Fused(whole(pooled, parts), pooled, parts, shares)
