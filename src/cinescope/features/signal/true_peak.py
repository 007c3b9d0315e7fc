"""How high sound goes between its samples: 4 times oversampling as BS.1770-4, annex 2 asks. Knows nothing of time.

The interpolator is a windowed sinc with twice the taps of the annex's example, so that it reads within 0.1 dB up to
20 kHz; its first phase is the samples themselves.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

OVERSAMPLING = 4
TAPS = 24  # per phase
HISTORY = TAPS - 1  # samples before the first new one that the filter needs
_BLOCK = 48  # new samples in one row of the matrix product
_BATCH = 25  # rows in one product: see ebur128
_BETA = 5.0  # of the Kaiser window: side lobes 50 dB down, which is 0.03 dB


@lru_cache(maxsize=1)
def _bank() -> tuple[np.ndarray, float]:
    """(HISTORY + _BLOCK, 3 * _BLOCK) float32, and how much higher than its samples a signal can become at most."""
    taps = np.arange(TAPS)
    phases = []
    for phase in range(1, OVERSAMPLING):
        away = taps - (TAPS / 2 - 1) - phase / OVERSAMPLING
        window = np.i0(_BETA * np.sqrt(np.maximum(0.0, 1 - (away / (TAPS / 2)) ** 2))) / np.i0(_BETA)
        phases.append(np.sinc(away) * window)
    bank = np.zeros((HISTORY + _BLOCK, len(phases) * _BLOCK), np.float32)
    for number, taps_of in enumerate(phases):
        for sample in range(_BLOCK):
            bank[sample : sample + TAPS, number * _BLOCK + sample] = taps_of / taps_of.sum()
    return bank, float(max(np.abs(p).sum() for p in phases))


def true_peak(samples: np.ndarray, history: np.ndarray, known: float = 0.0) -> tuple[float, np.ndarray]:
    """(C, S) and the (C, HISTORY) samples before them -> the higher of `known` and their true peak, and the history
    after. Linear: 1 is full scale. Where samples are too low to exceed `known`, nothing is computed."""
    bank, gain = _bank()
    joined = np.concatenate([history, samples], axis=1).astype(np.float32, copy=False)
    count = joined.shape[1]
    after = joined[:, count - HISTORY :].copy()
    peak = max(known, float(np.abs(samples).max(initial=0.0)))
    missing = -(count - HISTORY) % _BLOCK
    padded = np.pad(joined, ((0, 0), (0, missing)))
    rows = np.lib.stride_tricks.sliding_window_view(padded, HISTORY + _BLOCK, axis=1)[:, ::_BLOCK]
    rows = rows.reshape(-1, HISTORY + _BLOCK)
    high = np.abs(rows).max(axis=1, initial=0.0) * gain
    # The highest first: then most of the others need no look.
    order = np.argsort(-high, kind="stable")[: int((high > peak).sum())]
    for at in range(0, len(order), _BATCH):
        some = order[at : at + _BATCH]
        if high[some[0]] <= peak:
            break
        peak = max(peak, float(np.abs(rows[some] @ bank).max()))
    return peak, after
