"""Chroma: how strong each of the twelve pitch classes is, whatever the octave (Fujishima 1999).

Spectra summed with librosa's `filters.chroma` (Ellis 2007: a Gaussian bump a semitone, octaves around `centre`
weighted most), each row divided by its largest value: librosa's `chroma_stft` with `tuning` given, to 1e-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, hop_times, mono, row_count
from cinescope.features.signal.stft import spectra
from cinescope.types import Clip, Features, Modality, Needs, SoundNeed, Source

_CENTRE = 5.0  # octaves above A0 / 16 that weigh most, and the width of that weight: Ellis 2007
_WIDTH = 2.0
_TINY = float(np.finfo(np.float32).tiny)


@lru_cache(maxsize=16)
def chroma_bands(sample_rate: int, size: int, classes: int = 12, tuning: float = 0.0) -> np.ndarray:
    """(size / 2 + 1, classes) float32, C first. `tuning` in parts of a class, how far A is above 440 Hz."""
    hertz = np.linspace(0, sample_rate, size, endpoint=False)[1:]
    places = classes * np.log2(hertz / (440.0 * 2 ** (tuning / classes) / 16))
    places = np.concatenate([[places[0] - 1.5 * classes], places])  # 0 Hz has no pitch: far below, half turned
    widths = np.concatenate([np.maximum(np.diff(places), 1.0), [1.0]])
    middle = round(classes / 2)
    off = np.remainder(places[:, None] - np.arange(classes) + middle + 10 * classes, classes) - middle
    weights = np.exp(-0.5 * (2 * off / widths[:, None]) ** 2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    weights *= np.exp(-0.5 * ((places / classes - _CENTRE) / _WIDTH) ** 2)[:, None]
    weights = np.roll(weights, -3 * (classes // 12), axis=1)  # from A first to C first
    return np.ascontiguousarray(weights[: size // 2 + 1], np.float32)


def chroma(
    samples: np.ndarray,
    sample_rate: int,
    size: int = 2048,
    hop: int = 512,
    classes: int = 12,
    tuning: float = 0.0,
    count: int | None = None,
) -> np.ndarray:
    """(S,) -> (T, classes) float32, each row's largest value 1; silence stays zeros."""
    weights = chroma_bands(sample_rate, size, classes, tuning)
    made = spectra(samples, size, hop, lambda block: block @ weights, classes, 2.0, count)
    largest = made.max(axis=1, keepdims=True, initial=0.0)
    largest[largest < _TINY] = 1.0
    return np.asarray(made / largest)


@dataclass(frozen=True)
class Chroma:
    """How strong each of the twelve pitch classes is. From C to B, and the row's strongest is 1."""

    sample_rate: int = 16_000
    size: int = 2048  # samples of a window: 128 ms, so that low semitones are apart
    hop: int = 512  # samples from row to row: 32 ms
    classes: int = 12
    tuning: float = 0.0

    name: ClassVar[str] = "chroma"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)
        check_setting(self.name, "classes", self.classes, is_count(self.classes, 2), "a whole number above 1")
        check_setting(self.name, "tuning", self.tuning, -1 <= self.tuning <= 1, "a number from -1 to 1")

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return self.size / self.sample_rate

    @property
    def dim(self) -> int:
        return self.classes

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        values = chroma(samples, self.sample_rate, self.size, self.hop, self.classes, self.tuning, count)
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
