"""Which labels hold for a row, several at once. An example: a clip of a market, target labels = [0, 1, 1, 0].

Answers: {"key": "market", "labels": [1, 2], "probabilities": [...], "logits": [...], "shares": None}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cinescope.metrics.classes import binary_accuracy, multilabel_f1
from cinescope.metrics.ranking import mean_average_precision
from cinescope.nn import Batch, Gather, Loss, alone
from cinescope.tasks.common import (
    answering,
    ask,
    corrupted,
    keyed,
    known_rows,
    make_corruptions,
    make_objective,
    rows,
    shares_of,
)


class Multilabel:
    """Head `labels` on the pooled row, binary cross-entropy. Target (B, K) of 0 and 1, `target.known` where not all."""

    best: ClassVar[str] = "mean_average_precision"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        target: str = "labels",
        head: str = "labels",
        objective: Any = "binary",
        augment: Sequence[Any] = (),
        hidden: int = 0,
        dropout: float = 0.0,
        threshold: float = 0.5,
    ) -> None:
        self.target = target
        self.head = head
        self.objective = make_objective(objective, output=head, target=target)
        self.augment = make_corruptions(augment)
        self.hidden = hidden
        self.dropout = dropout
        self.threshold = threshold

    def heads(self, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
        settings = {"name": self.head, "labels": len(labels), "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "labels", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        _, _, outputs = ask(model, corrupted(batch, self.augment, seed, epoch), self.head)
        return self.objective(outputs, batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        return self.objective.counts(batch.targets)

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with answering(model):
            fused, _, outputs = ask(model, batch, self.head)
            logits = outputs[self.head].float().cpu()
            probabilities = logits.sigmoid()
        return [
            {
                **keyed(batch, i),
                "labels": (probabilities[i] > self.threshold).nonzero()[:, 0].tolist(),
                "probabilities": probabilities[i].tolist(),
                "logits": logits[i].tolist(),
                "shares": shares_of(fused, i),
            }
            for i in range(len(batch))
        ]

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """mean_average_precision, macro_f1, micro_f1, binary_accuracy over the rows that are known throughout."""
        true, known = np.stack(rows(targets[self.target])), known_rows(targets, self.target)
        scores = np.array([a["probabilities"] for a in answers])[known]
        true, said = true[known], scores > self.threshold
        if not len(true):
            return {}
        return {
            "mean_average_precision": mean_average_precision(scores, true),
            "macro_f1": multilabel_f1(said, true, "macro"),
            "micro_f1": multilabel_f1(said, true, "micro"),
            "binary_accuracy": binary_accuracy(said, true),
        }
