"""Films to be known again: drawn scenes that move, with sound that never repeats, and changed copies of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE = 16_000
FPS = 10
SIZE = (192, 128)


def picture(seed: int, time: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A scene of two seconds: patches of its own that drift, on a slope of colour. (H, W, 3) uint8."""
    width, height = size
    rng = np.random.default_rng([seed, int(time // 2)])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    made = np.stack([x * 200 / width, y * 200 / height, np.full_like(x, 60)], axis=-1) * rng.uniform(0.3, 1.0, 3)
    stripes = ((x + y) % 12 < 6)[..., None]
    for _ in range(14):
        centre, speed = rng.uniform((0, 0), (width, height)), rng.uniform(-24, 24, 2)
        half, colour = rng.uniform(0.04, 0.14, 2) * width, rng.uniform(0, 255, 3)
        left, top = np.maximum(centre + speed * (time % 2) - half, 0).astype(int)
        right, bottom = np.maximum(centre + speed * (time % 2) + half, 0).astype(int)
        place = np.s_[top:bottom, left:right]
        made[place] = np.where(stripes[place], colour, 255 - colour)
    return np.clip(made, 0, 255).astype(np.uint8)


def sound(seed: int, seconds: float) -> np.ndarray:
    """Notes at times and heights of their own. (S,) float32."""
    rng = np.random.default_rng([seed, 99])
    made = np.zeros(round(seconds * RATE), np.float32)
    at = 0.0
    while at < seconds:
        length = rng.uniform(0.08, 0.3)
        n = np.arange(round(length * RATE))
        note = np.sin(2 * np.pi * rng.uniform(200, 3000) * n / RATE) * np.hanning(len(n)) * 0.3
        first = round(at * RATE)
        made[first : first + len(n)] += note[: len(made) - first].astype(np.float32)
        at += rng.uniform(0.05, 0.2)
    return made


def film(
    path: Path,
    seed: int,
    seconds: float = 8.0,
    start: float = 0.0,
    speed: float = 1.0,
    mirrored: bool = False,
    cut: float = 0.0,
    size: tuple[int, int] = SIZE,
    sound_seed: int | None = None,
    silent: bool = False,
    crf: int = 20,
) -> Path:
    """The film `seed` from `start` on, changed: `cut` is the share taken off each side, `sound_seed` whose sound."""
    import cv2

    from cinescope.media.encode import VideoWriter
    from cinescope.types import Waveform

    with VideoWriter(
        path, size, FPS, sound=None if silent else (RATE, 1), options={"crf": str(crf), "preset": "ultrafast"}
    ) as out:
        for frame in range(round(seconds * FPS)):
            whole = picture(seed, start + frame / FPS * speed)
            if mirrored:
                whole = whole[:, ::-1]
            down, across = round(whole.shape[0] * cut), round(whole.shape[1] * cut)
            part = whole[down : whole.shape[0] - down, across : whole.shape[1] - across]
            shown = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_AREA)
            out.picture(shown, frame / FPS)
        if not silent:
            first = round(start * RATE)
            samples = sound(seed if sound_seed is None else sound_seed, start + seconds)[first:]
            out.sound(Waveform(samples[None], RATE, 0.0))
    return path


def wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """16-bit mono."""
    import wave

    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
