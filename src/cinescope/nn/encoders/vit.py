"""A Vision Transformer on every frame. Knows no time."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cinescope.nn.frames import clean_pictures, each_frame, positive
from cinescope.nn.patches import Mlp, PatchEmbedding, Places, SelfAttention, check_heads
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class ViT(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): per frame, patches through a Transformer encoder (Dosovitskiy et al. 2021,
    equations 1 to 4), then the class token or the mean of the patches ("pooling": "token" or "mean"), a linear layer.

    Learned positions are those of pictures of `picture` x `picture` and are stretched for others. Any size from one
    patch on works; what is missing to whole patches is zeros.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        width: int = 64,
        depth: int = 4,
        heads: int = 4,
        patch: int = 4,
        picture: int = 32,
        pooling: Literal["token", "mean"] = "mean",
        positions: Literal["sinusoidal", "learned"] = "sinusoidal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("vit", in_dim=in_dim, dim=dim, width=width, depth=depth, patch=patch, picture=picture)
        check_heads("vit", width, heads)
        if pooling not in ("token", "mean"):
            raise BadQueryError(f"the encoder 'vit' has no pooling '{pooling}'", "give token or mean")
        self.in_dim, self.dim, self.smallest = in_dim, dim, patch
        self.network = _Transformer(
            PatchEmbedding(in_dim, width, patch),
            Places(positions, width, -(-picture // patch)),
            nn.Sequential(*[EncoderBlock(width, heads, dropout) for _ in range(depth)]),
            pooling == "token",
            dropout,
        )
        self.out = nn.Linear(width, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "vit")
        seen = self.out(each_frame(self.network, pictures, sequences.mask))
        return sequences.with_values(seen.masked_fill(~sequences.mask[..., None], 0.0))


class EncoderBlock(nn.Module):
    """(N, L, D) -> (N, L, D): attention and MLP, each behind a norm and beside a shortcut (equations 2 and 3)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention, self.mlp = SelfAttention(dim, heads, dropout), Mlp(dim, 4, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        done: Tensor = x + self.mlp(self.norm2(x))
        return done


class _Transformer(nn.Module):
    """(N, C, H, W) -> (N, width)."""

    def __init__(
        self, embed: PatchEmbedding, places: Places, blocks: nn.Module, with_token: bool, dropout: float
    ) -> None:
        super().__init__()
        self.embed, self.places, self.blocks = embed, places, blocks
        width = places.dim
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width)) if with_token else None
        self.dropout, self.norm = nn.Dropout(dropout), nn.LayerNorm(width)

    def forward(self, frames: Tensor) -> Tensor:
        patches = self.embed(frames)
        x = (patches + self.places(patches.shape[1], patches.shape[2], patches.device)).flatten(1, 2)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), 1, -1), x], 1)
        x = self.norm(self.blocks(self.dropout(x)))
        return x.mean(1) if self.token is None else x[:, 0]
