"""PySceneDetect's detectors over rendered joins, at any setting. Knows nothing of the project's own detector.

The detectors' own code decides; only what does not depend on a setting (hue, histograms, hashes, means of a picture)
is computed once and handed to them, so that many settings can be tried. `detect-transnetv2` is not here: it needs an
ONNX file that is not in the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from scenedetect import FrameTimecode  # type: ignore[import-untyped,unused-ignore]
from scenedetect.detectors import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector, ThresholdDetector


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the detectors need of a rendering, one entry per picture."""

    content: np.ndarray  # (T,) ContentDetector's frame score with its default weights
    hashes: np.ndarray  # (T, 8, 8) bool, HashDetector's default size and low pass
    histograms: np.ndarray  # (T, bins) float32, HistogramDetector's default bins
    means: np.ndarray  # (T,) average of R, G and B


def measure(frames: np.ndarray) -> Measured:
    """uint8 (T, H, W, 3) RGB."""
    detector = ContentDetector()
    content, hashes, histograms, means = [], [], [], []
    for i, frame in enumerate(frames):
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        content.append(detector._calculate_frame_score(FrameTimecode(i, fps=25.0), bgr))
        hashes.append(HashDetector.hash_frame(bgr, 8, 2))
        histograms.append(HistogramDetector.calculate_histogram(bgr, bins=128))
        means.append(float(bgr.mean()))
    return Measured(np.array(content), np.stack(hashes), np.stack(histograms), np.array(means))


# A picture that only says its number: the two low digits of base 256.
def _numbered(i: int) -> np.ndarray:
    return np.array([[[i % 256, i // 256, 0]]], np.uint8)


def _number(frame: np.ndarray) -> int:
    return int(frame[0, 0, 0]) + 256 * int(frame[0, 0, 1])


class _Content(ContentDetector):
    measured: Measured

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: np.ndarray) -> float:
        return float(self.measured.content[_number(frame_img)])


class _Adaptive(AdaptiveDetector):
    measured: Measured

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: np.ndarray) -> float:
        return float(self.measured.content[_number(frame_img)])


class _Hash(HashDetector):
    measured: Measured

    def hash_frame(self, frame_img: np.ndarray, hash_size: int, factor: int) -> np.ndarray:  # type: ignore[override]
        return np.asarray(self.measured.hashes[_number(frame_img)])


class _Histogram(HistogramDetector):
    measured: Measured

    def calculate_histogram(self, frame_img: np.ndarray, bins: int = 128, normalize: bool = True) -> np.ndarray:  # type: ignore[override]
        return np.asarray(self.measured.histograms[_number(frame_img)])


class _Threshold(ThresholdDetector):
    measured: Measured


def settings(quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """(detector, its arguments): each default and a grid around it."""
    lengths = (5, 15) if quick else (3, 8, 15)
    for length in lengths:
        for threshold in (15, 20, 27, 35, 45) if quick else (10, 15, 20, 24, 27, 31, 35, 40, 50, 60):
            yield "content", {"threshold": threshold, "min_scene_len": length}
        for ratio in (2.0, 3.0, 4.5) if quick else (1.5, 2.0, 3.0, 4.0, 5.0):
            for least in (10.0, 15.0) if quick else (8.0, 12.0, 15.0):
                for width in (2,) if quick else (2, 4):
                    arguments = {"adaptive_threshold": ratio, "min_content_val": least, "window_width": width}
                    yield "adaptive", arguments | {"min_scene_len": length}
        for distance in (0.25, 0.35, 0.45) if quick else (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
            yield "hash", {"threshold": distance, "min_scene_len": length}
        for likeness in (0.05, 0.2, 0.4, 0.6) if quick else (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
            yield "histogram", {"threshold": likeness, "min_scene_len": length}
        for threshold in (12, 30) if quick else (6, 12, 20, 30, 45):
            yield "threshold", {"threshold": threshold, "min_scene_len": length}


CLASSES: dict[str, Callable[..., Any]] = {
    "content": _Content, "adaptive": _Adaptive, "hash": _Hash, "histogram": _Histogram, "threshold": _Threshold,
}  # fmt: skip


def boundaries(name: str, arguments: dict[str, Any], measured: Measured) -> list[int]:
    """Indices of the first picture of each new scene."""
    detector = CLASSES[name](**arguments)
    detector.measured = measured
    found: list[int] = []
    count = len(measured.means)
    for i in range(count):
        # ThresholdDetector takes the mean of what it is shown.
        shown = np.full((1, 1, 3), measured.means[i]) if name == "threshold" else _numbered(i)
        found += [c.frame_num for c in detector.process_frame(FrameTimecode(i, fps=25.0), shown)]
    found += [c.frame_num for c in detector.post_process(FrameTimecode(count - 1, fps=25.0))]
    return sorted(set(found))
