"""Attention over masked steps, and the Transformer blocks made of it. Knows shapes and masks; knows no modality.

A query without any key to look at gets zeros, never NaN. Whoever calls has zeros where there is no step: a weight of
0 times NaN is NaN.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.patches import sinusoids
from cinescope.types import BadQueryError


def attend(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """query (..., Q, d), key (..., K, d), value (..., K, e), allowed (..., Q, K) -> (..., Q, e), weights (..., Q, K).

    softmax(Q K^T / sqrt(d)) V, Vaswani et al. 2017, equation 1, written out: the reference that the fast kernels are
    held to. Weights are 0 where not allowed, all 0 for a query that is allowed nothing. (One article divides the
    softmax by V; that has no meaning for matrices, and V multiplies here.)
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if allowed is None:
        weights = torch.softmax(scores, -1)
    else:
        low = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
        weights = torch.softmax(low, -1).masked_fill(~allowed, 0.0)
    return weights @ value, weights


def true_places(mask: Tensor) -> Tensor:
    """mask (B, T) -> (B, T) int64: how many true steps came before, so that padding and holes move nothing."""
    return (mask.long().cumsum(1) - 1).clamp_min(0)


def causal(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """(Q, K) bool: a query sees the keys up to its own place, the last query seeing all."""
    late = torch.arange(queries, device=device)[:, None] + (keys - queries)
    return torch.arange(keys, device=device)[None] <= late


def heads_for(dim: int, heads: int | None = None) -> int:
    """`heads` where they divide `dim`; where none are asked for, the first of 4, 2, 1 that does. BadQueryError else."""
    if heads is None:
        return next(n for n in (4, 2, 1) if dim % n == 0)
    if heads < 1 or dim % heads:
        raise BadQueryError(f"{heads} heads cannot share a width of {dim}", "choose heads that divide the width")
    return heads


def rotate(x: Tensor, places: Tensor) -> Tensor:
    """x (B, heads, T, d), places (B, T) -> x with each pair (i, i + d/2) turned by place * 10000^(-2i/d).

    Rotary positions (Su et al. 2021, equation 34): a product of two turned vectors depends on their distance alone.
    """
    half = x.shape[-1] // 2
    rates = torch.exp(torch.arange(half, device=x.device, dtype=torch.float32) * (-math.log(10_000.0) / half))
    angles = places[:, None, :, None].to(torch.float32) * rates
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half : 2 * half]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, x[..., 2 * half :]], -1)


class MultiHeadAttention(nn.Module):
    """x (B, Q, D) looks at context (B, K, C), or at itself -> (B, Q, D). Vaswani et al. 2017, section 3.2.2.

    `mask` (B, K) or (B, Q, K) is true where there is something to see; `places` (B, T) turn queries and keys of
    self-attention (`rotate`). Keys have no bias: the softmax takes it out.
    """

    def __init__(self, dim: int, heads: int | None = None, context: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads_for(dim, heads), dropout
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(context or dim, dim, bias=False)
        self.value = nn.Linear(context or dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        mask: Tensor | None = None,
        is_causal: bool = False,
        places: Tensor | None = None,
    ) -> Tensor:
        seen = x if context is None else context
        q, k, v = (
            t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (self.query(x), self.key(seen), self.value(seen))
        )
        if places is not None:
            q, k = rotate(q, places), rotate(k, places)
        allowed = None if mask is None else (mask[:, None, None] if mask.ndim == 2 else mask[:, None])
        if is_causal:
            before = causal(x.shape[1], seen.shape[1], x.device)
            allowed = before if allowed is None else allowed & before
        bias = None
        if allowed is not None:
            # The lowest number, not -inf: a row that is allowed nothing stays finite, and so do its gradients.
            bias = torch.zeros((), dtype=q.dtype, device=q.device).masked_fill(~allowed, torch.finfo(q.dtype).min)
        dropout = self.dropout if self.training else 0.0
        done = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)
        if allowed is not None:
            done = done.masked_fill(~allowed.any(-1, keepdim=True), 0.0)
        result: Tensor = self.out(done.transpose(1, 2).flatten(2))
        return result


