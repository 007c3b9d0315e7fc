"""Loudness as ITU-R BS.1770-4 and EBU R 128 define it, in pieces that stream. Knows nothing of videos or segments.

K-weighting is a recursive filter, and numpy has none: here it runs block by block as matrix products of its
state-space form, which is exact (not a truncated response) and leaves a state of four numbers a channel.
All at 48 kHz, the rate for which BS.1770 states its coefficients.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

RATE = 48_000  # hertz
BLOCK = 48  # samples that one row of the matrix product filters: 1 ms
UNIT = 480  # samples whose power is told: 10 ms
_BATCH = 100  # rows in one product: OpenBLAS wakes its threads from 262,144 multiplications on, which costs more here
UNITS_PER_HOP = 10  # BS.1770-4 and Tech 3341: gating blocks of 400 ms, 75% overlapping, so one every 100 ms

# BS.1770-4, tables 1 and 2: (b0, b1, b2), (a1, a2) of the head's shelf and of the RLB high-pass.
_STAGES = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)),
)

# BS.1770-4, table 3 (5.0) and annex 3, table 4 (by azimuth: 60 to 120 degrees at ear height count +1.5 dB), for the
# channels in FFmpeg's and WAVE's order; the LFE does not count. 4 channels are taken for the corners of a square.
_WEIGHTS = {
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
    7: (1.0, 1.0, 1.0, 0.0, 1.0, 1.41, 1.41),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41),
}

ABSOLUTE_GATE = -70.0  # LUFS, BS.1770-4 equation 5 ff.
RELATIVE_GATE = -10.0  # LU, BS.1770-4
RANGE_GATE = -20.0  # LU, EBU Tech 3342
RANGE_PERCENTILES = (0.10, 0.95)  # EBU Tech 3342
FLOOR = -120.0  # LUFS that stands for silence, so that every value is a number
_BIN = 0.02  # LU; the width of a histogram's bins bounds the error of the gate
_TOP = 30.0  # LUFS; what is louder counts in the last bin


def channel_weights(channels: int) -> np.ndarray:
    """(C,) for so many channels in the order of WAVE; 1 each where no layout is usual for the number."""
    return np.array(_WEIGHTS.get(channels, (1.0,) * channels), np.float64)


def lufs(power: np.ndarray | float) -> np.ndarray:
    """Weighted mean square -> LUFS (BS.1770-4 equation 2), at least FLOOR."""
    return np.maximum(-0.691 + 10 * np.log10(np.maximum(power, 1e-30)), FLOOR)


def power_of(loudness: float) -> float:
    """LUFS -> weighted mean square, the inverse of `lufs`."""
    return float(10 ** ((loudness + 0.691) / 10))


def _cascade() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """A (4, 4), B (4,), C (4,), D of both stages in series, each in transposed direct form II."""
    (p, a), (q, c) = _STAGES
    first = np.array([[-a[0], 1.0], [-a[1], 0.0]])
    into_first = np.array([p[1] - a[0] * p[0], p[2] - a[1] * p[0]])
    second = np.array([[-c[0], 1.0], [-c[1], 0.0]])
    into_second = np.array([q[1] - c[0] * q[0], q[2] - c[1] * q[0]])
    step = np.zeros((4, 4))
    step[:2, :2], step[2:, 2:] = first, second
    step[2:, 0] = into_second  # the second stage hears the first, whose output is its state 0 + p0 * input
    return step, np.concatenate([into_first, into_second * p[0]]), np.array([q[0], 0.0, 1.0, 0.0]), p[0] * q[0]


@lru_cache(maxsize=1)
def _matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For rows of BLOCK samples x and states s before them: y = x @ direct + s @ carried; s' = s @ step + x @ take."""
    step, into, out, through = _cascade()
    powers = [np.eye(4)]
    for _ in range(BLOCK):
        powers.append(step @ powers[-1])
    response = np.array([through, *(out @ powers[k] @ into for k in range(BLOCK - 1))])
    direct = np.zeros((BLOCK, BLOCK))
    for row in range(BLOCK):
        direct[row, row:] = response[: BLOCK - row]
    carried = np.stack([out @ powers[k] for k in range(BLOCK)], axis=1)  # (4, BLOCK)
    take = np.stack([powers[BLOCK - 1 - k] @ into for k in range(BLOCK)])  # (BLOCK, 4)
    return direct, carried, powers[BLOCK].T, take


