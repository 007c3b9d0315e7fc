"""Local binary patterns: which neighbours of a pixel are at least as bright as it is.

Knows one grey picture at a time. The codes are those of scikit-image's `local_binary_pattern`, bit for bit: each
neighbour on the circle is interpolated by the same operations in the same order, because in even areas rounding
alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from cinescope.features.common import (
    check_setting,
    grey_pictures,
    grid_cells,
    is_count,
    is_pair,
    is_rate,
    per_picture,
    settings_of,
)
from cinescope.types import BadQueryError, Clip, Features, FrameNeed, Modality, Needs, Source

METHODS = ("default", "ror", "uniform", "nri_uniform")
_MOST_POINTS = 24  # Ojala 2002 goes up to 24; codes of all patterns stop at 16
_STRIP = 32  # rows done at once, so that what is worked on stays in the processor's cache


def lbp_codes(picture: np.ndarray, points: int = 8, radius: float = 1.0, method: str = "uniform") -> np.ndarray:
    """(H, W) -> (H, W) int64 codes. Ojala, Pietikäinen and Mäenpää 2002, "Multiresolution gray-scale and rotation
    invariant texture classification with local binary patterns", IEEE PAMI 24(7).

    `points` neighbours on a circle of `radius` pixels, 0 outside the picture. "default": the pattern as a binary
    number; "ror": the least number of its rotations; "uniform": how many neighbours are bright where they lie in one
    stretch, else points + 1 (the paper's riu2); "nri_uniform": one code for each pattern in one stretch, and one for
    all others (u2, not rotation-invariant).
    """
    check_setting("lbp", "method", method, method in METHODS, f"one of {', '.join(METHODS)}")
    most = _MOST_POINTS if method in ("uniform", "nri_uniform") else 16
    check_setting("lbp", "points", points, is_count(points, 2) and points <= most, f"2 to {most} for '{method}'")
    patterns = _patterns(picture, points, float(radius))
    return _table(points, method).take(patterns) if points <= 16 else _codes(patterns, points, method)


def lbp_histogram(picture: np.ndarray, points: int = 8, radius: float = 1.0, method: str = "uniform") -> np.ndarray:
    """(H, W) -> (bins,) float64 shares of the pixels. The bins of "ror" are its distinct codes, rising."""
    return _shares(_kinds(picture, points, radius, method), bins(points, method))


def bins(points: int, method: str) -> int:
    """How many different codes there are."""
    if method == "ror":
        return len(_rotation_classes(points))
    return {"default": 2**points, "uniform": points + 2, "nri_uniform": points * (points - 1) + 3}[method]


def _kinds(picture: np.ndarray, points: int, radius: float, method: str) -> np.ndarray:
    codes = lbp_codes(picture, points, radius, method)
    return np.searchsorted(_rotation_classes(points), codes) if method == "ror" else codes


def _shares(kinds: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(kinds.ravel(), minlength=count) / max(1, kinds.size)


def _patterns(picture: np.ndarray, points: int, radius: float) -> np.ndarray:
    """(H, W) -> (H, W) int32: bit i is set where neighbour i is at least as bright as the pixel."""
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    if picture.ndim != 2:
        raise BadQueryError(f"local binary patterns need a grey picture, got the shape {picture.shape}")
    height, width = picture.shape
    rim = int(np.ceil(radius)) + 1
    angles = 2 * np.pi * np.arange(points, dtype=np.float64) / points
    # Rounded as scikit-image does, so that neighbours straight above or beside hit the pixel.
    downs, rights = np.round(-radius * np.sin(angles), 5), np.round(radius * np.cos(angles), 5)
    neighbours = list(zip(downs.tolist(), rights.tolist(), strict=True))
    padded = np.zeros((height + 2 * rim, width + 2 * rim))
    padded[rim : rim + height, rim : rim + width] = picture
    patterns = np.zeros((height, width), np.int32)
    for first in range(0, height, _STRIP):
        _fill(patterns[first : first + _STRIP], padded, first, rim, neighbours)
    return patterns


def _fill(
    patterns: np.ndarray, padded: np.ndarray, first: int, rim: int, neighbours: list[tuple[float, float]]
) -> None:
    """Sets the bits of a strip of rows (h, W), zeros before, that begins at row `first` of the picture."""
    height, width = patterns.shape
    rows = padded[first : first + height + 2 * rim]
    centre = rows[rim : rim + height, rim : rim + width]
    between: dict[float, np.ndarray] = {}
    scratch, neighbour = np.empty((height, width)), np.empty((height, width))
    brighter = np.empty((height, width), bool)
    for bit, (down, right) in enumerate(neighbours):
        if right not in between:
            between[right] = _between_columns(rows, right, rim, width)
        columns = between[right]
        top = rim + int(np.floor(down))
        upper = columns[top : top + height]
        if down == np.floor(down):
            np.greater_equal(upper, centre, out=brighter)
        else:
            part = _parts(first, height, down)[:, None]
            np.multiply(1 - part, upper, out=neighbour)
            np.multiply(part, columns[top + 1 : top + 1 + height], out=scratch)
            np.add(neighbour, scratch, out=neighbour)
            np.greater_equal(neighbour, centre, out=brighter)
        patterns |= brighter.astype(np.int32) << bit


def _between_columns(rows: np.ndarray, right: float, rim: int, width: int) -> np.ndarray:
    """Every one of the padded rows, `right` pixels to the right of each of its `width` columns."""
    left = rim + int(np.floor(right))
    if right == np.floor(right):
        return rows[:, left : left + width]
    part = _parts(0, width, right)
    made = (1 - part) * rows[:, left : left + width]
    made += part * rows[:, left + 1 : left + 1 + width]
    return made


def _parts(first: int, count: int, shift: float) -> np.ndarray:
    """(count,): how far n + shift, n from `first`, lies beyond the whole number below, with that sum's own rounding."""
    at = np.arange(first, first + count) + shift
    return at - np.floor(at)


@lru_cache(maxsize=8)
def _table(points: int, method: str) -> np.ndarray:
    return _codes(np.arange(2**points), points, method)


@lru_cache(maxsize=8)
def _rotation_classes(points: int) -> np.ndarray:
    return np.unique(_table(points, "ror"))


def _codes(patterns: np.ndarray, points: int, method: str) -> np.ndarray:
    patterns = patterns.astype(np.int64)
    if method == "default":
        return patterns
    if method == "ror":
        least = patterns
        for _ in range(points - 1):
            patterns = (patterns >> 1) | ((patterns & 1) << (points - 1))
            least = np.minimum(least, patterns)
        return least
    ones = np.bitwise_count(patterns).astype(np.int64)
    changes = np.bitwise_count((patterns ^ (patterns >> 1)) & (2 ** (points - 1) - 1))
    if method == "uniform":
        return np.where(changes <= 2, ones, points + 1)
    # How far the stretch of ones is turned: from where the first 1 is, or the first 0 where it begins with a 1.
    first_one = _lowest_bit(patterns)
    first_zero = _lowest_bit(~patterns)
    turned = np.where(first_one == 0, ones - first_zero, points - first_one)
    code = 1 + (ones - 1) * points + turned
    code = np.where(ones == 0, 0, np.where(ones == points, points * (points - 1) + 1, code))
    return np.where(changes <= 2, code, points * (points - 1) + 2)


def _lowest_bit(patterns: np.ndarray) -> np.ndarray:
    """Index of the lowest set bit; 64 where there is none."""
    return np.bitwise_count((patterns & -patterns) - 1).astype(np.int64)


@dataclass(frozen=True)
class Lbp:
    """Histograms of local binary patterns over a grid of cells (Ahonen, Hadid and Pietikäinen 2006, IEEE PAMI)."""

    points: int = 8
    radius: float = 1.0  # pixels
    method: str = "uniform"
    grid: tuple[int, int] = (4, 4)  # (rows, columns); (1, 1) for one histogram of the whole picture
    size: tuple[int, int] = (128, 128)  # (width, height)
    rate: float | None = 2.0

    name: ClassVar[str] = "lbp"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "method", self.method, self.method in METHODS, f"one of {', '.join(METHODS)}")
        most = _MOST_POINTS if self.method in ("uniform", "nri_uniform") else 16
        ok = is_count(self.points, 2) and self.points <= most
        check_setting(self.name, "points", self.points, ok, f"2 to {most} for '{self.method}'")
        ok = is_rate(self.radius) and self.radius is not None and self.radius <= 64
        check_setting(self.name, "radius", self.radius, ok, "pixels, above 0 and up to 64")
        check_setting(self.name, "grid", self.grid, is_pair(self.grid), "(rows, columns)")
        ok = is_pair(self.size) and self.size[0] >= self.grid[1] and self.size[1] >= self.grid[0]
        check_setting(self.name, "size", self.size, ok, "(width, height) of at least one pixel a cell")
        check_setting(self.name, "rate", self.rate, is_rate(self.rate), "pictures a second, or null for every frame")

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, (self.size[0], self.size[1]), "grey"))

    @property
    def dim(self) -> int:
        return self.grid[0] * self.grid[1] * bins(self.points, self.method)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        count = bins(self.points, self.method)

        def describe(picture: np.ndarray) -> np.ndarray:
            kinds = _kinds(picture, self.points, self.radius, self.method)
            return np.concatenate([_shares(cell, count) for cell in grid_cells(kinds, self.grid)])

        pictures = grey_pictures(clip, (self.size[0], self.size[1]))
        return per_picture(clip, pictures, describe, self.dim, self.source)
