"""Taking the room out of speech: weighted prediction error. Plain functions on samples, nothing of words.

Late reverberation is what can be predicted, frequency by frequency, from sound some 25 ms and more ago, when every
frame counts by the inverse of its power; it is subtracted (Nakatani et al., "Speech dereverberation based on
variance-normalized delayed linear prediction", IEEE TASLP 18(7), 2010, section III; here for one microphone).
"""

from __future__ import annotations

import numpy as np

SIZE = 512  # samples of a frame: 32 ms at 16 kHz
HOP = 128
# Frames predicted from, and the delay before them that spares the direct sound. The paper's single-channel setting
# covers about 80 ms after a delay of about 25 ms.
TAPS = 10
DELAY = 3
ROUNDS = 3  # of estimating powers and filters in turn; the paper finds that two or three are enough
FLOOR = 1e-3  # of the mean power: the least a frame is taken to have, so that silence does not rule
PIECE = (
    2000  # frames a product: with TAPS squared below the 262,144 from which OpenBLAS takes threads (interface/gemm.c)
)
BINS = 16  # frequencies at a time, which bounds the memory: 30 s take some 25 MB


def dereverberate(samples: np.ndarray) -> np.ndarray:
    """float32 (S,) -> float32 (S,): the same speech with less of the room. Silence stays silence.

    A pure function: the same samples give the same result. What is shorter than the filter comes back as it was.
    """
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(f"need float32 (S,), got {samples.dtype} {samples.shape}")
    if len(samples) < (2 * (TAPS + DELAY) + 4) * HOP or not np.any(samples):
        return samples
    frames = _analysis(samples)
    for low in range(0, len(frames), BINS):
        frames[low : low + BINS] = _predicted_off(frames[low : low + BINS])
    return _synthesis(frames, len(samples))


def _predicted_off(heard: np.ndarray) -> np.ndarray:
    """(F, T) complex -> (F, T) complex, each frequency by itself."""
    bins, steps = heard.shape
    past = np.zeros((bins, TAPS, steps), np.complex128)
    for tap in range(TAPS):
        past[:, tap, DELAY + tap :] = heard[:, : steps - DELAY - tap]
    clean = heard
    for _ in range(ROUNDS):
        power = np.abs(clean) ** 2
        # Over three frames: one alone is too noisy an estimate of the power of speech.
        power[:, 1:-1] = (power[:, :-2] + power[:, 1:-1] + power[:, 2:]) / 3
        power = np.maximum(power, FLOOR * power.mean(axis=1, keepdims=True) + 1e-12)
        weighted = past / power[:, None, :]
        among = _products(weighted, past)
        along = np.einsum("fkt,ft->fk", weighted, heard.conj())[:, :, None]
        # A millionth on the diagonal: silent frequencies have no unique solution.
        ridge = 1e-6 * np.trace(among, axis1=1, axis2=2).real / TAPS + 1e-12
        filters = np.linalg.solve(among + ridge[:, None, None] * np.eye(TAPS), along)
        clean = heard - np.einsum("fk,fkt->ft", filters[:, :, 0].conj(), past)
    return clean


def _products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(F, K, T), (F, K, T) -> (F, K, K): left times right's adjoint, in pieces that BLAS leaves to one thread.

    Matrices this small are ten times slower, and far worse on a busy machine, when threads wait for one another.
    """
    total = np.zeros((left.shape[0], left.shape[1], right.shape[1]), np.complex128)
    for low in range(0, left.shape[2], PIECE):
        total += left[:, :, low : low + PIECE] @ right[:, :, low : low + PIECE].conj().transpose(0, 2, 1)
    return total


def _window() -> np.ndarray:
    # The root of a periodic Hann window at a quarter's hop: analysis and synthesis together sum to a constant.
    return np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE))


def _analysis(samples: np.ndarray) -> np.ndarray:
    """(S,) -> (F, T) complex128; padded by a frame on both sides, so that the ends count fully."""
    padded = np.pad(samples.astype(np.float64), (SIZE, SIZE + HOP))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    return np.fft.rfft(pieces * _window(), axis=1).T.copy()


def _synthesis(frames: np.ndarray, count: int) -> np.ndarray:
    """(F, T) -> float32 (count,): overlap and add."""
    pieces = np.fft.irfft(frames.T, SIZE, axis=1) * _window()
    out = np.zeros(SIZE + HOP * (len(pieces) - 1))
    for at, piece in enumerate(pieces):
        out[at * HOP : at * HOP + SIZE] += piece
    return (out[SIZE : SIZE + count] * (HOP / (SIZE / 2))).astype(np.float32)
