"""Which of several candidates is right. An example: a question of NExT-QA on a clip, five answers, target answer = 3.

Answers: {"key": "4010069381_6", "answer": 3, "probabilities": [...], "scores": [...]}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cinescope.metrics.classes import accuracy
from cinescope.metrics.ranking import mrr
from cinescope.nn import UNKNOWN, Batch, Gather, Loss, Outputs, Sequences, alone
from cinescope.tasks.common import (
    answering,
    ask,
    ask_heads,
    corrupted,
    keyed,
    make_corruptions,
    make_objective,
    rows,
)
from cinescope.types import BadQueryError

_ABSENT = -1e4  # the score of a candidate that is not there


class Ranking:
    """The role `candidates` holds N candidates as steps: vectors (B, N, D), or with `joint` also tokens (B, N, L).

    Alone, the head `ranking` compares each candidate with the pooled row. With `joint` every candidate is fused with
    the row in its turn, B N fusions, and the head `score` says how well it fits: slower, and it sees relations that a
    comparison of vectors cannot. The other roles are encoded once either way. Target (B,) int64, UNKNOWN ignored.
    """

    best: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        target: str = "answer",
        role: str = "candidates",
        joint: bool = False,
        head: str = "ranking",
        objective: Any = "ranking",
        augment: Sequence[Any] = (),
        role_dim: int = 0,
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        self.target = target
        self.role = role
        self.joint = joint
        self.head = head
        self.objective = make_objective(objective, output=head, target=target)
        self.augment = make_corruptions(augment)
        self.role_dim = role_dim
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings: dict[str, Any] = {"name": self.head, "hidden": self.hidden, "dropout": self.dropout}
        if self.joint:
            return {self.head: {"name": "score", "settings": settings}}
        return {self.head: {"name": "ranking", "settings": settings | {"role": self.role, "role_dim": self.role_dim}}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        return self.objective(self._scores(model, corrupted(batch, self.augment, seed, epoch)), batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        return self.objective.counts(batch.targets)

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with answering(model):
            outputs = self._scores(model, batch)
            scores = outputs[self.head].float().cpu()
        there = outputs[f"{self.head}.mask"].sum(1).tolist()
        return [
            {
                **keyed(batch, i),
                "answer": int(scores[i].argmax()) if there[i] else None,
                "probabilities": scores[i].softmax(0).tolist(),
                "scores": scores[i].tolist(),
            }
            for i in range(len(batch))
        ]

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """accuracy and mrr over the rows whose right candidate is known."""
        true = np.array([int(t) for t in rows(targets[self.target])])
        said = [(a, t) for a, t in zip(answers, true, strict=True) if t != UNKNOWN]
        if not said:
            return {}
        places = [mrr(np.array([a["scores"]]), np.array([t])) for a, t in said]
        right = [-1 if a["answer"] is None else a["answer"] for a, _ in said]
        return {"accuracy": accuracy(right, [t for _, t in said]), "mrr": float(np.mean(places))}

    def _scores(self, model: Any, batch: Batch) -> Outputs:
        if self.role not in batch.inputs:
            raise BadQueryError(f"the batch has no role '{self.role}'", "name the role of the candidates under role")
        if not self.joint:
            return ask(model, batch, self.head)[2]
        there = batch.inputs[self.role].mask  # (B, N)
        items = model.encode(Batch({self.role: _rows_of_items(batch.inputs[self.role])})).inputs[self.role]
        rest = model.encode(Batch({r: s for r, s in batch.inputs.items() if r != self.role}, {}, batch.keys))
        index = torch.arange(len(batch), device=there.device).repeat_interleave(there.shape[1])
        pairs = rest.rows(index).with_inputs({self.role: items}) if rest.inputs else Batch({self.role: items})
        scores: Tensor = ask_heads(model, model.fuse(pairs), pairs, self.head)[self.head].reshape(there.shape)
        return {self.head: scores.masked_fill(~there, _ABSENT), f"{self.head}.mask": there}


def _rows_of_items(items: Sequences) -> Sequences:
    """N candidates a row (B, N, ...) -> one a row (B N, ...): vectors become one step, tokens a sequence."""
    values, mask = items.values.flatten(0, 1), items.mask.flatten()
    if values.is_floating_point():
        return Sequences(values[:, None], mask[:, None], items.times.flatten(0, 1)[:, None])
    if values.ndim != 2:
        raise BadQueryError(
            f"candidates must be vectors (B, N, D) or tokens (B, N, L), got {tuple(items.values.shape)}", ""
        )
    there = (values != 0) & mask[:, None]
    start, end = items.times.flatten(0, 1).unbind(-1)
    at = torch.linspace(0, 1, values.shape[1] + 1, dtype=torch.float64, device=values.device)
    edges = start[:, None] + (end - start)[:, None] * at
    times = torch.stack([edges[:, :-1], edges[:, 1:]], -1)
    return Sequences(values, there, torch.where(there[..., None], times, 0.0))
