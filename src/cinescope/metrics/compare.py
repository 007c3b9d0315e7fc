"""How sure a figure is, and whether one model is better than another on the same rows. Knows per-row values only.

Every comparison is paired: row by row on the same rows, or seed by seed on the same seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

_EXACT = 14  # pairs up to which all 2^n changes of sign are tried


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval in which it lies with the given confidence."""

    value: float
    low: float
    high: float
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much higher `a` is than `b`. p: how likely a difference of this size is where there is none, two-sided."""

    difference: Interval
    p: float
    pairs: int


def bootstrap(
    values: ArrayLike | Sequence[ArrayLike],
    statistic: Callable[..., float] | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Interval:
    """The percentile interval (Efron 1979) of the mean of values (N,), or of `statistic(*columns)` over columns (N,).

    `groups` (N,), say the speaker or the source video of each row: whole groups are drawn, since rows of one group
    are alike and an interval over rows alone would be too narrow.
    """
    columns = [np.asarray(values)] if statistic is None else [np.asarray(c) for c in values]  # type: ignore[union-attr]
    count = len(columns[0])
    if not count or any(len(c) != count for c in columns):
        raise ValueError(f"needs columns of one length above 0, got {[len(c) for c in columns]}")
    measure = statistic or (lambda column: float(np.mean(column)))
    random = np.random.default_rng(seed)
    found = np.array([measure(*(c[rows] for c in columns)) for rows in _draws(count, groups, draws, random)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(measure(*columns)), float(low), float(high), confidence)


def paired(
    a: ArrayLike,
    b: ArrayLike,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> Comparison:
    """a and b (N,), one value for each row (1 where it was right, its error, its reciprocal rank ...).

    The interval by the paired bootstrap; p by the permutation test that changes the sign of each difference (of each
    group's sum with `groups`): all changes for up to 14 pairs, else `draws` of them.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise ValueError(f"paired values must be (N,) and equally many, got {first.shape} and {second.shape}")
    apart = first - second
    interval = bootstrap(apart, None, confidence, draws, seed, groups)
    sums = apart if groups is None else _group_sums(apart, groups)
    return Comparison(interval, sign_flip(sums, draws, seed), len(sums))


def over_seeds(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Comparison:
    """a and b (S,): one figure for each seed. The interval by Student's t of the differences, which unlike a bootstrap
    is right for three seeds; p by all changes of sign (with three seeds never below 0.25)."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise ValueError(f"paired values must be (S,) and equally many, got {first.shape} and {second.shape}")
    return Comparison(t_interval(first - second, confidence), sign_flip(first - second), len(first))


def t_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """The mean of (S,) figures and its interval by Student's t; of one figure the interval is without end."""
    found = np.asarray(values, dtype=np.float64)
    mean = float(found.mean())
    if len(found) < 2:
        return Interval(mean, -np.inf, np.inf, confidence)
    half = t_quantile((1 + confidence) / 2, len(found) - 1) * float(found.std(ddof=1)) / np.sqrt(len(found))
    return Interval(mean, mean - half, mean + half, confidence)


def t_quantile(share: float, freedom: int) -> float:
    """The quantile of Student's t above the median, by bisection of its integral: scipy is not needed to train."""
    if not 0.5 <= share < 1 or freedom < 1:
        raise ValueError(f"needs a share in [0.5, 1) and a freedom of at least 1, got {share} and {freedom}")
    # t = sqrt(n) tan(angle) makes the density cos(angle)^(n - 1), which is smooth and of bounded support
    angles = np.linspace(0, np.pi / 2, 20_001)
    density = np.cos(angles) ** (freedom - 1)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    angle = float(np.interp((share - 0.5) * 2 * area[-1], area, angles))
    return float(np.sqrt(freedom) * np.tan(angle))


def sign_flip(apart: ArrayLike, draws: int = 2000, seed: int = 0) -> float:
    """p, two-sided, of the sum of paired differences (N,) by the permutation test of their signs (Fisher 1935)."""
    found = np.asarray(apart, dtype=np.float64)
    size = abs(found.sum()) * (1 - 1e-12) - 1e-300
    if len(found) <= _EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(found))))
        return float((np.abs(signs @ found) >= size).mean())
    random = np.random.default_rng(seed)
    signs = random.choice(np.array([1.0, -1.0]), size=(draws, len(found)))
    # the one that was seen is among the possible ones
    return float(((np.abs(signs @ found) >= size).sum() + 1) / (draws + 1))


def _draws(count: int, groups: ArrayLike | None, draws: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    if groups is None:
        return [random.integers(0, count, count) for _ in range(draws)]
    names, which = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(which == g) for g in range(len(names))]
    chosen = [random.integers(0, len(names), len(names)) for _ in range(draws)]
    return [np.concatenate([members[g] for g in drawn]) for drawn in chosen]


def _group_sums(values: NDArray[np.float64], groups: ArrayLike) -> NDArray[np.float64]:
    _, which = np.unique(np.asarray(groups), return_inverse=True)
    return np.bincount(which, weights=values).astype(np.float64)
