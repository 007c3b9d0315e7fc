"""Rows -> Batch: normalised, padded, as tensors. Knows no file and no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cinescope.datasets.inputs import Preparer
from cinescope.datasets.rows import Ragged, Rows
from cinescope.nn import UNKNOWN, Batch, Sequences


@dataclass(frozen=True, slots=True, eq=False)
class RowSource:
    """Where the training loop takes its batches from."""

    rows: Rows
    preparer: Preparer

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> np.ndarray:
        return self.rows.lengths

    def labels(self, target: str) -> np.ndarray | None:
        """(N,) of a class target, for balanced sampling; None where rows have no single class."""
        values = self.rows.targets.get(target)
        return values if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.int64 else None

    def batch(self, index: Sequence[int] | np.ndarray) -> Batch:
        """The rows of these numbers, padded to the longest of them."""
        chosen = [int(i) for i in index]
        # A role that no row has is left out, which is one and the same for a model: without a step of it neither its
        # width nor its kind is known here.
        there = {role: ragged for role, ragged in self.rows.inputs.items() if len(ragged.values)}
        inputs = {role: self._padded(role, ragged, chosen) for role, ragged in there.items()}
        targets: dict[str, Tensor] = {}
        for name, values in self.rows.targets.items():
            targets |= _target(name, values, chosen)
        return Batch(inputs, targets, tuple(self.rows.keys[i] for i in chosen))

    def _padded(self, role: str, ragged: Ragged, chosen: Sequence[int]) -> Sequences:
        rows = [ragged[i] for i in chosen]
        lengths = np.array([len(v) for v, _ in rows])
        longest = max(int(lengths.max(initial=0)), 1)
        mask = np.arange(longest) < lengths[:, None]
        times = np.zeros((len(rows), longest, 2))
        shape = ragged.values.shape[1:]
        # Gathered first, scaled once: a call a row costs more than the arithmetic.
        if lengths.sum():
            flat = self.preparer.normalised(role, np.concatenate([v for v, _ in rows]))
            times[mask] = np.concatenate([t for _, t in rows])
        else:
            flat = self.preparer.normalised(role, np.zeros((0, *shape), ragged.values.dtype))
        if len(rows) * longest == len(flat):
            values = flat.reshape(len(rows), longest, *shape)
        else:
            values = np.zeros((len(rows), longest, *shape), flat.dtype)
            values[mask] = flat
        return Sequences(torch.from_numpy(values), torch.from_numpy(mask), torch.from_numpy(times))


def _target(name: str, values: np.ndarray | Ragged, chosen: Sequence[int]) -> dict[str, Tensor]:
    if isinstance(values, np.ndarray):
        taken = torch.from_numpy(np.ascontiguousarray(values[chosen]))
        if taken.is_floating_point() and taken.ndim == 1:
            return {name: taken.nan_to_num(), f"{name}.known": ~taken.isnan()}
        return {name: taken}
    rows = [values[i][0] for i in chosen]
    longest = max([len(v) for v in rows] + [1])
    whole = np.issubdtype(values.values.dtype, np.integer)
    padded = np.full((len(rows), longest), UNKNOWN if whole else np.nan, values.values.dtype)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = row
    tensor = torch.from_numpy(padded)
    return {name: tensor} if whole else {name: tensor.nan_to_num(), f"{name}.known": ~tensor.isnan()}
