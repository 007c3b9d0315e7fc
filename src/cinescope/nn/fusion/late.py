"""Late fusion: each role decides alone, and the decisions are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, equal_shares, gather, present, whole


class Late(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim): the mean over the present roles of each role's own decision (B, dim).

    A linear head over the mean is the mean of the head over each role's decision: decision-level fusion
    (Baltrusaitis et al. 2019, section 5.1). `parts` holds the decisions as one step (B, 1, dim) a role, for heads that
    ask a role alone. Additive: each role's say is fixed before another is seen. Under a perceptron as head it is not
    late any more.
    """

    additive: ClassVar[bool] = True
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        hidden: int | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.each = Pooled(dims, dim, pool, dropout)
        hidden = hidden or 2 * dim
        self.decide = nn.ModuleDict(
            {
                role: nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dim))
                for role in dims
            }
        )

    def forward(self, batch: Batch) -> Fused:
        given = gather(batch, self.dims, self.drop if self.training else 0.0)
        vectors = self.each(given)
        parts = {}
        for i, role in enumerate(self.roles):
            step = whole(self.decide[role](vectors[:, i]), {role: given[role]})
            parts[role] = replace(step, values=step.zeroed())
        shares = equal_shares(present(given))
        pooled = (shares[..., None] * torch.stack([s.values[:, 0] for s in parts.values()], 1)).sum(1)
        return Fused(whole(pooled, given), pooled, parts, shares)
