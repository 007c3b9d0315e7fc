"""How far a number is from the right one. Knows numbers, not what they measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.reading import known_values, read_output, read_target, same_shape, where_known_values

Kind = Literal["mse", "mae", "huber"]


class Regression:
    """(z - y)^2, |z - y|, or Huber's: (z - y)^2 / 2 within delta, delta (|z - y| - delta / 2) beyond (Huber 1964).

    Scores (B,) or (B, S); `target.known` (B,) or (B, S) says where they are known; each known number counts one.
    """

    def __init__(
        self,
        output: str = "score",
        target: str = "score",
        kind: Kind = "mse",
        delta: float = 1.0,
        term: str = "regression",
    ) -> None:
        if kind not in ("mse", "mae", "huber"):
            raise ValueError(f"kind is mse, mae or huber, got {kind!r}")
        if delta <= 0:
            raise ValueError(f"delta must be above 0, got {delta}")
        self.output = output
        self.target = target
        self.kind: Kind = kind
        self.delta = delta
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        scores, values = read_output(outputs, self.output), read_target(targets, self.target)
        same_shape(scores, values, self.output, self.target)
        known = known_values(targets, self.target)
        said = where_known_values(scores, known)
        true = where_known_values(values, known).to(torch.promote_types(scores.dtype, torch.float32))
        if self.kind == "mse":
            losses = functional.mse_loss(said.to(true.dtype), true, reduction="none")
        elif self.kind == "mae":
            losses = functional.l1_loss(said.to(true.dtype), true, reduction="none")
        else:
            losses = functional.huber_loss(said.to(true.dtype), true, reduction="none", delta=self.delta)
        return Loss({self.term: ((losses * known).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(known_values(targets, self.target).sum())}
