"""Low-rank multimodal fusion: tensor fusion whose weight is a sum of few products, so any number of roles is cheap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, whole
from cinescope.nn.fusion.tensor import with_one


class LowRank(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = b + sum over i of the product over roles of w_r^(i) [1; z_r].

    Liu et al. 2018, eqs. 4 to 6: equal to `TensorFusion` with `full_weight()`, without ever building it. An absent role
    is [1; 0], whose factor is its constant.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        rank: int = 8,
        width: int | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.width = width or dim
        self.each = Pooled(dims, self.width, pool, dropout)
        # A factor is about 1 plus something small: the product then starts near the sum of the roles, and its size
        # depends neither on the number of roles nor on the rank.
        factors = torch.randn(len(dims), rank, dim, self.width + 1) / math.sqrt(self.width)
        factors[..., 0] = 1.0
        sign = torch.where(torch.arange(rank) % 2 == 0, 1.0, -1.0) / math.sqrt(rank)
        factors[0] *= sign[:, None, None]
        self.factors = nn.Parameter(factors)
        self.bias = nn.Parameter(torch.zeros(dim))

    def fused(self, vectors: Tensor) -> Tensor:
        """(B, R, 1 + width) -> (B, dim)."""
        each = torch.einsum("brw,rkdw->brkd", vectors, self.factors.to(vectors.dtype))
        product = each[:, 0]
        for i in range(1, len(self.roles)):
            product = product * each[:, i]
        return product.sum(1) + self.bias

    def full_weight(self) -> Tensor:
        """(dim, (1 + width)^R): the weight of the tensor fusion that this one equals."""
        whole_weight = self.factors[0]  # (rank, dim, units so far)
        for factor in self.factors[1:]:
            whole_weight = (whole_weight[..., :, None] * factor[..., None, :]).flatten(2)
        return whole_weight.sum(0)

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        pooled = self.fused(with_one(self.each(parts)))
        return Fused(whole(pooled, parts), pooled, parts)
