"""From pairs of equal moments to the line they lie on: one video's time as a function of another's. Knows only times.

A copy that begins elsewhere or runs faster lies on time_there = speed * time_here + offset. Each pair of moments that
look (or sound) the same votes for every line through it; the line with most votes of different moments wins (Hough).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Copies run between 0.9 and 1.1 times as fast; as recorded is tried first, and wins where others are no better.
SPEEDS = (1.0, *(round(0.9 + 0.01 * i, 2) for i in range(-1, 22) if i != 10))


@dataclass(frozen=True, slots=True)
class Line:
    speed: float
    offset: float  # seconds
    votes: int  # moments here that have an equal one on the line
    pairs: np.ndarray  # numbers of the pairs on it

    def there(self, here: np.ndarray | float) -> np.ndarray | float:
        return self.speed * here + self.offset


def lines(
    here: np.ndarray, there: np.ndarray, tolerance: float, least: int, speeds: tuple[float, ...] = SPEEDS, most: int = 4
) -> list[Line]:
    """The lines on which pairs of moments lie, those with most votes first; each pair is on one.

    `here`, `there`: (P,) seconds. `tolerance`: seconds by which a pair may miss its line. `least`: votes of a line.
    """
    found: list[Line] = []
    left = np.arange(len(here))
    while len(found) < most and len(left) >= least:
        line = _best(here[left], there[left], tolerance, speeds)
        if line.votes < least:
            break
        line = _refined(here[left], there[left], line, tolerance)
        on = left[line.pairs]
        found.append(Line(line.speed, line.offset, line.votes, on))
        # What lies close beside the line is of the same stretch: it must not be found again as a line of its own.
        beside = np.abs(there[left] - line.there(here[left])) <= 4 * tolerance
        left = left[~beside]
    return found


def fitted(line: Line, here: np.ndarray, there: np.ndarray, tolerance: float) -> Line:
    """The line bent to pairs of moments near it, where these reach far enough to tell its speed."""
    if len(here) < 8 or float(here[-1] - here[0]) < 8.0:
        return line
    slope, offset = line.speed, line.offset
    for _ in range(3):
        on = np.abs(there - slope * here - offset) <= tolerance
        if on.sum() < 8:
            return line
        middle = float(here[on].mean())
        fit, level = (float(v) for v in np.polyfit(here[on] - middle, there[on], 1))
        if abs(fit - line.speed) > 0.1:
            return line
        slope, offset = fit, level - fit * middle
    return Line(slope, offset, line.votes, line.pairs)


def _best(here: np.ndarray, there: np.ndarray, tolerance: float, speeds: tuple[float, ...]) -> Line:
    moments, number = np.unique(here, return_inverse=True)
    middle = float(np.median(here))
    best = Line(1.0, 0.0, 0, np.zeros(0, np.int64))
    for speed in speeds:
        # Offsets about the middle of the moments, so that bins of all speeds are equally fine there.
        off = there - speed * (here - middle)
        first = np.floor((off - off.min()) / (2 * tolerance)).astype(np.int64)
        half = np.floor((off - off.min()) / (2 * tolerance) + 0.5).astype(np.int64)
        # Two grids, half a bin apart: what one cuts in two the other has whole.
        for bins, shift in ((first, 0.0), (half, -tolerance)):
            of_moments = np.unique(bins * len(moments) + number) // len(moments)
            which, votes = np.unique(of_moments, return_counts=True)
            top = int(votes.argmax())
            # Another speed than the first must be clearly better: a few moments fit many lines.
            if votes[top] > (best.votes if speed == speeds[0] or best.speed != speeds[0] else 1.1 * best.votes + 1):
                offset = float(off.min() + (which[top] + 0.5) * 2 * tolerance + shift - speed * middle)
                best = Line(speed, offset, int(votes[top]), np.nonzero(bins == which[top])[0])
    return best


def _refined(here: np.ndarray, there: np.ndarray, line: Line, tolerance: float) -> Line:
    """The line through the middle of its pairs, and its pairs and votes anew."""
    speed, offset = line.speed, line.offset
    for _ in range(3):
        on = np.nonzero(np.abs(there - speed * here - offset) <= 1.5 * tolerance)[0]
        x, y = here[on], there[on]
        spread = float(x.max() - x.min()) if len(on) else 0.0
        if speed != 1.0 and len(np.unique(x)) >= 6 and spread >= 20 * tolerance:
            slope = float(np.polyfit(x - x.mean(), y, 1)[0])
            speed = slope if 0.85 <= slope <= 1.18 else speed
        if len(on):
            offset = float(np.median(y - speed * x))
    on = np.nonzero(np.abs(there - speed * here - offset) <= tolerance)[0]
    if len(np.unique(here[on])) < line.votes * 0.8:  # refining lost it: the straight one was better
        return line
    return Line(speed, offset, len(np.unique(here[on])), on)
