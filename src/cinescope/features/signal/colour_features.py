"""Colour histograms and colour moments. Knows one RGB picture at a time; names of colours are in `colour`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from cinescope.features.common import (
    check_flags,
    check_setting,
    grid_cells,
    is_count,
    is_pair,
    is_rate,
    per_picture,
    rgb_pictures,
    settings_of,
)
from cinescope.types import Clip, Features, FrameNeed, Modality, Needs, Source

# Each with all three channels over 0 to 255; hue goes once around in 256 steps.
SPACES = {"hsv": cv2.COLOR_RGB2HSV_FULL, "lab": cv2.COLOR_RGB2LAB, "rgb": None}


def in_space(picture: np.ndarray, space: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W, 3) uint8 in one of `SPACES`."""
    check_setting("colour", "space", space, space in SPACES, f"one of {', '.join(SPACES)}")
    code = SPACES[space]
    return picture if code is None else cv2.cvtColor(picture, code)


def colour_histogram(
    picture: np.ndarray, counts: tuple[int, int, int] = (8, 4, 4), space: str = "hsv", joint: bool = True
) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> float64 shares of the pixels, summing to 1. Swain and Ballard 1991, "Color indexing".

    `joint`: (product of `counts`,), the first channel slowest; else the three channels' own histograms one after the
    other, (sum of `counts`,), each a third of the whole. Bins of a channel are equally wide.
    """
    return _histogram(in_space(picture, space), counts, joint)


def _histogram(picture: np.ndarray, counts: tuple[int, int, int], joint: bool) -> np.ndarray:
    pixels = max(1, picture.shape[0] * picture.shape[1])
    which = [(picture[..., c].astype(np.int32) * n) >> 8 for c, n in enumerate(counts)]
    if joint:
        index = (which[0] * counts[1] + which[1]) * counts[2] + which[2]
        return np.bincount(index.ravel(), minlength=int(np.prod(counts))) / pixels
    each = [np.bincount(w.ravel(), minlength=n) for w, n in zip(which, counts, strict=True)]
    return np.concatenate(each) / (3 * pixels)


def colour_moments(picture: np.ndarray, space: str = "lab") -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (9,) float64: mean, standard deviation and skew of each channel, channels in [0, 1].

    Skew is the cube root of the third central moment, in the channel's unit as the others are. Stricker and Orengo
    1995, "Similarity of color images", SPIE 2420, section 3 (there in HSV, whose hue has no mean; so Lab by default).
    """
    return _moments(in_space(picture, space))


def _moments(picture: np.ndarray) -> np.ndarray:
    # From how often each byte is there: nothing is lost, and a picture has many pixels but only 256 values.
    levels = np.arange(256) / 255
    pixels = max(1, picture.shape[0] * picture.shape[1])
    out = np.empty((3, 3))
    for channel in range(3):
        shares = np.bincount(picture[..., channel].ravel(), minlength=256) / pixels
        mean = shares @ levels
        away = levels - mean
        squares = away * away
        out[:, channel] = mean, np.sqrt(shares @ squares), np.cbrt(shares @ (squares * away))
    return out.ravel()


@dataclass(frozen=True)
class ColourHistogram:
    """Colour histograms over a grid of cells, each summing to 1."""

    bins: tuple[int, int, int] = (8, 4, 4)  # of the space's three channels
    space: str = "hsv"
    joint: bool = True
    grid: tuple[int, int] = (1, 1)  # (rows, columns)
    size: int = 160  # pixels of the longest side
    rate: float | None = 2.0

    name: ClassVar[str] = "colour_histogram"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        ok = isinstance(self.bins, tuple | list) and len(self.bins) == 3
        ok = ok and all(is_count(n) and n <= 256 for n in self.bins)
        check_setting(self.name, "bins", self.bins, ok, "three whole numbers from 1 to 256")
        check_flags(self, "joint")
        _check_shared(self.name, self.space, self.grid, self.size, self.rate)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, self.size, "rgb"))

    @property
    def dim(self) -> int:
        each = int(np.prod(self.bins)) if self.joint else sum(self.bins)
        return self.grid[0] * self.grid[1] * each

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        counts = (self.bins[0], self.bins[1], self.bins[2])

        def describe(picture: np.ndarray) -> np.ndarray:
            cells = grid_cells(in_space(picture, self.space), self.grid)
            return np.concatenate([_histogram(cell, counts, self.joint) for cell in cells])

        return per_picture(clip, rgb_pictures(clip, self.size), describe, self.dim, self.source)


@dataclass(frozen=True)
class ColourMoments:
    """Mean, standard deviation and skew of the three channels, over a grid of cells."""

    space: str = "lab"
    grid: tuple[int, int] = (3, 3)  # (rows, columns)
    size: int = 160  # pixels of the longest side
    rate: float | None = 2.0

    name: ClassVar[str] = "colour_moments"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        _check_shared(self.name, self.space, self.grid, self.size, self.rate)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, self.size, "rgb"))

    @property
    def dim(self) -> int:
        return self.grid[0] * self.grid[1] * 9

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        def describe(picture: np.ndarray) -> np.ndarray:
            cells = grid_cells(in_space(picture, self.space), self.grid)
            return np.concatenate([_moments(cell) for cell in cells])

        return per_picture(clip, rgb_pictures(clip, self.size), describe, self.dim, self.source)


def _check_shared(name: str, space: str, grid: tuple[int, int], size: int, rate: float | None) -> None:
    check_setting(name, "space", space, space in tuple(SPACES), f"one of {', '.join(SPACES)}")
    check_setting(name, "grid", grid, is_pair(grid), "(rows, columns)")
    check_setting(name, "size", size, is_count(size), "pixels of the longest side, a whole number above 0")
    check_setting(name, "rate", rate, is_rate(rate), "pictures a second, or null for every frame")
