"""Mel-frequency cepstral coefficients (Davis and Mermelstein 1980), and how they change.

The cosine transform (type II, orthonormal) of log-mel energies in decibels: librosa's `feature.mfcc` to 1e-3 of a
coefficient's range. Deltas are the slope of a line fitted over nine rows (Furui 1986; a Savitzky-Golay filter), and
delta-deltas the curvature of a parabola: librosa's `feature.delta`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, hop_times, mono, row_count
from cinescope.features.signal.mel import Scale, check_bands, mel_bands, mel_energies
from cinescope.features.signal.stft import power_to_db
from cinescope.types import Clip, Features, Modality, Needs, SoundNeed, Source

WIDTH = 9  # rows that a delta looks at, librosa's


@lru_cache(maxsize=16)
def cosines(bands: int, kept: int) -> np.ndarray:
    """(bands, kept) float32: the orthonormal DCT-II."""
    table = np.cos(np.pi * np.arange(kept) * (np.arange(bands)[:, None] + 0.5) / bands) * np.sqrt(2 / bands)
    table[:, 0] /= np.sqrt(2)
    return table.astype(np.float32)


def cepstrum(decibels: np.ndarray, coefficients: int, lifter: float = 0.0) -> np.ndarray:
    """Log-mel energies (T, bands) -> (T, coefficients). A `lifter` L > 0 scales number n by 1 + L/2 sin(pi n / L)."""
    made = decibels @ cosines(decibels.shape[1], coefficients)
    if lifter > 0:
        made = made * (1 + (lifter / 2) * np.sin(np.pi * np.arange(1, coefficients + 1) / lifter)).astype(np.float32)
    return np.asarray(made)


def delta(values: np.ndarray, order: int = 1, width: int = WIDTH) -> np.ndarray:
    """(T, D) -> (T, D): first (order 1) or second (order 2) derivative by row. Behind the ends the fit of the outermost
    window holds on. Fewer rows than `width` are fitted as a whole; of fewer than three nothing is known: zeros."""
    if order not in (1, 2) or width < 3 or width % 2 == 0:
        raise ValueError(f"a delta has order 1 or 2 and an odd width of at least 3, got {order} and {width}")
    width = min(width, len(values) - 1 + len(values) % 2)
    if width < 3:
        return np.zeros_like(values)
    half = width // 2
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    basis = offsets if order == 1 else offsets**2 - (offsets**2).mean()
    weights = (basis / (basis**2).sum() * order).astype(np.float32)
    inner = np.zeros((len(values) - width + 1, *values.shape[1:]), np.float32)
    for at, weight in enumerate(weights):
        if weight:
            inner += weight * values[at : at + len(inner)]
    return np.concatenate([inner[:1].repeat(half, axis=0), inner, inner[-1:].repeat(half, axis=0)])


@dataclass(frozen=True)
class Mfcc:
    """Mel-frequency cepstral coefficients and how they change. D = coefficients * (1 + deltas), the changes last."""

    sample_rate: int = 16_000
    size: int = 512  # samples of a window: 32 ms
    hop: int = 160  # samples from row to row: 10 ms
    bands: int = 64
    coefficients: int = 20
    deltas: int = 2
    lowest: float = 0.0  # hertz
    highest: float | None = None  # hertz; null: half the sample rate
    scale: Scale = "slaney"
    lifter: float = 0.0
    top_db: float | None = None  # below the loudest of the clip; librosa's is 80, which makes rows depend on all others

    name: ClassVar[str] = "mfcc"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)
        check_bands(self.name, self.sample_rate, self.size, self.bands, self.lowest, self.highest, self.scale)
        holds = is_count(self.coefficients) and self.coefficients <= self.bands
        check_setting(self.name, "coefficients", self.coefficients, holds, f"1 to {self.bands}, the number of bands")
        check_setting(self.name, "deltas", self.deltas, is_count(self.deltas, 0) and self.deltas <= 2, "0, 1 or 2")
        check_setting(self.name, "lifter", self.lifter, self.lifter >= 0, "0 for none, or a number above")
        check_setting(self.name, "top_db", self.top_db, self.top_db is None or self.top_db > 0, "decibels, or null")

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return (self.size + WIDTH * self.hop) / self.sample_rate

    @property
    def dim(self) -> int:
        return self.coefficients * (1 + self.deltas)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        weights = mel_bands(self.sample_rate, self.size, self.bands, self.lowest, self.highest, self.scale)
        decibels = power_to_db(mel_energies(samples, weights, self.hop, 2.0, count), top_db=self.top_db)
        still = cepstrum(decibels, self.coefficients, self.lifter)
        values = np.concatenate([still, *(delta(still, order) for order in range(1, self.deltas + 1))], axis=1)
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
