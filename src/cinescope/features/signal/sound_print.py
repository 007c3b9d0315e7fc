"""What a sound is known by again: landmarks for "the same", a vector for "alike". Plain functions on samples.

Landmarks are pairs of peaks of the spectrogram (Wang 2003, "An industrial-strength audio search algorithm"): the
frequencies of both and the time between them, 23 bits. They survive noise, compression and a lower rate, because peaks
do. All at 16 kHz, one channel.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

RATE = 16_000  # hertz
HOP = 256  # samples between spectra: 16 ms
WINDOW = 1024  # samples of a spectrum: 64 ms, 15.6 Hz a bin
STEP = HOP / RATE  # seconds
BINS = 256  # of the spectrum that are looked at, up to 4 kHz: what copies at 8 kHz keep
LOWEST = 8  # bins below which hum and rumble are, 125 Hz
AROUND = (9, 12)  # bins and spectra to each side within which a peak is the highest
RISES = 0.2  # of the logarithm (1.7 dB) by which a peak exceeds its own bin's mean: a tone that only lasts has none
GROUP = 50  # spectra, 0.8 s
PEAKS = 6  # of a group at most, the highest: enough to be found by, few enough to be kept for 1,000 hours
MARGIN = 32  # spectra on each side that must be known for peaks to be what they are
TARGETS = 3  # later peaks that each peak is paired with
REACH = (2, 127)  # spectra between a pair, 0.03 to 2 s
NEARBY = 96  # bins between a pair at most
QUIET = 3e-4  # amplitude of full scale (-70 dB) below which nothing is a peak


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    return np.hanning(WINDOW).astype(np.float32)


def spectra(samples: np.ndarray) -> np.ndarray:
    """(S,) float32 with S = WINDOW + (N - 1) * HOP -> (N, WINDOW / 2 + 1) amplitudes, 1 for a full-scale tone."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    return (np.abs(np.fft.rfft(frames * _window(), axis=1)) * (4 / WINDOW)).astype(np.float32)


def peaks(amplitudes: np.ndarray, first: int, last: int) -> np.ndarray:
    """(N, bins) -> (P, 2) int64 of spectrum and bin, in order of time: the peaks of [first, last), at most PEAKS of
    each GROUP spectra counted from `first`. MARGIN spectra to each side are looked at where they are there."""
    level = np.log(np.maximum(amplitudes[:, :BINS], 1e-7))
    highest = cv2.dilate(level, np.ones((2 * AROUND[1] + 1, 2 * AROUND[0] + 1), np.uint8))
    usual = cv2.blur(level, (4 * AROUND[0] + 1, 4 * AROUND[1] + 1))
    held = cv2.blur(level, (1, 2 * AROUND[1] + 1))
    is_peak = (level >= highest) & (level > np.log(QUIET)) & (level > usual + 1.0) & (level > held + RISES)
    is_peak[:, :LOWEST] = False
    at, bins = np.nonzero(is_peak[first:last])
    above = (level - usual)[first:last][at, bins]
    kept = [np.zeros(0, np.int64)]
    for group in range(-(-(last - first) // GROUP)):
        inside = np.nonzero(at // GROUP == group)[0]
        kept.append(np.sort(inside[np.argsort(-above[inside], kind="stable")[:PEAKS]]))
    order = np.concatenate(kept)
    return np.stack([at[order] + first, bins[order]], axis=1).astype(np.int64)


def landmarks(found: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Peaks (P, 2) -> (L,) uint32 codes and (L,) int64 spectra, of pairs whose earlier peak is in [first, last)."""
    at, bins = found[:, 0], found[:, 1]
    codes: list[int] = []
    times: list[int] = []
    for i in np.nonzero((at >= first) & (at < last))[0]:
        ahead = slice(i + 1, i + 1 + np.searchsorted(at[i + 1 :], at[i] + REACH[1], side="right"))
        near = (at[ahead] >= at[i] + REACH[0]) & (np.abs(bins[ahead] - bins[i]) <= NEARBY)
        for j in np.nonzero(near)[0][:TARGETS] + i + 1:
            codes.append(code(bins[i], bins[j], at[j] - at[i]))
            times.append(int(at[i]))
    return np.array(codes, np.uint32), np.array(times, np.int64)


def code(low: int, high: int, apart: int) -> int:
    """The code of a pair: bins of the earlier and the later peak (0 to 255), spectra between them (0 to 127)."""
    return (int(low) << 15) | (int(high) << 7) | int(apart)


def near_codes(of: np.ndarray) -> np.ndarray:
    """(L,) uint32 -> (L, 9): the code and those whose later peak is one bin or one spectrum off."""
    low, high, apart = of >> 15, (of >> 7) & 255, of & 127
    made = []
    for bins in (0, -1, 1):
        for spectra_off in (0, -1, 1):
            there = np.clip(high.astype(np.int64) + bins, 0, 255)
            then = np.clip(apart.astype(np.int64) + spectra_off, 0, 127)
            made.append((low.astype(np.int64) << 15) | (there << 7) | then)
    return np.stack(made, axis=1).astype(np.uint32)
