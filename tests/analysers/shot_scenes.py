"""Drawn scenes for the shot tests: small yuv pictures with texture, a drifting camera and something that moves."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np

from cinescope.analysers.shots import SIZE, Shots
from cinescope.types import Frames, Material, Segment, Span, Video, Window

RATE = 25.0
WIDTH, HEIGHT = SIZE
MATERIAL = Material(Video("", None, ()))


def scene(seed: int, count: int, drift: float = 0.15) -> np.ndarray:
    """(count, 36, 64, 3) uint8 yuv: no two seeds look alike; `drift` is the camera's way in pixels a picture."""
    rng = np.random.default_rng(seed)
    margin = int(abs(drift) * count) + 2
    wide = np.empty((HEIGHT, WIDTH + margin, 3), np.float32)
    for channel, (middle, spread) in enumerate(((rng.uniform(80, 170), 45), (rng.uniform(90, 166), 14)) * 2):
        if channel == 3:
            break
        coarse = rng.normal(middle, spread, (7, 12 + margin // 6)).astype(np.float32)
        wide[:, :, channel] = cv2.resize(coarse, (WIDTH + margin, HEIGHT), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(0, 60, (HEIGHT, WIDTH + margin)).astype(np.float32), (3, 3), 0)
    wide[:, :, 0] += fine
    wide = np.clip(wide, 5, 250)
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for i in range(count):
        shift = np.float32([[1, 0, -(abs(drift) * i + 1)], [0, 1, 0]])
        frames[i] = cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        x, y = int(32 + 20 * np.sin(i / 9 + seed)), int(18 + 8 * np.cos(i / 7))
        frames[i, y : y + 6, x : x + 5] = (220, 110, 140)
    return frames


def field(level: int, count: int) -> np.ndarray:
    frames = np.full((count, HEIGHT, WIDTH, 3), 128, np.uint8)
    frames[..., 0] = level
    return frames


def mixed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A dissolve from a to b over their whole length."""
    share = (np.arange(1, len(a) + 1) / (len(a) + 1))[:, None, None, None]
    return np.round(a * (1 - share) + b * share).astype(np.uint8)


def windows(frames: np.ndarray, times: np.ndarray | None = None, cuts: list[int] | None = None) -> list[Window]:
    """Windows that join, split before each picture of `cuts`, by default every 50."""
    times = np.arange(len(frames)) / RATE if times is None else times
    durations = np.append(np.diff(times), np.diff(times)[-1] if len(times) > 1 else 1 / RATE)
    places = sorted({0, len(frames), *(range(50, len(frames), 50) if cuts is None else cuts)})
    made = []
    for a, b in itertools.pairwise(places):
        end = float(times[b]) if b < len(times) else float(times[-1] + durations[-1])
        shown = Frames(frames[a:b], times[a:b], "yuv")
        made.append(Window(Span(float(times[a]), end), shown, tuple(durations[a:b].tolist())))
    return made


def shots(
    frames: np.ndarray,
    times: np.ndarray | None = None,
    cuts: list[int] | None = None,
    make: Callable[[], Shots] = Shots,
    restart: bool = False,
) -> list[Segment]:
    """What the analyser finds; with `restart` a fresh instance goes on after every window."""
    analyser = make()
    analyser.begin(MATERIAL)
    found: list[Segment] = []
    for window in windows(frames, times, cuts):
        found += analyser.feed(window)
        if restart:
            state = analyser.state()
            analyser = make()
            analyser.begin(MATERIAL)
            analyser.restore(state)
    return found + analyser.finish()


def starts(found: list[Segment]) -> list[int]:
    """The pictures at which shots after the first begin."""
    return [round(s.span.start * RATE) for s in found[1:]]
