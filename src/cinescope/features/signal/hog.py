"""Histograms of oriented gradients, and their plain form, the windowed sum of gradients.

Knows one picture at a time. The values of `hog` are those of scikit-image's `skimage.feature.hog`, to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

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
from cinescope.types import BadQueryError, Clip, Features, FrameNeed, Modality, Needs, Source

NORMS = ("L1", "L1-sqrt", "L2", "L2-Hys")
_EPSILON = 1e-5  # keeps blocks without any gradient at 0
_CUT = 0.2  # of L2-Hys: Lowe 2004, section 6.1; Dalal and Triggs 2005, section 6.4
_SPAN = 511  # differences of two bytes: -255 to 255


def hog(
    picture: np.ndarray,
    orientations: int = 9,
    cell: tuple[int, int] = (8, 8),
    block: tuple[int, int] = (2, 2),
    norm: str = "L2-Hys",
    transform_sqrt: bool = False,
) -> np.ndarray:
    """(H, W) or (H, W, C), uint8 or float -> (blocks down * across * block rows * columns * orientations,) float64.

    Unsigned orientations, each pixel in one bin and one cell; blocks of `block` cells at every cell, `cell` and
    `block` as (rows, columns). Of several channels, each pixel takes the one that changes most. `transform_sqrt` takes
    the square root of the picture first. Pixels outside whole cells are left out. A picture smaller than one block
    raises BadQueryError. Dalal and Triggs 2005, "Histograms of oriented gradients for human detection", CVPR.
    """
    if norm not in NORMS:
        raise BadQueryError(f"HOG has no block normalisation '{norm}'", f"give one of {', '.join(NORMS)}")
    picture = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    down, across = picture.shape[0] // cell[0], picture.shape[1] // cell[1]
    if down < block[0] or across < block[1]:
        raise BadQueryError(
            f"a picture of {picture.shape[1]} x {picture.shape[0]} is smaller than one HOG block",
            f"give at least {cell[1] * block[1]} x {cell[0] * block[0]}, or smaller cells",
        )
    if picture.dtype == np.uint8 and not transform_sqrt:
        size, bins = _byte_gradients(picture, orientations)
    else:
        size, bins = _float_gradients(picture, orientations, transform_sqrt)
    height, width = down * cell[0], across * cell[1]
    # One bin more than orientations: what falls on 180 degrees by rounding belongs to none, and is dropped.
    index = _cell_starts(height, width, cell, orientations + 1) + bins[:height, :width]
    sums = np.bincount(index.ravel(), size[:height, :width].ravel(), down * across * (orientations + 1))
    cells = sums.reshape(down, across, orientations + 1)[..., :orientations] / (cell[0] * cell[1])
    return _normalised(cells, block, norm).ravel()


def _normalised(cells: np.ndarray, block: tuple[int, int], norm: str) -> np.ndarray:
    """(rows, columns, N) -> (blocks down, across, block rows * columns * N)."""
    views = np.lib.stride_tricks.sliding_window_view(cells, block, axis=(0, 1))  # type: ignore[call-overload]
    # (down, across, N, rows, columns) -> each block's cells in reading order, orientations last
    blocks = np.ascontiguousarray(views.transpose(0, 1, 3, 4, 2)).reshape(*views.shape[:2], -1)
    if norm in ("L1", "L1-sqrt"):  # no value is below 0
        out = blocks / (blocks.sum(axis=-1, keepdims=True) + _EPSILON)
        return np.sqrt(out) if norm == "L1-sqrt" else out
    out = blocks / _length(blocks)
    if norm == "L2-Hys":
        np.minimum(out, _CUT, out=out)
        out /= _length(out)
    return out


def _length(blocks: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ijk,ijk->ij", blocks, blocks) + _EPSILON**2)[..., None]


def gradient_sum(
    picture: np.ndarray, window: tuple[int, int] = (8, 8), step: tuple[int, int] | None = None
) -> np.ndarray:
    """(H, W) uint8 or float -> (down, across) float64: the sum of gradient magnitudes over each window.

    The plain form of HOG: no orientations and no normalisation, S(x, y) = sum over the window of |grad I|, with
    central differences as in `hog`. `step` is how far windows lie apart, (rows, columns); the windows' own size where
    None, so that they do not overlap. Windows that do not fit are left out.
    """
    step = step or window
    picture = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    if picture.shape[0] < window[0] or picture.shape[1] < window[1]:
        raise BadQueryError(
            f"a picture of {picture.shape[1]} x {picture.shape[0]} is smaller than the window",
            f"give at least {window[1]} x {window[0]}, or a smaller window",
        )
    sizes = _byte_sizes(picture) if picture.dtype == np.uint8 else np.hypot(*_differences(picture))
    if step == window:
        down, across = sizes.shape[0] // window[0], sizes.shape[1] // window[1]
        whole = sizes[: down * window[0], : across * window[1]]
        return whole.reshape(down, window[0], across, window[1]).sum(axis=(1, 3))
    total = cv2.integral(sizes.astype(np.float64, copy=False), sdepth=cv2.CV_64F)
    height, width = window
    sums = total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
    return np.maximum(sums[:: step[0], :: step[1]], 0.0)


def _differences(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) signed -> what changes downwards and to the right, 0 at the rim that has no neighbour."""
    down, right = np.zeros_like(plane), np.zeros_like(plane)
    np.subtract(plane[2:], plane[:-2], out=down[1:-1])
    np.subtract(plane[:, 2:], plane[:, :-2], out=right[:, 1:-1])
    return down, right


