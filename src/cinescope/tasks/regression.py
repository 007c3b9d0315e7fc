"""How much of something there is in a row. An example: an utterance of CMU-MOSI, target score = -1.8 of -3 to 3.

Answers: {"key": "03bSnISJMiM_4", "score": -1.61, "shares": None}; a list under "score" for several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cinescope.metrics.classes import accuracy, f1
from cinescope.metrics.numbers import mae, pearson, rmse, spearman
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


class Regression:
    """Head `score` on the pooled row, squared error. Target (B,) or (B, S), `target.known` (B,) where not all are.

    With `threshold` the metrics also say how often the score is on the right side of it; rows that stand on it are
    left out, as is usual for "negative or positive" in CMU-MOSI.
    """

    best: ClassVar[str] = "mae"
    higher_is_better: ClassVar[bool] = False

    def __init__(
        self,
        target: str = "score",
        head: str = "score",
        objective: Any = "regression",
        augment: Sequence[Any] = (),
        scores: int = 1,
        hidden: int = 0,
        dropout: float = 0.0,
        threshold: float | None = None,
    ) -> None:
        self.target = target
        self.head = head
        self.objective = make_objective(objective, output=head, target=target)
        self.augment = make_corruptions(augment)
        self.scores = scores
        self.hidden = hidden
        self.dropout = dropout
        self.threshold = threshold

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings = {"name": self.head, "scores": self.scores, "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "score", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        _, _, outputs = ask(model, corrupted(batch, self.augment, seed, epoch), self.head)
        return self.objective(outputs, batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        return self.objective.counts(batch.targets)

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with answering(model):
            fused, _, outputs = ask(model, batch, self.head)
            scores = outputs[self.head].float().cpu().tolist()
        return [{**keyed(batch, i), "score": scores[i], "shares": shares_of(fused, i)} for i in range(len(batch))]

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """mae, rmse, pearson, spearman (means over several scores), accuracy and f1 with a threshold."""
        known = known_rows(targets, self.target)
        true = np.stack(rows(targets[self.target])).astype(np.float64)[known]
        said = np.array([a["score"] for a in answers], dtype=np.float64)[known]
        if not len(true):
            return {}
        columns = list(zip(said.reshape(len(said), -1).T, true.reshape(len(true), -1).T, strict=True))
        found = {
            name: float(np.mean([metric(s, t) for s, t in columns]))
            for name, metric in {"mae": mae, "rmse": rmse, "pearson": pearson, "spearman": spearman}.items()
        }
        if self.threshold is not None:
            aside = true != self.threshold
            if aside.any():
                above = (said[aside] > self.threshold).astype(int).ravel(), (true[aside] > self.threshold).astype(int)
                found["accuracy"] = accuracy(above[0], above[1].ravel())
                found["f1"] = f1(above[0], above[1].ravel(), "weighted")
        return found
