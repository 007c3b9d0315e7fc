"""Picture features beside scikit-image: the same values, and how long each takes. `benchmarks.features` runs these.

A frame of 640 x 360, and a picture of the extractors' own size; both lie in memory. Where scikit-image has no function
of that name, the reference is what a person would write with it and numpy. SIFT and dense flow have no line: those of
scikit-image are other methods with other values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

Line = tuple[str, Callable[[], Any], Callable[[], Any], Callable[[Any, Any], bool]]


def frame(width: int = 640, height: int = 360, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: blotches, fine grain, even areas and hard edges."""
    rng = np.random.default_rng(seed)
    made = cv2.resize(rng.integers(0, 256, (12, 20, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 6, made.shape)
    made = np.clip(made + grain, 0, 255).astype(np.uint8)
    made[height // 4 : height // 2, width // 8 : width // 3] = (200, 40, 60)
    made[height // 2 :, width * 3 // 4 :] //= 3
    return made


def near(tolerance: float) -> Callable[[Any, Any], bool]:
    """Whether two arrays differ nowhere by more than that."""

    def check(ours: Any, theirs: Any) -> bool:
        return ours.shape == theirs.shape and float(np.abs(ours - theirs).max()) <= tolerance

    return check


def lines() -> list[Line]:
    """(name, ours, scikit-image's, check) of each feature; what the two return goes to `check`."""
    from skimage import color, feature, measure

    from cinescope.features.signal.colour_features import colour_histogram, colour_moments
    from cinescope.features.signal.hog import gradient_sum, hog
    from cinescope.features.signal.lbp import lbp_codes, lbp_histogram

    colour = frame()
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (128, 128), interpolation=cv2.INTER_AREA)
    floats = grey / 255

    def their_hog(picture: np.ndarray, cell: int = 8, **options: Any) -> np.ndarray:
        return feature.hog(picture, 9, (cell, cell), (2, 2), **options)

    def their_gradient_sum() -> np.ndarray:
        down, right = np.zeros(grey.shape), np.zeros(grey.shape)
        wide = grey.astype(np.float64)
        down[1:-1], right[:, 1:-1] = wide[2:] - wide[:-2], wide[:, 2:] - wide[:, :-2]
        return measure.block_reduce(np.hypot(down, right), (8, 8), np.sum)

    def their_histogram() -> np.ndarray:
        codes = feature.local_binary_pattern(grey, 8, 1, "uniform")
        return np.bincount(codes.astype(np.int64).ravel(), minlength=10) / codes.size

    def their_moments() -> np.ndarray:
        values = (color.rgb2lab(colour).reshape(-1, 3) + np.array([0, 128, 128])) / np.array([100, 255, 255])
        mean = values.mean(axis=0)
        away = values - mean
        return np.concatenate([mean, np.sqrt((away**2).mean(axis=0)), np.cbrt((away**3).mean(axis=0))])

    def their_colours() -> np.ndarray:
        counts = np.histogramdd(colour.reshape(-1, 3), (8, 4, 4), [(0, 256)] * 3)[0]
        return counts.ravel() / counts.sum()

    exact = near(0.0)
    return [
        ("hog", lambda: hog(small, cell=(16, 16)), lambda: their_hog(small, 16), near(1e-6)),
        ("hog.frame", lambda: hog(grey), lambda: their_hog(grey), near(1e-6)),
        ("hog.colour", lambda: hog(colour), lambda: their_hog(colour, channel_axis=-1), near(1e-6)),
        ("hog.floats", lambda: hog(floats), lambda: their_hog(floats), near(1e-6)),
        (
            "hog.sqrt",
            lambda: hog(grey, transform_sqrt=True),
            lambda: their_hog(grey, transform_sqrt=True),
            near(1e-6),
        ),
        ("gradient_sum", lambda: gradient_sum(grey), their_gradient_sum, near(1e-6)),
        *(
            (
                "lbp" if method == "uniform" else f"lbp.{method}",
                lambda method=method: lbp_codes(grey, 8, 1.0, method),
                lambda method=method: feature.local_binary_pattern(grey, 8, 1.0, method),
                exact,
            )
            for method in ("default", "ror", "uniform", "nri_uniform")
        ),
        (
            "lbp.24",
            lambda: lbp_codes(grey, 24, 3.0),
            lambda: feature.local_binary_pattern(grey, 24, 3.0, "uniform"),
            exact,
        ),
        ("lbp.histogram", lambda: lbp_histogram(grey), their_histogram, near(1e-12)),
        ("colour_histogram", lambda: colour_histogram(colour, (8, 4, 4), "rgb"), their_colours, near(1e-12)),
        # Ours in bytes: agrees to their rounding.
        ("colour_moments", lambda: colour_moments(colour), their_moments, near(4e-3)),
    ]
