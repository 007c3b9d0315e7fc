"""What a face detector is. Knows nothing of time, tracks or files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels


@dataclass(frozen=True, slots=True)
class Found:
    """One face in one picture."""

    box: Box  # from the brow's upper third to the chin, about; inside the picture
    score: float  # 0 to 1: the share of such findings that are faces, as far as the detector knows
    frontal: bool = True  # looks at the camera, more or less


class FaceDetector(Protocol):
    """Pictures are (H, W, 3) uint8 RGB of any size, 1 x 1 included. The same picture gives the same faces.

    `find` should be generous: a finding of score 0.1 is welcome, as who follows faces through a shot sees in several
    pictures what one cannot tell. `quick` says that `find` is cheap enough for every picture; otherwise it is asked
    for some of them, and `look` between.
    """

    name: str  # with the version of its model: what it finds changes with it
    quick: bool

    def find(self, picture: np.ndarray) -> list[Found]:
        """All faces, the surest first, none twice."""
        ...

    def look(self, picture: np.ndarray, box: Box) -> Found | None:
        """The face that was in the box half a second ago, near where it was; None where it is not to be seen."""
        ...


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0 to 1."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def distinct(found: list[Found], most: float = 0.3) -> list[Found]:
    """The surest first, without those that overlap a surer one by more than `most` or lie inside it."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (-f.score, f.box)):
        middle = ((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2)
        if all(overlap(one.box, k.box) <= most and not _holds(k.box, middle) for k in kept):
            kept.append(one)
    return kept


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def clipped(box: Box, width: int, height: int) -> Box:
    """The part of the box that lies in the picture."""
    x0, y0 = min(max(box[0], 0.0), width), min(max(box[1], 0.0), height)
    return x0, y0, min(max(box[2], x0), width), min(max(box[3], y0), height)
