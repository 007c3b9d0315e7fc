"""Faces by OpenCV's Haar cascades, which ship in its wheel: one proposes, two count again close up.

A cascade alone either misses faces or invents some: what it says is yes or no. Here the quick pass takes every window
for a proposal; each is cut out, brought to one size, and two cascades that were trained apart from
one another (Lienhart's "alt" and "alt2") are asked for every position and size around it. A face is affirmed dozens of
times, a chance pattern a few times: the counts are what the score is made of.

Knows faces that look at the camera, up to about 15 degrees of turning in the picture's plane. Between searches, what
was a face before may also be found tilted further or in profile.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cinescope.features.faces.detector import Box, Found, clipped, distinct
from cinescope.types import MissingPartError

SEARCH = 480  # longest side of the picture that is searched whole
STEP = 1.2  # between sizes searched
SMALLEST = 20  # pixels in that picture: the cascades' own window (their XML: 20 x 20)
FACE = 40  # pixels that a face is brought to before it is counted
FINE = 1.1  # between sizes counted
NEAR = 0.25  # of a face, how far apart the middles of windows of one face may be
# Log odds = ALT * sqrt(windows of alt) + ALT2 * sqrt(windows of alt2) + BIAS, by logistic regression on the even seeds
# of benchmarks/senses_faces.py.
ALT, ALT2, BIAS = 1.14, 1.39, -5.85
LEAST = -4.0  # log odds below which it is not worth telling
TILTS = (-14.0, 14.0)  # degrees by which a doubtful face is also turned
SURE = 0.9  # score from which a finding is not turned
_PROFILE = 0.5  # score of a profile: only told where a face was before


class Haar:
    name = "haar-1"
    quick = False

    def __init__(self) -> None:
        self._propose = _cascade("frontalface_alt2")
        self._alt, self._alt2 = _cascade("frontalface_alt"), self._propose
        self._profile = _cascade("profileface")

    def find(self, picture: np.ndarray) -> list[Found]:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        scale = min(1.0, SEARCH / max(height, width))
        small = grey
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        if min(small.shape) < SMALLEST:
            return []
        proposed = self._propose.detectMultiScale(small, STEP, 0, 0, (SMALLEST, SMALLEST))
        found = []
        for box in _together(_sorted(proposed) / scale):
            one = self._count(grey, box, room=0.45, sizes=(0.7, 1.45))
            if one is not None and one.score < SURE:
                one = self._upright(grey, box, one)
            if one is not None:
                found.append(one)
        return distinct(found)

    def look(self, picture: np.ndarray, box: Box) -> Found | None:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        one = self._count(grey, box, room=0.8, sizes=(0.65, 1.55))
        if one is not None and one.score >= 0.5:
            return one
        best = self._upright(grey, box, one)
        if best is not None and best.score >= 0.5:
            return best
        return self._in_profile(grey, box) or best

    def _upright(self, grey: np.ndarray, box: Box, one: Found | None) -> Found | None:
        """The surest of a finding and those that the same place gives when it is turned a little."""
        turned = [self._count(grey, box, room=0.45, sizes=(0.7, 1.45), tilt=tilt) for tilt in TILTS]
        return max((o for o in (one, *turned) if o is not None), key=lambda o: o.score, default=None)

    def _count(
        self, grey: np.ndarray, box: Box, room: float, sizes: tuple[float, float], tilt: float = 0.0
    ) -> Found | None:
        """The best face near the middle of `box`, whose side is a face's; None where hardly any window agrees."""
        cut, back = _cut(grey, box, room, tilt)
        least, most = round(FACE * sizes[0]), round(FACE * sizes[1])
        first = _windows(self._alt2, cut, least, most)
        if not len(first):
            return None
        second = _windows(self._alt, cut, least, most)
        # The window around which most others gather; the first of several.
        gathered = [_agree(w, first).sum() + _agree(w, second).sum() for w in first]
        seed = first[int(np.argmax(gathered))]
        mine, others = _agree(seed, first), _agree(seed, second)
        odds = ALT * np.sqrt(others.sum()) + ALT2 * np.sqrt(mine.sum()) + BIAS
        if odds < LEAST:
            return None
        x, y, side = np.concatenate([first[mine], second[others]]).mean(axis=0)
        across, down = (float(v) for v in back @ np.array([x + side / 2, y + side / 2, 1.0]))
        half = float(side / 2 * np.hypot(back[0, 0], back[1, 0]))
        height, width = grey.shape
        place = (across - half, down - half, across + half, down + half)
        return Found(clipped(place, width, height), float(1 / (1 + np.exp(-odds))))

    def _in_profile(self, grey: np.ndarray, box: Box) -> Found | None:
        """A face that has turned away: the profile cascade knows one side, so the other is mirrored."""
        cut, back = _cut(grey, box, 0.6, 0.0)
        best: tuple[int, np.ndarray] | None = None
        for mirrored in (False, True):
            seen = np.ascontiguousarray(cut[:, ::-1]) if mirrored else cut
            windows = _windows(self._profile, seen, round(FACE * 0.75), round(FACE * 1.4))
            for window in windows:
                agree = _agree(window, windows)
                if agree.sum() >= 4 and (best is None or agree.sum() > best[0]):
                    x, y, side = windows[agree].mean(axis=0)
                    best = int(agree.sum()), np.array([cut.shape[1] - x - side if mirrored else x, y, side])
        if best is None:
            return None
        x, y, side = best[1]
        left, top = (float(v) for v in back @ np.array([x, y, 1.0]))
        size = float(side * back[0, 0])
        height, width = grey.shape
        place = (left, top, left + size, top + size)
        return Found(clipped(place, width, height), _PROFILE, frontal=False)


