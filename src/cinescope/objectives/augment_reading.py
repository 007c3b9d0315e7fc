"""What the augmentations share: the roles they touch, places among true steps. Knows no augmentation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cinescope.nn import Batch, Sequences
from cinescope.types import BadQueryError


def check_roles(roles: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(roles, str) or not roles:
        raise BadQueryError(f"the corruption '{what}' needs a list of roles", "give it roles: [sound], for example")
    return tuple(roles)


def check_share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise BadQueryError(f"'{name}' must be between 0 and 1, not {value}", "0.1 is a usual choice")
    return value


def touched(batch: Batch, roles: Sequence[str]) -> dict[str, Sequences]:
    """The roles that the batch has: one that is missing is one that is absent."""
    return {role: batch.inputs[role] for role in roles if role in batch.inputs}


def check_ndim(steps: Sequences, ndim: int, role: str, what: str) -> None:
    if steps.values.ndim != ndim or not steps.values.is_floating_point():
        shape = "(B, T, D)" if ndim == 3 else "(B, T, C, H, W)"
        raise BadQueryError(
            f"the corruption '{what}' works on float values {shape}, but '{role}' is {steps.values.dtype} "
            f"{tuple(steps.values.shape)}",
            "name another role",
        )


def places(mask: Tensor) -> Tensor:
    """(B, T) int64: the how-manieth true step each is, from 0; what stands at other steps means nothing."""
    return mask.cumsum(1) - 1


def take_true_steps(steps: Sequences, source: Tensor) -> Sequences:
    """The true step at place n of a row gets the values of the true step at place source[n] of it; times stay.

    source (B, T) int64 of places below the row's length, at the place of the step in the row's padded width.
    """
    where = true_steps(steps.mask)  # (B, T): the padded position of each place
    at = where.gather(1, source.clamp(0, source.shape[1] - 1))  # (B, T) by place
    rows = torch.arange(len(at), device=at.device)[:, None]
    chosen = at.gather(1, places(steps.mask).clamp_min(0))  # by position
    return steps.with_values(steps.values[rows, chosen])


def true_steps(mask: Tensor) -> Tensor:
    """(B, T) int64: the padded position of the n-th true step; beyond the row's length, of steps that are not."""
    return torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)


def on(device: torch.device, *tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(t.to(device) for t in tensors)
