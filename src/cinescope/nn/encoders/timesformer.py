"""Divided space-time attention: each patch attends along its own place in time, then within its frame."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cinescope.nn.frames import clean_pictures, positive
from cinescope.nn.patches import Mlp, PatchEmbedding, Places, SelfAttention, check_heads, sinusoids
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class DividedBlock(nn.Module):
    """x (B, T, P, D) and mask (B, T) -> (B, T, P, D): attention over time, over the patches of a frame, and an MLP.

    Bertasius et al. 2021, section 3 ("divided space-time attention") and figure 2. No patch attends to a frame that
    is not there.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm_time, self.norm_space, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.time, self.space = SelfAttention(dim, heads, dropout), SelfAttention(dim, heads, dropout)
        self.mlp, self.dropout = Mlp(dim, 4, dropout), nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        rows, steps, patches, dim = x.shape
        tubes = self.norm_time(x).transpose(1, 2).reshape(rows * patches, steps, dim)
        keys = mask[:, None].expand(rows, patches, steps).reshape(rows * patches, steps)
        along = self.time(tubes, keys).reshape(rows, patches, steps, dim).transpose(1, 2)
        x = x + self.dropout(along)
        within = self.space(self.norm_space(x).flatten(0, 1)).reshape(rows, steps, patches, dim)
        x = x + self.dropout(within)
        done: Tensor = x + self.mlp(self.norm_mlp(x))
        return done


class TimeSformer(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): patches of all frames through blocks of divided attention, the mean over the
    patches of each frame, a linear layer (Bertasius et al. 2021, section 3).

    The article's class token, one for the whole clip, is left to the pooling that follows: here every step keeps its
    own numbers. Steps are told apart by sinusoids of their index, so any number of frames works, one included;
    learned positions of patches are those of pictures of `picture` x `picture` and are stretched for others. The
    smallest size is one patch.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        patch: int = 8,
        picture: int = 32,
        positions: Literal["sinusoidal", "learned"] = "sinusoidal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("timesformer", in_dim=in_dim, dim=dim, width=width, depth=depth, patch=patch, picture=picture)
        check_heads("timesformer", width, heads)
        if width % 2:
            raise BadQueryError(f"the encoder 'timesformer' needs an even width, got {width}", "change the width")
        self.in_dim, self.dim, self.smallest, self.width = in_dim, dim, patch, width
        self.embed = PatchEmbedding(in_dim, width, patch)
        self.places = Places(positions, width, -(-picture // patch))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(DividedBlock(width, heads, dropout) for _ in range(depth))
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        pictures, mask = clean_pictures(sequences, self.in_dim, self.smallest, "timesformer"), sequences.mask
        rows, steps = mask.shape
        grid = self.embed(pictures.flatten(0, 1))
        places = self.places(grid.shape[1], grid.shape[2], grid.device).flatten(0, 1)
        moments = sinusoids(torch.arange(steps, device=grid.device), self.width)
        x = grid.reshape(rows, steps, -1, self.width) + places + moments[:, None]
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x, mask)
        seen = self.out(self.norm(x).mean(2))
        return sequences.with_values(seen.masked_fill(~mask[..., None], 0.0))
