"""Pairs that do not belong together, made from rows of a batch. Knows keys and masks, not what they hold."""

from __future__ import annotations

import torch
from torch import Tensor

from cinescope.nn import Batch, Sequences
from cinescope.objectives.augment_reading import take_true_steps
from cinescope.objectives.draws import uniform


def other_rows(
    batch: Batch, usable: Tensor, seed: int, epoch: int, count: int = 1, group: str | None = None
) -> tuple[Tensor, Tensor]:
    """(own (M,), other (M,)) int64: for each usable row (B,) bool up to `count` other usable rows, none twice.

    Never a row with the same key, nor with the same number in the target `group` (B,): captions of one clip belong
    to it all. A row for which no other is left has no pair. A function of seed, epoch, and the keys in the batch.
    """
    rows = len(batch)
    names = {key: n for n, key in enumerate(batch.keys)}
    same = torch.tensor([names[key] for key in batch.keys])
    allowed = same[:, None] != same[None]
    if group is not None:
        of = batch.targets[group].cpu()
        allowed &= of[:, None] != of[None]
    there = usable.cpu()
    allowed &= there[:, None] & there[None]
    # each row looks at the others in an order of its own: by a draw for every one, of its key and theirs
    drawn = uniform(batch.keys, seed, epoch, "pairs", rows)
    order = drawn.masked_fill(~allowed, 2.0).argsort(dim=1, stable=True)[:, :count]  # (B, <= count)
    good = allowed.gather(1, order)
    own = torch.arange(rows)[:, None].expand_as(order)[good]
    return own.to(usable.device), order[good].to(usable.device)


def shifted(steps: Sequences, keys: tuple[str, ...], seed: int, epoch: int, least: float) -> Sequences:
    """The same steps out of time: moved around by at least `least` of the row's length either way; times stay.

    Rows of fewer than two steps cannot be out of time: they come back as they were.
    """
    drawn = uniform(keys, seed, epoch, "shifted").to(steps.values.device)  # (B, 1)
    length = steps.lengths[:, None]
    first = (least * length).ceil().clamp_min(1)
    last = torch.maximum(length - first, first)
    by = (first + (drawn * (last - first + 1)).floor()).long()
    place = torch.arange(steps.mask.shape[1], device=steps.values.device)[None]
    return take_true_steps(steps, (place + by) % length.clamp_min(1))
