"""What a sound sounds like: a vector that lies near those of like sounds. Plain functions on spectra; no times.

Mel cepstrum (Davis and Mermelstein 1980): its mean, its spread, and how fast it changes. The level is left out: sound
recorded quietly is the same sound.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cinescope.features.signal.sound_print import QUIET, RATE, WINDOW

TIMBRE = 64  # numbers: 21 means and 21 spreads without the first, which is the level, and 22 changes
LEAST = 62  # spectra that must not be silent: 1 s
_BANDS, _KEPT = 32, 22
# Mean and deviation of each number over 53 stretches of speech, digits and single notes that are in no measurement,
# so that what is usual in all sound says nothing and no number outweighs the others.
# fmt: off
_USUAL = (
    13.39, -3.05, 4.05, -0.67, -0.83, -0.74, -2.62, -0.35, -0.33, 0.14, 0.48,
    0.19, 0.46, 0.11, -0.26, -0.15, -0.31, -0.45, -0.18, -0.17, -0.22, 5.26,
    3.70, 2.81, 2.10, 1.65, 1.60, 1.52, 1.40, 1.46, 1.31, 1.09, 1.07,
    1.11, 1.20, 1.17, 1.19, 1.13, 0.91, 0.79, 0.89, 0.82, 2.78, 1.07,
    0.91, 0.64, 0.55, 0.43, 0.41, 0.42, 0.39, 0.36, 0.34, 0.31, 0.31,
    0.31, 0.29, 0.28, 0.28, 0.26, 0.25, 0.24, 0.23, 0.22,
)
_DEVIATION = (
    6.72, 4.87, 3.14, 1.04, 1.44, 1.70, 2.18, 1.71, 0.94, 1.11, 0.98,
    1.04, 1.27, 1.00, 1.13, 1.00, 0.62, 0.88, 0.70, 0.44, 0.40, 2.85,
    1.38, 1.15, 0.95, 0.66, 0.75, 0.52, 0.71, 1.02, 1.08, 0.50, 0.39,
    0.54, 0.74, 0.86, 0.97, 0.96, 0.58, 0.40, 0.59, 0.50, 1.78, 0.65,
    0.46, 0.31, 0.30, 0.20, 0.18, 0.18, 0.17, 0.14, 0.15, 0.13, 0.12,
    0.12, 0.11, 0.11, 0.10, 0.09, 0.10, 0.09, 0.09, 0.09,
)
# fmt: on


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """(WINDOW / 2 + 1, _BANDS): bands as wide as hearing has them, 60 Hz to 7.6 kHz; (_BANDS, _KEPT): the cosines."""
    lowest, highest = (2595 * float(np.log10(1 + f / 700)) for f in (60.0, 7600.0))
    mel = np.linspace(lowest, highest, _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    f = np.fft.rfftfreq(WINDOW, 1 / RATE)[:, None]
    rising, falling = (f - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - f) / (edges[2:] - edges[1:-1])
    cosines = np.cos(np.pi * np.arange(_KEPT) * (np.arange(_BANDS)[:, None] + 0.5) / _BANDS) * np.sqrt(2 / _BANDS)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32), cosines


def timbre(amplitudes: np.ndarray) -> np.ndarray | None:
    """(N, WINDOW / 2 + 1) of `sound_print.spectra` -> (TIMBRE,) of length 1; None where less than LEAST is heard."""
    bands, cosines = _tables()
    power = amplitudes**2 @ bands
    power = power[np.sqrt(power.sum(axis=1)) >= QUIET]  # how long it is silent is not what it sounds like
    if len(power) < LEAST:
        return None
    cepstrum = np.log(power + max(float(power.mean()) * 1e-5, 1e-12)) @ cosines
    change = np.abs(np.diff(cepstrum, axis=0)).mean(axis=0)
    numbers = np.concatenate([cepstrum[:, 1:].mean(axis=0), cepstrum[:, 1:].std(axis=0), change])
    scaled = (numbers - _USUAL) / _DEVIATION
    return (scaled / max(float(np.linalg.norm(scaled)), 1e-6)).astype(np.float32)
