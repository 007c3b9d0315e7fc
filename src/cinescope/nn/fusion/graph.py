"""Graph neural fusion: a node for each role, edges learned, and messages between those that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Pool, Pooled, checked, gather, masked_softmax, present, weighted_mean, whole


class GraphLayer(nn.Module):
    """h (B, R, D), A (B, R, R) -> relu(sum over j of A_ij W h_j + b) (B, R, D): the articles' update of a node."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Linear(dim, dim, bias=False)
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        return (edges.to(nodes.dtype) @ self.weight(nodes) + self.bias).relu()


class Graph(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = a projection of the mean node, first and last layer side by side.

    The articles' update h_i' = sigma(sum over j of A_ij W h_j + b), with sigma the rectifier. A is learned, a node's
    own edge included, and each row of it is a softmax over the present roles: an absent one sends nothing and what it
    would have sent goes to the others. The mean over nodes is of present ones.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        dim: int,
        *,
        layers: int = 2,
        pool: Pool = "mean",
        dropout: float = 0.2,
        drop: float = 0.0,
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.each = Pooled(dims, dim, pool, dropout)
        self.edges = nn.Parameter(torch.eye(len(dims)))
        self.layers = nn.ModuleList(GraphLayer(dim) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(2 * dim, dim)

    def adjacency(self, here: Tensor) -> Tensor:
        """(B, R) bool -> A (B, R, R): rows of present roles sum to 1 over present ones, the others are zeros."""
        both = here[:, :, None] & here[:, None]
        return masked_softmax(self.edges.expand(both.shape), both)

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        here, first = present(parts), self.each(parts)
        edges, nodes = self.adjacency(here), first
        for layer in self.layers:
            nodes = self.dropout(layer(nodes, edges))
        pooled = self.out(weighted_mean(torch.cat([first, nodes], -1), here))
        return Fused(whole(pooled, parts), pooled, parts)
