"""Which of N candidates fits the row best: the answers of a question, the moments of a video. Knows the pooled row
and the steps of one role, each step a candidate."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout
from cinescope.nn.heads.roles import Source, check_source, hide, steps_of


class Ranking(nn.Module):
    """pooled (B, D), candidates (B, N, D') -> {name: scores (B, N), name.mask (B, N) bool}.

    A candidate's score is a readout of row, candidate (projected to D), and their product; a candidate that is not
    there scores -10000. The product is what lets a linear readout tell fitting pairs. `role_dim` D' is the width of
    the candidates, the fusion's where not given.
    """

    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dim: int,
        *,
        role: str,
        role_dim: int = 0,
        source: Source = "parts",
        name: str = "ranking",
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_source(source)
        self.name = name
        self.role = role
        self.role_dim = role_dim or dim
        self.source: Source = source
        self.row = nn.Linear(dim, dim)
        self.candidate = nn.Linear(self.role_dim, dim)
        self.readout = readout(3 * dim, 1, hidden, dropout)

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        steps = steps_of(self.role, self.source, self.role_dim, fused, batch)
        candidates = self.candidate(steps.zeroed())  # (B, N, D)
        row = self.row(fused.pooled)[:, None].expand_as(candidates)
        scores = self.readout(torch.cat([row, candidates, row * candidates], -1)).squeeze(-1)
        return {self.name: hide(scores, steps.mask), f"{self.name}.mask": steps.mask}
