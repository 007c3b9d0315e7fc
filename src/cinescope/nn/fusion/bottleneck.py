"""Attention bottleneck: each role's Transformer hears the others only through a few shared tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.attention import heads_for
from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Block, Tokens
from cinescope.nn.fusion.common import (
    ByRole,
    Parts,
    Pool,
    checked,
    clock_role,
    gather,
    present,
    weighted_mean,
)


class Bottleneck(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim).

    Nagrani et al. 2021 (MBT), section 3.2.3, eqs. 7 to 9: a layer of role r is self-attention over
    [class token; its steps; the bottleneck tokens]; what the present roles made of the bottleneck is averaged for the
    next layer. Two layers at least, or no class token would have heard another role. pool="class" averages the class
    tokens of the present roles after the last layer, as the paper averages their logits; any other pooling is of each
    role's steps after the last layer, and a perceptron over them is added: it learns relations from far fewer rows.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        bottlenecks: int = 4,
        layers: int = 2,
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
        self.first = nn.Parameter(torch.randn(len(dims), dim) * 0.1)
        self.shared = nn.Parameter(torch.randn(1, bottlenecks, dim) * 0.1)
        count = heads_for(dim, heads)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({role: Block(dim, count, dropout) for role in dims}) for _ in range(layers)
        )
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.read = None if pool == "class" else ByRole(dims, dim, pool, dropout)

    def forward(self, batch: Batch) -> Fused:
        parts = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        here = present(parts)
        rows, count = here.shape[0], self.shared.shape[1]
        shared = self.shared.expand(rows, -1, -1)
        there = torch.ones(rows, 1, dtype=torch.bool, device=here.device)
        streams = {
            role: torch.cat([self.first[i].expand(rows, 1, -1).to(s.values.dtype), s.values], 1)
            for i, (role, s) in enumerate(parts.items())
        }
        for blocks in self.blocks:
            made = []
            for role, s in parts.items():
                mask = torch.cat([there, s.mask, there.expand(-1, count)], 1)
                x = blocks[role](torch.cat([streams[role], shared.to(s.values.dtype)], 1), mask)  # type: ignore[index]
                streams[role] = x[:, :-count]
                made.append(x[:, -count:].flatten(1))
            shared = weighted_mean(torch.stack(made, 1), here).unflatten(1, (count, -1))
        streams = {role: self.norm[role](x) for role, x in streams.items()}
        out: Parts = {
            role: s.with_values(streams[role][:, 1:].masked_fill(~s.mask[..., None], 0.0)) for role, s in parts.items()
        }
        classes = torch.stack([x[:, 0] for x in streams.values()], 1)
        pooled = weighted_mean(classes, here)
        if self.read is not None:
            pooled = pooled + self.read(out)
        return Fused(out[self.clock], pooled, out)
