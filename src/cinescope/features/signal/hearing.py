"""What sound extractors share: one channel at the wanted rate, the times of rows, frames of samples, settings.

A row stands for one hop: [start + k * hop, start + (k + 1) * hop) samples, and its window lies with its middle on the
beginning of the hop, as librosa centres it. S samples give ceil(S / hop) rows, so that stretches join without a gap.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cinescope.features.common import check_setting, is_count
from cinescope.types import BadQueryError, Clip

_BLOCK = 1 << 15  # samples of frames that are transformed at once: they and their spectra stay in the cache


def check_sound(name: str, sample_rate: object, size: object, hop: object) -> None:
    """BadQueryError where the three settings that most sound extractors have mean nothing."""
    holds = is_count(sample_rate, 100) and int(str(sample_rate)) <= 768_000
    check_setting(name, "sample_rate", sample_rate, holds, "hertz, a whole number from 100 to 768000")
    even = is_count(size, 8) and int(str(size)) % 2 == 0
    check_setting(name, "size", size, even, "samples of a window, an even number of at least 8")
    check_setting(name, "hop", hop, is_count(hop), "samples from row to row, a whole number above 0")


def mono(clip: Clip, sample_rate: int) -> np.ndarray | None:
    """(S,) float32, the mean of the channels; None where the clip has no sound, or not one sample.

    BadQueryError where the clip's sound has another rate: resampling belongs to reading, where it is exact.
    """
    wave = clip.waveform
    if wave is None or not wave.data.size:
        return None
    if wave.sample_rate != sample_rate:
        where = f" of {clip.name}" if clip.name else ""
        raise BadQueryError(
            f"the sound{where} has {wave.sample_rate} samples a second, and {sample_rate} are needed",
            f"read it at {sample_rate}, or set sample_rate to {wave.sample_rate}",
        )
    mixed = wave.data[0] if len(wave.data) == 1 else wave.data.mean(axis=0, dtype=np.float32)
    return np.nan_to_num(mixed, nan=0.0, posinf=1.0, neginf=-1.0)


def row_count(samples: int, hop: int) -> int:
    return -(-samples // hop)


def hop_times(clip: Clip, count: int, hop: int, sample_rate: int) -> np.ndarray:
    """(T, 2) seconds of so many rows; the last one ends where the sound ends."""
    assert clip.waveform is not None
    edges = np.minimum(np.arange(count + 1) * hop, clip.waveform.data.shape[1]) / sample_rate + clip.waveform.start
    return np.stack([edges[:-1], edges[1:]], axis=1)


def frame_blocks(samples: np.ndarray, size: int, hop: int, count: int, centred: bool = True) -> Iterator[np.ndarray]:
    """The first `count` frames of (S,), as blocks of views (N, size). `centred`: with zeros around, else from 0 on."""
    around = size // 2 if centred else 0
    needed = (count - 1) * hop + size
    padded = np.zeros(max(needed, around + len(samples)), np.float32)
    padded[around : around + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    step = max(1, _BLOCK // size)
    for at in range(0, count, step):
        yield frames[at : min(at + step, count)]
