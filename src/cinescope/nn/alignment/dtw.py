"""Dynamic time warping: the cheapest monotone path through a matrix of costs, exactly. Plain numbers, no gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cinescope.types import BadQueryError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class WarpingPath:
    cost: float  # the sum of the costs along the path
    path: Array  # (L, 2) int64: pairs (i, j) from (0, 0) to (N - 1, M - 1)


def distances(a: ArrayLike, b: ArrayLike) -> Array:
    """a (N, D), b (M, D) -> (N, M) float64: Euclidean distance of each pair of steps."""
    left, right = (np.asarray(x, dtype=np.float64) for x in (a, b))
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        raise ValueError(f"distances are of (N, D) and (M, D), got {left.shape} and {right.shape}")
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    return np.sqrt(np.maximum(squared, 0.0))


def dtw(cost: ArrayLike, band: int | None = None) -> WarpingPath:
    """cost (N, M), array or tensor -> the cheapest path whose every step goes on by one in either or both.

    Sakoe and Chiba 1978, symmetric with all weights 1: R_ij = cost_ij + min(R_i-1,j-1, R_i-1,j, R_i,j-1). With `band`
    only cells at most that many columns from the diagonal of the matrix count (section II.C, with the slope of M / N).
    Of equally cheap ways the diagonal goes first, then that along the rows. ValueError for what is no matrix of
    finite costs; BadQueryError for a band that leaves no path.
    """
    costs = _matrix(cost)
    rows, columns = costs.shape
    allowed = _band(rows, columns, band)
    sums = np.full((rows + 1, columns + 1), np.inf)
    sums[0, 0] = 0.0
    for k in range(rows + columns - 1):  # one anti-diagonal after another: each is computed at once
        i = np.arange(max(0, k - columns + 1), min(rows, k + 1))
        j = k - i
        before = np.minimum(np.minimum(sums[i, j], sums[i, j + 1]), sums[i + 1, j])
        sums[i + 1, j + 1] = np.where(allowed[i, j], costs[i, j] + before, np.inf)
    if not np.isfinite(sums[-1, -1]):
        raise BadQueryError(
            f"no path of {rows} by {columns} steps stays within a band of {band}", "give a wider band, or none"
        )
    return WarpingPath(float(sums[-1, -1]), _back(sums))


def _matrix(cost: ArrayLike) -> Array:
    costs = np.asarray(cost, dtype=np.float64)
    if costs.ndim != 2 or not costs.size or not np.isfinite(costs).all():
        raise ValueError(f"DTW takes a matrix (N, M) of finite costs, at least (1, 1), got {costs.shape}")
    return costs


def _band(rows: int, columns: int, band: int | None) -> Array:
    if band is None:
        return np.ones((rows, columns), dtype=bool)
    if band < 0:
        raise BadQueryError(f"a band of {band} steps holds nothing", "give 0 or more")
    diagonal = np.arange(rows) * ((columns - 1) / max(1, rows - 1))
    near = np.abs(np.arange(columns)[None] - diagonal[:, None]) <= band + 1e-9
    near[0, 0] = near[-1, -1] = True
    return near


def _back(sums: Array) -> Array:
    i, j = sums.shape[0] - 1, sums.shape[1] - 1
    path = []
    while i > 0 and j > 0:
        path.append((i - 1, j - 1))
        ways = ((sums[i - 1, j - 1], i - 1, j - 1), (sums[i - 1, j], i - 1, j), (sums[i, j - 1], i, j - 1))
        _, i, j = min(ways, key=lambda way: way[0])
    return np.array(path[::-1], dtype=np.int64)


def warped_spans(path: ArrayLike, times: ArrayLike, steps: int) -> Array:
    """A path (L, 2) and the times (M, 2) in seconds of its second sequence -> (steps, 2): each step of the first on the
    other's clock, from the start of the first step it is matched with to the end of the last."""
    pairs, clock = np.asarray(path), np.asarray(times, dtype=np.float64)
    spans = np.empty((steps, 2))
    for i in range(steps):
        matched = pairs[pairs[:, 0] == i, 1]
        if not len(matched):
            raise ValueError(f"the path of {len(pairs)} pairs does not pass step {i} of {steps}")
        spans[i] = clock[matched, 0].min(), clock[matched, 1].max()
    return spans
