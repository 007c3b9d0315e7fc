"""NetVLAD: how steps lie around learned centres. Knows one role at a time."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class NetVLAD(nn.Module):
    """(B, T, D) -> (B, K D): V(k) = sum over t of a_k(x_t) (x_t - c_k), a_k(x) = softmax over k of (w_k^T x + b_k).

    Arandjelovic et al. 2016, equations 3 and 4; then each V(k) to length 1 (intra-normalisation), and all of them
    together (section 3.1). Steps come to length 1 first, as there. w and b start at 2 alpha c and -alpha |c|^2
    (after equation 2) and are learned apart from the centres c, whose start is random: `alpha` says how soft.
    """

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, clusters: int = 8, alpha: float = 10.0, normalise: bool = True) -> None:
        super().__init__()
        if clusters < 1 or alpha <= 0:
            raise BadQueryError(
                f"NetVLAD cannot have {clusters} clusters and alpha {alpha}", "give a cluster or more, alpha above 0"
            )
        self.dim, self.clusters, self.normalise = clusters * dim, clusters, normalise
        centres = functional.normalize(torch.randn(clusters, dim), dim=1)
        self.centres = nn.Parameter(centres)  # (K, D)
        self.assign = nn.Linear(dim, clusters)
        with torch.no_grad():
            self.assign.weight.copy_(2 * alpha * centres)
            self.assign.bias.copy_(-alpha * centres.square().sum(1))

    def forward(self, sequences: Sequences) -> Tensor:
        x = sequences.zeroed()  # (B, T, D)
        if self.normalise:
            x = functional.normalize(x, dim=2, eps=1e-6)
        soft = torch.softmax(self.assign(x).float(), 2).to(x.dtype)  # (B, T, K)
        soft = soft.masked_fill(~sequences.mask[..., None], 0.0)
        # sum a (x - c) = sum a x - c sum a: never (B, T, K, D) in memory
        sums = soft.transpose(1, 2) @ x  # (B, K, D)
        residuals = sums - soft.sum(1)[..., None] * self.centres
        flat = functional.normalize(residuals.float(), dim=2, eps=1e-6).flatten(1)
        whole = functional.normalize(flat, dim=1, eps=1e-6).to(x.dtype)
        return whole.masked_fill(~sequences.present[:, None], 0.0)
