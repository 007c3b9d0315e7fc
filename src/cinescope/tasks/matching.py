"""Does this caption belong to this clip. An example: an MSVD clip with its own caption, and with one of another clip.

Answers: {"key": "mv89psg6zh4_33_46", "match": 0.93, "others": [0.08]}: its own pair, and pairs made within the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cinescope.nn import UNKNOWN, Batch, Gather, Loss, alone
from cinescope.objectives.pairs import other_rows
from cinescope.tasks.common import answering, ask_heads, corrupted, keyed, make_corruptions, make_objective
from cinescope.types import BadQueryError


class Matching:
    """Every row as it is, and `negatives` times with `role` of another row of the batch; head `score` on the pooled
    pair, logistic loss. Roles are encoded once, pairs are fused each.

    Without other pairs, as the articles have it (`negatives` 0), "yes" to everything is the best answer there is.
    """

    best: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        role: str = "caption",
        negatives: int = 1,
        head: str = "match",
        objective: Any = "matching",
        augment: Sequence[Any] = (),
        group: str | None = None,
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        if negatives < 0:
            raise BadQueryError(f"there cannot be {negatives} negatives a row", "1 is usual")
        self.role = role
        self.negatives = negatives
        self.head = head
        self.objective = make_objective(objective, output=head, target="match")
        self.augment = make_corruptions(augment)
        self.group = group
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings = {"name": self.head, "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "score", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        batch = corrupted(batch, self.augment, seed, epoch)
        own, other, match = self._pairs(batch, seed, epoch)
        logits = self._logits(model, model.encode(batch), own, other)
        return self.objective({self.head: logits}, {"match": match}, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        _, _, match = self._pairs(corrupted(batch, self.augment, seed, epoch), seed, epoch)
        return self.objective.counts({"match": match})

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """`match` is None for a row of which a side is absent."""
        own, other, match = self._pairs(batch, 0, 0)
        with answering(model):
            said = self._logits(model, model.encode(batch), own, other).float().sigmoid().cpu()
        answers: list[dict[str, Any]] = [{**keyed(batch, i), "match": None, "others": []} for i in range(len(batch))]
        fill_pairs(answers, own, said, match)
        return answers

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        return pair_metrics(answers)

    def _pairs(self, batch: Batch, seed: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
        """(own (M,), other (M,), match (M,)): rows of the batch, and whose `role` each is paired with."""
        usable = both_sides(batch, self.role)
        own = usable.nonzero()[:, 0]
        rows, others = own[:0], own[:0]
        if self.negatives:
            rows, others = other_rows(batch, usable, seed, epoch, self.negatives, self.group)
        match = torch.cat([torch.ones_like(own), torch.zeros_like(rows)])
        if not len(own):  # one pair of which nothing is known: the loss is 0 and keeps its graph
            return own.new_zeros(1), own.new_zeros(1), own.new_full((1,), UNKNOWN)
        return torch.cat([own, rows]), torch.cat([own, others]), match

    def _logits(self, model: Any, encoded: Batch, own: Tensor, other: Tensor) -> Tensor:
        pairs = encoded.rows(own)
        if self.role in encoded.inputs:
            pairs = pairs.with_inputs({self.role: encoded.inputs[self.role].rows(other)})
        return ask_heads(model, model.fuse(pairs), pairs, self.head)[self.head]


def both_sides(batch: Batch, role: str) -> Tensor:
    """(B,) bool: rows that have `role`, and something beside it that it can belong to."""
    beside = [s.present for r, s in batch.inputs.items() if r != role]
    if role not in batch.inputs or not beside:
        raise BadQueryError(
            f"the batch has the roles {', '.join(batch.inputs) or 'none'}: there is no pair of '{role}' and another",
            "name the role to be exchanged under role",
        )
    return batch.inputs[role].present & torch.stack(beside).any(0)


def pair_metrics(answers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """accuracy: the mean of the share of own pairs said to match and of others said not to; ahead: how often the
    own pair has the higher chance (half for equal ones). {} where there are no pairs of both kinds."""
    own = np.array([a["match"] for a in answers if a["match"] is not None])
    others = np.array([p for a in answers for p in a["others"]])
    if not len(own) or not len(others):
        return {}
    ahead = [
        float(a["match"] > p) + 0.5 * float(a["match"] == p)
        for a in answers
        for p in a["others"]
        if a["match"] is not None
    ]
    return {
        "accuracy": float(((own > 0.5).mean() + (others <= 0.5).mean()) / 2),
        "ahead": float(np.mean(ahead)),
    }


def fill_pairs(answers: list[dict[str, Any]], own: Tensor, said: Tensor, match: Tensor) -> None:
    """Puts what was said (M,) of each pair into the answer of its row: under match, or others."""
    for row, p, is_match in zip(own.tolist(), said.tolist(), match.tolist(), strict=True):
        if is_match == 1:
            answers[row]["match"] = p
        elif is_match == 0:
            answers[row]["others"].append(p)
