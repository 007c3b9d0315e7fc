"""A temporal convolutional network over steps. Knows no modality."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.norm import ChannelLayerNorm
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class TCN(nn.Module):
    """(B, T, in_dim) -> (B, T, dim): residual blocks of two dilated convolutions (Bai et al. 2018).

    Dilations are 1, 2, 4 and so on. Causal, each step sees itself and what came before, as in section 3; else as much
    on either side. Where there is no step every block sees zeros; a hole in the mask is a gap in time, not passed
    over. Layer norm over channels stands in place of the paper's weight norm: it trains as steadily and knows no batch.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(
        self, in_dim: int, dim: int, layers: int = 3, size: int = 3, causal: bool = False, dropout: float = 0.1
    ) -> None:
        super().__init__()
        if layers < 1 or size < 1 or (not causal and size % 2 == 0):
            raise BadQueryError(
                f"a TCN cannot have {layers} layers of size {size}" + ("" if causal else " that see both sides alike"),
                "give one layer or more, and an odd size where it is not causal",
            )
        self.dim = dim
        self.sees = 2 * sum((size - 1) * 2**i for i in range(layers)) // (1 if causal else 2)  # steps before its own
        self.blocks = nn.ModuleList(
            [Block(in_dim if i == 0 else dim, dim, size, 2**i, causal, dropout) for i in range(layers)]
        )

    def forward(self, sequences: Sequences) -> Sequences:
        gone = ~sequences.mask[:, None]
        x = sequences.zeroed().transpose(1, 2)
        for block in self.blocks:
            x = block(x, gone)
        return sequences.with_values(x.transpose(1, 2))


class Block(nn.Module):
    """x (B, C, T), gone (B, 1, T) -> (B, out, T): relu(x + f(f(x))), as in figure 1b."""

    def __init__(self, channels: int, out: int, size: int, dilation: int, causal: bool, dropout: float) -> None:
        super().__init__()
        self.first = PaddedConv(channels, out, size, dilation, causal)
        self.second = PaddedConv(out, out, size, dilation, causal)
        self.norms = nn.ModuleList([ChannelLayerNorm(out), ChannelLayerNorm(out)])
        self.shortcut = nn.Identity() if channels == out else nn.Conv1d(channels, out, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, gone: Tensor) -> Tensor:
        y = x
        for conv, norm in zip((self.first, self.second), self.norms, strict=True):
            y = self.drop(functional.relu(norm(conv(y)))).masked_fill(gone, 0.0)
        return functional.relu(y + self.shortcut(x)).masked_fill(gone, 0.0)


class PaddedConv(nn.Module):
    """x (B, C, T) -> (B, out, T): zeros before the first step where causal, else half before and half behind."""

    def __init__(self, channels: int, out: int, size: int, dilation: int, causal: bool) -> None:
        super().__init__()
        around = (size - 1) * dilation
        self.pads = (around, 0) if causal else (around // 2, around - around // 2)
        self.conv = nn.Conv1d(channels, out, size, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        done: Tensor = self.conv(functional.pad(x, self.pads))
        return done
