"""Which of K classes each step is of: an utterance of a dialogue, a moment of a video. Knows only the fused steps."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout


class StepsClasses(nn.Module):
    """steps (B, T, D) -> {name: logits (B, T, K), name.mask (B, T) bool}; zeros where there is no step.

    As in bc-LSTM (Poria et al. 2017, section 3.2.2): every contextual utterance is classified.
    """

    onnx: ClassVar[bool] = True

    def __init__(
        self, dim: int, *, classes: int, name: str = "steps_classes", hidden: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.name = name
        self.classes = classes
        self.readout = readout(dim, classes, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        mask = fused.steps.mask
        logits = self.readout(fused.steps.zeroed())  # (B, T, K)
        none = torch.zeros((), dtype=logits.dtype, device=logits.device)
        return {self.name: torch.where(mask[..., None], logits, none), f"{self.name}.mask": mask}
