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

# Verdict: score + WEIGHT * probability at least NEEDED. Weights and thresholds leave the widest margin on the even
# seeds of benchmarks/render_joins.py, where whip pans reach probabilities of 0.8 at scores of 0.37, and true cuts amid
# shaking only 0.57 at 0.54; for dissolves the network knows better than the score does.
WEIGHT = {"cut": 0.20, "dissolve": 0.35}
NEEDED = {"cut": 0.59, "dissolve": 0.60}
FLOOR = min(NEEDED[kind] - WEIGHT[kind] for kind in NEEDED)


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
        if boundary.kind not in NEEDED:
            return boundary
        needed, weight = NEEDED[boundary.kind], WEIGHT[boundary.kind]
        offset = 0.5 - needed
        if boundary.score >= needed:  # as sure as if the network agreed
            return replace(boundary, score=min(1.0, boundary.score + offset + weight))
        if boundary.score + weight < needed:
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
        sure = float(near[:, 0].max() if boundary.kind == "cut" else near.mean(1).max())
        return replace(boundary, score=min(1.0, max(0.0, boundary.score + weight * sure + offset)))

    def state(self) -> dict[str, Any]:
        return {"times": self._times.copy(), "frames": self._frames.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        self._times, self._frames = np.asarray(state["times"]), np.asarray(state["frames"])
