"""Is this the sound of this clip, and is it in time. An example: a clip of a hammer, with its own blows, with the sound
of a flute, with its own blows half a second late.

Answers: {"key": "hammer_3", "match": 0.93, "others": [0.08]}; with `synchrony` 1 / (1 + distance) instead of a chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from cinescope.nn import UNKNOWN, Batch, Gather, Loss, Outputs, alone
from cinescope.objectives.pairs import other_rows, shifted
from cinescope.tasks.common import answering, ask_heads, corrupted, keyed, make_corruptions, make_objective
from cinescope.tasks.matching import both_sides, fill_pairs, pair_metrics
from cinescope.types import BadQueryError

Negatives = Literal["others", "shifted", "both"]


class Correspondence:
    """Needs no labels. "others": the sound of another row (Arandjelovic and Zisserman 2017); "shifted": the row's own
    sound moved by at least `least` of its length (Korbar et al. 2018, hard negatives); "both".

    objective "correspondence": head `score` on the fused pair, logistic loss. "synchrony": head `similarities` of the
    two roles, Korbar's contrastive loss with margin; there the mean over steps hides time, so that shifted sounds need
    encoders that see order. A shifted sound is encoded again, for its encoder to hear it shifted.
    """

    best: ClassVar[str] = "accuracy"
    higher_is_better: ClassVar[bool] = True

    def __init__(
        self,
        picture: str = "video",
        sound: str = "sound",
        negatives: Negatives = "others",
        objective: Any = "correspondence",
        augment: Sequence[Any] = (),
        head: str = "match",
        dims: Mapping[str, int] | None = None,
        least: float = 0.2,
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        if negatives not in ("others", "shifted", "both"):
            raise BadQueryError(f"negatives cannot be '{negatives}'", "give others, shifted or both")
        if not 0 < least <= 0.5:
            raise BadQueryError(f"'least' must be above 0 and at most 0.5, not {least}", "0.2 is a fifth of the clip")
        self.picture, self.sound = picture, sound
        self.negatives: Negatives = negatives
        self.distances = objective == "synchrony" or (
            isinstance(objective, Mapping) and objective.get("name") == "synchrony"
        )
        self.objective = make_objective(objective, output=head, target="match")
        self.augment = make_corruptions(augment)
        self.head = head
        self.dims = dict(dims or {})
        self.least = least
        self.hidden = hidden
        self.dropout = dropout

    def heads(self, labels: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        settings: dict[str, Any]
        if self.distances:
            settings = {"name": self.head, "left": self.picture, "right": self.sound, "dims": self.dims}
            return {self.head: {"name": "similarities", "settings": settings}}
        settings = {"name": self.head, "hidden": self.hidden, "dropout": self.dropout}
        return {self.head: {"name": "score", "settings": settings}}

    def loss(self, model: Any, batch: Batch, seed: int, epoch: int, gather: Gather = alone) -> Loss:
        outputs, _, match = self._ask(model, corrupted(batch, self.augment, seed, epoch), seed, epoch)
        return self.objective(outputs, {"match": match}, gather)

    def counts(self, batch: Batch, seed: int, epoch: int) -> dict[str, int]:
        batch = corrupted(batch, self.augment, seed, epoch)
        return self.objective.counts({"match": self._pairs(batch, seed, epoch).match})

    def answer(self, model: Any, batch: Batch, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """`match` is None for a row without picture or sound."""
        with answering(model):
            outputs, rows, match = self._ask(model, batch, 0, 0)
            if self.distances:
                apart = outputs[f"{self.head}.left"] - outputs[f"{self.head}.right"]
                said = 1 / (1 + apart.float().norm(dim=1).cpu())
            else:
                said = outputs[self.head].float().sigmoid().cpu()
        answers: list[dict[str, Any]] = [{**keyed(batch, i), "match": None, "others": []} for i in range(len(batch))]
        fill_pairs(answers, rows, said, match)
        return answers

    def metrics(self, answers: Sequence[Mapping[str, Any]], targets: Mapping[str, Any]) -> dict[str, float]:
        """As of `matching`: accuracy at one half and `ahead`; for distances one half is a distance of 1."""
        return pair_metrics(answers)

    def _pairs(self, batch: Batch, seed: int, epoch: int) -> _Pairs:
        kept = Batch({r: batch.inputs[r] for r in (self.picture, self.sound) if r in batch.inputs}, {}, batch.keys)
        usable = both_sides(kept, self.sound)
        own = usable.nonzero()[:, 0]
        others, late = (own[:0], own[:0]), own[:0]
        if self.negatives != "shifted":
            others = other_rows(kept, usable, seed, epoch)
        if self.negatives != "others":
            late = (usable & (batch.inputs[self.sound].lengths > 1)).nonzero()[:, 0]
        match = torch.cat([torch.ones_like(own), torch.zeros_like(others[0]), torch.zeros_like(late)])
        if not len(own):  # one pair of which nothing is known: the loss is 0 and keeps its graph
            own, match = own.new_zeros(1), own.new_full((1,), UNKNOWN)
        return _Pairs(torch.cat([own, others[0]]), torch.cat([own, others[1]]), late, match)

    def _ask(self, model: Any, batch: Batch, seed: int, epoch: int) -> tuple[Outputs, Tensor, Tensor]:
        """(what the head says of all pairs, the row of each, whether it matches)."""
        pairs = self._pairs(batch, seed, epoch)
        encoded = model.encode(batch)
        first = encoded.rows(pairs.rows).with_inputs({self.sound: encoded.inputs[self.sound].rows(pairs.whose)})
        outputs = ask_heads(model, model.fuse(first), first, self.head)
        if len(pairs.late):
            moved = shifted(batch.inputs[self.sound], batch.keys, seed, epoch, self.least).rows(pairs.late)
            heard = model.encode(Batch({self.sound: moved})).inputs[self.sound]
            second = encoded.rows(pairs.late).with_inputs({self.sound: heard})
            more = ask_heads(model, model.fuse(second), second, self.head)
            outputs = {n: torch.cat([o, more[n]]) if o.ndim else o for n, o in outputs.items()}
        return outputs, torch.cat([pairs.rows, pairs.late]), pairs.match


class _Pairs(NamedTuple):
    rows: Tensor  # (M,): whose picture
    whose: Tensor  # (M,): whose sound
    late: Tensor  # (L,): rows that also get their own sound late
    match: Tensor  # (M + L,): 1, 0 or UNKNOWN