@lru_cache(maxsize=1)
def _byte_lengths() -> np.ndarray:
    """(511 * 511,): the magnitude of every gradient that bytes can have."""
    steps = np.arange(-255.0, 256.0)
    return np.hypot(steps[None, :], steps[:, None]).ravel()


@lru_cache(maxsize=4)
def _byte_bins(orientations: int) -> np.ndarray:
    steps = np.arange(-255.0, 256.0)
    down, right = np.broadcast_arrays(steps[:, None], steps[None, :])
    return _bins(down, right, orientations).ravel()


def _byte_index(plane: np.ndarray) -> np.ndarray:
    """(H, W) uint8 -> index of each pixel's gradient in the tables above."""
    wide = plane.astype(np.int32)
    down, right = _differences(wide)
    down *= _SPAN
    down += right
    down += 255 * _SPAN + 255
    return down


def _byte_sizes(plane: np.ndarray) -> np.ndarray:
    return _byte_lengths().take(_byte_index(plane))


def _byte_gradients(picture: np.ndarray, orientations: int) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes (H, W) float64 and bins (H, W) of a picture in bytes, by tables: the same bits as computed."""
    planes = [picture] if picture.ndim == 2 else [picture[..., c] for c in range(picture.shape[2])]
    index = _byte_index(planes[0])
    sizes = _byte_lengths().take(index)
    for plane in planes[1:]:
        other = _byte_index(plane)
        lengths = _byte_lengths().take(other)
        stronger = lengths > sizes
        np.copyto(index, other, where=stronger)
        np.copyto(sizes, lengths, where=stronger)
    return sizes, _byte_bins(orientations).take(index)


def _float_gradients(picture: np.ndarray, orientations: int, square_root: bool) -> tuple[np.ndarray, np.ndarray]:
    plane = picture if picture.dtype in (np.float32, np.float64) else picture.astype(np.float64)
    plane = np.sqrt(plane) if square_root else plane
    if plane.ndim == 2:
        down, right = _differences(plane)
    else:
        each = [_differences(plane[..., c]) for c in range(plane.shape[2])]
        strongest = np.argmax([np.hypot(d, r) for d, r in each], axis=0)[None]
        down = np.take_along_axis(np.stack([d for d, _ in each]), strongest, axis=0)[0]
        right = np.take_along_axis(np.stack([r for _, r in each]), strongest, axis=0)[0]
    down, right = down.astype(np.float64, copy=False), right.astype(np.float64, copy=False)
    return np.hypot(right, down), _bins(down, right, orientations)


def _bins(down: np.ndarray, right: np.ndarray, orientations: int) -> np.ndarray:
    """Which of the bins [i, i + 1) * 180 / orientations degrees; `orientations` itself for none of them."""
    degrees = np.rad2deg(np.arctan2(down, right)) % 180
    step = 180.0 / orientations
    guess = (degrees / step).astype(np.intp)
    # The division may round to the other side of an edge; the edge itself decides.
    guess += degrees >= step * (guess + 1)
    guess -= degrees < step * guess
    return np.minimum(guess, orientations)


@lru_cache(maxsize=16)
def _cell_starts(height: int, width: int, cell: tuple[int, int], bins: int) -> np.ndarray:
    """(H, W): where the histogram of each pixel's cell starts."""
    across = width // cell[1]
    return ((np.arange(height) // cell[0])[:, None] * across + np.arange(width) // cell[1]) * bins


@dataclass(frozen=True)
class Hog:
    """HOG of each whole picture at one size. Dalal and Triggs 2005."""

    orientations: int = 9
    cell: int = 16  # pixels
    block: int = 2  # cells
    norm: str = "L2-Hys"
    transform_sqrt: bool = False
    colour: bool = False  # the strongest of R, G and B at each pixel, instead of luma
    size: tuple[int, int] = (128, 128)  # (width, height) that pictures are brought to
    rate: float | None = 2.0  # pictures a second, None for every frame

    name: ClassVar[str] = "hog"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        for setting in ("orientations", "cell", "block"):
            value = getattr(self, setting)
            check_setting(self.name, setting, value, is_count(value), "a whole number above 0")
        check_setting(self.name, "norm", self.norm, self.norm in NORMS, f"one of {', '.join(NORMS)}")
        check_flags(self, "transform_sqrt", "colour")
        least = self.cell * self.block
        check_setting(self.name, "size", self.size, is_pair(self.size, least), f"(width, height) of at least {least}")
        check_setting(self.name, "rate", self.rate, is_rate(self.rate), "pictures a second, or null for every frame")

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, _pair(self.size), "rgb" if self.colour else "grey"))

    @property
    def dim(self) -> int:
        blocks = [side // self.cell - self.block + 1 for side in self.size]
        return blocks[0] * blocks[1] * self.block**2 * self.orientations

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        size = _pair(self.size)
        pictures = rgb_pictures(clip, size) if self.colour else grey_pictures(clip, size)
        cell, block = (self.cell, self.cell), (self.block, self.block)

        def describe(picture: np.ndarray) -> np.ndarray:
            return hog(picture, self.orientations, cell, block, self.norm, self.transform_sqrt)

        return per_picture(clip, pictures, describe, self.dim, self.source)


@dataclass(frozen=True)
class GradientSum:
    """The plain form: how much the luma (0 to 1) changes within each window of the picture, and nothing else."""

    window: int = 16  # pixels
    step: int | None = None  # pixels from window to window; None: they touch
    size: tuple[int, int] = (128, 128)  # (width, height)
    rate: float | None = 2.0

    name: ClassVar[str] = "gradient_sum"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "window", self.window, is_count(self.window), "a whole number above 0")
        ok = self.step is None or is_count(self.step)
        check_setting(self.name, "step", self.step, ok, "a whole number above 0, or null")
        least = self.window
        check_setting(self.name, "size", self.size, is_pair(self.size, least), f"(width, height) of at least {least}")
        check_setting(self.name, "rate", self.rate, is_rate(self.rate), "pictures a second, or null for every frame")

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, _pair(self.size), "grey"))

    @property
    def dim(self) -> int:
        step = self.step or self.window
        across, down = ((side - self.window) // step + 1 for side in self.size)
        return across * down

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        window = (self.window, self.window)
        step = (self.step, self.step) if self.step else None

        def describe(picture: np.ndarray) -> np.ndarray:
            return gradient_sum(picture, window, step).ravel() / 255

        return per_picture(clip, grey_pictures(clip, _pair(self.size)), describe, self.dim, self.source)


def _pair(size: Any) -> tuple[int, int]:
    return (int(size[0]), int(size[1]))
