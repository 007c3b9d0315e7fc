"""How right classes are: accuracy, F1, confusion. Plain arrays of class numbers; knows no model.

The values are scikit-learn's (tests/metrics/test_classes.py).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Average = Literal["macro", "weighted", "micro"]


def accuracy(said: ArrayLike, true: ArrayLike) -> float:
    """The share of rows (N,) that are right. ValueError where there are none."""
    said, true = _pair(said, true)
    return float(np.mean(said == true))


def confusion(said: ArrayLike, true: ArrayLike, classes: int | None = None) -> NDArray[np.int64]:
    """(K, K): how often class row was said to be class column. K as many as given, or the highest seen and one."""
    said, true = _pair(said, true)
    count = int(max(said.max(), true.max())) + 1 if classes is None else classes
    if min(said.min(), true.min()) < 0 or max(said.max(), true.max()) >= count:
        raise ValueError(f"classes must be 0 to {count - 1}, got {said.min()} to {max(said.max(), true.max())}")
    return np.bincount(true * count + said, minlength=count * count).reshape(count, count)


def f1_per_class(said: ArrayLike, true: ArrayLike, classes: int | None = None) -> NDArray[np.float64]:
    """(K,): 2 TP / (2 TP + FP + FN) of each class; 0 for one that was neither there nor said."""
    table = confusion(said, true, classes)
    right = np.diagonal(table).astype(np.float64)
    both = table.sum(0) + table.sum(1)
    return np.divide(2 * right, both, out=np.zeros_like(right), where=both > 0)


def f1(said: ArrayLike, true: ArrayLike, average: Average = "macro") -> float:
    """Macro: the mean over the classes that were there or were said. Weighted: weighted by how many rows are of each
    class. Micro: over all rows, which for one class a row is accuracy."""
    if average == "micro":
        return accuracy(said, true)
    table = confusion(said, true)
    each = f1_per_class(said, true)
    support = table.sum(1)
    if average == "weighted":
        return float((each * support).sum() / support.sum())
    if average == "macro":
        return float(each[(support + table.sum(0)) > 0].mean())
    raise ValueError(f"average is macro, weighted or micro, got {average!r}")


def binary_accuracy(said: ArrayLike, true: ArrayLike) -> float:
    """The share of right yes and no among all entries of (N, K) or (N,) of 0 and 1."""
    said, true = np.asarray(said), np.asarray(true)
    if said.shape != true.shape or not said.size:
        raise ValueError(f"needs answers and targets of one shape, got {said.shape} and {true.shape}")
    return float(np.mean((said > 0.5) == (true > 0.5)))


def multilabel_f1(said: ArrayLike, true: ArrayLike, average: Average = "macro") -> float:
    """F1 over labels of which several may hold: (N, K) of 0 and 1. A label neither there nor said has F1 0."""
    said, true = np.asarray(said) > 0.5, np.asarray(true) > 0.5
    if said.shape != true.shape or said.ndim != 2 or not said.size:
        raise ValueError(f"needs answers and targets (N, K), got {said.shape} and {true.shape}")
    right, both, support = (said & true).sum(0), said.sum(0) + true.sum(0), true.sum(0)
    if average == "micro":
        return float(2 * right.sum() / both.sum()) if both.sum() else 0.0
    each = np.divide(2 * right, both, out=np.zeros(said.shape[1]), where=both > 0)
    if average == "weighted":
        return float((each * support).sum() / support.sum()) if support.sum() else 0.0
    if average == "macro":
        return float(each.mean())
    raise ValueError(f"average is macro, weighted or micro, got {average!r}")


def _pair(said: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    a, b = np.asarray(said), np.asarray(true)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(f"needs at least one answer and as many targets, got {a.shape} and {b.shape}")
    return a.astype(np.int64), b.astype(np.int64)
