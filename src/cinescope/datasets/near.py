"""What is nearly the same: texts by their words, pictures and sounds by their prints. Knows arrays and texts alone."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

HASHES, BANDS = 64, 16  # of minhash: at a Jaccard index of 0.8 a pair is missed once in 5,000
ALIKE = 0.8  # Jaccard index of the words and pairs of words from which texts are nearly the same
_BUCKET = (
    200  # texts in one bucket, of which each is compared with the ones before it; more are compared with the first
)
_WORD = re.compile(r"\w+")


def normal(text: str) -> str:
    """A text without case, punctuation and blanks that say nothing."""
    return " ".join(_WORD.findall(text.lower()))


def shingles(text: str) -> np.ndarray:
    """The words and pairs of words of a normal text as distinct uint64."""
    words = text.split()
    terms = {*words, *(f"{a} {b}" for a, b in pairwise(words))}
    return np.array([zlib.crc32(t.encode()) for t in terms], np.uint64)


def alike_texts(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """(earlier, later, Jaccard index) of normal texts, all different, that are nearly the same.

    Minhash (Broder 1997) in bands finds the pairs; each is then compared in full.
    """
    sets = [shingles(t) for t in texts]
    draws = np.random.default_rng(20260101)
    factors = draws.integers(1, 2**31, HASHES, dtype=np.uint64) * 2 + 1
    added = draws.integers(0, 2**31, HASHES, dtype=np.uint64)
    marks = np.zeros((len(sets), HASHES), np.uint64)
    for i, one in enumerate(sets):
        if len(one):
            marks[i] = ((one[:, None] * factors + added) % np.uint64(4294967311)).min(0)
    pairs: set[tuple[int, int]] = set()
    step = HASHES // BANDS
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for i, one in enumerate(sets):
            if len(one):
                buckets[marks[i, band * step : (band + 1) * step].tobytes()].append(i)
        for members in buckets.values():
            for n, j in enumerate(members):
                pairs |= {(i, j) for i in (members[:n] if n < _BUCKET else members[:1])}
    found = []
    for i, j in sorted(pairs):
        shared = len(np.intersect1d(sets[i], sets[j], assume_unique=True))
        index = shared / (len(sets[i]) + len(sets[j]) - shared)
        if index >= ALIKE:
            found.append((i, j, index))
    return found


def alike_rows(vectors: np.ndarray, least: float, block: int = 2_000) -> list[tuple[int, int, float]]:
    """(earlier, later, cosine) of rows of (N, D), each of length 1, whose cosine is at least `least`."""
    found = []
    for start in range(0, len(vectors), block):
        part = vectors[start : start + block]
        near = part @ vectors.T
        later, earlier = np.nonzero(near >= least)
        keep = earlier < later + start
        found += [(int(i), int(j) + start, float(near[j, i])) for j, i in zip(later[keep], earlier[keep], strict=True)]
    return found
