"""Encoders that see one step at a time: a linear layer, a perceptron. Know no time."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class Linear(nn.Module):
    """(B, T, in_dim) -> (B, T, dim): W x + b on every step; zeros where there is none. With `norm`, LayerNorm first."""

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(self, in_dim: int, dim: int, norm: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(
            nn.LayerNorm(in_dim) if norm else nn.Identity(), nn.Dropout(dropout), nn.Linear(in_dim, dim)
        )

    def forward(self, sequences: Sequences) -> Sequences:
        return sequences.with_values(_kept(self.layers(sequences.zeroed()), sequences))


class MLP(nn.Module):
    """(B, T, in_dim) -> (B, T, dim): a perceptron on every step, `layers` hidden ones of `hidden` (2 dim) with GELU."""

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(self, in_dim: int, dim: int, hidden: int | None = None, layers: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        if layers < 1:
            raise BadQueryError(f"a perceptron cannot have {layers} hidden layers", "give one or more, or use 'linear'")
        self.dim = dim
        width = hidden or 2 * dim
        stack: list[nn.Module] = []
        for i in range(layers):
            stack += [nn.Linear(in_dim if i == 0 else width, width), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*stack, nn.Linear(width, dim))

    def forward(self, sequences: Sequences) -> Sequences:
        return sequences.with_values(_kept(self.layers(sequences.zeroed()), sequences))


def _kept(values: Tensor, sequences: Sequences) -> Tensor:
    return values.masked_fill(~sequences.mask[..., None], 0.0)
