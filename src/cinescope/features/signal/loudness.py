"""How loud it is ten times a second: momentary and short-term loudness by EBU R 128. The analyser of that name tells
of a whole programme; here are rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cinescope.features.common import no_rows, rows, settings_of
from cinescope.features.signal.ebur128 import BLOCK, RATE, UNIT, UNITS_PER_HOP, channel_weights, k_weight, lufs
from cinescope.features.signal.hearing import hop_times, row_count
from cinescope.types import BadQueryError, Clip, Features, Modality, Needs, SoundNeed, Source

HOP = UNIT * UNITS_PER_HOP  # samples: 100 ms
MOMENTARY, SHORT_TERM = 4, 30  # hops: 400 ms and 3 s, EBU Tech 3341
_STRETCH = 100 * HOP  # samples that are filtered at once


def hop_powers(samples: np.ndarray) -> np.ndarray:
    """(C, S) at 48 kHz -> (ceil(S / HOP),) K-weighted mean squares, summed over the weighted channels."""
    channels, count = samples.shape
    state, powers = np.zeros((channels, 4)), []
    for at in range(0, count, _STRETCH):
        piece = samples[:, at : at + _STRETCH]
        short = -piece.shape[1] % BLOCK
        weighted, state = k_weight(np.pad(piece, ((0, 0), (0, short))) if short else piece, state)
        squares = channel_weights(channels) @ np.square(weighted[:, : piece.shape[1]])
        starts = np.arange(0, len(squares), HOP)
        powers.append(np.add.reduceat(squares, starts) / np.minimum(HOP, len(squares) - starts))
    return np.concatenate(powers) if powers else np.zeros(0)


def _trailing(powers: np.ndarray, hops: int) -> np.ndarray:
    """The mean of each hop and those before it, `hops` in all, or as many as there are."""
    running = np.concatenate([[0.0], np.cumsum(powers)])
    ends = np.arange(1, len(powers) + 1)
    starts = np.maximum(0, ends - hops)
    return np.asarray((running[ends] - running[starts]) / (ends - starts))


@dataclass(frozen=True)
class LoudnessRows:
    """Loudness in LUFS of the last 400 ms and of the last 3 s, every 100 ms. Silence is -120."""

    name: ClassVar[str] = "loudness"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"
    needs: ClassVar[Needs] = Needs(sound=SoundNeed(RATE, None))
    hop: ClassVar[int] = HOP
    reach: ClassVar[float] = 4.0  # seconds: short-term loudness, and the filter's settling

    @property
    def dim(self) -> int:
        return 2

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        wave = clip.waveform
        if wave is None or not wave.data.size:
            return no_rows(self.dim, self.modality, self.source)
        if wave.sample_rate != RATE:
            raise BadQueryError(
                f"loudness is defined at {RATE} Hz, and the sound has {wave.sample_rate}", f"read it at {RATE}"
            )
        powers = hop_powers(np.nan_to_num(wave.data, nan=0.0, posinf=1.0, neginf=-1.0))
        values = np.stack([lufs(_trailing(powers, MOMENTARY)), lufs(_trailing(powers, SHORT_TERM))], axis=1)
        count = row_count(wave.data.shape[1], HOP)
        return rows(values, hop_times(clip, count, HOP, RATE), self.dim, self.modality, self.source)
