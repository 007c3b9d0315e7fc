"""Log-mel spectra: energy in bands as wide as hearing has them.

Bands as librosa's `filters.mel` makes them: Slaney's scale (Auditory Toolbox, 1998), linear below 1 kHz, with bands of
equal area, or HTK's (Young et al., The HTK Book, section 5.4), 2595 log10(1 + f / 700). Values are librosa's
`melspectrogram` (to 1e-4 of the largest), then decibels or the natural logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from cinescope.features.common import check_setting, is_count, no_rows, rows, settings_of
from cinescope.features.signal.hearing import check_sound, hop_times, mono, row_count
from cinescope.features.signal.stft import power_to_db, spectra
from cinescope.types import BadQueryError, Clip, Features, Modality, Needs, SoundNeed, Source

Scale = Literal["slaney", "htk"]
_LINEAR = 200.0 / 3  # hertz a mel below 1 kHz, Slaney
_BREAK = 1000.0  # hertz
_STEP = float(np.log(6.4)) / 27  # of the logarithm of frequency a mel, above


def hz_to_mel(hertz: np.ndarray, scale: Scale = "slaney") -> np.ndarray:
    hertz = np.asarray(hertz, np.float64)
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    return np.where(
        hertz < _BREAK, hertz / _LINEAR, _BREAK / _LINEAR + np.log(np.maximum(hertz, _BREAK) / _BREAK) / _STEP
    )


def mel_to_hz(mel: np.ndarray, scale: Scale = "slaney") -> np.ndarray:
    mel = np.asarray(mel, np.float64)
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    bend = _BREAK / _LINEAR
    return np.where(mel < bend, mel * _LINEAR, _BREAK * np.exp(_STEP * (np.maximum(mel, bend) - bend)))


@lru_cache(maxsize=16)
def mel_bands(
    sample_rate: int,
    size: int,
    bands: int,
    lowest: float = 0.0,
    highest: float | None = None,
    scale: Scale = "slaney",
    equal_area: bool = True,
) -> np.ndarray:
    """(size / 2 + 1, bands) float32: triangles from the middle of one band to those of its neighbours."""
    edges = hz_to_mel(np.array([lowest, sample_rate / 2 if highest is None else highest]), scale)
    middles = mel_to_hz(np.linspace(edges[0], edges[1], bands + 2), scale)
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)[:, None]
    widths = np.diff(middles)
    rising, falling = (hertz - middles[:-2]) / widths[:-1], (middles[2:] - hertz) / widths[1:]
    weights = np.maximum(0, np.minimum(rising, falling))
    if equal_area:
        weights *= 2 / (middles[2:] - middles[:-2])
    return weights.astype(np.float32)


def mel_energies(
    samples: np.ndarray, weights: np.ndarray, hop: int, power: float = 2.0, count: int | None = None
) -> np.ndarray:
    """(S,), (size / 2 + 1, bands) -> (T, bands) float32, with T = 1 + S // hop, or `count`."""
    size = 2 * (len(weights) - 1)
    return spectra(samples, size, hop, lambda block: block @ weights, weights.shape[1], power, count)


def check_bands(
    name: str, sample_rate: int, size: int, bands: object, lowest: float, highest: float | None, scale: str
) -> None:
    """BadQueryError where these settings make no bands, or some without one frequency in them."""
    check_setting(name, "scale", scale, scale in ("slaney", "htk"), "slaney or htk")
    check_setting(name, "bands", bands, is_count(bands), "a whole number above 0")
    top = sample_rate / 2 if highest is None else highest
    check_setting(name, "highest", highest, 0 < top <= sample_rate / 2, f"hertz, at most {sample_rate / 2:g}")
    check_setting(name, "lowest", lowest, 0 <= lowest < top, f"hertz, from 0 to below {top:g}")
    weights = mel_bands(sample_rate, size, int(str(bands)), lowest, highest, "htk" if scale == "htk" else "slaney")
    empty = int((weights.max(axis=0) <= 0).sum())
    if empty:
        raise BadQueryError(
            f"{empty} of the {bands} bands of {name} are narrower than the frequencies that {size} samples tell apart",
            "set fewer bands, or a larger size",
        )


@dataclass(frozen=True)
class LogMel:
    """Energy in mel bands, as a logarithm. `log` is "db" (10 log10, floor -100 dB) or "natural" (ln, the same floor);
    `top_db` cuts so far below the clip's loudest."""

    sample_rate: int = 16_000
    size: int = 512  # samples of a window: 32 ms
    hop: int = 160  # samples from row to row: 10 ms
    bands: int = 64
    lowest: float = 0.0  # hertz
    highest: float | None = None  # hertz; null: half the sample rate
    scale: Scale = "slaney"
    log: Literal["db", "natural"] = "db"
    top_db: float | None = None

    name: ClassVar[str] = "log_mel"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "sound"

    def __post_init__(self) -> None:
        check_sound(self.name, self.sample_rate, self.size, self.hop)
        check_bands(self.name, self.sample_rate, self.size, self.bands, self.lowest, self.highest, self.scale)
        check_setting(self.name, "log", self.log, self.log in ("db", "natural"), "db or natural")
        check_setting(self.name, "top_db", self.top_db, self.top_db is None or self.top_db > 0, "decibels, or null")

    @property
    def needs(self) -> Needs:
        return Needs(sound=SoundNeed(self.sample_rate, 1))

    @property
    def reach(self) -> float:
        return self.size / self.sample_rate

    @property
    def dim(self) -> int:
        return self.bands

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        samples = mono(clip, self.sample_rate)
        if samples is None:
            return no_rows(self.dim, self.modality, self.source)
        count = row_count(len(samples), self.hop)
        weights = mel_bands(self.sample_rate, self.size, self.bands, self.lowest, self.highest, self.scale)
        values = power_to_db(mel_energies(samples, weights, self.hop, 2.0, count), top_db=self.top_db)
        if self.log == "natural":
            values = values * np.float32(np.log(10) / 10)
        times = hop_times(clip, count, self.hop, self.sample_rate)
        return rows(values, times, self.dim, self.modality, self.source)
