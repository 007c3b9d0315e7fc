"""Gated multimodal unit: learned gates say, for each unit and row, which role speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, masked_softmax, present, whole


class Gated(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = sum over roles of z_r * tanh(W_r x_r), shares (B, R) = mean of z_r.

    Arevalo et al. 2017, section 3.1: h_v = tanh(W_v x_v), h_t = tanh(W_t x_t), z = sigma(W_z [x_v, x_t]),
    h = z * h_v + (1 - z) * h_t. For R roles the gates are a softmax over the present ones of W_z,r [x_1 .. x_R], which
    for two is that z and 1 - z. `tied=False` is the paper's figure 2(a): a sigmoid gate a role, each on its own.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        tied: bool = True,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.tied = tied
        self.each = Pooled(dims, dim, pool, dropout)
        self.say = nn.ModuleDict({role: nn.Linear(dim, dim) for role in dims})
        self.gate = nn.Linear(len(dims) * (dim + 1), len(dims) * dim)

    def gates(self, vectors: Tensor, here: Tensor) -> Tensor:
        """(B, R, dim), (B, R) bool -> (B, R, dim): 0 for absent roles; tied ones sum to 1 over the present."""
        asked = self.gate(torch.cat([vectors.flatten(1), here.to(vectors.dtype)], 1)).unflatten(
            1, (*here.shape[1:], -1)
        )
        known = here[..., None].expand_as(asked)
        return masked_softmax(asked, known, 1) if self.tied else asked.sigmoid().masked_fill(~known, 0.0)

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        here, vectors = present(parts), self.each(parts)
        gates = self.gates(vectors, here)
        said = torch.stack([torch.tanh(self.say[r](vectors[:, i])) for i, r in enumerate(self.roles)], 1)
        pooled = (gates * said).sum(1)
        mean = gates.mean(-1)
        shares = mean / mean.sum(1, keepdim=True).clamp_min(1e-12)
        return Fused(whole(pooled, parts), pooled, parts, shares)
