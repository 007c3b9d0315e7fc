"""The shape of the spectrum in a few numbers: where its weight lies, how wide, how flat, how rough the sound is.

Centroid, bandwidth, roll-off, flatness (Peeters 2004, sections 6.1 to 6.6), contrast (Jiang et al. 2002), zero crossing
rate and RMS: librosa's functions of these names, to 1e-3 of each value's range.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, hop_times, mono, row_count
from cinescope.features.signal.stft import power_to_db, spectra
from cinescope.types import Clip, Features, Modality, Needs, SoundNeed, Source

LOWEST_BAND = 200.0  # hertz: the upper end of the first band of contrast, librosa's
_ROLL_OFF = 0.85  # share of the weight below the roll-off frequency, librosa's
_QUANTILE = 0.02  # share of a band's bins that are its peak and its valley, Jiang et al.
_FLOOR = np.float32(1e-10)
_QUIET = np.float32(1e-10)  # what is nearer to 0 does not cross it
NAMES = ("centroid", "bandwidth", "roll-off", "flatness", "zero crossing rate", "RMS")  # and the bands of contrast


def shape(magnitude: np.ndarray, sample_rate: int) -> np.ndarray:
    """(T, size / 2 + 1) magnitudes -> (T, 4): centroid, bandwidth and roll-off in hertz, flatness 0 to 1.

    Of silence the first three are 0 and the flatness is 1, as in librosa.
    """
    hertz = np.linspace(0, sample_rate / 2, magnitude.shape[1], dtype=np.float32)
    weight = magnitude.sum(axis=1)
    safe = np.where(weight > np.finfo(np.float32).tiny, weight, 1)
    centroid = (magnitude @ hertz) / safe
    apart = np.square(hertz - centroid[:, None])
    apart *= magnitude
    bandwidth = np.sqrt(apart.sum(axis=1) / safe)
    upto = np.cumsum(magnitude, axis=1)
    roll_off = hertz[(upto >= np.float32(_ROLL_OFF) * upto[:, -1:]).argmax(axis=1)]
    power = np.maximum(np.square(magnitude), _FLOOR)
    mean = power.mean(axis=1)
    flatness = np.exp(np.log(power).mean(axis=1)) / mean
    return np.stack([centroid, bandwidth, roll_off, flatness], axis=1)


@lru_cache(maxsize=16)
def _octaves(sample_rate: int, bins: int, bands: int) -> tuple[tuple[slice, int], ...]:
    """For each band of contrast its bins, and how many of them are a peak or a valley."""
    hertz = np.linspace(0, sample_rate / 2, bins)
    edges = np.concatenate([[0.0], LOWEST_BAND * 2.0 ** np.arange(bands + 1)])
    found = []
    for k in range(bands + 1):
        inside = np.flatnonzero((hertz >= edges[k]) & (hertz <= edges[k + 1]))
        low = int(inside[0]) - (k > 0)
        high = bins if k == bands else int(inside[-1]) + 1
        share = max(1, int(np.rint(_QUANTILE * (high - low))))
        found.append((slice(low, high if k == bands else high - 1), share))
    return tuple(found)


def contrast_bands(sample_rate: int) -> int:
    """How many octaves above 200 Hz there are at a rate, at most 6, without the band below."""
    return max(1, min(6, int(np.ceil(np.log2(sample_rate / 2 / LOWEST_BAND)))))


def contrast(magnitude: np.ndarray, sample_rate: int, bands: int = 6, top_db: float | None = None) -> np.ndarray:
    """(T, size / 2 + 1) magnitudes -> (T, bands + 1): decibels between the peaks and the valleys of each octave."""
    peaks, valleys = (np.empty((len(magnitude), bands + 1), np.float32) for _ in range(2))
    for k, (inside, share) in enumerate(_octaves(sample_rate, magnitude.shape[1], bands)):
        part = magnitude[:, inside]
        if share == 1:
            valleys[:, k], peaks[:, k] = part.min(axis=1), part.max(axis=1)
            continue
        ordered = np.partition(part, (share - 1, part.shape[1] - share), axis=1)
        valleys[:, k], peaks[:, k] = ordered[:, :share].mean(axis=1), ordered[:, -share:].mean(axis=1)
    return power_to_db(peaks, top_db=top_db) - power_to_db(valleys, top_db=top_db)


def _sums(values: np.ndarray, size: int, hop: int, count: int) -> np.ndarray:
    """(count,) sums of `values` over [k * hop, k * hop + size): from running sums, whatever the overlap."""
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    starts = np.arange(count) * hop
    return running[np.minimum(starts + size, len(values))] - running[np.minimum(starts, len(values))]


def rms(samples: np.ndarray, size: int, hop: int, count: int | None = None) -> np.ndarray:
    """(S,) -> (T,): root of the mean square of each centred window, with zeros around the sound."""
    count = 1 + len(samples) // hop if count is None else count
    squares = np.pad(np.square(samples), size // 2)
    return np.sqrt(np.maximum(_sums(squares, size, hop, count), 0) / size).astype(np.float32)


def zero_crossing_rate(samples: np.ndarray, size: int, hop: int, count: int | None = None) -> np.ndarray:
    """(S,) -> (T,): the share of a window's samples whose sign differs from the one before."""
    count = 1 + len(samples) // hop if count is None else count
    if not len(samples):
        return np.zeros(count, np.float32)
    below = np.pad(samples < -_QUIET, size // 2, mode="edge")
    crossed = np.concatenate([below[1:] != below[:-1]])
    return (_sums(crossed, size - 1, hop, count) / size).astype(np.float32)


@dataclass(frozen=True)
class Spectral:
    """Centroid, bandwidth and roll-off (hertz), flatness, zero crossings, RMS, and contrast by octave (decibels)."""

    sample_rate: int = 16_000
    size: int = 1024  # samples of a window: 64 ms
    hop: int = 160  # samples from row to row: 10 ms
    contrast: bool = True

    name: ClassVar[str] = "spectral"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)
        check_setting(self.name, "contrast", self.contrast, isinstance(self.contrast, bool), "true or false")
        holds = not self.contrast or (is_count(self.size, 256) and self.sample_rate >= 1000)
        check_setting(self.name, "size", self.size, holds, "at least 256 at 1000 Hz or more, or contrast=false")

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return self.size / self.sample_rate

    @property
    def dim(self) -> int:
        return len(NAMES) + (contrast_bands(self.sample_rate) + 1 if self.contrast else 0)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        bands = contrast_bands(self.sample_rate)

        def describe(block: np.ndarray) -> np.ndarray:
            made = shape(block, self.sample_rate)
            return np.concatenate([made, contrast(block, self.sample_rate, bands)], axis=1) if self.contrast else made

        width = 4 + (bands + 1 if self.contrast else 0)
        made = spectra(samples, self.size, self.hop, describe, width, 1.0, count)
        plain = [zero_crossing_rate(samples, self.size, self.hop, count), rms(samples, self.size, self.hop, count)]
        values = np.concatenate([made[:, :4], np.stack(plain, axis=1), made[:, 4:]], axis=1)
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
