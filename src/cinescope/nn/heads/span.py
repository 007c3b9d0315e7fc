"""From which step to which step: where in the video the answer stands. Knows only the fused steps and their times."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout
from cinescope.nn.heads.roles import hide


class Span(nn.Module):
    """steps (B, T, D) -> {name.start, name.end: logits (B, T), name.mask (B, T), name.times (B, T, 2) seconds}.

    Start and end logits of each step as in BERT's reading of SQuAD (Devlin et al. 2019, section 4.2); -10000 where
    there is no step. The times go along so that an objective and an answer can speak in seconds.
    """

    onnx: ClassVar[bool] = True

    def __init__(self, dim: int, *, name: str = "span", hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.name = name
        self.readout = readout(dim, 2, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        steps = fused.steps
        start, end = self.readout(steps.zeroed()).unbind(-1)  # (B, T) each
        return {
            f"{self.name}.start": hide(start, steps.mask),
            f"{self.name}.end": hide(end, steps.mask),
            f"{self.name}.mask": steps.mask,
            f"{self.name}.times": steps.times,
        }
