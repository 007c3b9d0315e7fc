"""Sound features beside librosa: the same values, and how long each takes. `benchmarks.features` runs these lines.

Both get 60 s of sound at 16 kHz that lies in memory, one thread, librosa's tables warm; `check` says whether the values
agree to the tolerance that the tests state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RATE = 16_000
SECONDS = 60
Line = tuple[str, Callable[[], Any], Callable[[], Any], Callable[[Any, Any], bool]]


def voice(seconds: float = SECONDS, rate: int = RATE) -> np.ndarray:
    """(S,) float32: a gliding tone with overtones, noise and a silence, so that every branch has work."""
    t = np.arange(round(seconds * rate)) / rate
    f = np.cumsum(160 + 50 * np.sin(2 * np.pi * 0.7 * t)) / rate
    y = sum(np.sin(2 * np.pi * k * f) / k for k in range(1, 10)) * 0.1 * (1.1 + np.sin(2 * np.pi * 1.3 * t))
    y = y + 0.01 * np.random.default_rng(0).standard_normal(len(t))
    y[len(y) // 2 : len(y) // 2 + rate] = 0
    return np.asarray(y, np.float32)


def near(tolerance: float) -> Callable[[Any, Any], bool]:
    """Whether two arrays differ by at most so much of the reference's range."""

    def check(ours: Any, theirs: Any) -> bool:
        return ours.shape == theirs.shape and float(np.abs(ours - theirs).max()) <= tolerance * float(np.ptp(theirs))

    return check


def lines(seconds: float = SECONDS) -> list[Line]:
    """(name, ours, librosa's, check) of each feature; what the two return goes to `check`."""
    import librosa

    from cinescope.features.signal.chroma import chroma
    from cinescope.features.signal.mel import mel_bands, mel_energies
    from cinescope.features.signal.mfcc import cepstrum, delta
    from cinescope.features.signal.pitch import yin
    from cinescope.features.signal.spectral import contrast, rms, shape, zero_crossing_rate
    from cinescope.features.signal.stft import power_to_db, spectra, stft_magnitude

    y = voice(seconds)
    feature = librosa.feature

    def our_log_mel() -> np.ndarray:
        return power_to_db(mel_energies(y, mel_bands(RATE, 512, 64), 160), top_db=80)

    def their_log_mel() -> np.ndarray:
        return librosa.power_to_db(feature.melspectrogram(y=y, sr=RATE, n_fft=512, hop_length=160, n_mels=64)).T

    def our_mfcc() -> np.ndarray:
        made = cepstrum(our_log_mel(), 20)
        return np.concatenate([made, delta(made), delta(made, 2)], axis=1)

    def their_mfcc() -> np.ndarray:
        made = feature.mfcc(y=y, sr=RATE, n_fft=512, hop_length=160, n_mels=64, n_mfcc=20)
        return np.concatenate([made, feature.delta(made), feature.delta(made, order=2)]).T

    def our_shape() -> np.ndarray:
        def describe(block: np.ndarray) -> np.ndarray:
            return np.concatenate([shape(block, RATE), contrast(block, RATE, top_db=None)], axis=1)

        made = spectra(y, 1024, 160, describe, 11, 1.0)
        plain = [zero_crossing_rate(y, 1024, 160), rms(y, 1024, 160)]
        return np.concatenate([made, np.stack(plain, axis=1)], axis=1)

    def their_shape() -> np.ndarray:
        wide = np.abs(librosa.stft(y, n_fft=1024, hop_length=160))
        return np.concatenate([
            feature.spectral_centroid(S=wide, sr=RATE), feature.spectral_bandwidth(S=wide, sr=RATE),
            feature.spectral_rolloff(S=wide, sr=RATE), feature.spectral_flatness(S=wide),
            feature.spectral_contrast(S=wide, sr=RATE),
            feature.zero_crossing_rate(y, frame_length=1024, hop_length=160),
            feature.rms(y=y, frame_length=1024, hop_length=160),
        ]).T  # fmt: skip

    def same_pitch(ours: Any, theirs: Any) -> bool:
        return ours.shape == theirs.shape and bool((np.abs(ours - theirs) <= 1e-3 * theirs).mean() > 0.995)

    def same_shape(ours: Any, theirs: Any) -> bool:
        """All columns but the contrast, whose floor librosa sets 80 dB below the whole sound's loudest."""
        apart = np.abs(ours - theirs) <= 1e-3 * np.ptp(theirs, axis=0)
        return bool(apart[:, [0, 1, 3, 11, 12]].all() and apart[:, 2].mean() > 0.995)

    return [
        (
            "stft",
            lambda: stft_magnitude(y, 512, 160),
            lambda: np.abs(librosa.stft(y, n_fft=512, hop_length=160)).T,
            near(1e-5),
        ),
        ("log_mel", our_log_mel, their_log_mel, near(1e-4)),
        ("mfcc", our_mfcc, their_mfcc, near(1e-4)),
        (
            "chroma",
            lambda: chroma(y, RATE),
            lambda: feature.chroma_stft(y=y, sr=RATE, n_fft=2048, hop_length=512, tuning=0.0).T,
            near(1e-4),
        ),
        (
            "pitch",
            lambda: yin(y, RATE, 65, 1000, 1024, 160)[0],
            lambda: librosa.yin(y, fmin=65, fmax=1000, sr=RATE, frame_length=1024, hop_length=160),
            same_pitch,
        ),
        ("spectral", our_shape, their_shape, same_shape),
    ]
