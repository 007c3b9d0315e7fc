"""Finds where one shot ends and the next begins, in a stream of small pictures. Knows no segments and no files.

Pictures come in order; boundaries come out in order, each as soon as nothing that follows can change it. What is
kept is bounded by time, not by the video's length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.features.signal.differences import coarse, histograms

CONTEXT = 8  # pictures on each side that a cut is judged by
CONTEXT_SECONDS = 1.0  # but no further away than this
MIN_SHOT = 0.25  # seconds; a shorter stretch between two breaks is part of one of its neighbours
LAG = 6.0  # seconds of media within which a boundary is told, at most


@dataclass(frozen=True, slots=True)
class Boundary:
    """`time` is when the new shot begins; `start` and `end` hold the transition, equal to `time` for a cut."""

    time: float
    kind: str  # "cut", "fade" or "dissolve"
    score: float  # 0 to 1
    start: float
    end: float


class BoundaryFinder:
    def __init__(self) -> None:
        self._times = np.zeros(0, np.float64)
        self._small = np.zeros((0, 9, 16, 3), np.float32)
        self._hist = np.zeros((0, 96), np.float32)
        self._step = np.zeros(0, np.float32)  # difference from the picture before
        self._next = 1  # the first picture that is not yet judged
        self._last = -np.inf  # time of the last boundary

    def push(self, frames: np.ndarray, times: np.ndarray) -> None:
        """uint8 yuv (T, H, W, 3) with rising times."""
        if not len(frames):
            return
        small, hist = coarse(frames), histograms(frames)
        before = len(self._times)
        self._small = np.concatenate([self._small, small])
        self._hist = np.concatenate([self._hist, hist])
        self._times = np.concatenate([self._times, times])
        first = max(before, 1)
        blocks = np.abs(self._small[first:] - self._small[first - 1 : -1]).mean((1, 2, 3)) / 255
        spread = np.abs(self._hist[first:] - self._hist[first - 1 : -1]).sum(1) / 4
        step = (blocks * 2 + spread).astype(np.float32)
        self._step = np.concatenate([self._step, np.zeros(first - before, np.float32), step])

    @property
    def settled(self) -> float:
        """No boundary earlier than this will come."""
        return float(self._times[self._next]) if self._next < len(self._times) else -np.inf

    def settle(self, final: bool = False) -> list[Boundary]:
        """The boundaries that nothing to come can change; all of them when `final`."""
        found: list[Boundary] = []
        times = self._times
        while self._next < len(times):
            i = self._next
            after = min(i + CONTEXT, int(np.searchsorted(times, times[i] + CONTEXT_SECONDS, "right")))
            if after >= len(times) and not final:
                break
            before = max(0, i - CONTEXT, int(np.searchsorted(times, times[i] - CONTEXT_SECONDS)))
            around = np.concatenate([self._step[before + 1 : i], self._step[i + 1 : after + 1]])
            calm = float(np.sort(around)[-2:].mean()) if len(around) else 0.0
            if self._step[i] > 0.12 + 2 * calm and times[i] - self._last >= MIN_SHOT:
                score = float(min(1.0, self._step[i] / 0.5))
                found.append(Boundary(float(times[i]), "cut", score, float(times[i]), float(times[i])))
                self._last = float(times[i])
            self._next += 1
        drop = max(0, self._next - CONTEXT - 2)
        if drop:
            self._times, self._small = self._times[drop:], self._small[drop:]
            self._hist, self._step = self._hist[drop:], self._step[drop:]
            self._next -= drop
        return found

    def state(self) -> dict[str, Any]:
        return {
            "times": self._times.copy(), "small": self._small.copy(), "hist": self._hist.copy(),
            "step": self._step.copy(), "next": self._next, "last": None if np.isinf(self._last) else self._last,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._times, self._small = np.asarray(state["times"]), np.asarray(state["small"])
        self._hist, self._step = np.asarray(state["hist"]), np.asarray(state["step"])
        self._next = int(state["next"])
        self._last = -np.inf if state["last"] is None else float(state["last"])
