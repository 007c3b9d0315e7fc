"""Other speakers from the same speech: the frequency axis of log-mel steps warped. Knows mel bands, no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from cinescope.nn import Batch
from cinescope.objectives.augment_reading import check_ndim, check_roles, on, touched
from cinescope.objectives.draws import uniform
from cinescope.types import BadQueryError


class VtlWarp:
    """Vocal tract length perturbation (Jaitly and Hinton 2013, section 3): f -> a f up to a knee, then straight to
    the top, with a between 1 - most and 1 + most for each row.

    Steps (B, T, bands), or (B, T, k bands) with `groups` k (deltas behind the values). The bands lie evenly on the
    mel scale 2595 log10(1 + f / 700) between `lowest` and `highest` Hz; `knee` Hz is the paper's F_hi.
    """

    changes_presence: ClassVar[bool] = False

    def __init__(
        self,
        roles: Sequence[str] = ("sound",),
        most: float = 0.1,
        lowest: float = 0.0,
        highest: float = 8000.0,
        knee: float = 4800.0,
        groups: int = 1,
    ) -> None:
        self.roles = check_roles(roles, "vtl_warp")
        if not 0 <= most < 0.5:
            raise BadQueryError(f"'most' must be at least 0 and below 0.5, not {most}", "0.1 is the paper's choice")
        if not 0 <= lowest < knee < highest or groups < 1:
            raise BadQueryError(
                f"vtl_warp needs lowest < knee < highest, not {lowest}, {knee}, {highest} Hz",
                "highest is half the sample rate where the filter bank has no own limit",
            )
        self.most = most
        self.lowest, self.highest, self.knee = lowest, highest, knee
        self.groups = groups

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 3, role, "vtl_warp")
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"vtl_warp.{role}"))
            wide = s.values.shape[2]
            if wide % self.groups:
                raise BadQueryError(f"'{role}' has {wide} numbers a step, not {self.groups} equal groups", "see groups")
            bands = wide // self.groups
            at = self.read_at(1 + (2 * drawn - 1) * self.most, bands)  # (B, bands)
            low = at.floor().long().clamp(0, max(bands - 2, 0))
            part = (at - low).to(s.values.dtype)[:, None]  # (B, 1, bands)
            high = (low + 1).clamp(max=bands - 1)
            steps = s.values.unflatten(2, (self.groups, bands)).flatten(1, 2)  # (B, T groups, bands)

            def read(index: Tensor, steps: Tensor = steps) -> Tensor:
                return steps.gather(2, index[:, None].expand(-1, steps.shape[1], -1))

            warped = torch.lerp(read(low), read(high), part)
            changed[role] = s.with_values(warped.reshape(s.values.shape))
        return batch.with_inputs(changed)

    def read_at(self, factor: Tensor, bands: int) -> Tensor:
        """Factors (B, 1) -> (B, bands): at which place among the bands each warped band reads."""
        least, most = _mel(self.lowest), _mel(self.highest)
        step = (most - least) / (bands + 1)  # of the centres of `bands` triangles, the first a step above the lowest
        centre = _hertz(least + step * torch.arange(1, bands + 1, dtype=factor.dtype, device=factor.device))[None]
        knee = self.knee * factor.clamp(max=1) / factor
        top, bottom = self.highest, knee * factor
        above = top - (top - bottom) / (top - knee) * (top - centre)
        warped = torch.where(centre <= knee, centre * factor, above)
        mels = 2595 * torch.log10(1 + warped / 700)
        return ((mels - least) / step - 1).clamp(0, bands - 1)


def _mel(hertz: float) -> float:
    return float(2595 * torch.log10(torch.tensor(1 + hertz / 700, dtype=torch.float64)))


def _hertz(mel: Tensor) -> Tensor:
    return 700 * (10 ** (mel / 2595) - 1)
