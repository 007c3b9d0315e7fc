"""Bilinear fusion: products of pairs of roles, in full or factorised, with the roles themselves beside them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, present, whole
from cinescope.types import BadQueryError

_MOST = 1 << 24  # numbers in the weights of one pair: 64 MiB


class Bilinear(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim): the mean of x_r W_rn x_n of present pairs and of S_r x_r.

    kind="factorised": W of low rank, P (tanh(U_r x_r) * tanh(U_n x_n)) with shortcuts S (Kim et al. 2017, MLB,
    eqs. 6, 9 and 10). kind="full": x_r^T W_k x_n for each unit k (Tenenbaum and Freeman 2000), W of width^2 * dim
    numbers. `width` is that of the roles' vectors. A pair counts where both are there; the sum is divided by the
    number of what is summed, so that an absent role does not change the scale.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        kind: Literal["factorised", "full"] = "factorised",
        width: int | None = None,
        rank: int | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        if kind not in ("factorised", "full"):
            raise BadQueryError(f"there is no kind of bilinear fusion '{kind}'", "give factorised or full")
        self.kind = kind
        width = width or (dim if kind == "factorised" else min(dim, 32))
        if kind == "full" and width * width * dim > _MOST:
            raise BadQueryError(
                f"a full bilinear fusion of width {width} to {dim} has {width * width * dim:,} numbers a pair",
                "give a smaller width or kind: factorised",
            )
        rank = rank or dim
        self.pairs = list(combinations(range(len(self.roles)), 2))
        self.each = Pooled(dims, width, pool, dropout)
        self.shortcut = nn.ModuleDict({role: nn.Linear(width, dim) for role in dims})
        if kind == "full" and self.pairs:
            self.full = nn.Parameter(torch.randn(len(self.pairs), dim, width, width) / width)
        if kind == "factorised":
            self.factor = nn.ModuleDict({role: nn.Linear(width, rank) for role in dims if self.pairs})
            self.products = nn.ModuleList(nn.Linear(rank, dim) for _ in self.pairs)
        self.dropout = nn.Dropout(dropout)

    def product(self, pair: int, vectors: Tensor) -> Tensor:
        """(B, R, width) -> (B, dim): x W y of one pair."""
        i, j = self.pairs[pair]
        if self.kind == "full":
            return torch.einsum("bi,kij,bj->bk", vectors[:, i], self.full[pair].to(vectors.dtype), vectors[:, j])
        x, y = (self.factor[self.roles[k]](vectors[:, k]).tanh() for k in (i, j))
        return self.products[pair](self.dropout(x * y))

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        here, vectors = present(parts), self.each(parts)
        terms = [self.shortcut[role](vectors[:, i]) for i, role in enumerate(self.roles)]
        terms += [self.product(p, vectors) for p in range(len(self.pairs))]
        known = torch.cat([here, *(here[:, [i]] & here[:, [j]] for i, j in self.pairs)], 1)
        counted = known.to(vectors.dtype)[..., None]
        pooled = (torch.stack(terms, 1) * counted).sum(1) / counted.sum(1).clamp_min(1.0)
        return Fused(whole(pooled, parts), pooled, parts)
