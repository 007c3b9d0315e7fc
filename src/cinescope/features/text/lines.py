"""Lines of text over time: one Line is a text that stands (or moves) in one place. Knows pixels and texts, not files.

A line is followed by its edges, without reading it again (changes.presence); it is read again only when they say that
it may have changed. What it says is then a vote among its readings.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cinescope.features.text.changes import (
    ABSENT,
    STRONG,
    Gradients,
    Presence,
    begins,
    differs,
    gradients,
    presence,
)
from cinescope.features.text.ocr import Region, bounding_box

Box = tuple[float, float, float, float]

# Pixels of luma around a box that belong to its template; the outermost ring only serves the derivative.
BORDER = 3
# Two readings are of one text from this similarity on (1 is equal), if their digits are equal too.
SAME_TEXT = 0.8
# A template moved when luma correlates at least this well somewhere nearby.
MOVED = 0.8
# How far a line is looked for between two samples, shares of the picture; credits roll at about 0.1 a second.
REACH_X, REACH_Y = 0.1, 0.2
# Readings kept for the vote; more adds nothing once the line stands.
MOST_READINGS = 8


@dataclass(slots=True, eq=False)
class Line:
    """One line of text, or (while `wanted` is False) a place where the detector saw text and the reader none."""

    quad: np.ndarray  # (4, 2) float32, shares of the picture, where it was last seen
    first: float  # seconds: first sample that shows it
    end: float  # seconds: end of the last sample that shows it
    last: float  # seconds: time of the last sample that shows it
    x: int  # left of the template in the luma picture, pixels
    y: int
    patch: np.ndarray  # (h, w) uint8 luma as learned
    weight: np.ndarray  # (h, w) uint8: how steadily each edge stands, 255 always, 0 for what is no edge
    readings: list[tuple[str, float]] = field(default_factory=list)
    count: int = 0  # readings ever made
    read_at: float = -math.inf  # seconds
    grew: float = -math.inf  # seconds: when it last got longer
    calm: float = 0.0  # seconds to wait after a reading before doubting it again; grows while nothing comes of it
    seen: int = 1  # samples that show it
    wanted: bool = True  # it reads like text
    moving: bool = False
    faint: bool = False  # it stands, but less than half faded in
    counter: bool = False  # one reading of a line whose digits run on
    rise: list[tuple[float, float]] = field(default_factory=list)  # (seconds, strength) while it faded in
    speed: tuple[float, float] = (0.0, 0.0)  # luma pixels a sample
    home: Box = (0.0, 0.0, 0.0, 0.0)  # where it was first read

    @property
    def box(self) -> Box:
        return bounding_box(self.quad)

    @property
    def region(self) -> Region:
        return Region(self.quad, 1.0)

    @property
    def template(self) -> Gradients:
        return gradients(self.patch)

    def strokes(self) -> tuple[slice, slice]:
        """Rows and columns of the luma picture that its edges fill: closer than the box, which has a margin."""
        used = np.flatnonzero((self.weight > 0).any(axis=0))
        left, right = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        top, x = max(0, self.y), max(0, self.x + left)
        return slice(top, max(0, self.y + self.patch.shape[0])), slice(x, max(x, self.x + right))

    def compare(self, now: Gradients) -> Presence:
        """How much of it stands where it was last seen."""
        height, width = self.patch.shape
        if self.x < 0 or self.y < 0:
            return ABSENT
        return presence(self.template, self.weight, now.at(self.x, self.y, width, height))

    def begins(self, now: Gradients) -> bool:
        """Whether only its first letters stand there yet."""
        height, width = self.patch.shape
        return begins(self.template, self.weight, now.at(self.x, self.y, width, height))

    def see(self, time: float, end: float) -> None:
        self.seen += 1
        self.last, self.end = time, end

    def strengthen(self, time: float, contrast: float, half: float) -> None:
        """Its edges got `contrast` times as strong: it begins when it first had `half` of the strength it has now."""
        level = self.rise[-1][1] * contrast if self.rise else contrast
        self.rise = [*self.rise, (time, level)][-MOST_READINGS:]
        reached = [t for t, strength in self.rise if strength >= half * level]
        if self.rise[0][0] <= self.first:
            self.first = max(self.first, min(reached))

    def steady(self, now: Gradients) -> None:
        """Learn which of its edges stand: those of the ground behind it wash out."""
        height, width = self.patch.shape
        here = now.at(self.x, self.y, width, height)
        if here.x.shape == self.patch.shape:
            keeps = (self.weight > 0) & ~differs(self.template, here, 0.6)
            # At least 1 where there was an edge, so that it may come back; whole numbers, so that a state is exact.
            mixed = np.maximum((3 * self.weight.astype(np.int32) + 255 * keeps + 2) // 4, 1)
            self.weight = np.where(self.weight > 0, mixed, 0).astype(np.uint8)

    def add(self, text: str, score: float, time: float) -> None:
        self.readings = [*self.readings, (text, score)][-MOST_READINGS:]
        self.count += 1
        self.read_at = time

    def says(self) -> tuple[str, float]:
        """Its text and score by the vote of its readings."""
        return consensus(self.readings)

    def search(self, grey: np.ndarray) -> tuple[int, int] | None:
        """Where its (moved) template stands in the luma picture now: the new x, y; None where it is not found."""
        import cv2

        height, width = grey.shape
        high, wide = self.patch.shape
        inner = self.patch[BORDER:-BORDER, BORDER:-BORDER]
        if min(inner.shape) < 4 or float(inner.std()) < 8:
            return None
        px, py = self.x + BORDER + self.speed[0], self.y + BORDER + self.speed[1]
        left = max(0, int(px - REACH_X * width))
        top = max(0, int(py - REACH_Y * height))
        right = min(width, int(px + wide + REACH_X * width))
        bottom = min(height, int(py + high + REACH_Y * height))
        field_ = grey[top:bottom, left:right]
        if field_.shape[0] < inner.shape[0] or field_.shape[1] < inner.shape[1]:
            return None
        found = cv2.matchTemplate(field_, inner, cv2.TM_CCOEFF_NORMED)
        _, best, _, place = cv2.minMaxLoc(found)
        if not math.isfinite(best) or best < MOVED:
            return None
        return left + place[0] - BORDER, top + place[1] - BORDER

    def move(self, x: int, y: int, shape: tuple[int, ...]) -> None:
        """Follow to template position x, y in a luma picture of (h, w) `shape`."""
        dx, dy = x - self.x, y - self.y
        self.speed = (float(dx), float(dy))
        self.quad = self.quad + np.array([[dx / shape[1], dy / shape[0]]], dtype=np.float32)
        self.x, self.y = x, y
        if abs(dx) + abs(dy) > 1:
            self.moving = True

    def state(self) -> dict[str, Any]:
        values: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        return values | {
            "readings": [list(r) for r in self.readings],
            "rise": [list(r) for r in self.rise],
            "speed": list(self.speed),
            "home": list(self.home),
            "read_at": stated(self.read_at),
            "grew": stated(self.grew),
            "quad": self.quad,
            "patch": self.patch,
            "weight": self.weight,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Line:
        values = {name: state[name] for name in _PLAIN}
        return cls(
            **values,
            readings=[(str(t), float(s)) for t, s in state["readings"]],
            rise=[(t, level) for t, level in state["rise"]],
            speed=(state["speed"][0], state["speed"][1]),
            home=_box(state["home"]),
            read_at=meant(state["read_at"]),
            grew=meant(state["grew"]),
            quad=np.asarray(state["quad"], dtype=np.float32),
            patch=np.asarray(state["patch"], dtype=np.uint8),
            weight=np.asarray(state["weight"], dtype=np.uint8),
        )


_PLAIN = ("first", "end", "last", "x", "y", "count", "seen", "wanted", "moving", "faint", "counter", "calm")


def stated(time: float) -> float | None:
    """A time as JSON has it: None for never."""
    return None if math.isinf(time) else time


def meant(time: float | None) -> float:
    return -math.inf if time is None else time


def _box(values: list[float]) -> Box:
    x0, y0, x1, y1 = values
    return x0, y0, x1, y1


def learn(grey: np.ndarray, before: np.ndarray | None, quad: np.ndarray) -> tuple[int, int, np.ndarray, np.ndarray]:
    """x, y, patch and weight of a line at `quad` (shares) in an (h, w) luma picture.

    Where the sample before shows most of the same edges, only those that stand still count.
    """
    height, width = grey.shape
    x0, y0, x1, y1 = bounding_box(quad)
    left, top = max(0, math.floor(x0 * width) - BORDER), max(0, math.floor(y0 * height) - BORDER)
    right, bottom = min(width, math.ceil(x1 * width) + BORDER), min(height, math.ceil(y1 * height) + BORDER)
    patch = grey[top:bottom, left:right].copy()
    here = gradients(patch)
    strength = here.strength
    edge = strength > min(STRONG, 0.5 * float(strength.max(initial=0)))
    edge[0, :] = edge[-1, :] = edge[:, 0] = edge[:, -1] = False
    weight = edge
    if before is not None and before.shape == grey.shape:
        still = edge & ~differs(here, gradients(before[top:bottom, left:right]), 0.4)
        if still.sum() >= 0.3 * edge.sum():
            weight = still
    return left, top, patch, np.where(weight, 255, 0).astype(np.uint8)


def plain(text: str) -> str:
    """What is compared: case and blanks do not count."""
    return "".join(text.casefold().split())


def similarity(a: str, b: str) -> float:
    """1 for equal texts, 0 for nothing in common (normalised Indel similarity; case and blanks do not count)."""
    from rapidfuzz import fuzz

    return fuzz.ratio(plain(a), plain(b)) / 100


def same_text(a: str, b: str) -> bool:
    """Whether two readings are of one text: nearly equal, and equal in their digits (10:01 is not 10:02)."""
    return similarity(a, b) >= SAME_TEXT and digits(a) == digits(b)


def runs_on(a: str, b: str) -> bool:
    """Whether one is the other with other digits: a clock, a page number, a counter."""
    shape_a, shape_b = re.sub(r"\d+", "0", plain(a)), re.sub(r"\d+", "0", plain(b))
    return digits(a) != digits(b) and "0" in shape_a and similarity(shape_a, shape_b) >= SAME_TEXT


def grows(old: str, new: str) -> bool:
    """Whether `new` is `old` with more text around it."""
    from rapidfuzz import fuzz

    small, large = plain(old), plain(new)
    return len(large) > len(small) and bool(small) and fuzz.partial_ratio(small, large) >= 100 * SAME_TEXT


def digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def consensus(readings: list[tuple[str, float]]) -> tuple[str, float]:
    """The reading that the others agree with most, and the best score it got; ("", 0) without readings.

    Each reading votes with the square of its score for every text as far as it resembles it; of equal votes the
    latest wins, since a line that fades in or is typed is read best at last.
    """
    best, most = ("", 0.0), -1.0
    for text, _ in readings:
        votes = sum(score**2 * similarity(text, other) ** 4 for other, score in readings)
        if votes >= most - 1e-9:
            best, most = (text, max(s for t, s in readings if t == text)), max(votes, most)
    return best


def plausible(text: str, score: float) -> bool:
    """Whether a reading is likely a text and no texture. The fewer letters, the surer the reader has to be."""
    letters = [c for c in text if c.isalnum()]
    wide = sum(2 if ord(c) > 0x2E7F else 1 for c in letters)  # a Han character says as much as two letters
    if wide < 2 or len(letters) < 0.5 * len(plain(text)):
        return False
    if len(set(plain(text))) == 1 and wide > 2:
        return False  # "IIIII", "0000": railings and windows
    return score >= (0.7 if wide >= 8 else 0.8 if wide >= 4 else 0.93)


def overlap(a: Box, b: Box) -> tuple[float, float, float]:
    """Intersection over union, and the shares of a and of b that are in the other."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0, 0.0, 0.0
    shared, area_a, area_b = width * height, (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return shared / (area_a + area_b - shared), shared / area_a, shared / area_b
