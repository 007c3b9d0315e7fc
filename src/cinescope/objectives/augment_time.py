"""Steps earlier, later, fewer. Knows steps of any kind: numbers, pictures, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from cinescope.nn import Batch, Sequences
from cinescope.objectives.augment_reading import (
    check_ndim,
    check_roles,
    check_share,
    on,
    places,
    take_true_steps,
    touched,
    true_steps,
)
from cinescope.objectives.draws import uniform
from cinescope.types import BadQueryError


class TimeShift:
    """The values move by up to `most` of the row's steps, earlier or later; the times stay. The first or last value
    fills what falls free, or with `around` what fell out at the other end."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), most: float = 0.1, around: bool = False) -> None:
        self.roles = check_roles(roles, "time_shift")
        self.most = check_share(most, "most")
        self.around = around

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"time_shift.{role}"))
            length = s.lengths[:, None].clamp_min(1)
            by = ((2 * drawn - 1) * self.most * length).round().long()  # (B, 1)
            place = torch.arange(s.mask.shape[1], device=s.values.device)[None] - by
            source = place % length if self.around else torch.minimum(place.clamp_min(0), length - 1)
            changed[role] = take_true_steps(s, source)
        return batch.with_inputs(changed)


class TimeCrop:
    """Only a stretch of each row stays, of `least` to all of its steps; what is outside becomes padding. At least one
    step stays."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), least: float = 0.8) -> None:
        self.roles = check_roles(roles, "time_crop")
        self.least = check_share(least, "least")

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"time_crop.{role}", 2))
            length = s.lengths[:, None].to(drawn.dtype)
            kept = ((self.least + (1 - self.least) * drawn[:, :1]) * length).round().clamp_min(1)
            start = (drawn[:, 1:] * (length - kept + 1)).floor()
            place = places(s.mask)
            changed[role] = _only(s, s.values, (place >= start) & (place < start + kept))
        return batch.with_inputs(changed)


class TimeStretch:
    """Faster or slower by up to `most`: steps are read at another rate, between two steps by their mean. Steps (B, T,
    D), the first T of them where a slower row would need more. Speed perturbation (Ko et al. 2015) on features: the
    pitch stays."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), most: float = 0.1) -> None:
        self.roles = check_roles(roles, "time_stretch")
        if not 0 <= most < 1:
            raise BadQueryError(f"'most' must be at least 0 and below 1, not {most}", "0.1 is a usual choice")
        self.most = most

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 3, role, "time_stretch")
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"time_stretch.{role}"))
            rate = 1 + (2 * drawn - 1) * self.most  # (B, 1): above 1 is faster, so fewer steps
            length = s.lengths[:, None]
            # a row keeps its first step; slower rows end where their own steps end
            kept = ((length - 1).clamp_min(0) / rate).floor() + 1
            at = torch.minimum(places(s.mask).clamp_min(0) * rate, (length - 1).clamp_min(0).to(rate.dtype))  # (B, T)
            low = at.floor().long()
            high = torch.minimum(low + 1, (length - 1).clamp_min(0))
            where = true_steps(s.mask)
            rows = torch.arange(len(at), device=at.device)[:, None]
            clean = s.zeroed()
            part = (at - low).to(clean.dtype)[..., None]
            values = torch.lerp(clean[rows, where.gather(1, low)], clean[rows, where.gather(1, high)], part)
            changed[role] = _only(s, values, places(s.mask) < kept)
        return batch.with_inputs(changed)


def _only(steps: Sequences, values: Tensor, stays: Tensor) -> Sequences:
    mask = steps.mask & stays
    return Sequences(values, mask, torch.where(mask[..., None], steps.times, 0.0))
