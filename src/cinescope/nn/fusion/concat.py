"""Fusion by concatenation: the simplest joint one, and the one to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Joint, Pool, Pooled, checked, gather, present, whole


class Concat(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim): pooled roles side by side with presence flags, then a perceptron.

    Early fusion as in Baltrusaitis et al. 2019, section 5.1. Keeps no time: steps are (B, 1, dim).
    """

    additive: ClassVar[bool] = False
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
        self.joint = Joint(len(dims), dim, dropout, hidden)

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        pooled = self.joint(self.each(parts), present(parts))
        return Fused(whole(pooled, parts), pooled, parts)
