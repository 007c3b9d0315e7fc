"""Pictures as patches: their embedding and their places on the grid. Knows shapes; knows no architecture."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.types import BadQueryError


class PatchEmbedding(nn.Module):
    """Frames (N, C, H, W) -> (N, h, w, dim), h = ceil(H / patch): each patch a linear map of its pixels.

    Dosovitskiy et al. 2021, equation 1. What is missing to a whole patch at the right and lower edge is zeros.
    """

    def __init__(self, channels: int, dim: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.map = nn.Conv2d(channels, dim, patch, patch)

    def forward(self, frames: Tensor) -> Tensor:
        high, wide = frames.shape[-2:]
        frames = functional.pad(frames, (0, -wide % self.patch, 0, -high % self.patch))
        patches: Tensor = self.map(frames)
        return patches.permute(0, 2, 3, 1)


def sinusoids(places: Tensor, dim: int) -> Tensor:
    """places (...) of any unit -> (..., dim): sines and cosines of wavelengths from 2 pi to 20,000 pi.

    Vaswani et al. 2017, section 3.5, with the sines in the first half. `dim` is even.
    """
    half = dim // 2
    rates = torch.exp(torch.arange(half, device=places.device, dtype=torch.float32) * (-math.log(10_000.0) / half))
    angles = places.to(torch.float32)[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


def sinusoidal_grid(high: int, wide: int, dim: int, device: torch.device | None = None) -> Tensor:
    """(high, wide, dim): half of the numbers tell the row, half the column (Chen et al. 2021, MoCo v3, section 4)."""
    rows = sinusoids(torch.arange(high, device=device), dim // 2)[:, None].expand(high, wide, dim // 2)
    columns = sinusoids(torch.arange(wide, device=device), dim // 2)[None].expand(high, wide, dim // 2)
    return torch.cat([rows, columns], -1)


class Places(nn.Module):
    """(high, wide) -> (high, wide, dim), what tells the patches of a grid apart.

    "sinusoidal" computes them for any grid. "learned" keeps a square grid of side `side` and stretches it bicubically
    to others (Dosovitskiy et al. 2021, section 3.2).
    """

    def __init__(self, kind: str, dim: int, side: int) -> None:
        super().__init__()
        if kind not in ("sinusoidal", "learned"):
            raise BadQueryError(f"there are no positions '{kind}'", "give sinusoidal or learned")
        if kind == "sinusoidal" and dim % 4:
            raise BadQueryError(f"sinusoidal positions need a width that 4 divides, got {dim}", "change the width")
        self.kind, self.dim = kind, dim
        self.grid = nn.Parameter(0.02 * torch.randn(1, dim, side, side)) if kind == "learned" else None

    def forward(self, high: int, wide: int, device: torch.device | None = None) -> Tensor:
        if self.grid is None:
            return sinusoidal_grid(high, wide, self.dim, device)
        grid: Tensor = self.grid
        if grid.shape[-2:] != (high, wide):
            grid = functional.interpolate(grid, (high, wide), mode="bicubic", align_corners=False)
        return grid[0].permute(1, 2, 0)


class SelfAttention(nn.Module):
    """(N, L, D) and keys (N, L) bool or None -> (N, L, D): multi-head scaled dot-product attention.

    Vaswani et al. 2017, equation 1 and section 3.2.2. No position attends to where `keys` is false; a row without any
    key attends to all, so that it stays finite, and whoever calls leaves its result out.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, keys: Tensor | None = None) -> Tensor:
        rows, length, dim = x.shape
        q, k, v = self.qkv(x).reshape(rows, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        allowed = None if keys is None else (keys | ~keys.any(1, keepdim=True))[:, None, None]
        dropout = self.dropout if self.training else 0.0
        done = functional.scaled_dot_product_attention(q, k, v, attn_mask=allowed, dropout_p=dropout)
        result: Tensor = self.out(done.transpose(1, 2).reshape(rows, length, dim))
        return result


class Mlp(nn.Sequential):
    """(..., D) -> (..., D): widen by `times`, GELU, narrow (Dosovitskiy et al. 2021, equation 3)."""

    def __init__(self, dim: int, times: int = 4, dropout: float = 0.0) -> None:
        super().__init__(
            nn.Linear(dim, times * dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(times * dim, dim),
            nn.Dropout(dropout),
        )


def check_heads(name: str, width: int, heads: int) -> None:
    """BadQueryError where the width cannot be split into the heads."""
    if heads < 1 or width % heads:
        raise BadQueryError(
            f"the encoder '{name}' cannot split a width of {width} into {heads} heads", "choose heads that divide it"
        )
