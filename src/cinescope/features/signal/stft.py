"""Short-time Fourier transform (Allen 1977): how strong each frequency is, window by window.

Values are librosa's `stft` with its Hann window and zeros around (to 1e-5 of the largest), as rows of time. Everything
is computed in float32, block by block, so that spectra that are only summed up are never held for a whole film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from cinescope.features.common import no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, frame_blocks, hop_times, mono, row_count
from cinescope.types import Clip, Features, Modality, Needs, SoundNeed, Source


@lru_cache(maxsize=16)
def hann(size: int) -> np.ndarray:
    """(size,) float32, periodic."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def spectra(
    samples: np.ndarray,
    size: int,
    hop: int,
    then: Callable[[np.ndarray], np.ndarray] | None,
    width: int,
    power: float = 2.0,
    count: int | None = None,
    centred: bool = True,
) -> np.ndarray:
    """(S,) -> (T, width) float32: `then` of blocks of spectra (N, size / 2 + 1), magnitudes to the power of 1 or 2;
    None: the spectra themselves, and `width` is theirs.

    T is 1 + S // hop, or `count`.
    """
    frames = 1 + (len(samples) if centred else len(samples) - size) // hop if count is None else count
    out = np.empty((max(frames, 0), width), np.float32)
    at = 0
    framed = strength = np.empty(0, np.float32)
    transformed: Any = None
    for block in frame_blocks(samples, size, hop, len(out), centred) if len(out) else ():
        number = len(block)
        if at == 0:  # the first block is the largest; memory is asked for once, which is half of the time otherwise
            framed = np.empty((number, size), np.float32)
            transformed = np.empty((number, size // 2 + 1), np.complex64)
            strength = np.empty((number, size // 2 + 1), np.float32)
        np.multiply(block, hann(size), out=framed[:number])
        np.fft.rfft(framed[:number], axis=1, out=transformed[:number])
        made = strength[:number] if then is not None else out[at : at + number]
        if power == 1.0:
            np.abs(transformed[:number], out=made)
        else:
            np.square(transformed[:number].real, out=made)
            made += np.square(transformed[:number].imag)
        if then is not None:
            out[at : at + number] = then(made)
        at += number
    return out


def stft_magnitude(samples: np.ndarray, size: int = 512, hop: int = 160, count: int | None = None) -> np.ndarray:
    """(S,) -> (T, size / 2 + 1) float32, with T = 1 + S // hop, or `count`. A tone of amplitude 1 gives size / 4."""
    return spectra(samples, size, hop, None, size // 2 + 1, 1.0, count)


def power_to_db(
    power: np.ndarray, reference: float = 1.0, least: float = 1e-10, top_db: float | None = None
) -> np.ndarray:
    """10 log10(power / reference); what is below `least` counts as `least`, and below the highest value minus `top_db`
    nothing is told apart. Librosa's function of that name, where `top_db` is 80 unless told."""
    decibels = np.log10(np.maximum(power, np.float32(least)))
    decibels *= 10
    if reference != 1.0:
        decibels -= np.float32(10 * np.log10(max(reference, least)))
    if top_db is not None and decibels.size:
        np.maximum(decibels, decibels.max() - np.float32(top_db), out=decibels)
    return np.asarray(decibels)


@dataclass(frozen=True)
class Stft:
    """Magnitudes of the short-time Fourier transform. In `decibels`, 0 is a magnitude of 1 and -100 the floor."""

    sample_rate: int = 16_000
    size: int = 512  # samples of a window: 32 ms
    hop: int = 160  # samples from row to row: 10 ms
    decibels: bool = False

    name: ClassVar[str] = "stft"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return self.size / self.sample_rate

    @property
    def dim(self) -> int:
        return self.size // 2 + 1

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        values = stft_magnitude(samples, self.size, self.hop, count)
        if self.decibels:
            values = power_to_db(np.square(values))
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
