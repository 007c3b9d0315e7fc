"""Pictures and sound in memory, each with its own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Pixels = Literal["rgb", "grey", "yuv"]
CHANNELS: dict[str, int] = {"rgb": 3, "grey": 1, "yuv": 3}


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Pictures in presentation order. All full range (black 0, white 255): `grey` is luma, `yuv` luma and chroma."""

    data: np.ndarray  # (T, H, W, C) uint8; C is 3 for rgb and yuv, 1 for grey
    times: np.ndarray  # (T,) float64, presentation times, seconds, rising
    pixels: Pixels = "rgb"

    def __post_init__(self) -> None:
        if self.data.ndim != 4 or self.data.dtype != np.uint8 or self.data.shape[3] != CHANNELS[self.pixels]:
            raise ValueError(
                f"Frames of {self.pixels} need uint8 (T, H, W, {CHANNELS[self.pixels]}), "
                f"got {self.data.dtype} {self.data.shape}"
            )
        if self.times.shape != (len(self.data),):
            raise ValueError(f"Frames need one time per picture: {len(self.data)} pictures, times {self.times.shape}")

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Sound: float32 in [-1, 1]; sample n is heard at `start + n / sample_rate` seconds."""

    data: np.ndarray  # (C, S) float32
    sample_rate: int  # hertz
    start: float  # seconds

    def __post_init__(self) -> None:
        if self.data.ndim != 2 or self.data.dtype != np.float32:
            raise ValueError(f"a Waveform needs float32 (C, S), got {self.data.dtype} {self.data.shape}")
        if self.sample_rate <= 0:
            raise ValueError(f"a Waveform needs a positive sample rate, got {self.sample_rate}")

    @property
    def duration(self) -> float:
        return self.data.shape[1] / self.sample_rate

    @property
    def end(self) -> float:
        return self.start + self.duration
