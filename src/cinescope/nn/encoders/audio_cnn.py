"""Convolutions over time and frequency of a spectrogram. Know mel bands, not where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import nn
from torch.nn import functional

from cinescope.nn.frames import FrameNorm
from cinescope.nn.protocols import Takes
from cinescope.nn.recurrence import Cell, Recurrence
from cinescope.nn.sequences import Sequences
from cinescope.nn.video import by_stride, covered, covered_times
from cinescope.types import BadQueryError


class AudioCNN(nn.Module):
    """Spectrogram steps (B, T, in_dim) -> (B, T', dim): 3 x 3 convolutions over time x bands, norm, relu, pooled by 2
    over the bands after each; then a linear layer on what is left of the bands. After VGGish (Hershey et al. 2017).

    T' = ceil(T / stride): the first block takes the largest of each `stride` steps, whose times it spans. The norm is
    over true steps alone. Bands keep their place, since pitch is not to be moved about.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(
        self, in_dim: int, dim: int, channels: Sequence[int] = (16, 32, 64), stride: int = 1, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.dim = dim
        self.front = SpectrogramFront(in_dim, channels, stride)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(self.front.dim, dim)

    def forward(self, sequences: Sequences) -> Sequences:
        seen = self.front(sequences)
        values = self.out(self.drop(seen.values)).masked_fill(~seen.mask[..., None], 0.0)
        return seen.with_values(values)


class AudioRNN(nn.Module):
    """Spectrogram steps (B, T, in_dim) -> (B, T', dim): a convolutional front as AudioCNN's, then a recurrent network.

    The convolutional recurrent network of Cakir et al. 2017, section III: bands are pooled, time is kept or strided,
    and "gru", "lstm" or "rnn" reads on from there, both ways unless told not to.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        channels: Sequence[int] = (16, 32),
        stride: int = 2,
        cell: Cell = "gru",
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.front = SpectrogramFront(in_dim, channels, stride)
        self.drop = nn.Dropout(dropout)
        self.states = Recurrence(cell, self.front.dim, dim, layers, bidirectional, dropout)

    def forward(self, sequences: Sequences) -> Sequences:
        seen = self.front(sequences)
        return seen.with_values(self.states(self.drop(seen.values), seen.mask))


class SpectrogramFront(nn.Module):
    """(B, T, bands) -> (B, T', dim), dim = last channels x bands that are left; zeros where there is no step."""

    def __init__(self, bands: int, channels: Sequence[int], stride: int = 1) -> None:
        super().__init__()
        if not channels or min(channels) < 1 or stride < 1:
            raise BadQueryError(
                f"an encoder of spectrograms cannot have channels {tuple(channels)} and stride {stride}",
                "give numbers above 0",
            )
        self.stride = stride
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        for before, after in zip([1, *channels[:-1]], channels, strict=True):
            self.convs.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
            self.norms.append(FrameNorm(after))
            bands = -(-bands // 2)
        self.dim = channels[-1] * bands

    def forward(self, sequences: Sequences) -> Sequences:
        mask, times = sequences.mask, sequences.times
        x = sequences.zeroed()[:, None]  # (B, 1, T, bands)
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            # The norm gives zeros where there is no step, and no value after relu is lower: the largest is a true one.
            x = functional.relu(norm(conv(x), mask))
            x = functional.max_pool2d(x, (1, 2), ceil_mode=True)
            if i == 0 and self.stride > 1:
                x = by_stride(x.transpose(1, 2), self.stride).amax(2).transpose(1, 2)
                mask, times = covered(mask, self.stride), covered_times(times, mask, self.stride)
        return Sequences(x.transpose(1, 2).flatten(2), mask, times)
