"""How unlike two small pictures are, and what each is like. Plain functions; knows nothing of time or shots.

Pictures are full-range uint8 (T, H, W, 3) in Y, U, V, as `FrameNeed(pixels="yuv")` gives them, a few dozen pixels wide.
"""

from __future__ import annotations

import cv2
import numpy as np

LUMA_BINS = 32
CHROMA_BINS = 8  # per axis of the joint U, V histogram


def coarse(frames: np.ndarray, size: tuple[int, int] = (16, 9)) -> np.ndarray:
    """Area means: uint8 (T, H, W, C) -> float32 (T, h, w, C) with `size` = (w, h)."""
    width, height = size
    out = np.empty((len(frames), height, width, frames.shape[3]), np.float32)
    for i, frame in enumerate(frames):
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        out[i] = small if small.ndim == 3 else small[:, :, None]
    return out


def histograms(frames: np.ndarray) -> np.ndarray:
    """uint8 yuv (T, H, W, 3) -> float32 (T, LUMA_BINS + CHROMA_BINS ** 2), each of the two parts sums to 1."""
    count = len(frames)
    bins = LUMA_BINS + CHROMA_BINS**2
    pixels = frames.reshape(count, -1, 3)
    rows = (np.arange(count, dtype=np.int32) * bins)[:, None]
    luma = (pixels[:, :, 0] >> 3).astype(np.int32) + rows
    # Chroma rarely leaves the middle half of its range, so the bins are four values wide per step around 128.
    u = np.clip((pixels[:, :, 1].astype(np.int32) - 128) // 12 + CHROMA_BINS // 2, 0, CHROMA_BINS - 1)
    v = np.clip((pixels[:, :, 2].astype(np.int32) - 128) // 12 + CHROMA_BINS // 2, 0, CHROMA_BINS - 1)
    chroma = u * CHROMA_BINS + v + LUMA_BINS + rows
    counts = np.bincount(np.concatenate([luma.ravel(), chroma.ravel()]), minlength=count * bins)
    return (counts.reshape(count, bins) / pixels.shape[1]).astype(np.float32)


def sharpness(frames: np.ndarray) -> np.ndarray:
    """Mean absolute luma step between neighbours, right and below: (T, H, W, C) uint8 -> (T,) float32."""
    luma = frames[:, :, :, 0].astype(np.int16)
    across = np.abs(luma[:, :, 1:] - luma[:, :, :-1]).mean((1, 2))
    down = np.abs(luma[:, 1:] - luma[:, :-1]).mean((1, 2))
    return (across + down).astype(np.float32)
