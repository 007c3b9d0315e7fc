"""Cross-entropy over classes, of rows or of steps. Knows logits and class numbers, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import UNKNOWN, Gather, Loss, Outputs, alone
from cinescope.objectives.reading import check_classes, known_classes, read_output, read_target, where_known


class CrossEntropy:
    """-log softmax(z)_y, softmax(z)_k = exp(z_k) / sum_j exp(z_j). Logits (B, K) or (B, T, K), classes (B,) or (B, T).

    The articles divide exp(z_k) by V, the number of classes, not by the sum: what comes out is no distribution, and
    its "loss" log V - z_y falls without end by raising every logit. tests/objectives/test_cross_entropy.py shows both.

    Label smoothing as in Szegedy et al. 2016, section 7: the target is (1 - s) onehot + s / K. `class_weights` (K,)
    multiply the terms; the count stays that of the known rows, so weights n / (K n_k) keep the scale of the loss.
    Targets that are UNKNOWN count nothing.
    """

    def __init__(
        self,
        output: str = "classes",
        target: str = "label",
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        term: str = "cross_entropy",
    ) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label smoothing must be in [0, 1), got {label_smoothing}")
        self.output = output
        self.target = target
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        logits, classes = read_output(outputs, self.output), read_target(targets, self.target)
        check_classes(classes, logits, self.target)
        known = known_classes(targets, self.target)
        logits = where_known(logits, known)
        weights = None if self.class_weights is None else self.class_weights.to(logits.device, logits.dtype)
        losses = functional.cross_entropy(
            logits.flatten(0, -2),
            classes.flatten(),
            weight=weights,
            ignore_index=UNKNOWN,
            reduction="none",
            label_smoothing=self.label_smoothing,
        )
        return Loss({self.term: (losses.sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        """What the terms will be divided by, from the targets alone."""
        return {self.term: int(known_classes(targets, self.target).sum())}
