"""Pictures mirrored, moved, with a square missing. Knows pictures (B, T, C, H, W); all steps of a row change alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import Batch
from cinescope.objectives.augment_reading import check_ndim, check_roles, check_share, on, touched
from cinescope.objectives.draws import uniform
from cinescope.types import BadQueryError


class PictureFlip:
    """Left and right exchanged in a share of the rows. Not for digits, text, or anything with a side."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("video",), share: float = 0.5) -> None:
        self.roles = check_roles(roles, "picture_flip")
        self.share = check_share(share, "share")

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 5, role, "picture_flip")
            flipped = uniform(batch.keys, seed, epoch, f"picture_flip.{role}")[:, 0] < self.share
            rows = flipped.nonzero()[:, 0].to(s.values.device)
            values = s.values.clone()
            values[rows] = s.values[rows].flip(-1)
            changed[role] = s.with_values(values)
        return batch.with_inputs(changed)


class PictureCrop:
    """The picture moved by up to `padding` pixels in both directions, zeros (or with `edge` the border's pixels)
    coming in: the padded crop of He et al. 2016, section 4.2."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("video",), padding: int = 4, edge: bool = False) -> None:
        self.roles = check_roles(roles, "picture_crop")
        if padding < 0:
            raise BadQueryError(f"'padding' must not be below 0, not {padding}", "4 is usual for pictures of 32 pixels")
        self.padding = padding
        self.edge = edge

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 5, role, "picture_crop")
            p, (high, wide) = self.padding, s.values.shape[-2:]
            drawn = uniform(batch.keys, seed, epoch, f"picture_crop.{role}", 2)
            corners = (drawn * (2 * p + 1)).floor().long().tolist()
            flat = s.values.flatten(1, 2)
            padded = functional.pad(flat, [p] * 4, mode="replicate" if self.edge else "constant")
            moved = torch.stack([padded[i, :, y : y + high, x : x + wide] for i, (y, x) in enumerate(corners)])
            changed[role] = s.with_values(moved.reshape(s.values.shape))
        return batch.with_inputs(changed)


class Cutout:
    """A square of `size` pixels set to zero, its centre anywhere, so that it may reach over the border: DeVries and
    Taylor 2017, section 3.2."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("video",), size: int = 8, share: float = 1.0) -> None:
        self.roles = check_roles(roles, "cutout")
        if size < 0:
            raise BadQueryError(f"'size' must not be below 0, not {size}", "8 is usual for pictures of 32 pixels")
        self.size = size
        self.share = check_share(share, "share")

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 5, role, "cutout")
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"cutout.{role}", 3))
            high, wide = s.values.shape[-2:]
            rows, columns = self._within(drawn[:, 0], high), self._within(drawn[:, 1], wide)  # (B, H), (B, W)
            cut = rows[:, :, None] & columns[:, None] & (drawn[:, 2] < self.share)[:, None, None]
            changed[role] = s.with_values(s.values.masked_fill(cut[:, None, None], 0.0))
        return batch.with_inputs(changed)

    def _within(self, drawn: Tensor, size: int) -> Tensor:
        """(B, size) bool: the pixels that the square covers along one side."""
        first = (drawn * size).floor()[:, None] - self.size // 2
        at = torch.arange(size, device=drawn.device)[None]
        return (at >= first) & (at < first + self.size)
