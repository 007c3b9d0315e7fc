"""What is kept of a medium to compare it by: its length, a small picture, a small spectrogram. Knows no dataset.

One decode a medium, of a few pictures and at most 20 s of sound.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cinescope.datasets.example import Example
from cinescope.datasets.gathering import PICTURE
from cinescope.types import Clip, Frames, MediaError, Waveform

_LOOKED = 320  # pixels of the longest side that are decoded to
SIDE = 16  # pixels of the small picture
PICTURES = 3  # of a video
MOST_SOUND = 20.0  # seconds
QUIET = 3e-4  # amplitude of full scale, -70 dB, as cinescope.features.signal.sound_print has it
DARK = 16.0  # of 255
_GAP = 1.0  # seconds that may be missing at the end of the pictures, where the sound is longer
_BANDS, _PARTS = 24, 24  # of the small spectrogram
_PLAIN = 4.0  # levels of 255 of deviation below which a picture is too plain to be known again


@dataclass(frozen=True, slots=True)
class MediaPrint:
    duration: float | None = None  # seconds
    picture: np.ndarray | None = None  # (P,) float32 of length 1; None where there is none, or it is plain
    sound: np.ndarray | None = None  # (P,) float32 of length 1
    silent: bool = False
    black: bool = False
    content: bytes = b""  # of what is held in memory
    figures: dict[str, float | None] = field(default_factory=dict)  # what -> number
    end: float | None = None  # seconds on the file's clock, where it says so


def print_of(example: Example) -> MediaPrint:
    """Opens the medium of an example. MediaError where it cannot be read or has nothing."""
    if example.clip is not None:
        return _of_clip(example.clip())
    assert example.media is not None
    return _of_file(example.media)


def _of_clip(clip: Clip) -> MediaPrint:
    digest = hashlib.blake2b()
    if clip.frames is not None:
        digest.update(clip.frames.data.tobytes())
    if clip.waveform is not None:
        digest.update(clip.waveform.data.tobytes())
    pictures = [] if clip.frames is None else [clip.frames.data[i] for i in _spread(len(clip.frames))]
    return _made(
        clip.span.duration,
        [_grey(p, clip.frames) for p in pictures],
        clip.waveform,
        clip.frames.data.shape[1:3] if clip.frames is not None else None,
        digest.digest(),
    )


def _of_file(path: Path) -> MediaPrint:
    from cinescope import media

    if not path.is_file() or not path.stat().st_size:
        raise MediaError(f"'{path.name}' is empty" if path.is_file() else f"'{path.name}' is not there")
    if path.suffix.lower() in PICTURE:
        picture = media.read_picture(path)
        return _made(None, [_luma(picture)], None, picture.shape[:2], b"")
    video = media.probe(path)
    seen, heard = video.first("video"), video.first("audio")
    if seen is not None and seen.still:
        seen = None  # the cover of a sound file
    if seen is None and heard is None:
        raise MediaError(f"'{path.name}' has neither moving pictures nor sound")
    duration = video.duration if video.duration is not None else media.measure_duration(path)
    pictures: list[np.ndarray] = []
    if seen is not None and duration > video.start:
        with media.VideoReader(path) as reader:
            times = [video.start + (duration - video.start) * (i + 0.5) / PICTURES for i in range(PICTURES)]
            for time, shown in reader.shown_at(times):
                if time > shown.time + shown.duration + _GAP:
                    stop = shown.time + shown.duration
                    raise MediaError(f"the pictures of '{path.name}' stop at {stop:.1f} of {duration:.1f} s")
                pictures.append(_luma(shown.array(_LOOKED)))
        if not pictures:
            raise MediaError(f"no picture of '{path.name}' can be decoded")
    waveform = None
    if heard is not None and duration > video.start:
        waveform = media.read_sound(
            path, video.start, min(duration, video.start + MOST_SOUND), heard.sample_rate or 16_000
        )
    size = (seen.height or 0, seen.width or 0) if seen is not None else None
    made = _made(duration - video.start, pictures, waveform, size, b"")
    if heard is not None and heard.sample_rate:
        made.figures["the sample rate"] = float(heard.sample_rate)
    return replace(made, end=duration)


def _made(
    duration: float | None,
    pictures: list[np.ndarray],
    waveform: Waveform | None,
    size: tuple[int, ...] | None,
    content: bytes,
) -> MediaPrint:
    level = float(np.sqrt(np.mean(waveform.data**2))) if waveform is not None and waveform.data.size else None
    figures: dict[str, float | None] = {"the length in seconds": duration}
    if size is not None:
        figures |= {"the width in pixels": float(size[1]), "the height in pixels": float(size[0])}
    if level is not None:
        figures["the loudness"] = level
    black = bool(pictures) and all(p.mean() < DARK and p.std() < _PLAIN for p in pictures)
    silent = waveform is not None and waveform.data.size > 0 and float(np.abs(waveform.data).max()) < QUIET
    return MediaPrint(
        duration,
        _picture_vector(pictures),
        None if waveform is None or silent else _sound_vector(waveform.data[0], waveform.sample_rate),
        silent,
        black,
        content,
        figures,
    )


def _spread(count: int) -> list[int]:
    return sorted({int((i + 0.5) * count / PICTURES) for i in range(PICTURES)}) if count else []


def _grey(picture: np.ndarray, frames: Frames | None) -> np.ndarray:
    return _luma(picture) if frames is not None and frames.pixels == "rgb" else picture[..., 0]


def _luma(rgb: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


def _picture_vector(pictures: list[np.ndarray]) -> np.ndarray | None:
    """Small pictures side by side without their means, brought to length 1."""
    import cv2

    if not pictures:
        return None
    small = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) for p in pictures]
    if max(float(s.std()) for s in small) < _PLAIN:
        return None
    vector = np.concatenate([(s - s.mean()).reshape(-1) for s in small])
    if len(pictures) < PICTURES:  # a picture is compared with pictures alone: all vectors are of one length
        vector = np.concatenate([vector, np.zeros((PICTURES - len(pictures)) * SIDE * SIDE, np.float32)])
    return vector / np.linalg.norm(vector)


def _sound_vector(samples: np.ndarray, rate: int) -> np.ndarray | None:
    """The logarithm of a small spectrogram without its mean, brought to length 1; None below 0.1 s.

    Up to 4 kHz, which every copy keeps, and at the rate of the file: resampling costs more than all the rest.
    """
    import cv2

    window, hop = round(rate * 0.032), max(1, rate // 100)
    if len(samples) < rate // 10:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    power = (
        np.abs(np.fft.rfft(frames * np.hanning(window).astype(np.float32), axis=1))[
            :, : round(window * 4000 / rate) + 1
        ]
        ** 2
    )
    level = np.log(power + 1e-6).astype(np.float32)
    small = cv2.resize(level, (_BANDS, _PARTS), interpolation=cv2.INTER_AREA)
    vector = (small - small.mean()).reshape(-1)
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm > 1e-3 else None
