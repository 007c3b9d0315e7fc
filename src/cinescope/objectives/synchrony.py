"""Is the sound in time with the picture? Knows embeddings of two sides, not how they were shifted."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cinescope.nn import UNKNOWN, Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target


class Synchrony:
    """y d^2 + (1 - y) max(0, margin - d)^2, d the distance of the two embeddings: Korbar et al. 2018, equation 1.

    Reads output.left and output.right (B, P) and output.known (B,); target (B,) of 1 (in time), 0 (shifted within the
    clip, or another's), or UNKNOWN. Rows of which a side is absent count nothing: the task marks them UNKNOWN.
    Embeddings have length 1, so d is at most 2 and the margin lies below it.
    """

    def __init__(
        self, output: str = "similarities", target: str = "match", margin: float = 0.99, term: str = "synchrony"
    ) -> None:
        if margin <= 0:
            raise ValueError(f"the margin must be above 0, got {margin}")
        self.output = output
        self.target = target
        self.margin = margin
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        left, right = read_output(outputs, f"{self.output}.left"), read_output(outputs, f"{self.output}.right")
        match = read_target(targets, self.target)
        known = match != UNKNOWN
        apart = torch.where(known[:, None], left - right, torch.zeros_like(left))
        # the root of 0 has no finite gradient
        distance = (apart.square().sum(1) + 1e-12).sqrt()
        losses = torch.where(match == 1, distance.square(), (self.margin - distance).clamp_min(0).square())
        return Loss({self.term: (torch.where(known, losses, torch.zeros_like(losses)).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int((read_target(targets, self.target) != UNKNOWN).sum())}
