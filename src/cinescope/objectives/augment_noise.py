"""Values made noisy, louder, or missing. Knows steps of numbers (B, T, D)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch

from cinescope.nn import Batch
from cinescope.objectives.augment_reading import check_ndim, check_roles, check_share, on, touched
from cinescope.objectives.draws import normal, uniform
from cinescope.types import BadQueryError


class Noise:
    """Normal noise of a deviation between 0 and `most`, drawn for each row. Any float values."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), most: float = 0.1) -> None:
        self.roles = check_roles(roles, "noise")
        if most < 0:
            raise BadQueryError(f"'most' must not be below 0, not {most}", "0.1 fits values of deviation 1")
        self.most = most

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            if not s.values.is_floating_point():
                check_ndim(s, 3, role, "noise")
            purpose = f"noise.{role}"
            width = s.values[0, 0].numel()
            noise = normal(batch.keys, seed, epoch, purpose, s.mask, width).reshape(s.values.shape)
            size = uniform(batch.keys, seed, epoch, f"{purpose}.size")[:, 0].float() * self.most
            noise = noise * size.reshape(-1, *[1] * (noise.ndim - 1))
            changed[role] = s.with_values(s.values + noise.to(s.values.device, s.values.dtype))
        return batch.with_inputs(changed)


class Gain:
    """A number between -most and most added to all values of a row: on log-mel steps, another loudness."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), most: float = 1.0) -> None:
        self.roles = check_roles(roles, "gain")
        if most < 0:
            raise BadQueryError(f"'most' must not be below 0, not {most}", "1 is a factor of e on natural logarithms")
        self.most = most

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 3, role, "gain")
            (drawn,) = on(s.values.device, uniform(batch.keys, seed, epoch, f"gain.{role}"))
            by = ((2 * drawn - 1) * self.most).to(s.values.dtype)[..., None]  # (B, 1, 1)
            changed[role] = s.with_values(s.values + by)
        return batch.with_inputs(changed)


class FeatureDropout:
    """Each of the D numbers is zero in all steps of a row with the chance `share`; the others grow by 1 / (1 -
    share), as in dropout (Srivastava et al. 2014)."""

    changes_presence: ClassVar[bool] = False

    def __init__(self, roles: Sequence[str] = ("sound",), share: float = 0.1) -> None:
        self.roles = check_roles(roles, "feature_dropout")
        if check_share(share, "share") == 1:
            raise BadQueryError("'share' 1 would leave nothing", "0.1 is a usual choice")
        self.share = share

    def __call__(self, batch: Batch, seed: int, epoch: int) -> Batch:
        changed = {}
        for role, s in touched(batch, self.roles).items():
            check_ndim(s, 3, role, "feature_dropout")
            drawn = uniform(batch.keys, seed, epoch, f"feature_dropout.{role}", s.values.shape[2])
            kept = (drawn >= self.share).to(s.values.device, s.values.dtype) / (1 - self.share)  # (B, D)
            changed[role] = s.with_values(torch.where(kept[:, None] > 0, s.values * kept[:, None], 0.0))
        return batch.with_inputs(changed)
