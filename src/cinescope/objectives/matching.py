"""Does this belong to that: a yes or no for each pair. Knows logits, not how pairs were made."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import UNKNOWN, Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target, where_known


class Matching:
    """-log s(z) for pairs that belong together, -log(1 - s(z)) for those that do not. Logits (B,) and targets (B,)
    of 1, 0, or UNKNOWN; or logits (B, 2), whose second is "belongs".

    The articles train on pairs that belong together alone. Then z = +infinity for every pair is best, and nothing is
    learned: tests/objectives/test_matching.py trains both readings. The task makes the other pairs by re-pairing rows.
    """

    def __init__(self, output: str = "match", target: str = "match", term: str = "matching") -> None:
        self.output = output
        self.target = target
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        logits, match = read_output(outputs, self.output), read_target(targets, self.target)
        if logits.ndim == 2:
            logits = logits[:, 1] - logits[:, 0]  # softmax over two is a sigmoid of the difference
        known = match != UNKNOWN
        losses = functional.binary_cross_entropy_with_logits(
            where_known(logits[:, None], known).squeeze(1),
            torch.where(known, match, 0).to(logits.dtype),
            reduction="none",
        )
        return Loss({self.term: ((losses * known).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int((read_target(targets, self.target) != UNKNOWN).sum())}
