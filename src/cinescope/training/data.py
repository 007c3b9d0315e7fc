"""What the loop is given and what it gives back. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cinescope.nn import Batch


class Source(Protocol):
    """Where batches come from."""

    def __len__(self) -> int: ...

    def batch(self, index: Sequence[int] | np.ndarray) -> Batch: ...


class Order(Protocol):
    """Which rows make up which batch of an epoch."""

    def epoch(self, number: int) -> list[np.ndarray]: ...


class Stopped(Exception):
    """The person stopped the run; its last checkpoint is whole."""


@dataclass(slots=True)
class History:
    """What came of a run: an entry an epoch, and which epoch was best."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0  # from 1; 0 where nothing was watched
    best: float = float("nan")
    stopped_early: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """`order` is of the training rows; `val` is watched after each epoch and never trained on."""

    train: Source
    order: Order
    val: Source | None = None
