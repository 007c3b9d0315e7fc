"""Which caption is of this clip, and which clip of this caption. An example: an MSVD clip and "a man plays a flute".

Answers: {"key": "mv89psg6zh4_33_46", "left": [P numbers], "right": [P numbers, or one list a caption], "known": True}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cinescope.nn import Batch, Gather, Loss, alone
from cinescope.tasks.common import (
    answering,
    ask,
    changes_presence,
    corrupted,
    keyed,
    make_corruptions,
    make_objective,
    rows,
)


class Retrieval:
    """Head `similarities` over two roles, contrastive in both directions; with `items` the steps of the right role are
    captions of one clip and the objective is MIL-NCE unless told otherwise. `dims` {role: width} after its encoder,
    where not the fusion's. `group`: an integer target that rows of the same clip share.
    """

    best: ClassVar[str] = "mean_recall@1"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        left: str = "video",
        right: str = "caption",
        head: str = "similarities",
        objective: Any = None,
        augment: Sequence[Any] = (),
        items: bool = False,
        dims: Mapping[str, int] | None = None,
        width: int = 64,
        temperature: float = 0.07,
        group: str | None = None,
    ) -> None:
        self.left, self.right = left, right
        self.head = head
        default: Any = "mil_nce" if items else {"name": "contrastive", "group": group}
        self.objective = make_objective(default if objective is None else objective, output=head)
        self.augment = make_corruptions(augment)
        self.items = items
        self.dims = dict(dims or {})
        self.width = width
        self.temperature = temperature
        self.group = group

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings = {
            "name": self.head,
            "left": self.left,
            "right": self.right,
            "dims": self.dims,
            "width": self.width,
            "temperature": self.temperature,
            "items": self.items,
        }
        return {self.head: {"name": "similarities", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        _, _, outputs = ask(model, corrupted(batch, self.augment, seed, epoch), self.head)
        return self.objective(outputs, batch.targets, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        """The rows of which both sides are there, after the corruptions: one of them may drop a side."""
        if changes_presence(self.augment):
            batch = corrupted(batch, self.augment, seed, epoch)
        if self.left not in batch.inputs or self.right not in batch.inputs:
            return {self.objective.term: 0}
        both = batch.inputs[self.left].present & batch.inputs[self.right].present
        return {self.objective.term: int(both.sum())}

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with answering(model):
            _, _, outputs = ask(model, batch, self.head)
        left, right = outputs[f"{self.head}.left"].float().cpu(), outputs[f"{self.head}.right"].float().cpu()
        known = outputs[f"{self.head}.known"].tolist()
        mask = outputs[f"{self.head}.mask"].cpu() if self.items else None
        return [
            {
                **keyed(batch, i),
                "left": left[i].tolist(),
                "right": (right[i] if mask is None else right[i][mask[i]]).tolist(),
                "known": known[i],
            }
            for i in range(len(batch))
        ]

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """recall@1, @5, @10, mrr and median_place for left_to_right and right_to_left, and mean_recall@1.

        Among all rows of `answers` whose sides are both there. With several captions a row, left finds the first of its
        own, and each caption finds its row. Rows of the same group are neither right nor wrong for each other.
        """
        groups = np.arange(len(answers))
        if self.group is not None:
            groups = np.array([int(g) for g in rows(targets[self.group])])
        kept = [i for i, a in enumerate(answers) if a["known"]]
        if not kept:
            return {}
        left = np.array([answers[i]["left"] for i in kept])  # (N, P)
        right = [np.atleast_2d(answers[i]["right"]) for i in kept]
        owner = np.repeat(np.arange(len(kept)), [len(r) for r in right])  # (M,)
        scores = left @ np.concatenate(right).T  # (N, M)
        group = groups[kept]
        own = np.arange(len(kept))[:, None] == owner[None]
        other = group[:, None] != group[owner][None]
        best = np.where(own, scores, -np.inf).max(1)
        to_right = 1 + (other & (scores >= best[:, None])).sum(1)
        mine = scores[owner, np.arange(len(owner))]
        to_left = 1 + (other & (scores >= mine[None])).sum(0)
        found: dict[str, float] = {}
        for name, places in (("left_to_right", to_right), ("right_to_left", to_left)):
            for k in (1, 5, 10):
                found[f"{name}.recall@{k}"] = float((places <= k).mean())
            found[f"{name}.mrr"] = float((1 / places).mean())
            found[f"{name}.median_place"] = float(np.median(places))
        found["mean_recall@1"] = (found["left_to_right.recall@1"] + found["right_to_left.recall@1"]) / 2
        return found
