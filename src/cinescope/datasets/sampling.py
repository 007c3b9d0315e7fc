"""Which rows make up which batch: a pure function of (seed, epoch). Knows lengths and labels, not values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cinescope.types import BadQueryError

POOL = 50  # batches whose rows are sorted by length together: enough to pad little, few enough to stay random


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Batches of row numbers. Every rank and every resumed run computes the same list and takes its own part of it."""

    rows: int
    batch: int
    seed: int = 0
    shuffle: bool = True
    lengths: np.ndarray | None = None  # (N,): rows of like length go together (bucketed)
    labels: np.ndarray | None = None  # (N,) int: every label is drawn equally often (balanced)
    drop_last: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1 or self.rows < 1:
            raise BadQueryError(f"{self.rows} rows cannot be put into batches of {self.batch}")

    def epoch(self, number: int) -> list[np.ndarray]:
        """The batches of one epoch, each an array of row numbers."""
        rng = np.random.default_rng([self.seed, number])
        order = self._order(rng)
        if self.lengths is not None:
            order = self._bucketed(order)
        starts = range(0, len(order), self.batch)
        batches = [order[s : s + self.batch] for s in starts]
        if self.drop_last and len(batches) > 1 and len(batches[-1]) < self.batch:
            batches.pop()
        if self.lengths is not None and self.shuffle:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        return batches

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.rows // self.batch if self.drop_last and self.rows > self.batch else -(-self.rows // self.batch)

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.rows)
        if self.labels is None:
            return rng.permutation(self.rows)
        # As many rows as there are, drawn so that each label comes equally often; within a label none comes twice
        # before all have come once.
        known = np.unique(self.labels[self.labels >= 0])
        if not len(known):
            raise BadQueryError("rows without labels cannot be balanced", "leave out balanced")
        each = -(-self.rows // len(known))
        drawn = []
        for label in known:
            there = np.flatnonzero(self.labels == label)
            rounds = -(-each // len(there))
            drawn.append(np.concatenate([rng.permutation(there) for _ in range(rounds)])[:each])
        return rng.permutation(np.concatenate(drawn))[: self.rows]

    def _bucketed(self, order: np.ndarray) -> np.ndarray:
        assert self.lengths is not None
        pool = self.batch * POOL
        pieces = [order[s : s + pool] for s in range(0, len(order), pool)]
        return np.concatenate([p[np.argsort(self.lengths[p], kind="stable")] for p in pieces])
