"""Random numbers that are a function of (seed, epoch, row key) and of what they are for. Knows no batch.

The same row gets the same numbers whatever stands beside it in the batch, on whichever rank, after a resume.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# splitmix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 17)
_GOLDEN, _MIX_1, _MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def row_seeds(keys: Sequence[str], seed: int, epoch: int, purpose: str) -> NDArray[np.uint64]:
    """(B,): one number for each row. `purpose` keeps two uses of the same row apart. ValueError without keys."""
    if not keys:
        raise ValueError("a batch without row keys cannot be varied: randomness is a function of the keys")
    start = blake2b(f"{seed}|{epoch}|{purpose}|".encode(), digest_size=8)
    found = np.empty(len(keys), dtype=np.uint64)
    for i, key in enumerate(keys):
        row = start.copy()
        row.update(key.encode())
        found[i] = int.from_bytes(row.digest(), "little")
    return found


def _bits(keys: Sequence[str], seed: int, epoch: int, purpose: str, count: int) -> NDArray[np.uint64]:
    """(B, count): the counter of each row run through splitmix64."""
    state = row_seeds(keys, seed, epoch, purpose)[:, None] + _GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed


def uniform(keys: Sequence[str], seed: int, epoch: int, purpose: str, count: int = 1) -> Tensor:
    """(B, count) float64 in [0, 1)."""
    bits = _bits(keys, seed, epoch, purpose, count)
    return torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def normal(keys: Sequence[str], seed: int, epoch: int, purpose: str, mask: Tensor, width: int) -> Tensor:
    """(B, T, width) float32 of mean 0 and deviation 1 at the true steps of mask (B, T), 0 elsewhere: how wide the
    padding is changes nothing.

    Two numbers of each 64 bits (Box and Muller 1958): a generator for each row costs more than the numbers.
    """
    there = mask.cpu()
    steps = int(there.sum(1).max()) if len(keys) else 0
    if steps * width == 0:
        return torch.zeros(*mask.shape, width)
    bits = _bits(keys, seed, epoch, purpose, (steps * width + 1) // 2)
    # A half is added so that the logarithm is never of 0.
    size = ((bits >> np.uint64(40)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-24)
    angle = (bits & np.uint64(0xFFFFFF)).astype(np.float32) * np.float32(2 * np.pi * 2.0**-24)
    radius = np.sqrt(-2 * np.log(size))
    drawn = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(len(keys), -1)
    values = torch.from_numpy(drawn[:, : steps * width]).unflatten(1, (steps, width))
    if steps == there.shape[1] and bool(there.all()):
        return values
    # The k-th true step gets the k-th numbers.
    place = (there.cumsum(1) - 1).clamp_min(0)[..., None].expand(-1, -1, width)
    return values.gather(1, place).masked_fill(~there[..., None], 0.0)
