"""How well a label can be read from numbers: linear and by one column, always on groups that were not fitted on.

Knows arrays; knows no dataset. Plain numpy, so that a look at one's data needs no further package.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

FOLDS = 5
MOST_ROWS = 6_000  # more are thinned, by a draw that is the same each time
_ITERATIONS = 250
_PENALTY = 1.0  # on the squared weights of standardised columns, as scikit-learn's C = 1
_BINS = 16  # of one column


def fold_of(groups: Sequence[str], folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """(N,) fold of each row: whole groups, drawn in turn to the smallest fold. A row without group is its own."""
    names = [g or f"row {i}" for i, g in enumerate(groups)]
    distinct, of, sizes = np.unique(names, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, np.int64)
    fold = np.zeros(len(distinct), np.int64)
    for group in order:
        fold[group] = int(np.argmin(filled))
        filled[fold[group]] += sizes[group]
    return fold[of]


def thinned(count: int, seed: int = 0) -> np.ndarray:
    """At most MOST_ROWS of `count` row numbers, rising."""
    if count <= MOST_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:MOST_ROWS])


def majority(labels: np.ndarray) -> float:
    """Accuracy of always saying the most frequent label. `labels` (N,) int from 0."""
    return float(np.bincount(labels).max() / len(labels))


def by_chance(share: float, groups: Sequence[str]) -> float:
    """How far above `share` chance takes an accuracy, at three deviations: rows of one group are not independent."""
    distinct = len({g or f"row {i}" for i, g in enumerate(groups)})
    return 3 * float(np.sqrt(share * (1 - share) / max(1, distinct)))


def read_linearly(values: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> float:
    """(N, D) numbers, (N,) labels -> accuracy of logistic regression, each fold read by a fit on the others."""
    right = 0
    for f in np.unique(fold):
        fit, held = fold != f, fold == f
        if not fit.any() or len(np.unique(labels[fit])) < 2:
            continue
        mean, deviation = values[fit].mean(0), values[fit].std(0)
        scale = np.where(deviation > 1e-9, deviation, np.inf)
        weights, bias = logistic((values[fit] - mean) / scale, labels[fit])
        said = ((values[held] - mean) / scale @ weights + bias).argmax(1)
        right += int((said == labels[held]).sum())
    return right / len(labels)


def logistic(x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression of standardised (N, D) -> weights (D, K), bias (K,).

    Accelerated gradient descent (Nesterov 1983) with the step of the curvature's bound; the bias is not penalised.
    """
    count, classes = len(x), int(labels.max()) + 1
    x = np.concatenate([x, np.ones((count, 1))], 1).astype(np.float64)
    wanted = np.eye(classes)[labels]
    penalty = np.full((x.shape[1], 1), _PENALTY)
    penalty[-1] = 0
    bound = 0.5 * _largest(x) + _PENALTY
    weights = held = np.zeros((x.shape[1], classes))
    momentum = 1.0
    for _ in range(_ITERATIONS):
        scores = x @ held
        scores -= scores.max(1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(1, keepdims=True)
        step = held - (x.T @ (shares - wanted) + penalty * held) / bound
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        held = step + (momentum - 1) / following * (step - weights)
        weights, momentum = step, following
    return weights[:-1], weights[-1]


def _largest(x: np.ndarray) -> float:
    """The largest eigenvalue of x'x, a little above."""
    vector = np.ones(x.shape[1]) / np.sqrt(x.shape[1])
    size = 1.0
    for _ in range(30):
        vector = x.T @ (x @ vector)
        size = float(np.linalg.norm(vector)) or 1.0
        vector /= size
    return 1.1 * size


def read_by_one(values: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(N, D) numbers -> (D,) accuracy of reading the label from each column alone.

    Each column is cut in _BINS parts of as many rows, or by its values where there are few; a part says its most
    frequent label of the other folds.
    """
    classes = int(labels.max()) + 1
    right = np.zeros(values.shape[1])
    for column in range(values.shape[1]):
        parts = _parts(values[:, column])
        tables = np.zeros((int(fold.max()) + 1, int(parts.max()) + 1, classes))
        np.add.at(tables, (fold, parts, labels), 1)
        others = tables.sum(0) - tables  # (folds, parts, classes) without the fold itself
        empty = others.sum(2) == 0
        others[empty] = others.sum(1, keepdims=True).repeat(others.shape[1], 1)[empty]
        said = others.argmax(2)
        right[column] = (said[fold, parts] == labels).mean()
    return right


def _parts(column: np.ndarray) -> np.ndarray:
    distinct, of = np.unique(column, return_inverse=True)
    if len(distinct) <= _BINS:
        return of
    edges = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, column, side="right")


def read_words(texts: Sequence[str], labels: np.ndarray, fold: np.ndarray) -> float:
    """Accuracy of naive Bayes on words and pairs of words (Wang and Manning 2012, presence alone) over the folds.

    What the words themselves say: the measure for features that are said to be made of them.
    """
    index: dict[str, int] = {}
    rows, terms = [], []
    for i, text in enumerate(texts):
        words = text.lower().split()
        for term in {*words, *(f"{a} {b}" for a, b in pairwise(words))}:
            rows.append(i)
            terms.append(index.setdefault(term, len(index)))
    at, which = np.array(rows, np.int64), np.array(terms, np.int64)
    classes, width = int(labels.max()) + 1, max(1, len(index))
    right = 0
    for f in np.unique(fold):
        fit = fold != f
        seen = fit[at]
        counts = np.bincount(labels[at[seen]] * width + which[seen], minlength=classes * width)
        shares = np.log(counts.reshape(classes, width) + 1.0)
        shares -= np.log(np.exp(shares).sum(1, keepdims=True))
        known = counts.reshape(classes, width).sum(0) > 0
        prior = np.log(np.bincount(labels[fit], minlength=classes) + 1e-9)
        scores = np.tile(prior, (len(texts), 1))
        held = ~seen & known[which]
        np.add.at(scores, at[held], shares[:, which[held]].T)
        right += int((scores[~fit].argmax(1) == labels[~fit]).sum())
    return right / len(labels)
