"""Small containers with known contents, written by PyAV alone: numbered pictures and clicks at known times."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

BITS = 10  # a picture's number, as black and white blocks in its top half
BLOCK = 16
WIDTH, HEIGHT = BITS * BLOCK, 96


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(H, W, 3) uint8: the number as blocks above, something that moves below, so that coding has work."""
    picture = np.zeros((height, width, 3), np.uint8)
    block = width // BITS
    for bit in range(BITS):
        if number >> bit & 1:
            picture[: height // 2, bit * block : (bit + 1) * block] = 255
    rows = np.arange(height - height // 2)[:, None]
    columns = np.arange(width)[None, :]
    picture[height // 2 :, :, 0] = (columns * 3 + number * 7) % 256
    picture[height // 2 :, :, 1] = (rows * 5 + number * 3) % 256
    picture[height // 2 :, :, 2] = 128
    return picture


def number_of(grey: np.ndarray) -> int:
    """The number in a (H, W, 1) array of any size."""
    height, width = grey.shape[:2]
    row = grey[height // 4, :, 0]
    return sum(int(row[int((bit + 0.5) * width / BITS)] > 127) << bit for bit in range(BITS))


def write_video(
    path: Path,
    count: int = 60,
    rate: int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Sequence[Fraction] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    container_options: dict[str, str] | None = None,
    form: str | None = None,
    picture: Any = numbered,
    sound: np.ndarray | None = None,
    sound_codec: str = "aac",
    sound_rate: int = 48_000,
    sound_delay: float = 0.0,
    metadata: dict[str, str] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    colour: dict[str, int] | None = None,
) -> Path:
    """`times` are the presentation times of the pictures in seconds; without them k / rate."""
    with av.open(str(path), "w", format=form, options=container_options or {}) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        base = time_base or Fraction(1, 90_000 if times else rate)
        stream.codec_context.time_base = base
        stream.time_base = base
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for name, value in (colour or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(-rotation)
        audio = None
        if sound is not None:
            audio = out.add_stream(sound_codec, rate=sound_rate, layout="mono" if sound.shape[0] == 1 else "stereo")
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), "rgb24").reformat(format=pix_fmt)
            when = times[number] if times else Fraction(number, rate)
            frame.pts = round(when / base)
            frame.time_base = base
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
        if audio is not None:
            assert sound is not None
            _write_sound(out, audio, sound, sound_rate, sound_delay)
    return path


def write_sound(
    path: Path,
    sound: np.ndarray,
    rate: int = 48_000,
    codec: str = "pcm_s16le",
    delay: float = 0.0,
    layout: str | None = None,
    gap: tuple[float, float] | None = None,
) -> Path:
    """`sound` is (C, S) float32; `gap` (at, seconds) moves what comes from `at` on later by so many seconds."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout=layout or ("mono" if len(sound) == 1 else "stereo"))
        _write_sound(out, stream, sound, rate, delay, gap)
    return path


def _write_sound(
    out: Any, stream: Any, sound: np.ndarray, rate: int, delay: float, gap: tuple[float, float] | None = None
) -> None:
    layout = stream.codec_context.layout.name
    form = stream.codec_context.format.name
    size = 1024 if stream.codec_context.frame_size in (0, None) else stream.codec_context.frame_size
    resampler = av.AudioResampler(form, layout, rate)
    for begin in range(0, sound.shape[1], size):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, begin : begin + size]), "fltp", layout)
        frame.sample_rate = rate
        later = gap[1] if gap is not None and begin / rate >= gap[0] else 0.0
        frame.pts = begin + round((delay + later) * rate)
        frame.time_base = Fraction(1, rate)
        for piece in resampler.resample(frame):
            for packet in stream.encode(piece):
                out.mux(packet)
    for packet in stream.encode(None):
        out.mux(packet)


def clicks(seconds: float, at: Sequence[float], rate: int = 48_000, channels: int = 1) -> np.ndarray:
    """(C, S) float32 silence with a short burst of 1 kHz, 5 ms long, beginning at each of the times."""
    sound = np.zeros((channels, round(seconds * rate)), np.float32)
    burst = (0.8 * np.sin(2 * np.pi * 1_000 * np.arange(round(0.005 * rate)) / rate)).astype(np.float32)
    for time in at:
        place = round(time * rate)
        sound[:, place : place + len(burst)] = burst[: sound.shape[1] - place]
    return sound


def melody(seconds: float, rate: int = 48_000, channels: int = 1, seed: int = 1) -> np.ndarray:
    """(C, S) float32: a few tones and a little noise, the same for the same arguments."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    rows = []
    for channel in range(channels):
        tones = sum(np.sin(2 * np.pi * f * (1 + 0.1 * channel) * time + f) for f in (220.0, 331.0, 1_234.0)) / 6
        rows.append(tones + 0.02 * random.standard_normal(len(time)))
    return np.stack(rows).astype(np.float32)
