"""Fusion by cross-attention: each role's steps look at the steps of all the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.attention import heads_for
from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Block, Tokens
from cinescope.nn.fusion.common import ByRole, Parts, Pool, checked, clock_role, gather


class CrossAttention(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim) = the parts joined.

    In each layer a role's steps are the queries, the steps of all other roles before that layer the keys and values
    (ViLBERT's co-attentional layer, Lu et al. 2019, section 2.2, for any number of roles). Where no other role is
    there a step keeps what it has.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        layers: int = 1,
        heads: int | None = None,
        clock: str | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.clock = clock_role(dims, clock)
        self.tokens = Tokens(dims, dim, dropout)
        count = heads_for(dim, heads)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({role: Block(dim, count, dropout) for role in dims}) for _ in range(layers)
        )
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.read = ByRole(dims, dim, pool, dropout)

    def forward(self, batch: Batch) -> Fused:
        parts = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        for blocks in self.blocks:
            parts = {role: self._looked(blocks[role], role, parts) for role in self.roles}  # type: ignore[index]
        out: Parts = {}
        for role, s in parts.items():
            out[role] = s.with_values(self.norm[role](s.values).masked_fill(~s.mask[..., None], 0.0))
        return Fused(out[self.clock], self.read(out), out)

    def _looked(self, block: nn.Module, role: str, parts: Parts) -> object:
        own, others = parts[role], [s for name, s in parts.items() if name != role]
        if others:
            y, mask = torch.cat([s.values for s in others], 1), torch.cat([s.mask for s in others], 1)
        else:
            y, mask = own.values, own.mask  # a single role can only look at itself
        return own.with_values(block(own.values, mask, y))
