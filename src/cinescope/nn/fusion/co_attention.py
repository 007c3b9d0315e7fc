"""Co-attention: what counts in each role's steps is read from all roles at once, in two readings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Tokens
from cinescope.nn.fusion.common import (
    Joint,
    Parts,
    checked,
    clock_role,
    gather,
    masked_softmax,
    present,
    weighted_mean,
)
from cinescope.types import BadQueryError


class CoAttention(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim) = the parts joined.

    kind="gate", the articles' A = sigma(W_v V + W_t T + b) for R roles: each step x of role r is gated, unit by unit,
    by sigma(W_r x + sum over the other present roles n of W_n mean(x_n) + b); with one step a role that is the formula
    as written, the same A for both. Parts are the gated steps; their mean over time is joined.

    kind="parallel", Lu et al. 2016, section 3.3, eqs. 3 to 5, for R roles: affinity C_rn = tanh(X_r W_rn X_n^T),
    H_r = tanh(W_r X_r + sum over n of C_rn W_n X_n), attention over steps a_r = softmax(w_r^T H_r), and sum of a_r x_r
    is joined. Parts are the steps weighted: a_r times x_r, times the number of steps.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        kind: Literal["gate", "parallel"] = "gate",
        clock: str | None = None,
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        if kind not in ("gate", "parallel"):
            raise BadQueryError(f"there is no kind of co-attention '{kind}'", "give gate or parallel")
        self.kind, self.clock = kind, clock_role(dims, clock)
        self.tokens = Tokens(dims, dim, dropout)
        self.view = nn.ModuleDict({role: nn.Linear(dim, dim, bias=False) for role in dims})
        if kind == "gate":
            self.bias = nn.Parameter(torch.zeros(dim))
        else:
            self.pairs = list(combinations(self.roles, 2))
            self.affinity = nn.ParameterList(
                nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, dim))) for _ in self.pairs
            )
            self.score = nn.ModuleDict({role: nn.Linear(dim, 1, bias=False) for role in dims})
        self.joint = Joint(len(dims), dim, dropout)

    def forward(self, batch: Batch) -> Fused:
        parts = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        gated = {r: self.gates(parts)[r] for r in parts} if self.kind == "gate" else {}
        out: Parts = {}
        vectors = []
        if self.kind == "gate":
            for role, s in parts.items():
                out[role] = s.with_values(gated[role] * s.values)
                vectors.append(weighted_mean(out[role].values, s.mask))
        else:
            for (role, s), a in zip(parts.items(), self.attention(parts).values(), strict=True):
                vectors.append((a[..., None] * s.values).sum(1))
                count = s.lengths.to(a.dtype)[:, None, None]
                out[role] = s.with_values(a[..., None] * s.values * count)
        return Fused(out[self.clock], self.joint(torch.stack(vectors, 1), present(out)), out)

    def gates(self, parts: Parts) -> dict[str, Tensor]:
        """Role -> sigma(W_v V + W_t T + b) for each of its steps (B, T_r, dim)."""
        own = {role: self.view[role](s.values) for role, s in parts.items()}
        mean = {role: weighted_mean(own[role], s.mask) for role, s in parts.items()}
        total = torch.stack(list(mean.values()), 1).sum(1)  # an absent role's mean is zeros: it adds nothing
        return {role: (own[role] + (total - mean[role])[:, None] + self.bias).sigmoid() for role in parts}

    def attention(self, parts: Parts) -> dict[str, Tensor]:
        """Role -> a_r (B, T_r), which sums to 1 over its true steps."""
        own = {role: self.view[role](s.values) for role, s in parts.items()}
        heard = dict(own)
        for (one, two), weight in zip(self.pairs, self.affinity, strict=True):
            x, y = parts[one], parts[two]
            both = x.mask[:, :, None] & y.mask[:, None]
            c = (x.values @ weight @ y.values.transpose(1, 2)).tanh().masked_fill(~both, 0.0)
            heard[one] = heard[one] + c @ own[two]
            heard[two] = heard[two] + c.transpose(1, 2) @ own[one]
        return {role: masked_softmax(self.score[role](heard[role].tanh())[..., 0], s.mask) for role, s in parts.items()}
