"""Movement between the frames of a clip: dense flow in short, HOF and MBH.

A row describes the step from one frame to the next, [t_i, t_i+1): one row fewer than frames, none for a single frame.
Knows nothing of shots: across a cut the numbers describe a movement that nobody made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cinescope.features.common import (
    check_setting,
    grey_pictures,
    is_count,
    is_pair,
    is_rate,
    pair_times,
    rows,
    settings_of,
)
from cinescope.features.signal.dense_flow import METHODS, NORMS, SMALLEST, dense_flow, flow_summary, hof, mbh
from cinescope.types import Clip, Features, FrameNeed, Modality, Needs, Source


@dataclass(frozen=True)
class Flow:
    """Dense flow over a grid: mean to the right, down, of the length and its deviation in picture widths a second,
    and the share of pixels that move. Rows of different rates compare."""

    method: str = "dis"
    grid: tuple[int, int] = (3, 3)  # (rows, columns)
    size: tuple[int, int] = (160, 90)  # (width, height)
    rate: float | None = 10.0

    name: ClassVar[str] = "flow"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        _check_shared(self.name, self.method, self.grid, self.size, self.rate)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, (self.size[0], self.size[1]), "grey"))

    @property
    def dim(self) -> int:
        return self.grid[0] * self.grid[1] * 5

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        def describe(flow: np.ndarray, seconds: float) -> np.ndarray:
            summary = flow_summary(flow, self.grid).reshape(-1, 5)
            summary[:, :4] /= self.size[0] * seconds
            return summary.ravel()

        values = _per_step(clip, self.method, self.size, describe)
        return rows(values, pair_times(clip), self.dim, "picture", self.source)


@dataclass(frozen=True)
class Hof:
    """Histograms of flow directions over a grid, with a bin for standing still."""

    orientations: int = 8
    grid: tuple[int, int] = (3, 3)  # (rows, columns)
    norm: str = "root"
    method: str = "dis"
    size: tuple[int, int] = (160, 90)  # (width, height)
    rate: float | None = 10.0

    name: ClassVar[str] = "hof"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        _check_bins(self.name, self.orientations, self.norm)
        _check_shared(self.name, self.method, self.grid, self.size, self.rate)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, (self.size[0], self.size[1]), "grey"))

    @property
    def dim(self) -> int:
        return self.grid[0] * self.grid[1] * (self.orientations + 1)

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        def describe(flow: np.ndarray, _: float) -> np.ndarray:
            return hof(flow, self.orientations, self.grid, self.norm)

        values = _per_step(clip, self.method, self.size, describe)
        return rows(values, pair_times(clip), self.dim, "picture", self.source)


@dataclass(frozen=True)
class Mbh:
    """Motion boundary histograms over a grid: where neighbours move differently. Even camera movement drops out."""

    orientations: int = 8
    grid: tuple[int, int] = (3, 3)  # (rows, columns)
    norm: str = "root"
    method: str = "dis"
    size: tuple[int, int] = (160, 90)  # (width, height)
    rate: float | None = 10.0

    name: ClassVar[str] = "mbh"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        _check_bins(self.name, self.orientations, self.norm)
        _check_shared(self.name, self.method, self.grid, self.size, self.rate)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, (self.size[0], self.size[1]), "grey"))

    @property
    def dim(self) -> int:
        return 2 * self.grid[0] * self.grid[1] * self.orientations

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, settings_of(self))

    def __call__(self, clip: Clip) -> Features:
        def describe(flow: np.ndarray, _: float) -> np.ndarray:
            return mbh(flow, self.orientations, self.grid, self.norm)

        values = _per_step(clip, self.method, self.size, describe)
        return rows(values, pair_times(clip), self.dim, "picture", self.source)


def _per_step(
    clip: Clip, method: str, size: tuple[int, int], describe: Callable[[np.ndarray, float], np.ndarray]
) -> list[np.ndarray]:
    """`describe(flow, seconds)` of each frame and the next."""
    pictures = grey_pictures(clip, (size[0], size[1]))
    seconds = np.diff(clip.frames.times) if clip.frames is not None else np.zeros(0)
    if not (seconds > 0).all():
        raise ValueError("frames need rising times to have movement between them")
    steps = zip(pictures[:-1], pictures[1:], seconds, strict=True) if pictures else ()
    return [describe(dense_flow(before, after, method), float(s)) for before, after, s in steps]


def _check_bins(name: str, orientations: int, norm: str) -> None:
    check_setting(name, "orientations", orientations, is_count(orientations, 2), "a whole number above 1")
    check_setting(name, "norm", norm, norm in NORMS, f"one of {', '.join(NORMS)}")


def _check_shared(name: str, method: str, grid: tuple[int, int], size: tuple[int, int], rate: float | None) -> None:
    check_setting(name, "method", method, method in METHODS, f"one of {', '.join(METHODS)}")
    check_setting(name, "grid", grid, is_pair(grid), "(rows, columns)")
    ok = is_pair(size, SMALLEST) and size[0] >= grid[1] and size[1] >= grid[0]
    check_setting(name, "size", size, ok, f"(width, height), at least {SMALLEST} and one pixel a cell")
    check_setting(name, "rate", rate, is_rate(rate), "pictures a second, or null for every frame")
