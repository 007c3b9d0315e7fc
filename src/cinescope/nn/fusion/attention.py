"""Fusion by attention over the roles' vectors: which role matters is read from what each of them says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.fusion.common import Joint, Pool, Pooled, checked, gather, masked_softmax, present, whole


class Attention(nn.Module):
    """Roles (B, T, D_r) -> pooled (B, dim) = sum of alpha_r z_r + perceptron([n alpha_r z_r]); shares = alpha.

    alpha = softmax over the present roles of v^T tanh(W z_r + b) (Bahdanau et al. 2015, appendix A.1.2; over
    modalities: Hori et al. 2017, eq. 12). The weighted sum alone can hardly tell how roles relate: the
    perceptron, which sees the weighted vectors of the n present roles side by side, makes it joint.
    """

    additive: ClassVar[bool] = False
    onnx: ClassVar[bool] = True

    def __init__(
        self, dims: Mapping[str, int], dim: int, *, pool: Pool = "mean", dropout: float = 0.2, drop: float = 0.0
    ) -> None:
        super().__init__()
        self.dims, self.roles, self.dim, self.drop = checked(dims, dim, drop, dropout), tuple(dims), dim, drop
        self.each = Pooled(dims, dim, pool, dropout)
        self.key = nn.Linear(dim, dim)
        self.score = nn.Linear(dim, 1, bias=False)
        self.joint = Joint(len(dims), dim, dropout)

    def weights(self, vectors: Tensor, here: Tensor) -> Tensor:
        """(B, R, dim), (B, R) bool -> alpha (B, R)."""
        return masked_softmax(self.score(self.key(vectors).tanh())[..., 0], here)

    def forward(self, batch: Batch) -> Fused:
        parts = gather(batch, self.dims, self.drop if self.training else 0.0)
        here, vectors = present(parts), self.each(parts)
        shares = self.weights(vectors, here)
        weighted = shares[..., None] * vectors
        count = here.sum(1)[:, None, None].to(weighted.dtype)  # the mean weight is then 1, however many there are
        pooled = weighted.sum(1) + self.joint(weighted * count, here)
        return Fused(whole(pooled, parts), pooled, parts, shares)
