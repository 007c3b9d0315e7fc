"""Two pathways at two rates: a wide one that sees few frames, a narrow one that sees all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.frames import clean_pictures, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.nn.video import (
    Shortcut,
    SpatialConv,
    TemporalConv,
    VideoNorm,
    as_video,
    at_true,
    by_stride,
    covered,
    covered_times,
    place_mean,
)
from cinescope.types import BadQueryError


class PathBlock(nn.Module):
    """(B, C, T, H, W), mask (B, T) -> (B, out, T, H', W'): t x 1 x 1, then 1 x 3 x 3, beside a shortcut.

    `time` is the length of the first kernel, 1 where the pathway does not look over time yet (table 1).
    """

    def __init__(self, channels: int, out: int, time: int, stride: int) -> None:
        super().__init__()
        self.time, self.space = TemporalConv(channels, out, time), SpatialConv(out, out, 3, stride)
        self.norm1, self.norm2 = VideoNorm(out, nn.ReLU()), VideoNorm(out)
        self.shortcut, self.act = Shortcut(channels, out, stride), nn.ReLU()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        path = self.norm2(self.space(self.norm1(self.time(x, mask), mask)), mask)
        done: Tensor = self.act(path + self.shortcut(x, mask))
        return done


class Lateral(nn.Module):
    """The fast pathway's (B, C, T, H, W) -> (B, 2 C, T', H, W) on the slow one's clock: a convolution 5 x 1 x 1 of
    stride `rate` (Feichtenhofer et al. 2019, section 3.4, "time-strided convolution")."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        self.rate = rate
        self.conv, self.norm = TemporalConv(channels, 2 * channels, 5, rate), VideoNorm(2 * channels, nn.ReLU())

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        done: Tensor = self.norm(self.conv(x, mask), covered(mask, self.rate))
        return done


class SlowFast(nn.Module):
    """(B, T, C, H, W) -> (B, T', dim), T' = ceil(T / rate): Feichtenhofer et al. 2019, figure 1 and table 1.

    The fast pathway sees every frame with `share` (the article's beta) of the slow one's channels; the slow one sees
    the first true frame of every `rate` (alpha), and before each stage what the fast one gives it through a lateral
    connection. The slow one looks over time in its last two stages only, as in table 1. A step holds the slow
    features beside the mean of the fast ones over the true frames it covers, through a linear layer. Fewer frames
    than `rate` give one step. Blocks are basic ones, not bottlenecks: the networks here are small. The stem halves
    the picture, and so does each stage after the first; the smallest size is that of one place in the last stage.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        widths: Sequence[int] = (32, 64, 96),
        rate: int = 4,
        share: float = 0.25,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive("slowfast", in_dim=in_dim, dim=dim, widths=widths, rate=rate)
        if not 0 < share <= 1:
            raise BadQueryError(f"the encoder 'slowfast' cannot have share {share}", "give one above 0 and up to 1")
        self.in_dim, self.dim, self.rate, self.smallest = in_dim, dim, rate, 2 ** len(widths)
        narrow = [max(1, round(width * share)) for width in widths]
        self.slow_stem, self.slow_norm = SpatialConv(in_dim, widths[0], 3, 2), VideoNorm(widths[0], nn.ReLU())
        self.fast_space, self.fast_time = SpatialConv(in_dim, narrow[0], 3, 2), TemporalConv(narrow[0], narrow[0], 5)
        self.fast_norm = VideoNorm(narrow[0], nn.ReLU())
        self.slow, self.fast, self.lateral = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before, thin = widths[0], narrow[0]
        for stage, (width, slim) in enumerate(zip(widths, narrow, strict=True)):
            stride, late = 2 if stage else 1, stage >= len(widths) - 2
            self.lateral.append(Lateral(thin, rate))
            self.slow.append(PathBlock(before + 2 * thin, width, 3 if late else 1, stride))
            self.fast.append(PathBlock(thin, slim, 3, stride))
            before, thin = width, slim
        self.dropout, self.out = nn.Dropout(dropout), nn.Linear(before + thin, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        mask, rate = sequences.mask, self.rate
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "slowfast")
        slow, fast = self.pathways(pictures, mask)
        few = covered(mask, rate)
        groups = by_stride(place_mean(at_true(fast, mask)), rate)  # (B, T', rate, C)
        mean = groups.sum(2) / by_stride(mask, rate, False).sum(2).clamp_min(1)[..., None]
        seen = self.out(self.dropout(torch.cat([place_mean(slow), mean], -1)))
        return Sequences(seen.masked_fill(~few[..., None], 0.0), few, covered_times(sequences.times, mask, rate))

    def pathways(self, pictures: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """pictures (B, T, C, H, W) -> the last maps of the slow (B, C, T', H', W') and the fast (B, C', T, H', W')."""
        few = covered(mask, self.rate)
        fast = self.fast_norm(self.fast_time(self.fast_space(as_video(pictures)), mask), mask)
        slow = self.slow_norm(self.slow_stem(as_video(self.few(pictures, mask))), few)
        for lateral, slow_block, fast_block in zip(self.lateral, self.slow, self.fast, strict=True):
            slow = slow_block(torch.cat([slow, lateral(fast, mask)], 1), few)
            fast = fast_block(fast, mask)
        return slow, fast

    def few(self, pictures: Tensor, mask: Tensor) -> Tensor:
        """(B, T, C, H, W) -> (B, T', C, H, W): the first true frame of every `rate`, zeros where there is none."""
        groups = by_stride(pictures, self.rate)
        first = by_stride(mask, self.rate, False).to(torch.int32).argmax(2)
        index = first[:, :, None, None, None, None].expand(-1, -1, 1, *pictures.shape[2:])
        return groups.gather(2, index)[:, :, 0]
