"""Which class each step of a row is of. An example: a dialogue of MELD, 14 utterances, target label = [4, 4, 0, ...].

Answers: {"key": "dia12", "labels": [4, 4, 0, ...], "probabilities": [[...], ...], "shares": None}, one a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cinescope.metrics.classes import accuracy, f1
from cinescope.nn import UNKNOWN, Batch, Gather, Loss, Outputs, alone
from cinescope.tasks.common import (
    answering,
    ask,
    corrupted,
    keyed,
    make_corruptions,
    make_objective,
    rows,
    shares_of,
)
from cinescope.types import BadQueryError


class StepClassification:
    """Head `steps_classes` on the fused steps, cross-entropy. Target (B, T) int64 on the steps of the fusion, UNKNOWN
    in the padding and where nobody knows. As bc-LSTM classifies utterances among their neighbours (Poria et al. 2017).
    """

    best: ClassVar[str] = "weighted_f1"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        target: str = "label",
        head: str = "steps_classes",
        objective: Any = "cross_entropy",
        augment: Sequence[Any] = (),
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        self.target = target
        self.head = head
        self.objective = make_objective(objective, output=head, target=target)
        self.augment = make_corruptions(augment)
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
        settings = {"name": self.head, "classes": len(labels), "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "steps_classes", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        _, _, outputs = ask(model, corrupted(batch, self.augment, seed, epoch), self.head)
        self._check(outputs, batch)
        return self.objective(outputs, batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        return self.objective.counts(batch.targets)

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """A list of labels up to the last step of each row; -1 within it where no role has a step."""
        with answering(model):
            fused, _, outputs = ask(model, batch, self.head)
            probabilities = outputs[self.head].float().softmax(-1).cpu()  # (B, T, K)
        mask = fused.steps.mask.cpu()
        labels = probabilities.argmax(-1).masked_fill(~mask, -1)
        answers = []
        for i in range(len(batch)):
            steps = int(mask[i].nonzero().max()) + 1 if mask[i].any() else 0
            answers.append(
                {
                    **keyed(batch, i),
                    "labels": labels[i, :steps].tolist(),
                    "probabilities": probabilities[i, :steps].tolist(),
                    "shares": shares_of(fused, i),
                }
            )
        return answers

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """accuracy, macro_f1, weighted_f1 over all known steps of all rows. A known step without an answer is wrong."""
        all_said, all_true = [], []
        for answer, true in zip(answers, rows(targets[self.target]), strict=True):
            said = np.full(len(true), -1)
            steps = min(len(true), len(answer["labels"]))
            said[:steps] = answer["labels"][:steps]
            all_said.append(said[true != UNKNOWN])
            all_true.append(true[true != UNKNOWN])
        said, true = np.concatenate(all_said), np.concatenate(all_true)
        if not len(true):
            return {}
        said = np.where(said < 0, max(said.max(), true.max()) + 1, said)  # no class: a class of its own
        return {
            "accuracy": accuracy(said, true),
            "macro_f1": f1(said, true, "macro"),
            "weighted_f1": f1(said, true, "weighted"),
        }

    def _check(self, outputs: Outputs, batch: Batch) -> None:
        target = batch.targets.get(self.target)
        if target is not None and target.shape != outputs[self.head].shape[:2]:
            raise BadQueryError(
                f"the fusion gives steps {tuple(outputs[self.head].shape[:2])}, the target '{self.target}' is "
                f"{tuple(target.shape)}",
                "choose a fusion that keeps the steps, and encoders that do not stride",
            )
