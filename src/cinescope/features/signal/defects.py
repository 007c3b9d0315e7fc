"""What tells that a picture is no good: black, of one colour, the same as before. Plain functions; knows no times.

Pictures are full-range uint8 (T, H, W, 3) in Y, U, V, a few dozen pixels wide, as `FrameNeed(pixels="yuv")` gives them.
"""

from __future__ import annotations

import numpy as np

# FFmpeg's blackdetect: a pixel is black up to a tenth of the range above black, a picture where 98% of its pixels are.
BLACK_LEVEL = 0.10
BLACK_SHARE = 0.98
PLAIN = 2.0  # deviation, of 255, up to which a picture has one colour: coding noise stays below


def black(frames: np.ndarray) -> np.ndarray:
    """(T,) bool."""
    return (frames[..., 0] <= round(BLACK_LEVEL * 255)).mean(axis=(1, 2)) >= BLACK_SHARE


def plain(frames: np.ndarray) -> np.ndarray:
    """(T,) bool: one colour all over, black included."""
    flat = frames.reshape(len(frames), -1, 3)
    # Most pictures differ at a glance: a few pixels, spread, tell that.
    few = flat[:, :: max(1, flat.shape[1] // 48)].astype(np.int16)
    maybe = np.ptp(few, axis=1).max(axis=1) <= 8 * PLAIN
    found = np.zeros(len(frames), bool)
    if maybe.any():
        found[maybe] = flat[maybe].std(axis=1).max(axis=1) <= PLAIN
    return found


def unlike(luma: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T, H, W) uint8 against (T, H, W) or (H, W) -> (T,) bool: more changes than coding a still picture again does.

    Coding noise is about one step of 255 in scattered places; what moves changes some place by more.
    """
    step = np.maximum(luma, other) - np.minimum(luma, other)  # stays uint8
    pixels = step.shape[1] * step.shape[2]
    few = (step > 2).sum(axis=(1, 2)) <= 0.002 * pixels
    return ~few | (step.max(axis=(1, 2)) > 8) | (step.sum(axis=(1, 2), dtype=np.int64) > 0.35 * pixels)


def same(luma: np.ndarray, other: np.ndarray) -> np.ndarray:
    """As `unlike`, (T,) bool: no change, or a pixel or two where pictures are predicted from both sides."""
    return (luma != other).sum(axis=(1, 2)) <= 0.0015 * luma.shape[1] * luma.shape[2]


def near(luma: np.ndarray, other: np.ndarray, mean: float = 1.5) -> np.ndarray:
    """As the opposite of `unlike`, but forgiving a still picture that an encoder makes better bit by bit, or starts
    anew at a key frame: (T,) bool. `mean` change of luma, of 255, at most."""
    step = np.maximum(luma, other) - np.minimum(luma, other)
    pixels = step.shape[1] * step.shape[2]
    few = (step > 8).sum(axis=(1, 2)) <= 0.006 * pixels
    return few & (step.max(axis=(1, 2)) <= 24) & (step.sum(axis=(1, 2), dtype=np.int64) <= mean * pixels)


def fading(luma: np.ndarray) -> bool:
    """(T, H, W) with T >= 3: whether the pictures change as in a fade or dissolve, every step a share of the whole
    way, and not as when things move."""
    steps = np.diff(luma.astype(np.float32), axis=0).reshape(len(luma) - 1, -1)
    way = steps.sum(axis=0)
    lengths = np.linalg.norm(steps, axis=1) * np.linalg.norm(way)
    if lengths.min() < 1e-3:
        return False
    return bool((steps @ way / lengths).mean() > 0.9)


def luminance(frames: np.ndarray) -> np.ndarray:
    """(T, 4) of the quarters of the picture, 0 to 1, as a display shows it (ITU-R BT.1886: exponent 2.4)."""
    light = _LIGHT[frames[..., 0]]
    height, width = light.shape[1:]
    halves = [(slice(0, (n + 1) // 2), slice(n // 2, None)) for n in (height, width)]
    return np.stack([light[:, r, c].mean(axis=(1, 2)) for r in halves[0] for c in halves[1]], axis=1)


_LIGHT = ((np.arange(256) / 255) ** 2.4).astype(np.float32)
