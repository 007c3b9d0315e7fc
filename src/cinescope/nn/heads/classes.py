"""Which of K classes the whole row is of. Knows only the pooled row."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout


class Classes(nn.Module):
    """pooled (B, D) -> {name: logits (B, K)}. A row without inputs gives what the fusion's constant gives."""

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, *, classes: int, name: str = "classes", hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.name = name
        self.classes = classes
        self.readout = readout(dim, classes, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        return {self.name: self.readout(fused.pooled)}
