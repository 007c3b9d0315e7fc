"""Which codes of a library differ by few bits from those of a query. Knows bits and parts of pictures, no times.

A short query is compared with everything: 7 million codes (1,000 hours) take 0.2 s a picture. For many queries an
index of the codes' quarters finds those that have one quarter in common: fewer, but nearly all that matter when a
stretch has ten pictures or more (a copy of which 6 bits differ keeps a quarter in 5 of 6 pictures).
"""

from __future__ import annotations

import numpy as np

_CHUNK = 1 << 18  # codes that are compared at once
_QUARTERS, _BITS = 4, 16
_COMMON = 4_000  # codes with the same quarter, above which it says nothing
_SMALL = 1 << 31  # comparisons below which all are made


def ways(parts: int) -> list[tuple[bool, int, int]]:
    """(mirrored, part here, part there): how a copy may lie in the other. One of the two is always whole."""
    pairs = [(0, n) for n in range(parts)] + [(n, 0) for n in range(1, parts)]
    return [(turned, a, b) for turned in (False, True) for a, b in pairs]


class Codes:
    """Codes (B, R) of a library, and where each quarter of each part's codes is; that is made when first needed."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes
        self._sorted: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.codes)

    def quarter(self, part: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the codes in the order of that quarter, and where each of its values begins (65,537,)."""
        if (part, number) not in self._sorted:
            values = _quarter(self.codes[:, part], number)
            order = np.argsort(values, kind="stable").astype(np.int32)
            begins = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=1 << _BITS))])
            self._sorted[part, number] = order, begins
        return self._sorted[part, number]


def _quarter(codes: np.ndarray, number: int) -> np.ndarray:
    return ((codes >> np.uint64(_BITS * number)) & np.uint64((1 << _BITS) - 1)).astype(np.uint16)


def near(
    here: np.ndarray, there: Codes, most: int, total: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(A, R) codes and a library's -> three (P,): number here, number there, number of the way, of pairs that differ by
    at most `most` bits in any way; a pair comes once, in its nearest way.

    `total`: how many codes will be looked up in all, to choose between comparing all and using the index.
    """
    every = ways(here.shape[1])
    if (total or len(here)) * len(there) * len(every) <= _SMALL or total is None:
        return _compared(here, there.codes, most, every)
    return _looked_up(here, there, most, every)


def _compared(
    here: np.ndarray, there: np.ndarray, most: int, every: list[tuple[bool, int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from cinescope.features.signal.picture_print import differing, mirrored

    found: list[np.ndarray] = []
    for start in range(0, len(there), _CHUNK):
        part = np.asfortranarray(there[start : start + _CHUNK])
        for number, codes in enumerate(here):
            turned = mirrored(codes)
            best = np.full(len(part), 255, np.uint8)
            way = np.zeros(len(part), np.uint8)
            for i, (flip, a, b) in enumerate(every):
                bits = differing((turned if flip else codes)[a], part[:, b])
                way[bits < best] = i
                np.minimum(best, bits, out=best)
            hit = np.nonzero(best <= most)[0]
            found.append(np.stack([np.full(len(hit), number), hit + start, way[hit]], axis=1))
    joined = np.concatenate([np.zeros((0, 3), np.int64), *found])
    return joined[:, 0], joined[:, 1], joined[:, 2]


def _looked_up(
    here: np.ndarray, there: Codes, most: int, every: list[tuple[bool, int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from cinescope.features.signal.picture_print import differing, mirrored

    found = [np.zeros((0, 4), np.int64)]
    for i, (flip, a, b) in enumerate(every):
        codes = mirrored(here[:, a]) if flip else here[:, a]
        for number in range(_QUARTERS):
            order, begins = there.quarter(b, number)
            values = _quarter(codes, number).astype(np.int64)
            first, count = begins[values], begins[values + 1] - begins[values]
            count = np.where(count > _COMMON, 0, count)
            rows = np.repeat(np.arange(len(codes)), count)
            within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
            numbers = order[np.repeat(first, count) + within]
            bits = differing(codes[rows], there.codes[numbers, b])
            hit = bits <= most
            found.append(
                np.stack([rows[hit], numbers[hit], np.full(int(hit.sum()), i), bits[hit].astype(np.int64)], axis=1)
            )
    pairs = np.concatenate(found)
    pairs = pairs[np.lexsort((pairs[:, 3], pairs[:, 1], pairs[:, 0]))]
    new = np.ones(len(pairs), bool)
    new[1:] = (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)
    return pairs[new, 0], pairs[new, 1], pairs[new, 2]
