"""Tensor fusion: every product of the roles' units, of all orders at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, whole
from cinescope.types import BadQueryError

_UNITS = 4096  # numbers in the outer product that a default width keeps to
_MOST = 1 << 24  # numbers in the weight: 64 MiB


def with_one(vectors: Tensor) -> Tensor:
    """(B, R, width) -> (B, R, width + 1), a 1 before each: [1; z_m]. An absent role is [1; 0], the neutral factor."""
    return torch.cat([torch.ones_like(vectors[..., :1]), vectors], -1)


def outer(vectors: Tensor) -> Tensor:
    """(B, R, W) -> (B, W^R): the outer product of a row's R vectors; the last one's units run fastest."""
    product = vectors[:, 0]
    for i in range(1, vectors.shape[1]):
        product = (product[:, :, None] * vectors[:, i, None]).flatten(1)
    return product


def default_width(roles: int, dim: int) -> int:
    """The widest vector a role, up to 32, whose outer product keeps to 4,096 numbers."""
    width = min(32, dim)
    while width > 1 and (width + 1) ** roles > _UNITS:
        width -= 1
    return width


class TensorFusion(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = W Z + b, Z the outer product over roles of [1; z_r], z_r of `width`.

    Zadeh et al. 2017, section 4.2, eq. 2: Z holds every role alone, every pair, and so on to all together. An absent
    role is [1; 0]: the products with it are gone and those of the others stay. (width + 1)^R * dim weights: with more
    than a few roles take low_rank. BadQueryError where that is more than 16,777,216.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        width: int | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.width = width or default_width(len(dims), dim)
        units = (self.width + 1) ** len(dims)
        if units * dim > _MOST:
            raise BadQueryError(
                f"tensor fusion of {len(dims)} roles of {self.width} numbers to {dim} needs {units * dim:,} weights",
                "give a smaller width, or take the fusion low_rank",
            )
        self.each = Pooled(dims, self.width, pool, dropout)
        # The shorter the vectors, the less the products of high order weigh beside the roles alone, which is what
        # stays when a role is absent, and the less they fit noise.
        self.scale = 2 / math.sqrt(self.width)
        # Products start at nothing, roles alone do not: what a role says by itself is learned first.
        order = outer(with_one(torch.full((1, len(dims), self.width), 2.0)))[0].log2()  # how many roles are in a unit
        random = torch.randn(dim, units) / math.sqrt(1 + len(dims) * self.scale**2 * self.width)
        self.weight = nn.Parameter(random * (order < 1.5))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        product = outer(with_one(self.scale * self.each(parts)))
        pooled = nn.functional.linear(product, self.weight, self.bias)
        return Fused(whole(pooled, parts), pooled, parts)
