"""Recurrent encoders of steps: RNN, LSTM, GRU. Know no modality."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.protocols import Takes
from cinescope.nn.recurrence import Cell, Recurrence
from cinescope.nn.sequences import Sequences


class RNN(nn.Module):
    """(B, T, in_dim) -> (B, T, dim): the articles' h_t = tanh(W_x x_t + W_h h_{t-1} + b) (Elman 1990).

    `layers` on top of each other with dropout between; `bidirectional` gives half of `dim` to each direction. An
    absent row gives zeros. The states follow true steps: padding and holes are passed over.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True
    cell: ClassVar[Cell] = "rnn"

    def __init__(
        self, in_dim: int, dim: int, layers: int = 1, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dim = dim
        self.states = Recurrence(self.cell, in_dim, dim, layers, bidirectional, dropout)

    def forward(self, sequences: Sequences) -> Sequences:
        return sequences.with_values(self.states(sequences.zeroed(), sequences.mask))


class LSTM(RNN):
    """(B, T, in_dim) -> (B, T, dim), as RNN, with long short-term memory (Hochreiter and Schmidhuber 1997)."""

    cell: ClassVar[Cell] = "lstm"


class GRU(RNN):
    """(B, T, in_dim) -> (B, T, dim), as RNN, with gated recurrent units (Cho et al. 2014)."""

    cell: ClassVar[Cell] = "gru"
