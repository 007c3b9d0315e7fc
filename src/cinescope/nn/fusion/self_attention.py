"""Single-stream fusion: one Transformer over all steps of all roles, as in VideoBERT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.attention import heads_for
from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Block, Tokens
from cinescope.nn.fusion.common import ByRole, Parts, Pool, checked, clock_role, gather


class SelfAttention(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim).

    Tokens are projected steps with an embedding of their role and of their time in seconds; a class token goes first
    (Devlin et al. 2019, section 3). Layers as Vaswani et al. 2017 with norms first. pool="class" reads the class token
    alone; any other pooling is of each role's steps after the last layer, and a perceptron over them is added to it.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
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
        self.first = nn.Parameter(torch.randn(1, 1, dim) * 0.1)
        self.blocks = nn.ModuleList(Block(dim, heads_for(dim, heads), dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.read = None if pool == "class" else ByRole(dims, dim, pool, dropout)

    def forward(self, batch: Batch) -> Fused:
        parts = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        rows = parts[self.clock].mask.shape[0]
        first = self.first.expand(rows, -1, -1)
        x = torch.cat([first.to(parts[self.clock].values.dtype), *(s.values for s in parts.values())], 1)
        there = torch.ones(rows, 1, dtype=torch.bool, device=x.device)
        mask = torch.cat([there, *(s.mask for s in parts.values())], 1)
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x).masked_fill(~mask[..., None], 0.0)
        split = x.split([1, *(s.values.shape[1] for s in parts.values())], 1)
        out: Parts = {role: s.with_values(v) for (role, s), v in zip(parts.items(), split[1:], strict=True)}
        pooled = split[0][:, 0]
        if self.read is not None:
            pooled = pooled + self.read(out)
        return Fused(out[self.clock], pooled, out)
