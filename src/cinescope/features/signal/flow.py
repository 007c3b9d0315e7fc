"""How the view moves between two small pictures: points followed, and the one movement that most of them share.

Knows nothing of times or shots. Pictures are uint8 (H, W), about 160 pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

BLOCK = 12  # pixels; at most one point is followed in each block, so that rich places do not outvote the rest
CELLS = (4, 3)  # across and down: the view moves only where most of these agree
_TEXTURE = 3e-4  # least eigenvalue of the gradient matrix that can be followed
_WINDOW = 11  # pixels around a point that are compared
_LEVELS = 3  # of the pyramid: what moves by up to 11 * 2 ** 3 / 2 pixels is found again


@dataclass(frozen=True, slots=True)
class Shift:
    """Of the content, in shares of the picture's width; what the camera does is the opposite."""

    right: float
    down: float
    growth: float  # logarithm of the scale
    turn: float  # radians, clockwise
    agree: float  # share of the cells with something to follow that move like this, 0 to 1
    still: float  # share of them that do not move
    points: int  # followed


NOTHING = Shift(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)


def follow(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) float32 points of `before` that can be followed, and where they are in `after`, x and y in pixels.

    The best corner of each block (Shi and Tomasi 1994), followed by pyramidal Lucas-Kanade (Bouguet 2001) there and
    back; those that do not come back to within half a pixel are left out.
    """
    height, width = before.shape
    strength = cv2.cornerMinEigenVal(before, 3)
    rows, columns = height // BLOCK, width // BLOCK
    if not rows or not columns:
        return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
    blocks = strength[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    blocks = blocks.reshape(rows * columns, BLOCK * BLOCK)
    best = blocks.argmax(axis=1)
    at = np.arange(rows * columns)
    x, y = at % columns * BLOCK + best % BLOCK, at // columns * BLOCK + best // BLOCK
    points = np.stack([x, y], axis=1)[blocks[at, best] > _TEXTURE].astype(np.float32)
    if not len(points):
        return points, points
    options: Any = {"winSize": (_WINDOW, _WINDOW), "maxLevel": _LEVELS}
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, **options)
    back, again, _ = cv2.calcOpticalFlowPyrLK(after, before, moved, None, **options)
    kept = (found[:, 0] == 1) & (again[:, 0] == 1) & (np.abs(back - points).max(axis=1) < 0.5)
    return points[kept], moved[kept]


def shared_shift(points: np.ndarray, moved: np.ndarray, size: tuple[int, int]) -> Shift:
    """The similarity that most points follow; `size` is (width, height) of the picture."""
    width, height = size
    if len(points) < 8:
        return NOTHING
    step = np.linalg.norm(moved - points, axis=1)
    tolerance = max(0.8, 0.12 * float(np.median(step)))
    model, inside = cv2.estimateAffinePartial2D(
        points, moved, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=300, refineIters=5
    )
    cell = points[:, 0] * CELLS[0] // width + points[:, 1] * CELLS[1] // height * CELLS[0]
    cell = cell.astype(np.int64)
    here = np.bincount(cell, minlength=CELLS[0] * CELLS[1])
    told = here >= 2
    if not told.any():
        return NOTHING

    def share(of: np.ndarray) -> float:
        return float((np.bincount(cell[of], minlength=len(here))[told] * 2 >= here[told]).mean())

    still = share(step < 0.35)
    if model is None:
        return Shift(0.0, 0.0, 0.0, 0.0, 0.0, still, len(points))
    middle = np.array([(width - 1) / 2, (height - 1) / 2, 1.0])
    right, down = (model @ middle - middle[:2]) / width
    growth, turn = np.log(np.hypot(model[0, 0], model[1, 0])), np.arctan2(model[1, 0], model[0, 0])
    agree = share(inside[:, 0] == 1)
    return Shift(float(right), float(down), float(growth), float(turn), agree, still, len(points))


def shift_between(before: np.ndarray, after: np.ndarray) -> Shift:
    return shared_shift(*follow(before, after), (before.shape[1], before.shape[0]))


def stirring(before: np.ndarray, after: np.ndarray) -> float:
    """Share of the picture that changes, 0 to 1: of its blocks, those whose luma moves by more than 6 of 255."""
    changed = cv2.absdiff(before, after)
    size = (max(1, before.shape[1] // BLOCK), max(1, before.shape[0] // BLOCK))
    return float((cv2.resize(changed, size, interpolation=cv2.INTER_AREA) > 6).mean())
