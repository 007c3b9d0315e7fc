"""Codebooks: k-means over descriptors, and pictures described by them (bag of words, VLAD).

Knows rows of numbers; knows nothing of pictures or of what the rows describe.
"""

from __future__ import annotations

import numpy as np

from cinescope.types import BadQueryError

_CHUNK = 4096  # rows compared with all centres at once


def nearest(descriptors: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, D), (K, D) float32 -> (N,) index of the nearest centre, (N,) float32 squared distance to it."""
    index = np.empty(len(descriptors), np.int64)
    away = np.empty(len(descriptors), np.float32)
    size = np.einsum("kd,kd->k", centres, centres)
    for at in range(0, len(descriptors), _CHUNK):
        part = descriptors[at : at + _CHUNK]
        # |a - b|^2 without |a|^2, which is the same for every b
        distances = size - 2 * (part @ centres.T)
        which = distances.argmin(axis=1)
        index[at : at + _CHUNK] = which
        least = distances[np.arange(len(part)), which] + np.einsum("nd,nd->n", part, part)
        away[at : at + _CHUNK] = np.maximum(least, 0)
    return index, away


def k_means(descriptors: np.ndarray, count: int, seed: int = 0, iterations: int = 30) -> np.ndarray:
    """(N, D) -> (count, D) float32 centres; the same rows in the same order and seed give the same bits.

    Lloyd 1982, started as Arthur and Vassilvitskii 2007 ("k-means++"). A centre that loses all its rows moves to the
    row farthest from its own. Fewer different rows than centres raise BadQueryError.
    """
    rows = np.ascontiguousarray(descriptors, np.float32)
    different = len(np.unique(rows, axis=0)) if len(rows) < 4 * count else count
    if different < count:
        raise BadQueryError(
            f"{count} words cannot be learned from {different} different descriptors",
            "give more training clips, or ask for fewer words",
        )
    generator = np.random.default_rng(seed)
    centres = _spread(rows, count, generator)
    before: np.ndarray | None = None
    for _ in range(iterations):
        index, away = nearest(rows, centres)
        if before is not None and np.array_equal(index, before):
            break
        before = index
        held = np.bincount(index, minlength=count)
        order = np.argsort(index, kind="stable")
        filled = np.flatnonzero(held)
        starts = np.concatenate([[0], np.cumsum(held[filled])[:-1]])
        sums = np.add.reduceat(rows[order].astype(np.float64), starts, axis=0)
        centres[filled] = (sums / held[filled, None]).astype(np.float32)
        empty = np.flatnonzero(held == 0)
        if len(empty):
            centres[empty] = rows[np.argsort(-away, kind="stable")[: len(empty)]]
    return centres


def _spread(rows: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Each next centre is a row drawn by its squared distance to the nearest centre so far: of a few such draws, the
    one that leaves the least distance (the paper's section 6: a single draw may miss a whole cluster)."""
    centres = np.empty((count, rows.shape[1]), np.float32)
    centres[0] = rows[generator.integers(len(rows))]
    away = _distances(rows, centres[0])
    size = np.einsum("nd,nd->n", rows, rows)
    draws = 2 + int(np.log(count))
    for i in range(1, count):
        total = np.cumsum(away, dtype=np.float64)
        if total[-1] <= 0:  # fewer different rows than centres: said here where there were too many to count above
            raise BadQueryError(
                f"{count} words cannot be learned from {i} different descriptors",
                "give more training clips, or ask for fewer words",
            )
        drawn = np.searchsorted(total, generator.random(draws) * total[-1], side="right")
        drawn = np.minimum(drawn, len(rows) - 1)
        left = [np.minimum(away, size + size[d] - 2 * (rows @ rows[d])).sum(dtype=np.float64) for d in drawn]
        centres[i] = rows[drawn[int(np.argmin(left))]]
        np.minimum(away, _distances(rows, centres[i]), out=away)
    return centres


def _distances(rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    away = rows - centre
    return np.einsum("nd,nd->n", away, away)


def bag_of_words(descriptors: np.ndarray, centres: np.ndarray, norm: str = "root") -> np.ndarray:
    """(N, D), (K, D) -> (K,) float64: how often each word is the nearest. Zeros where there are no descriptors.

    Sivic and Zisserman 2003, "Video Google". "root": square root of the shares (Hellinger kernel), of length 1;
    "L1": shares; "L2": counts of length 1.
    """
    counts = np.bincount(nearest(descriptors, centres)[0], minlength=len(centres)).astype(np.float64)
    if norm == "L2":
        return counts / max(1e-12, float(np.linalg.norm(counts)))
    shares = counts / max(1.0, counts.sum())
    return np.sqrt(shares) if norm == "root" else shares


def vlad(descriptors: np.ndarray, centres: np.ndarray, signed_root: bool = True, intra: bool = False) -> np.ndarray:
    """(N, D), (K, D) -> (K * D,) float64 of length 1; zeros where there are no descriptors.

    The sum of differences of each word's descriptors to it: Jégou, Douze, Schmid and Pérez 2010, "Aggregating local
    descriptors into a compact image representation", equation 1. `signed_root`: sign(v) * sqrt(|v|) before the length
    (Jégou et al. 2012, section 4.3). `intra`: each word's part is brought to length 1 first (Arandjelović and
    Zisserman 2013, "All about VLAD", section 3.1); a word without descriptors stays 0.
    """
    index = nearest(descriptors, centres)[0]
    sums = np.zeros(centres.shape)
    np.add.at(sums, index, descriptors.astype(np.float64) - centres[index])
    if intra:
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    flat = sums.ravel()
    if signed_root:
        flat = np.sign(flat) * np.sqrt(np.abs(flat))
    return flat / max(1e-12, float(np.linalg.norm(flat)))