class TransformerBlock(nn.Module):
    """x (B, T, D) -> (B, T, D): self-attention, attention to `context` where built for one, then two linear layers.

    Pre-norm (Xiong et al. 2020, figure 1b): x + f(norm(x)) for each. Without `context` it is an encoder's block; with
    it, and called causal, a decoder's (Vaswani et al. 2017, section 3.1). `hidden` is 4 D where not given.
    """

    def __init__(
        self,
        dim: int,
        heads: int | None = None,
        hidden: int | None = None,
        dropout: float = 0.0,
        context: int | None = None,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = MultiHeadAttention(dim, heads, dropout=dropout)
        self.cross_norm = nn.LayerNorm(dim) if context else None
        self.cross = MultiHeadAttention(dim, heads, context, dropout) if context else None
        self.wide_norm = nn.LayerNorm(dim)
        self.wide = nn.Sequential(
            nn.Linear(dim, hidden or 4 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden or 4 * dim, dim)
        )
        self.drop = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
        is_causal: bool = False,
        places: Tensor | None = None,
    ) -> Tensor:
        if (context is None) != (self.cross is None):
            raise ValueError(
                f"the block was built {'with' if self.cross else 'without'} a context, and is called not so"
            )
        x = x + self.drop(self.attention(self.norm(x), mask=mask, is_causal=is_causal, places=places))
        if self.cross is not None and self.cross_norm is not None:
            x = x + self.drop(self.cross(self.cross_norm(x), context, context_mask))
        done: Tensor = x + self.drop(self.wide(self.wide_norm(x)))
        return done


class Positions(nn.Module):
    """x (B, T, D) and mask (B, T) -> x told where each true step stands, counted on true steps.

    "sinusoidal" (Vaswani et al. 2017, section 3.5), "learned" (a table of `longest` places), "none". With "rotary" x
    stays as it is, and `places` go to the attention.
    """

    KINDS = ("sinusoidal", "learned", "rotary", "none")

    def __init__(self, kind: str, dim: int, longest: int = 512) -> None:
        super().__init__()
        if kind not in self.KINDS:
            raise BadQueryError(f"there are no positions '{kind}'", f"give one of {', '.join(self.KINDS)}")
        if longest < 1:
            raise BadQueryError(f"positions cannot be learned for {longest} steps", "give a number above 0")
        self.kind, self.dim, self.longest = kind, dim, longest
        self.table = nn.Parameter(0.02 * torch.randn(longest, dim)) if kind == "learned" else None

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.kind in ("none", "rotary"):
            return x
        places = true_places(mask)
        if self.table is None:
            return x + sinusoids(places, self.dim + self.dim % 2)[..., : self.dim].to(x.dtype)
        if not torch.jit.is_tracing() and not torch.compiler.is_compiling():
            most = int(mask.sum(1).max())
            if most > self.longest:
                raise BadQueryError(
                    f"positions were learned for {self.longest} steps and a row has {most}",
                    "give a larger 'longest', shorter rows, or sinusoidal or rotary positions",
                )
        return x + functional.embedding(places, self.table)

    def places(self, mask: Tensor) -> Tensor | None:
        """(B, T) for the attention where positions are rotary, else None."""
        return true_places(mask) if self.kind == "rotary" else None


class TransformerStack(nn.Module):
    """x (B, T, D) and mask (B, T) -> (B, T, D): positions, blocks, a last norm; zeros where there is no step."""

    def __init__(
        self,
        dim: int,
        layers: int = 2,
        heads: int | None = None,
        hidden: int | None = None,
        positions: str = "sinusoidal",
        longest: int = 512,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise BadQueryError(f"a Transformer cannot have {layers} layers", "give one or more")
        self.positions = Positions(positions, dim, longest)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([TransformerBlock(dim, heads, hidden, dropout) for _ in range(layers)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor, is_causal: bool = False) -> Tensor:
        places = self.positions.places(mask)
        x = self.drop(self.positions(x, mask))
        for block in self.blocks:
            x = block(x, mask, is_causal=is_causal, places=places)
        done: Tensor = self.norm(x).masked_fill(~mask[..., None], 0.0)
        return done
