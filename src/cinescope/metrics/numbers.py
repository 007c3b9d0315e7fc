"""How near numbers are: errors and correlations. Plain arrays; knows no model. The values are scipy's."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mae(said: ArrayLike, true: ArrayLike) -> float:
    """The mean of |said - true|."""
    said, true = _pair(said, true)
    return float(np.abs(said - true).mean())


def rmse(said: ArrayLike, true: ArrayLike) -> float:
    """The root of the mean of (said - true)^2."""
    said, true = _pair(said, true)
    return float(np.sqrt(np.square(said - true).mean()))


def pearson(said: ArrayLike, true: ArrayLike) -> float:
    """The correlation (N,); 0 where either side is constant or shorter than two, of which it says nothing."""
    said, true = _pair(said, true)
    a, b = said - said.mean(), true - true.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    # what is left of a constant side is rounding, of about eps times its size
    tiny = 16 * np.finfo(np.float64).eps * len(a) * max(np.abs(said).max(), 1e-300) * max(np.abs(true).max(), 1e-300)
    return float(np.clip(a @ b / size, -1, 1)) if len(a) > 1 and size > tiny else 0.0


def spearman(said: ArrayLike, true: ArrayLike) -> float:
    """The correlation of the ranks (N,), equal values sharing their mean rank; 0 as in `pearson`."""
    said, true = _pair(said, true)
    return pearson(_ranks(said), _ranks(true))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which]


def _pair(said: ArrayLike, true: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(said, dtype=np.float64), np.asarray(true, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(f"needs at least one answer and as many targets, got {a.shape} and {b.shape}")
    return a, b
