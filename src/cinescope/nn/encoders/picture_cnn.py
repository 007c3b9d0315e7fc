"""A small convolutional network on every frame, alone. Knows no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from cinescope.nn.frames import ConvNorm, PlaceMean, clean_pictures, each_frame, positive
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences


class PictureCNN(nn.Module):
    """(B, T, C, H, W) -> (B, T, dim): per frame, blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pooling, the
    mean over the places, a linear layer.

    The plain network of the articles (LeCun et al. 1998, section II) with batch norm (Ioffe and Szegedy 2015). One
    block a width; each halves the picture, so the smallest size is 2 to the number of blocks.
    """

    takes: ClassVar[Takes] = "pictures"
    onnx: ClassVar[bool] = True

    def __init__(self, in_dim: int, dim: int, widths: Sequence[int] = (32, 64, 128), dropout: float = 0.0) -> None:
        super().__init__()
        positive("cnn", in_dim=in_dim, dim=dim, widths=widths)
        self.in_dim, self.dim, self.smallest = in_dim, dim, 2 ** len(widths)
        channels = [in_dim, *widths]
        blocks = [
            nn.Sequential(ConvNorm(before, after, act=nn.ReLU()), nn.MaxPool2d(2))
            for before, after in zip(channels[:-1], widths, strict=True)
        ]
        self.network = nn.Sequential(*blocks, PlaceMean(), nn.Dropout(dropout), nn.Linear(channels[-1], dim))

    def forward(self, sequences: Sequences) -> Sequences:
        pictures = clean_pictures(sequences, self.in_dim, self.smallest, "cnn")
        return sequences.with_values(each_frame(self.network, pictures, sequences.mask))