def _cut(grey: np.ndarray, box: Box, room: float, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """The box with `room` of its side around it, turned by `tilt` degrees, so that its side is FACE pixels; and the
    (2, 3) matrix that leads from there back into the picture."""
    side = max(box[2] - box[0], box[3] - box[1], 1.0)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    scale, length = FACE / side, round(FACE * (1 + 2 * room))
    there = cv2.getRotationMatrix2D(middle, tilt, scale)
    there[:, 2] += length / 2 - np.array(middle)
    # Only what is near is smoothed before it is made smaller.
    reach = 1.5 * (0.5 + room) * side + 2
    left, top = (max(0, min(int(m - reach), n - 1)) for m, n in zip(middle, grey.shape[::-1], strict=True))
    near = grey[top : int(middle[1] + reach) + 1, left : int(middle[0] + reach) + 1]
    if scale < 0.6:
        near = cv2.GaussianBlur(near, (0, 0), 0.45 / scale)
    moved = there.copy()
    moved[:, 2] += there[:, :2] @ np.array([left, top])
    cut = cv2.warpAffine(near, moved, (length, length), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut, cv2.invertAffineTransform(there)


def _together(windows: np.ndarray) -> list[Box]:
    """(N, 3) windows, the largest first -> one box for those that mean the same."""
    left = windows
    boxes = []
    while len(left):
        apart = np.abs(left[:, :2] + left[:, 2:] / 2 - (left[0, :2] + left[0, 2] / 2)).max(axis=1)
        same = (apart <= 0.3 * left[0, 2]) & (left[:, 2] >= 0.6 * left[0, 2])
        x, y, side = (float(v) for v in left[same].mean(axis=0))
        boxes.append((x, y, x + side, y + side))
        left = left[~same]
    return boxes


def _windows(cascade: Any, cut: np.ndarray, least: int, most: int) -> np.ndarray:
    """(N, 3): x, y and side of every window that the cascade takes for a face."""
    found = cascade.detectMultiScale(cut, FINE, 0, 0, (least, least), (most, most))
    return _sorted(found)


def _sorted(found: Any) -> np.ndarray:
    """(N, 3) x, y, side, in an order of their own: OpenCV's threads give them as they come."""
    windows = np.asarray(found, np.float64).reshape(-1, 4)[:, :3]
    return windows[np.lexsort(windows.T)[::-1]]


def _agree(window: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) bool: which of the (N, 3) mean the same face."""
    if not len(others):
        return np.zeros(0, bool)
    apart = np.abs(others[:, :2] + others[:, 2:] / 2 - (window[:2] + window[2] / 2)).max(axis=1)
    return (apart <= NEAR * FACE) & (np.abs(np.log(others[:, 2] / window[2])) <= 0.4)


@lru_cache(maxsize=8)
def _cascade(name: str) -> Any:
    """One of the cascades that ship with OpenCV. MissingPartError where this OpenCV has none (version 5)."""
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    file = Path(folder) / f"haarcascade_{name}.xml"
    if not folder or not file.is_file():
        raise MissingPartError(
            f"this OpenCV ({cv2.__version__}) carries no face cascades", "pip install 'opencv-python-headless<5'"
        )
    return cv2.CascadeClassifier(str(file))
