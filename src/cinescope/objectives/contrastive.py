"""What belongs together nearer than what does not. Knows embeddings of two sides, row by row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.ranks import own_rows
from cinescope.objectives.reading import read_output, read_target


class Contrastive:
    """InfoNCE in both directions: (CE(scale l_i . r_j over j) + CE(scale r_i . l_j over j)) / 2, the right j being i.

    Oord et al. 2018, equation 4; both directions and the learned scale as in CLIP (Radford et al. 2021, figure 3).
    Reads output.left and output.right (B, P), output.known (B,), output.scale (). The other rows of the batch, of all
    ranks, are the negatives; gradients flow to them too. Rows of which a side is absent neither count nor serve as
    negatives. Rows with the same number in the target `group` (B,), captions of one clip, are no negatives of
    each other.
    """

    def __init__(self, output: str = "similarities", group: str | None = None, term: str = "contrastive") -> None:
        self.output = output
        self.group = group
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        left, right = read_output(outputs, f"{self.output}.left"), read_output(outputs, f"{self.output}.right")
        known, scale = read_output(outputs, f"{self.output}.known"), read_output(outputs, f"{self.output}.scale")
        all_left, all_right, all_known = gather(left), gather(right), gather(known.long()).bool()
        own = own_rows(len(left), gather, left.device)  # (B,)
        hidden = ~all_known[None].expand(len(left), -1)  # (B, all)
        if self.group is not None:
            group = read_target(targets, self.group)
            hidden = hidden | (group[:, None] == gather(group)[None])
        hidden = hidden.scatter(1, own[:, None], False)
        losses = torch.zeros((), dtype=left.dtype, device=left.device)
        for mine, theirs in ((left, all_right), (right, all_left)):
            logits = (scale * mine @ theirs.T).masked_fill(hidden, -1e4)  # (B, all)
            losses = losses + functional.cross_entropy(logits, own, reduction="none") / 2
        return Loss({self.term: (torch.where(known, losses, torch.zeros_like(losses)).sum(), known.sum())})
