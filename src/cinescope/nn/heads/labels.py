"""Which of K labels hold for the whole row, several at once. Knows only the pooled row."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout


class Labels(nn.Module):
    """pooled (B, D) -> {name: logits (B, K)}, each label a yes or no of its own: sigmoid, not softmax."""

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, *, labels: int, name: str = "labels", hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.name = name
        self.labels = labels
        self.readout = readout(dim, labels, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        return {self.name: self.readout(fused.pooled)}
