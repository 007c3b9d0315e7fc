"""A small model that says what a large one says. Knows both's logits, neither model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target, same_shape, where_known


class Distillation:
    """T^2 KL(softmax(teacher / T) || softmax(student / T)): Hinton et al. 2015, section 2.

    Logits (B, K) or (B, T, K); the target holds the teacher's, with `target.known` of its leading shape where not all
    are known. T^2 keeps the gradient's size as the temperature grows, so that a cross-entropy beside it keeps its
    weight.
    """

    def __init__(
        self,
        output: str = "classes",
        target: str = "teacher",
        temperature: float = 2.0,
        term: str = "distillation",
    ) -> None:
        if temperature <= 0:
            raise ValueError(f"the temperature must be above 0, got {temperature}")
        self.output = output
        self.target = target
        self.temperature = temperature
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        student, teacher = read_output(outputs, self.output), read_target(targets, self.target)
        same_shape(student, teacher, self.output, self.target)
        known = self._known(targets)
        said = (where_known(student, known) / self.temperature).log_softmax(-1)
        wanted = (where_known(teacher.to(student.dtype), known) / self.temperature).log_softmax(-1)
        losses = (wanted.exp() * (wanted - said)).sum(-1) * self.temperature**2
        return Loss({self.term: ((losses * known).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(self._known(targets).sum())}

    def _known(self, targets: Mapping[str, Tensor]) -> Tensor:
        teacher = read_target(targets, self.target)
        known = targets.get(f"{self.target}.known")
        return torch.ones(teacher.shape[:-1], dtype=torch.bool, device=teacher.device) if known is None else known
