"""The pitch of a voice or an instrument: YIN (de Cheveigné and Kawahara 2002), steps 1 to 5.

The difference function by FFT, its cumulative mean normalised form (their equation 8), the first dip below the
threshold, refined by a parabola: librosa's `yin`, from which at most one row in two hundred differs (where two dips are
as deep as each other, rounding decides). Only the lags that are asked for are computed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cinescope.features.common import check_setting, no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, frame_blocks, hop_times, mono, row_count
from cinescope.types import Clip, Features, Modality, Needs, SoundNeed, Source

_TINY = float(np.finfo(np.float32).tiny)


def yin(
    samples: np.ndarray,
    sample_rate: int,
    lowest: float = 65.0,
    highest: float = 1000.0,
    size: int = 1024,
    hop: int = 160,
    threshold: float = 0.1,
    count: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(S,) -> hertz (T,), and how aperiodic the row is at that period (T,), 0 for a pure tone to about 1 for noise.

    A row whose aperiodicity is not below `threshold` has no clear pitch; its hertz are the best guess, as in librosa.
    """
    shortest = math.floor(sample_rate / highest)
    longest = min(math.ceil(sample_rate / lowest), size - 1)
    frames = 1 + len(samples) // hop if count is None else count
    hertz, off = np.empty(frames, np.float32), np.empty(frames, np.float32)
    at = 0
    for block in frame_blocks(samples, size, hop, frames) if frames else ():
        upto = at + len(block)
        hertz[at:upto], off[at:upto] = _periods(block, sample_rate, shortest, longest, threshold)
        at = upto
    return hertz, off


def _periods(
    block: np.ndarray, sample_rate: int, shortest: int, longest: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    length = _fast_length(block.shape[1] + longest + 1)
    transformed = np.fft.rfft(block, n=length, axis=1)
    power = np.square(transformed.real)
    power += np.square(transformed.imag)
    shared = np.fft.irfft(power, n=length, axis=1)[:, : longest + 1]
    head = np.cumsum(np.square(block[:, :longest]), axis=1, dtype=np.float32)
    difference = 2 * (shared[:, :1] - shared[:, 1:]) - head  # of lags 1 to longest
    mean = np.cumsum(difference, axis=1)
    mean /= np.arange(1, longest + 1, dtype=np.float32)
    normal = difference[:, shortest - 1 :] / (mean[:, shortest - 1 :] + _TINY)  # of lags shortest to longest
    low = normal < threshold
    dips = np.zeros_like(low)
    dips[:, 1:-1] = (normal[:, 1:-1] < normal[:, :-2]) & (normal[:, 1:-1] <= normal[:, 2:])
    dips[:, -1] = normal[:, -1] < normal[:, -2]
    dips[:, 0] = normal[:, 0] < normal[:, 1]
    dips &= low
    found = dips.any(axis=1)
    place = np.where(found, dips.argmax(axis=1), normal.argmin(axis=1))
    each = np.arange(len(block))
    inner = np.clip(place, 1, normal.shape[1] - 2)
    before, here, behind = normal[each, inner - 1], normal[each, inner], normal[each, inner + 1]
    bend, slope = behind + before - 2 * here, (behind - before) / 2
    shift = np.where((inner == place) & (np.abs(slope) < np.abs(bend)), -slope / np.where(bend == 0, 1, bend), 0)
    return sample_rate / (shortest + place + shift), normal[each, place]


@lru_cache(maxsize=32)
def _fast_length(least: int) -> int:
    """The smallest number of at least `least` that has no prime factor above 5."""
    length = least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


@dataclass(frozen=True)
class Pitch:
    """Pitch by YIN: hertz (0 where unvoiced), voiced or not, and how periodic. The last is 1 minus the aperiodicity.

    Voiced is what is periodic to the `threshold` and louder than `quiet` dBFS.
    """

    sample_rate: int = 16_000
    size: int = 1024  # samples of a window: 64 ms, four periods of 65 Hz
    hop: int = 160  # samples from row to row: 10 ms
    lowest: float = 65.0  # hertz: below a low male voice
    highest: float = 1000.0  # hertz
    threshold: float = 0.1  # de Cheveigné and Kawahara, step 4
    quiet: float = -60.0  # dBFS, the mean over a window

    name: ClassVar[str] = "pitch"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)
        half = self.sample_rate / 4
        holds = 0 < self.lowest < self.highest <= half
        check_setting(self.name, "highest", self.highest, holds, f"hertz above 'lowest', at most {half:g}")
        least = 2 * self.sample_rate / self.size
        check_setting(self.name, "lowest", self.lowest, self.lowest >= least, f"at least {least:.0f}, or a larger size")
        check_setting(self.name, "threshold", self.threshold, 0 < self.threshold < 1, "a number between 0 and 1")
        check_setting(self.name, "quiet", self.quiet, self.quiet <= 0, "decibels of at most 0")

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return self.size / self.sample_rate

    @property
    def dim(self) -> int:
        return 3

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        from cinescope.features.signal.spectral import rms

        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        hertz, off = yin(
            samples, self.sample_rate, self.lowest, self.highest, self.size, self.hop, self.threshold, count
        )
        loud = rms(samples, self.size, self.hop, count) > 10 ** (self.quiet / 20)
        voiced = (off < self.threshold) & loud
        clear = np.where(loud, np.clip(1 - off, 0, 1), 0)
        values = np.stack([np.where(voiced, hertz, 0), voiced, clear], axis=1)
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
