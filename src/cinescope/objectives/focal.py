"""Focal loss: rows that are already right count little. Knows logits and class numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.reading import check_classes, known_classes, read_output, read_target, where_known


class Focal:
    """-a_y (1 - p_y)^gamma log p_y with p = softmax(z): Lin et al. 2017, equation 5, for K classes.

    Logits (B, K) or (B, T, K), classes (B,) or (B, T), UNKNOWN ignored. gamma 0 is cross-entropy; `class_weights`
    (K,) are the paper's alpha.
    """

    def __init__(
        self,
        output: str = "classes",
        target: str = "label",
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        term: str = "focal",
    ) -> None:
        if gamma < 0:
            raise ValueError(f"gamma must not be below 0, got {gamma}")
        self.output = output
        self.target = target
        self.gamma = gamma
        self.class_weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        logits, classes = read_output(outputs, self.output), read_target(targets, self.target)
        check_classes(classes, logits, self.target)
        known = known_classes(targets, self.target)
        index = torch.where(known, classes, 0)
        log_p = where_known(logits, known).log_softmax(-1).gather(-1, index[..., None]).squeeze(-1)
        # expm1 keeps 1 - p exact, and its gradient, where p is near 1
        losses = -((-torch.expm1(log_p)).clamp_min(1e-12) ** self.gamma) * log_p
        if self.class_weights is not None:
            losses = losses * self.class_weights.to(losses.device, losses.dtype)[index]
        return Loss({self.term: ((losses * known).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(known_classes(targets, self.target).sum())}
