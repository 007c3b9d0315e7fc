"""Which class a row is of. An example: a clip of a spoken digit and a picture of it, target label = 7.

Answers: {"key": "george_7_03", "label": 7, "probabilities": [...], "logits": [...], "shares": [0.6, 0.4] or None}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cinescope.metrics.classes import accuracy, f1
from cinescope.nn import UNKNOWN, Batch, Gather, Loss, alone
from cinescope.tasks.common import answering, ask, corrupted, keyed, make_corruptions, make_objective, rows, shares_of
from cinescope.types import BadQueryError

WATCHES = ("accuracy", "macro_f1", "weighted_f1")  # what `metrics` tells


class Classification:
    """Head `classes` on the pooled row, cross-entropy unless told otherwise. Target (B,) int64, UNKNOWN ignored.

    `watch` names the metric that chooses the epoch, stops early and stands first in reports: where classes are uneven,
    accuracy is mostly the largest one's. BadQueryError for one that there is not.
    """

    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        target: str = "label",
        head: str = "classes",
        objective: Any = "cross_entropy",
        augment: Sequence[Any] = (),
        hidden: int = 0,
        dropout: float = 0.0,
        watch: str = "accuracy",
    ) -> None:
        if watch not in WATCHES:
            raise BadQueryError(f"classification has no metric '{watch}' to watch", f"give {', '.join(WATCHES)}")
        self.best = watch
        self.target = target
        self.head = head
        self.objective = make_objective(objective, output=head, target=target)
        self.augment = make_corruptions(augment)
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
        """{name: {"name", "settings"}} of the heads that a model for this task needs, for these label names."""
        settings = {"name": self.head, "classes": len(labels), "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "classes", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        _, _, outputs = ask(model, corrupted(batch, self.augment, seed, epoch), self.head)
        return self.objective(outputs, batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        return self.objective.counts(batch.targets)

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with answering(model):
            fused, _, outputs = ask(model, batch, self.head)
            logits = outputs[self.head].float().cpu()
            probabilities = logits.softmax(-1)
        return [
            {
                **keyed(batch, i),
                "label": int(logits[i].argmax()),
                "probabilities": probabilities[i].tolist(),
                "logits": logits[i].tolist(),
                "shares": shares_of(fused, i),
            }
            for i in range(len(batch))
        ]

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """WATCHES over the rows whose target is known, the watched one first; {} where none is."""
        true = np.array([int(t) for t in rows(targets[self.target])], dtype=np.int64)
        said = np.array([a["label"] for a in answers], dtype=np.int64)
        known = true != UNKNOWN
        true, said = true[known], said[known]
        if not len(true):
            return {}
        found = {
            "accuracy": accuracy(said, true),
            "macro_f1": f1(said, true, "macro"),
            "weighted_f1": f1(said, true, "weighted"),
        }
        return {self.best: found[self.best], **found}
