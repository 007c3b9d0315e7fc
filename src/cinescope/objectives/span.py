"""Where a span begins and ends, among steps with times. Knows logits and seconds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import UNKNOWN, Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target, where_known


class Span:
    """(CE over the steps of where it starts + CE of where it ends) / 2: Devlin et al. 2019, section 4.2.

    Reads output.start and output.end (B, T), output.mask (B, T), output.times (B, T, 2). Target (B, 2): seconds
    [start, end) as floats, with `target.known` (B,) where not all are known, or step numbers (first, last) as int64,
    UNKNOWN where not. Seconds fall into the step that holds them, or the nearest. A known row of which no step is
    left gives 0, and is counted: what a batch counts does not depend on the model.
    """

    def __init__(self, output: str = "span", target: str = "span", term: str = "span") -> None:
        self.output = output
        self.target = target
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        start, end = read_output(outputs, f"{self.output}.start"), read_output(outputs, f"{self.output}.end")
        mask, times = read_output(outputs, f"{self.output}.mask"), read_output(outputs, f"{self.output}.times")
        spans, known = read_target(targets, self.target), self._known(targets)
        steps = steps_of_spans(spans, times, mask) if spans.is_floating_point() else spans
        usable = known & mask.any(1)
        losses = torch.zeros((), dtype=start.dtype, device=start.device)
        for logits, index in ((start, steps[:, 0]), (end, steps[:, 1])):
            index = torch.where(usable, index, UNKNOWN)
            losses = losses + functional.cross_entropy(where_known(logits, usable), index, reduction="none") / 2
        return Loss({self.term: (losses.sum(), known.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int(self._known(targets).sum())}

    def _known(self, targets: Mapping[str, Tensor]) -> Tensor:
        spans = read_target(targets, self.target)
        if not spans.is_floating_point():
            return (spans != UNKNOWN).all(1)
        return targets.get(f"{self.target}.known", torch.ones(len(spans), dtype=torch.bool, device=spans.device))


def steps_of_spans(spans: Tensor, times: Tensor, mask: Tensor) -> Tensor:
    """Seconds (B, 2), half-open, and step times (B, T, 2) -> (B, 2) int64: the first and the last step of each span.

    A start on the border of two steps belongs to the later one, an end to the earlier one, since both are half-open.
    """
    spans = spans.to(times.dtype)

    def away(at: Tensor) -> Tensor:
        """(B, T): how far a time is from each step, 0 within it."""
        before, after = times[..., 0] - at[:, None], at[:, None] - times[..., 1]
        return torch.maximum(before, after).clamp_min(0).masked_fill(~mask, float("inf"))

    steps = mask.shape[1]
    first = steps - 1 - away(spans[:, 0]).flip(1).argmin(1)  # argmin takes the first of equals: flipped, the last
    return torch.stack([first, away(spans[:, 1]).argmin(1)], 1)
