"""Chooses the picture that stands for a shot: sharp, typical of it, in no transition. Knows nothing of boundaries.

Memory is bounded: of a long shot every 2nd, 4th, 8th ... picture is remembered.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MOST = 64  # pictures remembered of one shot


class KeyPicker:
    def __init__(self, width: int) -> None:
        self._width = width
        self.clear()

    def clear(self) -> None:
        self._stride, self._seen = 1, 0
        self._times: list[float] = []
        self._sharp: list[float] = []
        self._dark: list[float] = []
        self._like: list[np.ndarray] = []
        self._sum = np.zeros(self._width, np.float64)

    def add(self, times: np.ndarray, sharp: np.ndarray, contrast: np.ndarray, like: np.ndarray) -> None:
        """(T,) seconds, (T,) sharpness, (T,) luma deviation, (T, width) description."""
        self._sum += like.sum(0, dtype=np.float64)
        for i in range(len(times)):
            if self._seen % self._stride == 0:
                self._times.append(float(times[i]))
                self._sharp.append(float(sharp[i]))
                self._dark.append(float(contrast[i]))
                self._like.append(like[i].copy())
                if len(self._times) > MOST:
                    self._stride *= 2
                    for kept in (self._times, self._sharp, self._dark, self._like):
                        del kept[1::2]
            self._seen += 1

    def pick(self, after: float, before: float) -> float | None:
        """The time of the best picture in (after, before), else of the best one; None where there is none."""
        if not self._times:
            return None
        times, sharp = np.array(self._times), np.array(self._sharp)
        odd = np.abs(np.stack(self._like) - self._sum / self._seen).sum(1)
        # Both are ranked against the shot itself: what counts as sharp depends on what is shown.
        score = sharp / max(float(sharp.max()), 1e-6) - odd / max(float(odd.max()), 1e-6)
        score[np.array(self._dark) < 2.0] -= 4.0  # flat: black, white or one colour
        score[(times <= after) | (times >= before)] -= 2.0
        return float(times[int(np.argmax(score))])

    def state(self) -> dict[str, Any]:
        return {
            "stride": self._stride, "seen": self._seen, "times": list(self._times), "sharp": list(self._sharp),
            "dark": list(self._dark), "sum": self._sum.copy(),
            "like": np.stack(self._like) if self._like else np.zeros((0, self._width), np.float32),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._stride, self._seen = int(state["stride"]), int(state["seen"])
        self._times, self._sharp, self._dark = list(state["times"]), list(state["sharp"]), list(state["dark"])
        self._like, self._sum = list(np.asarray(state["like"])), np.array(state["sum"], np.float64)
