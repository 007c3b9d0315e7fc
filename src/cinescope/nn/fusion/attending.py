"""Attention between steps for the fusions: masked, with the clock as positions. Knows no role."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.fusion.common import Parts
from cinescope.nn.sequences import Sequences

# Seconds of the shortest and the longest wave of the clock: a frame of sound to a long film.
_SHORTEST, _LONGEST = 0.1, 10_000.0


def clock_code(times: Tensor, origin: Tensor, dim: int) -> Tensor:
    """times (B, T, 2) seconds, origin (B,) -> (B, T, dim): sines and cosines of each step's middle since the origin.

    Vaswani et al. 2017, section 3.5, with seconds for indices and wavelengths from 0.1 to 10,000 s.
    """
    half = (dim + 1) // 2
    waves = torch.linspace(math.log(_SHORTEST), math.log(_LONGEST), half, dtype=torch.float64, device=times.device)
    angle = (times.mean(-1) - origin[:, None])[..., None] * (2 * math.pi / waves.exp())
    return torch.cat([angle.sin(), angle.cos()], -1)[..., :dim].to(torch.float32)


def origin_of(parts: Mapping[str, Sequences]) -> Tensor:
    """(B,) seconds: the first start among a row's true steps, 0 where there is none."""
    starts = torch.cat([s.times[..., 0] for s in parts.values()], 1)
    mask = torch.cat([s.mask for s in parts.values()], 1)
    first = starts.masked_fill(~mask, float("inf")).amin(1)
    return first.masked_fill(~mask.any(1), 0.0)


class Tokens(nn.Module):
    """Parts -> parts of width `dim`: each role projected, normalised, told which role it is and when its steps are.

    The clock comes in with a learned gain, small at first: in short clips it is rarely what matters.
    """

    def __init__(self, dims: Mapping[str, int], dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.project = nn.ModuleDict({role: nn.Linear(width, dim) for role, width in dims.items()})
        self.norm = nn.ModuleDict({role: nn.LayerNorm(dim) for role in dims})
        self.role = nn.Parameter(torch.randn(len(dims), dim) * 0.1)
        self.gain = nn.Parameter(torch.tensor(0.1))
        self.dropout = nn.Dropout(dropout)

    def forward(self, parts: Mapping[str, Sequences]) -> Parts:
        origin = origin_of(parts)
        out: Parts = {}
        for i, (role, s) in enumerate(parts.items()):
            when = self.gain * clock_code(s.times, origin, self.dim)
            values = self.dropout(self.norm[role](self.project[role](s.values)) + self.role[i] + when)
            out[role] = s.with_values(values.masked_fill(~s.mask[..., None], 0.0))
        return out


class Attention(nn.Module):
    """Queries (B, Q, D), keys (B, K, D), mask of keys (B, K) or (B, Q, K) -> (B, Q, D).

    softmax(Q K^T / sqrt(d)) V over several heads (Vaswani et al. 2017, eq. 1). A query without any key gets zeros.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim, bias=False)  # a bias of the keys changes nothing: softmax takes it out
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(queries), self.key(keys), self.value(keys))
        )
        allowed = mask[:, None] if mask.ndim == 2 else mask  # (B, 1 or Q, K)
        none = ~allowed.any(-1, keepdim=True)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=(allowed | none)[:, None])
        return self.out(mixed.transpose(1, 2).flatten(2)).masked_fill(none, 0.0)


class Block(nn.Module):
    """x (B, Q, D) attends to y (B, K, D), or to itself, then a feed-forward of each step; residual, norms first."""

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, widen: int = 2) -> None:
        super().__init__()
        self.before = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.between = nn.LayerNorm(dim)
        self.feed = nn.Sequential(
            nn.Linear(dim, widen * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(widen * dim, dim)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, y: Tensor | None = None) -> Tensor:
        """`mask` is that of the keys: of y (B, K), or of x itself."""
        queries = self.before(x)
        keys = queries if y is None else self.before(y)
        x = x + self.dropout(self.attention(queries, keys, mask))
        return x + self.dropout(self.feed(self.between(x)))
