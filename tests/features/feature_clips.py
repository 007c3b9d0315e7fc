"""Small clips of pictures for the tests of single features."""

from __future__ import annotations

import cv2
import numpy as np

from cinescope.types import Clip, Frames, Span


def texture(seed: int = 0, size: tuple[int, int] = (120, 90), channels: int = 3, blur: float = 1.5) -> np.ndarray:
    """(H, W, C) or, for one channel, (H, W) uint8: smooth noise over the whole range, `size` is (width, height)."""
    noise = np.random.default_rng(seed).random((size[1], size[0], channels)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur).reshape(noise.shape)
    low, high = smooth.min(), smooth.max()
    made = np.round((smooth - low) / (high - low) * 255).astype(np.uint8)
    return made[..., 0] if channels == 1 else made


def clip_of(*pictures: np.ndarray, start: float = 2.0, rate: float = 10.0, told: bool = True) -> Clip:
    """Pictures (H, W) or (H, W, 3), one every 1 / rate seconds; `told` whether their durations are known."""
    data = np.stack([p if p.ndim == 3 else p[..., None] for p in pictures])
    times = start + np.arange(len(pictures)) / rate
    span = Span(start, start + len(pictures) / rate)
    frames = Frames(data, times, "rgb" if data.shape[-1] == 3 else "grey")
    return Clip(span, frames, frame_durations=(1 / rate,) * len(pictures) if told else ())