def k_weight(samples: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(C, S) with S a multiple of BLOCK, and the (C, 4) state before it -> (C, S) float64, and the state after.

    Zeros are the state of a filter at rest.
    """
    channels, count = samples.shape
    if count % BLOCK:
        raise ValueError(f"the filter takes whole blocks of {BLOCK} samples, got {count}")
    if not count:
        return np.zeros((channels, 0)), state
    direct, carried, step, take = _matrices()
    rows = samples.reshape(channels, -1, BLOCK).astype(np.float64)
    # What each block adds to the state, then a scan in log2 steps over s[b + 1] = s[b] @ step + added[b].
    states = rows @ take
    states[:, 0] += state @ step
    reach, power = 1, step
    while reach < states.shape[1]:
        states[:, reach:] = states[:, reach:] + states[:, :-reach] @ power
        reach, power = reach * 2, power @ power
    before = np.concatenate([state[:, None], states[:, :-1]], axis=1)
    filtered = np.empty_like(rows)
    for at in range(0, rows.shape[1], _BATCH):
        piece = slice(at, at + _BATCH)
        filtered[:, piece] = rows[:, piece] @ direct + before[:, piece] @ carried
    return filtered.reshape(channels, count), states[:, -1].copy()


def unit_powers(weighted: np.ndarray) -> np.ndarray:
    """K-weighted (C, S) with S a multiple of UNIT -> (S / UNIT,) mean squares, summed over the weighted channels."""
    squares = np.einsum("cus,cus->cu", *(weighted.reshape(len(weighted), -1, UNIT),) * 2) / UNIT
    return channel_weights(len(weighted)) @ squares


class Gate:
    """Blocks of sound by their loudness: the mean above both gates, and how they spread. Its size does not grow."""

    def __init__(self) -> None:
        bins = round((_TOP - ABSOLUTE_GATE) / _BIN)
        self._counts = np.zeros(bins, np.int64)
        self._powers = np.zeros(bins, np.float64)

    def add(self, powers: np.ndarray) -> None:
        """Mean squares of blocks; those below the absolute gate do not count."""
        levels = lufs(powers)
        kept = levels > ABSOLUTE_GATE
        at = np.minimum(((levels[kept] - ABSOLUTE_GATE) / _BIN).astype(np.int64), len(self._counts) - 1)
        np.add.at(self._counts, at, 1)
        np.add.at(self._powers, at, powers[kept])

    def _from(self, relative: float) -> int | None:
        """The first bin above the mean of all, `relative` LU lower; None where nothing counted."""
        total = int(self._counts.sum())
        if not total:
            return None
        threshold = float(lufs(self._powers.sum() / total)) + relative
        return max(0, math.ceil((threshold - ABSOLUTE_GATE) / _BIN - 0.5))

    def integrated(self) -> float | None:
        """LUFS (BS.1770-4 equations 3 to 7); None where no block is above the absolute gate."""
        first = self._from(RELATIVE_GATE)
        if first is None:
            return None
        return float(lufs(self._powers[first:].sum() / self._counts[first:].sum()))

    def spread(self) -> float | None:
        """Loudness range in LU (EBU Tech 3342), for blocks of 3 s; None where none is above the absolute gate."""
        first = self._from(RANGE_GATE)
        if first is None:
            return None
        upto = np.cumsum(self._counts[first:])
        low, high = (np.searchsorted(upto, round((upto[-1] - 1) * p) + 1) for p in RANGE_PERCENTILES)
        return float(high - low) * _BIN

    def state(self) -> dict[str, Any]:
        at = np.flatnonzero(self._counts)
        return {"at": at, "counts": self._counts[at], "powers": self._powers[at]}

    def restore(self, state: dict[str, Any]) -> None:
        at = np.asarray(state["at"], np.int64)
        self._counts[:], self._powers[:] = 0, 0.0
        self._counts[at], self._powers[at] = np.asarray(state["counts"]), np.asarray(state["powers"])
