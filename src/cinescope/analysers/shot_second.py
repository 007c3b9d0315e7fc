"""A second opinion on boundaries that the quick tests are unsure of, by TransNet V2. Knows nothing of shots' segments.

Doubtful ones only: where the quick score is high or low enough, no answer of the network would change the verdict, so
a video costs one window of 100 pictures for each doubtful moment, not two for each picture.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from cinescope.analysers.shot_boundaries import LAG, Boundary
from cinescope.features.backbones import transnet

AROUND = transnet.WINDOW // 2  # pictures on each side
AROUND_SECONDS = 2.5  # but no further away

# Set on 450 even seeds of benchmarks/render_joins.py, where they leave the widest margin. Of cuts the score knows more
# (whip pans reach a probability of 0.87 at a score of 0.39, true cuts amid shaking only 0.57 at 0.54), so the verdict
# is score + CUT_WEIGHT * probability. Of dissolves the network knows more: 0.72 and above for true ones, at most 0.53
# for others, at any score in doubt.
CUT_WEIGHT, CUT_NEEDED = 0.25, 0.65
MIX_NEEDED = 0.62
DOUBTFUL = {"cut": (CUT_NEEDED - CUT_WEIGHT, CUT_NEEDED), "dissolve": (0.36, 0.80)}
FLOOR = min(low for low, _ in DOUBTFUL.values())


class SecondOpinion:
    """Remembers the last pictures, and rescores boundaries so that 0.5 is again where they count."""

    def __init__(self) -> None:
        self._times = np.zeros(0, np.float64)
        self._frames = np.zeros((0, transnet.HEIGHT, transnet.WIDTH, 3), np.uint8)

    def push(self, frames: np.ndarray, times: np.ndarray) -> None:
        """uint8 yuv (T, H, W, 3) with rising times."""
        if not len(frames):
            return
        size = (transnet.WIDTH, transnet.HEIGHT)
        small = [cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames]
        # OpenCV's YCrCb is full range and has V before U.
        rgb = [cv2.cvtColor(np.ascontiguousarray(f[:, :, (0, 2, 1)]), cv2.COLOR_YCrCb2RGB) for f in small]
        keep = int(np.searchsorted(self._times, times[-1] - LAG - 2 * AROUND_SECONDS))
        self._times = np.concatenate([self._times[keep:], times])
        self._frames = np.concatenate([self._frames[keep:], np.stack(rgb)])

    def __call__(self, boundary: Boundary) -> Boundary:
        if boundary.kind not in DOUBTFUL:
            return boundary
        low_score, high_score = DOUBTFUL[boundary.kind]
        if boundary.score >= high_score:
            return replace(boundary, score=max(0.5, boundary.score))
        if boundary.score < low_score:
            return replace(boundary, score=0.0)
        at = int(np.searchsorted(self._times, boundary.time - 1e-6))
        low = int(np.searchsorted(self._times, boundary.time - AROUND_SECONDS))
        high = int(np.searchsorted(self._times, boundary.time + AROUND_SECONDS))
        low, high = max(low, at - AROUND), min(high, at + AROUND)
        likely = transnet.probabilities(self._frames[low:high], at - low)
        first = min(int(np.searchsorted(self._times, boundary.start - 1e-6)) - 1, at - 2)
        last = max(int(np.searchsorted(self._times, boundary.end - 1e-6)) + 1, at + 2)
        near = likely[max(0, first - low) : last + 1 - low]
        # A cut is marked by one picture; a dissolve is long, and what matters is that its pictures are in one.
        if boundary.kind == "cut":
            margin = boundary.score + CUT_WEIGHT * float(near[:, 0].max()) - CUT_NEEDED
        else:
            margin = float(near[:, 1].max()) - MIX_NEEDED
        return replace(boundary, score=min(1.0, max(0.0, 0.5 + margin)))

    def state(self) -> dict[str, Any]:
        return {"times": self._times.copy(), "frames": self._frames.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        self._times, self._frames = np.asarray(state["times"]), np.asarray(state["frames"])
