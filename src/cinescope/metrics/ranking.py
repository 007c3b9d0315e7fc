"""How early the right one comes. Plain arrays of scores, higher is better; knows no model.

Equal scores count against: the right one comes after all that score the same, so that a constant model earns nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def places(scores: ArrayLike, right: ArrayLike) -> NDArray[np.int64]:
    """Scores (B, N) and the index of the right one (B,) -> (B,): its place, from 1. -inf for what is not there."""
    scores, right = np.asarray(scores, dtype=np.float64), np.asarray(right)
    if scores.ndim != 2 or right.shape != scores.shape[:1] or not right.size:
        raise ValueError(f"needs scores (B, N) and right ones (B,), got {scores.shape} and {right.shape}")
    own = scores[np.arange(len(right)), right]
    return (scores >= own[:, None]).sum(1)


def recall_at(scores: ArrayLike, right: ArrayLike, k: int) -> float:
    """The share of rows whose right one is among the first k."""
    return float((places(scores, right) <= k).mean())


def mrr(scores: ArrayLike, right: ArrayLike) -> float:
    """The mean of 1 / place: the mean reciprocal rank."""
    return float((1 / places(scores, right)).mean())


def median_place(scores: ArrayLike, right: ArrayLike) -> float:
    return float(np.median(places(scores, right)))


def average_precision(scores: ArrayLike, true: ArrayLike) -> float:
    """Scores (N,) and whether each fits (N,): the sum of (R_n - R_n-1) P_n over thresholds, as scikit-learn has it.

    Equal scores are one threshold. 0 where none fits.
    """
    scores, true = np.asarray(scores, dtype=np.float64), np.asarray(true) > 0.5
    if scores.shape != true.shape or scores.ndim != 1 or not scores.size:
        raise ValueError(f"needs scores and targets (N,), got {scores.shape} and {true.shape}")
    if not true.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    scores, true = scores[order], true[order]
    last = np.append(scores[1:] != scores[:-1], True)  # the last of those that score the same
    right = np.cumsum(true)[last]
    precision = right / (np.flatnonzero(last) + 1)
    recall = right / true.sum()
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def mean_average_precision(scores: ArrayLike, true: ArrayLike) -> float:
    """The mean over the labels (N, K) that hold at least once; 0 where none does."""
    scores, true = np.asarray(scores, dtype=np.float64), np.asarray(true) > 0.5
    held = [average_precision(scores[:, k], true[:, k]) for k in range(true.shape[1]) if true[:, k].any()]
    return float(np.mean(held)) if held else 0.0
