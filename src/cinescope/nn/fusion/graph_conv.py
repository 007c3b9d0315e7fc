"""Graph convolution over modality-time nodes: each step of each role is a node, linked in time and across roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.attending import Tokens
from cinescope.nn.fusion.common import ByRole, Parts, Pool, checked, clock_role, gather
from cinescope.nn.sequences import Sequences


def links(parts: Mapping[str, Sequences]) -> Tensor:
    """Parts with N steps in all -> A (B, N, N) of 0 and 1, symmetric, without loops.

    Two true steps are linked where they follow each other in one role, or belong to two roles and overlap in time; a
    step that overlaps nothing of another role is linked to the step of that role whose middle is nearest.
    """
    sequences = list(parts.values())
    masks, times = torch.cat([s.mask for s in sequences], 1), torch.cat([s.times for s in sequences], 1)
    role = torch.cat([torch.full((s.mask.shape[1],), i, device=s.mask.device) for i, s in enumerate(sequences)])
    order = torch.cat([s.mask.long().cumsum(1) for s in sequences], 1)
    both = masks[:, :, None] & masks[:, None]
    same = role[:, None] == role[None]
    follows = (order[:, :, None] - order[:, None]).abs() == 1
    start, end = times[..., 0], times[..., 1]
    overlap = (start[:, :, None] < end[:, None]) & (start[:, None] < end[:, :, None])
    linked = both & ((same & follows) | (~same & overlap))
    middle = times.mean(-1)
    away = (middle[:, :, None] - middle[:, None]).abs()
    for i in range(len(sequences)):  # to role i from the others
        into = both & (role == i) & (role != i)[:, None]
        alone = into.any(-1) & ~(linked & into).any(-1)
        nearest = away.masked_fill(~into, float("inf"))
        nearest = into & (nearest == nearest.amin(-1, keepdim=True))
        # Of equally near ones the first, so that each lonely step gets one link.
        linked = linked | (nearest & (nearest.long().cumsum(-1) == 1) & alone[..., None])
    return (linked | linked.transpose(1, 2)).to(torch.float32)


def normalised(adjacency: Tensor) -> Tensor:
    """A (B, N, N) -> D^-1/2 (A + I) D^-1/2, D the row sums of A + I (Kipf and Welling 2017, eq. 2)."""
    looped = adjacency + torch.eye(adjacency.shape[-1], dtype=adjacency.dtype, device=adjacency.device)
    scale = looped.sum(-1).rsqrt()
    return scale[..., :, None] * looped * scale[..., None, :]


class GraphConv(nn.Module):
    """Roles (B, T_r, D_r) -> parts (B, T_r, dim), steps = the part of `clock`, pooled (B, dim) = the parts joined.

    H' = H + relu(D^-1/2 (A + I) D^-1/2 H W + b) over all true steps of all roles (Kipf and Welling 2017, eq. 2, with
    residuals); A by `links`. Padding has no links and sends nothing.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        layers: int = 2,
        clock: str | None = None,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.clock = clock_role(dims, clock)
        self.tokens = Tokens(dims, dim, dropout)
        self.layers = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.read = ByRole(dims, dim, pool, dropout)

    def forward(self, batch: Batch) -> Fused:
        parts = self.tokens(gather(batch, self.dims, self.drop if self.training else 0.0))
        spread = normalised(links(parts))
        nodes = torch.cat([s.values for s in parts.values()], 1)
        mask = torch.cat([s.mask for s in parts.values()], 1)[..., None]
        for layer in self.layers:
            heard = spread.to(nodes.dtype) @ nodes
            nodes = (nodes + self.dropout(layer(heard).relu())).masked_fill(~mask, 0.0)
        split = nodes.split([s.values.shape[1] for s in parts.values()], 1)
        out: Parts = {role: s.with_values(v) for (role, s), v in zip(parts.items(), split, strict=True)}
        return Fused(out[self.clock], self.read(out), out)
