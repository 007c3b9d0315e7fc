"""What extractors share: times of rows, pictures in the wanted pixels and size, settings that check themselves.

Knows nothing of any one feature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import cv2
import numpy as np

from cinescope.types import BadQueryError, Clip, Features, Modality, Source


def check_setting(extractor: str, setting: str, value: object, holds: bool, wanted: str) -> None:
    """BadQueryError where it does not hold: `check_setting("hog", "cell", 0, cell > 0, "a whole number above 0")`."""
    if not holds:
        raise BadQueryError(f"'{setting}' of {extractor} cannot be {value!r}", f"give {wanted}")


def is_count(value: object, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_pair(value: object, least: int = 1) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(is_count(v, least) for v in value)


def is_rate(value: object) -> bool:
    """A number above 0, or None for every frame."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6)


def check_flags(extractor: Any, *settings: str) -> None:
    """BadQueryError for the first of these settings that is neither true nor false."""
    for setting in settings:
        value = getattr(extractor, setting)
        check_setting(extractor.name, setting, value, isinstance(value, bool), "true or false")


def settings_of(extractor: Any) -> dict[str, Any]:
    """The constructor's arguments of a dataclass as JSON values, for `Source`."""
    made = {f.name: getattr(extractor, f.name) for f in fields(extractor) if f.init}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in made.items()}


def rows(values: Any, times: np.ndarray, dim: int, modality: Modality, source: Source) -> Features:
    """`values` (T, D), or any list of T rows of D numbers; no rows where T = 0."""
    made = np.asarray(values, np.float32).reshape(-1, dim) if len(values) else np.zeros((0, dim), np.float32)
    return Features(made, np.asarray(times, np.float64).reshape(-1, 2), modality, source)


def no_rows(dim: int, modality: Modality, source: Source) -> Features:
    """What a clip without the modality gives."""
    return rows([], np.zeros((0, 2)), dim, modality, source)


def frame_times(clip: Clip) -> np.ndarray:
    """(T, 2) seconds: how long each frame stands, cut to the clip's span.

    From the clip's `frame_durations`; where they are unknown, until the next frame, and the last one for the median
    of the others (a single one until the span's end).
    """
    if clip.frames is None or not len(clip.frames):
        return np.zeros((0, 2))
    starts = np.asarray(clip.frames.times, np.float64)
    if clip.frame_durations:
        if len(clip.frame_durations) != len(starts):
            raise ValueError(f"{len(starts)} frames need as many durations, got {len(clip.frame_durations)}")
        ends = starts + np.asarray(clip.frame_durations)
    elif len(starts) == 1:
        ends = np.array([clip.span.end])
    else:
        ends = np.append(starts[1:], starts[-1] + np.median(np.diff(starts)))
    return _within(np.stack([starts, ends], axis=1), clip)


def pair_times(clip: Clip) -> np.ndarray:
    """(T - 1, 2) seconds: from each frame to the next, cut to the clip's span. None for fewer than two frames."""
    if clip.frames is None or len(clip.frames) < 2:
        return np.zeros((0, 2))
    times = np.asarray(clip.frames.times, np.float64)
    return _within(np.stack([times[:-1], times[1:]], axis=1), clip)


def _within(times: np.ndarray, clip: Clip) -> np.ndarray:
    return np.clip(times, clip.span.start, clip.span.end)


def grey_pictures(clip: Clip, size: tuple[int, int] | int | None = None) -> list[np.ndarray]:
    """The frames as T times (H, W) uint8, luma; from RGB by ITU-R BT.601. `size` as in `FrameNeed`."""
    frames = clip.frames
    if frames is None:
        return []
    if frames.pixels == "rgb":
        return [cv2.cvtColor(_sized(f, size), cv2.COLOR_RGB2GRAY) for f in frames.data]
    return [_sized(np.ascontiguousarray(f[..., 0]), size) for f in frames.data]


def rgb_pictures(clip: Clip, size: tuple[int, int] | int | None = None) -> list[np.ndarray]:
    """The frames as T times (H, W, 3) uint8. BadQueryError where the clip was read without colours."""
    frames = clip.frames
    if frames is None:
        return []
    if frames.pixels != "rgb":
        where = f" of {clip.name}" if clip.name else ""
        raise BadQueryError(f"colours need pictures in rgb, and the clip{where} has them in {frames.pixels}")
    return [_sized(f, size) for f in frames.data]


def _sized(picture: np.ndarray, size: tuple[int, int] | int | None) -> np.ndarray:
    """(H, W[, 3]) -> exactly (width, height), or at most `size` on the longest side, by area means where it shrinks."""
    height, width = picture.shape[:2]
    if size is None:
        return picture
    if isinstance(size, int):
        scale = size / max(height, width)
        if scale >= 1:
            return picture
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
    wanted = (size[0], size[1])
    if wanted == (width, height):
        return picture
    shrinks = wanted[0] <= width and wanted[1] <= height
    return cv2.resize(picture, wanted, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def per_picture(
    clip: Clip, pictures: list[np.ndarray], describe: Callable[[np.ndarray], np.ndarray], dim: int, source: Source
) -> Features:
    """One row a picture, at the time that it stands."""
    return rows([describe(p) for p in pictures], frame_times(clip), dim, "picture", source)


def grid_cells(picture: np.ndarray, grid: tuple[int, int]) -> list[np.ndarray]:
    """(H, W, ...) -> rows * columns views that cover it without overlap, row by row, as even as pixels allow."""
    height, width = picture.shape[:2]
    down = [height * i // grid[0] for i in range(grid[0] + 1)]
    across = [width * i // grid[1] for i in range(grid[1] + 1)]
    return [picture[down[i] : down[i + 1], across[j] : across[j + 1]] for i in range(grid[0]) for j in range(grid[1])]
