"""Contrast where several captions may fit a clip, and none need. Knows embeddings of rows and of their items."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.ranks import own_rows
from cinescope.objectives.reading import read_output


class MilNce:
    """-log( sum_P exp(s x.y) / (sum_P exp(s x.y) + sum_N exp(s x'.y')) ): Miech et al. 2020, equation 1.

    P are the pairs of a clip with each of its captions, N its pairs with the captions of other clips and the pairs of
    other clips with its captions. Reads output.left (B, P), output.right (B, N, P), output.mask (B, N), output.known
    (B,), output.scale (). With one caption it differs from `contrastive` in having one sum for both directions.
    (The published code counts the positive pairs twice below the line; the paper's equation, and this, once.)
    """

    def __init__(self, output: str = "similarities", term: str = "mil_nce") -> None:
        self.output = output
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        left, right = read_output(outputs, f"{self.output}.left"), read_output(outputs, f"{self.output}.right")
        known, scale = read_output(outputs, f"{self.output}.known"), read_output(outputs, f"{self.output}.scale")
        rows, items = right.shape[:2]
        mask = read_output(outputs, f"{self.output}.mask") & known[:, None]
        all_left, all_known = gather(left), gather(known.long()).bool()
        # flat, because ranks may have different numbers of items
        all_right, all_mask = gather(right.flatten(0, 1)), gather(mask.flatten().long()).bool()
        own = own_rows(rows, gather, left.device)
        own_items = own_rows(rows * items, gather, left.device).reshape(rows, items)

        to_items = (scale * left @ all_right.T).masked_fill(~all_mask[None], -1e4)  # (B, all items)
        positive = to_items.gather(1, own_items)  # (B, N)
        to_rows = scale * torch.einsum("bnp,ap->bna", right, all_left)  # (B, N, all rows)
        hidden = ~(mask[:, :, None] & all_known[None, None])
        hidden = hidden.scatter(2, own[:, None, None].expand(rows, items, 1), True)  # its own pairs are counted already
        below = torch.cat([to_items, to_rows.masked_fill(hidden, -1e4).flatten(1)], 1)
        losses = below.logsumexp(1) - positive.logsumexp(1)
        return Loss({self.term: (torch.where(known, losses, torch.zeros_like(losses)).sum(), known.sum())})
