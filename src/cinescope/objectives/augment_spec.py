"""Bands and stretches of a spectrogram hidden. Knows steps of numbers, low bands first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch

from cinescope.nn import Batch
from cinescope.objectives.augment_reading import check_ndim, check_roles, check_share, on, places, touched
from cinescope.objectives.draws import uniform
from cinescope.types import BadQueryError


class SpecAugment:
    """Park et al. 2019, section 2: `bands_masks` masks of 0 to `bands` neighbouring bands, and `steps_masks` masks of
    0 to `steps` neighbouring steps, at most `most` of the row's steps each. Masked values become the row's mean.

    Steps (B, T, D), each row from its key; where the steps carry several groups of D / k bands (deltas behind the
    values), `groups` k masks the same bands in each.
    """

    changes_presence: ClassVar[bool] = False

    def __init__(
        self,
        roles: Sequence[str] = ("sound",),
        bands: int = 8,
        bands_masks: int = 2,
        steps: int = 20,
        steps_masks: int = 2,
        most: float = 0.2,
        groups: int = 1,
    ) -> None:
        self.roles = check_roles(roles, "spec_augment")
        if min(bands, bands_masks, steps, steps_masks) < 0 or groups < 1:
            raise BadQueryError("spec_augment takes no negative widths or counts", "0 turns a mask off")
        self.bands, self.bands_masks = bands, bands_masks
        self.steps, self.steps_masks = steps, steps_masks
        self.most = check_share(most, "most")
        self.groups = groups

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 3, role, "spec_augment")
            drawn = uniform(batch.keys, seed, epoch, f"spec_augment.{role}", 2 * (self.bands_masks + self.steps_masks))
            (drawn,) = on(s.values.device, drawn)
            wide = s.values.shape[2] // self.groups
            band = torch.arange(s.values.shape[2], device=s.values.device) % wide  # (D,)
            length, place = s.lengths[:, None], places(s.mask)
            hidden = torch.zeros(s.values.shape, dtype=torch.bool, device=s.values.device)
            for k in range(self.bands_masks + self.steps_masks):
                size, start = drawn[:, 2 * k, None], drawn[:, 2 * k + 1, None]  # (B, 1) each
                if k < self.bands_masks:
                    size = (size * (min(self.bands, wide) + 1)).floor()
                    start = (start * (wide - size + 1)).floor()
                    hidden |= ((band >= start) & (band < start + size))[:, None]
                else:
                    size = (size * ((self.most * length).clamp(max=self.steps).floor() + 1)).floor()
                    start = (start * (length - size + 1)).floor()
                    hidden |= ((place >= start) & (place < start + size))[..., None]
            count = (s.lengths * s.values.shape[2]).clamp_min(1).to(s.values.dtype)
            mean = (s.zeroed().sum((1, 2)) / count)[:, None, None]
            changed[role] = s.with_values(torch.where(hidden, mean, s.values))
        return batch.with_inputs(changed)
