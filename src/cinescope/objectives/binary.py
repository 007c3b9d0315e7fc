"""Yes or no for each of several labels. Knows logits and numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.reading import known_values, read_output, read_target, same_shape, where_known_values


class Binary:
    """-y log s(z) - (1 - y) log(1 - s(z)), s the sigmoid. Logits and targets (B, K) or (B,), targets in [0, 1].

    `target.known` (B,) or (B, K) says where the targets are known; every known entry counts one. `positive_weights`
    (K,) multiply the terms with y = 1, for labels that rarely hold.
    """

    def __init__(
        self,
        output: str = "labels",
        target: str = "labels",
        positive_weights: Sequence[float] | None = None,
        term: str = "binary",
    ) -> None:
        self.output = output
        self.target = target
        self.positive_weights = None if positive_weights is None else torch.tensor(positive_weights)
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        logits, values = read_output(outputs, self.output), read_target(targets, self.target).to(torch.float32)
        same_shape(logits, values, self.output, self.target)
        known = known_values(targets, self.target)
        weights = None if self.positive_weights is None else self.positive_weights.to(logits.device, logits.dtype)
        losses = functional.binary_cross_entropy_with_logits(
            where_known_values(logits, known),
            where_known_values(values, known).to(logits.dtype),
            pos_weight=weights,
            reduction="none",
        )
        return Loss({self.term: ((losses * known).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(known_values(targets, self.target).sum())}
