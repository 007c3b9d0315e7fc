"""MulT, the cross-modal Transformer: each role is reinforced by every other one, for roles that are not aligned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from cinescope.nn.attention import heads_for
from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Block, Tokens
from cinescope.nn.fusion.common import ByRole, Parts, Pool, checked, clock_role, gather
from cinescope.nn.sequences import Sequences


class MulT(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim) = the parts joined.

    Tsai et al. 2019, section 3.2: for every ordered pair a cross-modal Transformer n -> r, whose every layer has the
    target's steps as queries and the source's first-level steps as keys and values (eqs. 2 to 4); a target's versions
    from all sources side by side go through a self-attention Transformer. Here they are projected back to `dim` with a
    flag for each source that is there, and time is pooled by `pool`, not read off the last step. R (R - 1)
    Transformers: with more than a few roles take bottleneck.
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
        count, others = heads_for(dim, heads), len(dims) - 1
        self.cross = nn.ModuleDict(
            {
                f"{source}->{target}": nn.ModuleList(Block(dim, count, dropout) for _ in range(layers))
                for target in dims
                for source in dims
                if source != target
            }
        )
        self.narrow = nn.ModuleDict({role: nn.Linear(others * (dim + 1), dim) for role in dims if others})
        self.own = nn.ModuleDict({role: Block(dim, count, dropout) for role in dims})
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.read = ByRole(dims, dim, pool, dropout)

    def forward(self, batch: Batch) -> Fused:
        tokens = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        out: Parts = {}
        for role, s in tokens.items():
            x = self.own[role](self._reinforced(role, tokens), s.mask)
            out[role] = s.with_values(self.norm[role](x).masked_fill(~s.mask[..., None], 0.0))
        return Fused(out[self.clock], self.read(out), out)

    def _reinforced(self, target: str, tokens: Mapping[str, Sequences]) -> Tensor:
        own = tokens[target].values
        versions = []
        for source, s in tokens.items():
            if source == target:
                continue
            x = own
            for block in cast(nn.ModuleList, self.cross[f"{source}->{target}"]):
                x = block(x, s.mask, s.values)
            there = s.present[:, None, None]
            flag = there.to(x.dtype).expand(*x.shape[:2], 1)
            versions += [x.masked_fill(~there, 0.0), flag]
        return own if not versions else own + self.narrow[target](torch.cat(versions, -1))
