"""Whole roles missing, so that a model learns to do without. Knows roles, not what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch

from cinescope.nn import Batch
from cinescope.objectives.augment_reading import check_share
from cinescope.objectives.draws import uniform
from cinescope.types import BadQueryError


class ModalityDropout:
    """Each role of a row becomes absent with its chance (ModDrop, Neverova et al. 2016, section 4.1), but never the
    last one that the row has: then the one with the highest draw stays.

    `share` for all roles of the batch, or {role: share} for some.
    """

    changes_presence: ClassVar[bool] = True

    def __init__(self, share: float | Mapping[str, float] = 0.2) -> None:
        if isinstance(share, Mapping) and not share:
            raise BadQueryError("modality_dropout needs the share of at least one role", "share: 0.2 takes all roles")
        for value in share.values() if isinstance(share, Mapping) else [share]:
            check_share(value, "share")
        self.share = share

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        present = torch.stack([s.present for s in batch.inputs.values()], 1)  # (B, R)
        shares = [self.share.get(r, 0.0) if isinstance(self.share, Mapping) else self.share for r in batch.inputs]
        drawn = torch.cat([uniform(batch.keys, seed, epoch, f"modality_dropout.{r}") for r in batch.inputs], 1)
        drawn = drawn.to(present.device)
        stays = present & (drawn >= torch.tensor(shares, dtype=drawn.dtype, device=drawn.device))
        highest = drawn.masked_fill(~present, -1).argmax(1)
        last = torch.zeros_like(stays).scatter(1, highest[:, None], True) & present
        stays = torch.where(stays.any(1, keepdim=True), stays, last)
        return batch.with_inputs({role: s.without(~stays[:, i]) for i, (role, s) in enumerate(batch.inputs.items())})
