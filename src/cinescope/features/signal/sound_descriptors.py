"""What a second of sound is like: 60 numbers that tell music, applause and noise apart. Knows no kinds and no times.

All at 16 kHz, one channel. The level is left out: sound recorded quietly is the same sound.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

RATE = 16_000  # hertz
HOP = 320  # samples between spectra: 20 ms
SIZE = 1024  # samples of a spectrum: 64 ms, 16 Hz a bin, so that neighbouring tones are apart
PULSE = 32  # samples whose power is one step of the envelope: 2 ms, shorter than a clap
PER_SECOND = RATE // HOP
BANDS = 16
_EDGES = np.geomspace(60, 7800, BANDS + 1)  # hertz
_FLAT = ((250, 1000), (1000, 2500), (2500, 5000), (5000, 7800))  # hertz, bands whose flatness is told
_TONAL = (80, 5000)  # hertz in which tones are looked for
_STEADY = (5, 11)  # spectra in a row that a tone must last: 0.1 s as in quick music, 0.22 s, longer than a vowel stands
_BEATS = ((1.5, 3), (3, 7), (7, 16), (16, 40), (40, 100), (100, 240))  # hertz of the envelope's modulation

NAMES = (
    *(f"band {i}" for i in range(BANDS)), *(f"band {i} varies" for i in range(BANDS)),
    *(f"flat {i}" for i in range(4)), *(f"flat {i} varies" for i in range(4)),
    "centroid", "centroid varies", "flux", "flux varies",
    *(f"steady {n}" for n in _STEADY), *(f"steady {n} varies" for n in _STEADY), "tones",
    *(f"beat {low:g}" for low, _ in _BEATS), "pulse deviation", "pulse skewness", "pulse crest", "quiet share",
)  # fmt: skip
WIDTH = len(NAMES)


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Window (SIZE,), band sums (bins, BANDS), frequencies (bins,)."""
    f = np.fft.rfftfreq(SIZE, 1 / RATE)
    bands = np.stack([(f >= a) & (f < b) for a, b in itertools.pairwise(_EDGES)], axis=1)
    # The lowest bands are narrower than a bin: each has at least the nearest one.
    for band in range(BANDS):
        if not bands[:, band].any():
            bands[np.abs(f - np.sqrt(_EDGES[band] * _EDGES[band + 1])).argmin(), band] = True
    return np.hanning(SIZE).astype(np.float32), bands.astype(np.float32), f


def spectra(samples: np.ndarray) -> np.ndarray:
    """(S,) with S = SIZE + (N - 1) * HOP -> (N, bins) float32 power spectra."""
    window, _, _ = _tables()
    frames = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::HOP]
    return (np.abs(np.fft.rfft(frames * window, axis=1)) ** 2).astype(np.float32)


def envelope(samples: np.ndarray) -> np.ndarray:
    """(S,) with S a multiple of PULSE -> (S / PULSE,) float32: the power of the sound's edge, every 2 ms.

    The difference of neighbours lifts what is high, where claps and clicks stand out of rumble.
    """
    edge = np.diff(samples, prepend=samples[:1])
    return (edge.reshape(-1, PULSE) ** 2).mean(axis=1).astype(np.float32)


def describe(power: np.ndarray, pulses: np.ndarray) -> np.ndarray:
    """(N, bins) spectra and the (M,) envelope of the same stretch of about a second -> (WIDTH,) float64."""
    _, bands, f = _tables()
    # 70 dB below the mean nothing is told apart, however loud it is: so a digital void is not a sound of its own.
    power = power + max(float(power.mean()) * 1e-7, 1e-20)
    total = power.sum(axis=1)
    in_bands = np.log10(power @ bands)
    shape = in_bands - in_bands.mean(axis=1, keepdims=True)
    centroid = np.log2((power @ f.astype(np.float32)) / total + 1)
    root = np.sqrt(power / total[:, None])
    flux = np.sqrt(((root[1:] - root[:-1]) ** 2).sum(axis=1)) if len(power) > 1 else np.zeros(1)
    flat = _flatness(power, f)
    steady, tones = _steadiness(power, f)
    loud = 10 * np.log10(total)
    quiet = float((loud < loud.max() - 25).mean())
    return np.concatenate([
        shape.mean(axis=0), in_bands.std(axis=0), flat.mean(axis=0), flat.std(axis=0),
        [centroid.mean(), centroid.std(), flux.mean(), flux.std()],
        steady.mean(axis=0), steady.std(axis=0), [tones], _beats(pulses), _pulses(pulses), [quiet],
    ])  # fmt: skip


