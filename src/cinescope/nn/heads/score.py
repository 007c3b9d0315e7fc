"""How much: one number of the whole row, or several. Knows only the pooled row."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout


class Score(nn.Module):
    """pooled (B, D) -> {name: (B,)}, or (B, S) with `scores` S above 1. Unbounded: a strength, a mark, a logit."""

    onnx: ClassVar[bool] = True

    def __init__(
        self, dim: int, *, scores: int = 1, name: str = "score", hidden: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.name = name
        self.scores = scores
        self.readout = readout(dim, scores, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        scores = self.readout(fused.pooled)
        return {self.name: scores.squeeze(-1) if self.scores == 1 else scores}
