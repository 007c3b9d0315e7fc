"""The baselines: the pixels themselves, and a few statistics of each picture. Knows one picture at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from cinescope.features.common import (
    check_flags,
    check_setting,
    grey_pictures,
    is_count,
    is_pair,
    is_rate,
    per_picture,
    rgb_pictures,
    settings_of,
)
from cinescope.types import Clip, Features, FrameNeed, Modality, Needs, Source

STATISTICS = ("brightness", "contrast", "entropy", "sharpness", "edges", "colourfulness", "saturation", "hue spread")


def frame_statistics(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (8,) float64, each from 0 to about 1, in the order of `STATISTICS`.

    Luma's mean and standard deviation of 255; entropy of its histogram, of 8 bits (Shannon 1948); ln(1 + variance of
    the Laplacian) / 10 (Pech-Pacheco 2000); mean Sobel magnitude of its largest value; M3 of Hasler and Süsstrunk
    (2003) / 109; mean saturation (HSV); 1 - length of the mean hue, each pixel weighing as much as its saturation.
    """
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mean, deviation = (float(v[0, 0]) for v in cv2.meanStdDev(luma))
    shares = np.bincount(luma.ravel(), minlength=256) / luma.size
    shares = shares[shares > 0]
    sharp = float(cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_64F))[1][0, 0]) ** 2
    right, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
    edges = float(cv2.magnitude(right, down).mean()) / (1020 * np.sqrt(2))
    axes = cv2.transform(picture.astype(np.float32), np.array([[1, -1, 0], [0.5, 0.5, -1]]))
    middle, spread = (v[:, 0] for v in cv2.meanStdDev(axes))
    colourful = np.hypot(*spread) + 0.3 * np.hypot(*middle)
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL)
    weights = np.bincount(hsv[..., 0].ravel(), hsv[..., 1].ravel(), 256)
    around = abs(weights @ np.exp(2j * np.pi * np.arange(256) / 256))
    hues = 1 - around / weights.sum() if weights.any() else 0.0
    return np.array(
        [
            mean / 255,
            deviation / 255,
            float(-(shares * np.log2(shares)).sum()) / 8 + 0.0,
            np.log1p(sharp) / 10,
            edges,
            colourful / 109,
            float(hsv[..., 1].mean()) / 255,
            hues,
        ]
    )


@dataclass(frozen=True)
class Pixels:
    """The picture made small, row by row, in [0, 1]: what every other feature of pictures must beat."""

    size: tuple[int, int] = (16, 16)  # (width, height)
    colour: bool = False  # R, G, B of each pixel, instead of luma
    rate: float | None = 2.0

    name: ClassVar[str] = "pixels"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "size", self.size, is_pair(self.size), "(width, height)")
        check_flags(self, "colour")
        check_setting(self.name, "rate", self.rate, is_rate(self.rate), "pictures a second, or null for every frame")

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, (self.size[0], self.size[1]), "rgb" if self.colour else "grey"))

    @property
    def dim(self) -> int:
        return self.size[0] * self.size[1] * (3 if self.colour else 1)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        size = (self.size[0], self.size[1])
        pictures = rgb_pictures(clip, size) if self.colour else grey_pictures(clip, size)
        return per_picture(clip, pictures, lambda p: p.ravel() / 255, self.dim, self.source)


@dataclass(frozen=True)
class FrameStatistics:
    """Eight numbers of each picture: how bright, sharp, busy and colourful it is."""

    size: int = 320  # pixels of the longest side: sharpness depends on it
    rate: float | None = 2.0

    name: ClassVar[str] = "frame_statistics"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "size", self.size, is_count(self.size, 8), "8 pixels or more")
        check_setting(self.name, "rate", self.rate, is_rate(self.rate), "pictures a second, or null for every frame")

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, self.size, "rgb"))

    @property
    def dim(self) -> int:
        return len(STATISTICS)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        return per_picture(clip, rgb_pictures(clip, self.size), frame_statistics, self.dim, self.source)
