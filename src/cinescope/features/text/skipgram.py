"""Word vectors learnt from texts: skip-gram with negative sampling (Mikolov et al. 2013, "Distributed Representations
of Words and Phrases", sections 2.2 and 2.3).

Each word predicts those around it (a window drawn anew for each, so that near ones count more), against words drawn by
their count to the power of 3/4; words as frequent as "the" are left out at random. In numpy, a few hundred pairs a
step: gradients of a step are computed from the same vectors and added up, where word2vec.c goes pair by pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_POWER = 0.75  # of the counts that negatives are drawn by: Mikolov et al., section 2.2
_LEAST_RATE = 1e-4  # share of the learning rate that is left at the end: word2vec.c
_MOST_SHARED = 8.0  # gradients of one word that a step adds up at full size; more would overshoot
_STEP = (32, 2048)  # pairs in a step: fewer for small vocabularies, where each word is in many


@dataclass(frozen=True, slots=True)
class SkipGram:
    """How vectors are learnt. `rate` is the learning rate at the beginning, `subsample` Mikolov's t (0: keep all)."""

    width: int = 100
    window: int = 5
    negatives: int = 5
    epochs: int = 5
    rate: float = 0.05
    subsample: float = 1e-3
    min_count: int = 1


def learn_vectors(
    sentences: Iterable[Sequence[str]], how: SkipGram | None = None, seed: int = 0
) -> tuple[list[str], np.ndarray]:
    """Words by falling count, then by letters, and their vectors (N, width) float32. The same sentences and seed give
    the same vectors. No words, where none is there `min_count` times."""
    how = how or SkipGram()
    texts = [list(s) for s in sentences]
    counts = Counter(word for text in texts for word in text)
    words = sorted((w for w, n in counts.items() if n >= how.min_count), key=lambda w: (-counts[w], w))
    place = {word: i for i, word in enumerate(words)}
    coded = [np.array([place[w] for w in text if w in place], np.int64) for text in texts]
    coded = [text for text in coded if len(text)]
    if not words:
        return [], np.zeros((0, how.width), np.float32)
    inner = (np.random.default_rng([seed, 0]).random((len(words), how.width), np.float32) - 0.5) / how.width
    outer = np.zeros((len(words), how.width), np.float32)
    frequency = np.array([counts[w] for w in words], np.float64)
    _train(coded, frequency, inner, outer, how, seed)
    return words, inner


def _train(
    texts: list[np.ndarray], frequency: np.ndarray, inner: np.ndarray, outer: np.ndarray, how: SkipGram, seed: int
) -> None:
    """Changes `inner` and `outer`, (N, width), in place."""
    share = frequency / frequency.sum()
    kept = np.ones(len(share)) if how.subsample <= 0 else np.minimum(1, np.sqrt(how.subsample / share))
    # word2vec.c keeps by (sqrt(f / t) + 1) * t / f, which is a little more than the paper's sqrt(t / f) of section 2.3.
    kept = np.minimum(1, kept + (how.subsample / share if how.subsample > 0 else 0))
    drawing = np.cumsum(frequency**_POWER)
    drawing /= drawing[-1]
    step = int(np.clip(2 * len(frequency), *_STEP))
    for epoch in range(how.epochs):
        random = np.random.default_rng([seed, 1, epoch])
        centres, contexts = _pairs(texts, kept, how.window, random)
        order = random.permutation(len(centres))
        centres, contexts = centres[order], contexts[order]
        for at in range(0, len(centres), step):
            done = (epoch + at / max(1, len(centres))) / how.epochs
            rate = how.rate * max(_LEAST_RATE, 1 - done)
            c, o = centres[at : at + step], contexts[at : at + step]
            drawn = np.minimum(np.searchsorted(drawing, random.random((len(c), how.negatives))), len(drawing) - 1)
            _step(inner, outer, c, o, drawn, np.float32(rate))


def _pairs(
    texts: list[np.ndarray], kept: np.ndarray, window: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(P,) centres and (P,) contexts of one epoch."""
    centres, contexts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for text in texts:
        text = text[random.random(len(text)) < kept[text]]
        reach = random.integers(1, window + 1, len(text))
        for offset in range(1, min(window, len(text) - 1) + 1):
            here = reach >= offset
            centres += [text[offset:][here[offset:]], text[:-offset][here[:-offset]]]
            contexts += [text[:-offset][here[offset:]], text[offset:][here[:-offset]]]
    return np.concatenate(centres), np.concatenate(contexts)


def _step(
    inner: np.ndarray, outer: np.ndarray, centres: np.ndarray, contexts: np.ndarray, drawn: np.ndarray, rate: np.float32
) -> None:
    """One step up equation 4 of Mikolov et al. for (B,) pairs and (B, K) negatives."""
    middle = inner[centres]  # (B, D)
    others = np.concatenate([contexts[:, None], drawn], axis=1)  # (B, 1 + K), the true one first
    around = outer[others]  # (B, 1 + K, D)
    scores = np.einsum("bd,bkd->bk", middle, around)
    pull = -1 / (1 + np.exp(-np.clip(scores, -30, 30)))
    pull[:, 0] += 1
    pull[:, 1:][drawn == contexts[:, None]] = 0  # the true word is no negative
    _add(inner, centres, np.einsum("bk,bkd->bd", pull, around), rate)
    _add(outer, others.ravel(), (pull[:, :, None] * middle[:, None]).reshape(-1, middle.shape[1]), rate)


def _add(table: np.ndarray, places: np.ndarray, changes: np.ndarray, rate: np.float32) -> None:
    """`table[places] += rate * changes`, where a place may come several times."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sums = np.add.reduceat(changes[order], starts, axis=0)
    times = np.diff(np.append(starts, len(ordered)))
    sums *= rate * np.minimum(1, _MOST_SHARED / times)[:, None].astype(np.float32)
    table[ordered[starts]] += sums