def _flatness(power: np.ndarray, f: np.ndarray) -> np.ndarray:
    """(N, 4): geometric over arithmetic mean in dB; -2.5 for noise, lower the more single tones there are."""
    parts = []
    for low, high in _FLAT:
        band = power[:, (f >= low) & (f < high)]
        parts.append(10 * (np.log10(band).mean(axis=1) - np.log10(band.mean(axis=1))))
    return np.stack(parts, axis=1)


def _steadiness(power: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, float]:
    """(N, 2) share of the power in tones that last, and how many there are: peaks in the same bin, one to each side
    forgiven, over _STEADY spectra in a row."""
    band = (f >= _TONAL[0]) & (f < _TONAL[1])
    part = power[:, band]
    around = np.cumsum(np.pad(part, ((0, 0), (9, 8))), axis=1, dtype=np.float64)
    local = (around[:, 16:] - np.pad(around, ((0, 0), (1, 0)))[:, : around.shape[1] - 16]) / 17
    local = local[:, : part.shape[1]]
    peak = np.zeros(part.shape, bool)
    peak[:, 1:-1] = (
        (part[:, 1:-1] >= part[:, :-2]) & (part[:, 1:-1] > part[:, 2:]) & (part[:, 1:-1] > 2.5 * local[:, 1:-1])
    )
    wide = peak.copy()
    wide[:, 1:] |= peak[:, :-1]
    wide[:, :-1] |= peak[:, 1:]
    shares, count = np.zeros((len(power), len(_STEADY))), 0.0
    counts = np.cumsum(np.pad(wide, ((1, 0), (0, 0))), axis=0, dtype=np.int32)
    for number, length in enumerate(_STEADY):
        if len(power) < length:
            continue
        whole = counts[length:] - counts[:-length] == length  # (N - length + 1, bins): lasts from here on
        lasts = np.zeros_like(wide)
        for step in range(length):
            lasts[step : step + len(whole)] |= whole
        shares[:, number] = (part * (lasts & wide)).sum(axis=1) / part.sum(axis=1)
        count = float((lasts & peak).sum(axis=1).mean())
    return shares, count


def _beats(pulses: np.ndarray) -> np.ndarray:
    """(6,): how the modulation of the envelope is spread over its frequencies, log10 of shares."""
    curve = np.sqrt(pulses)
    curve = curve / (curve.mean() + 1e-12) - 1
    size = np.abs(np.fft.rfft(curve * np.hanning(len(curve)))) ** 2
    f = np.fft.rfftfreq(len(curve), PULSE / RATE)
    parts = np.array([size[(f >= low) & (f < high)].sum() for low, high in _BEATS])
    return np.log10(parts / len(curve) ** 2 + 1e-7)


def _pulses(pulses: np.ndarray) -> np.ndarray:
    """(3,): how far the envelope is from that of even noise: deviation and skewness of its logarithm after taking out
    what is slower than 40 ms, and how far the highest stand out."""
    level = np.log10(pulses + max(float(pulses.mean()) * 1e-6, 1e-20))
    kernel = np.ones(21) / 21
    slow = np.convolve(np.pad(level, 10, mode="edge"), kernel, "valid")
    fast = level - slow
    deviation = fast.std() + 1e-9
    return np.array([deviation, ((fast / deviation) ** 3).mean(), np.quantile(fast, 0.98)])
