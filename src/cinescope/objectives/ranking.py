"""The right candidate before the others. Knows scores and which candidate is right, or how fitting each is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from cinescope.nn import UNKNOWN, Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target, where_known
from cinescope.types import BadQueryError

Kind = Literal["listwise", "pairwise"]


class Ranking:
    """Scores (B, N) with output.mask (B, N) beside them; target (B,) int64 the right one, or (B, N) float fitness.

    listwise: cross-entropy of softmax over the candidates; with fitness the target is softmax(fitness) (ListNet,
    Cao et al. 2007, top-one probability). pairwise: the mean of max(0, margin - s_i + s_j) over the pairs of which i
    fits better (Joachims 2002, RankSVM). Candidates that are not there take no part. Rows count one each; UNKNOWN
    rows, and for fitness those with `target.known` false or without a pair, count nothing or give 0.
    """

    def __init__(
        self,
        output: str = "ranking",
        target: str = "answer",
        kind: Kind = "listwise",
        margin: float = 1.0,
        term: str = "ranking",
    ) -> None:
        if kind not in ("listwise", "pairwise"):
            raise ValueError(f"kind is listwise or pairwise, got {kind!r}")
        self.output = output
        self.target = target
        self.kind: Kind = kind
        self.margin = margin
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        scores, true = read_output(outputs, self.output), read_target(targets, self.target)
        known = self._known(targets)
        mask = outputs.get(f"{self.output}.mask", torch.ones_like(scores, dtype=torch.bool))
        there = mask if true.ndim == 2 else self._there(true, known, mask)
        losses = (self._listwise if self.kind == "listwise" else self._pairwise)(
            where_known(scores, known), true, mask & there
        )
        return Loss({self.term: (torch.where(known, losses, torch.zeros_like(losses)).sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(self._known(targets).sum())}

    def _known(self, targets: Mapping[str, Tensor]) -> Tensor:
        true = read_target(targets, self.target)
        if true.ndim == 1:
            return true != UNKNOWN
        return targets.get(f"{self.target}.known", torch.ones(len(true), dtype=torch.bool, device=true.device))

    def _there(self, true: Tensor, known: Tensor, mask: Tensor) -> Tensor:
        """The mask, once it is sure that the right candidate is among those that are there."""
        if true.device.type == "cpu" and bool(known.any()):
            index = torch.where(known, true, 0)
            if int(index.max()) >= mask.shape[1] or int(index.min()) < 0:
                raise BadQueryError(
                    f"the target '{self.target}' says candidate {int(index.max())} of {mask.shape[1]}",
                    "count candidates from 0",
                )
            if not bool(mask.gather(1, index[:, None])[known].all()):
                raise BadQueryError(
                    f"the right candidate of '{self.target}' is masked in at least one row",
                    "mark such rows as not known, and do not drop the candidates at random",
                )
        return mask

    def _listwise(self, scores: Tensor, true: Tensor, mask: Tensor) -> Tensor:
        log_p = _hidden(scores, mask).log_softmax(-1)
        if true.ndim == 1:
            return -log_p.gather(1, true.clamp_min(0)[:, None]).squeeze(1)
        wanted = _hidden(true.to(log_p.dtype), mask).softmax(-1) * mask
        return -(wanted * log_p).sum(1)

    def _pairwise(self, scores: Tensor, true: Tensor, mask: Tensor) -> Tensor:
        fits = torch.zeros_like(scores).scatter(1, true.clamp_min(0)[:, None], 1.0) if true.ndim == 1 else true
        pairs = (fits[:, :, None] > fits[:, None, :]) & mask[:, :, None] & mask[:, None, :]  # (B, N, N)
        hinge = (self.margin - scores[:, :, None] + scores[:, None, :]).clamp_min(0)
        return torch.where(pairs, hinge, torch.zeros_like(hinge)).sum((1, 2)) / pairs.sum((1, 2)).clamp_min(1)


def _hidden(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(~mask, -1e4)
