"""Where every pixel of one picture has gone in the next, and histograms of that. Knows two pictures at a time.

Sparse points and what the camera does are in `flow`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from cinescope.features.common import check_setting, grid_cells

METHODS = ("dis", "farneback")
SMALLEST = 16  # pixels a side: below, the pyramid of DIS has no level
STANDING = 0.4  # pixels a step up to which a pixel stands still: the value of Wang et al.'s published code
_threads = threading.Lock()
_inside = 0
_before = 0


@contextmanager
def one_thread() -> Iterator[None]:
    """DIS cuts the picture into as many stripes as there are threads, and its numbers depend on that; so one stripe."""
    global _inside, _before
    with _threads:
        if not _inside:
            _before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _inside += 1
    try:
        yield
    finally:
        with _threads:
            _inside -= 1
            if not _inside:
                cv2.setNumThreads(_before)


def dense_flow(before: np.ndarray, after: np.ndarray, method: str = "dis") -> np.ndarray:
    """(H, W) uint8 twice -> (H, W, 2) float32: how many pixels each goes to the right and down.

    "dis": Kroeger, Timofte, Dai and Van Gool 2016, "Fast optical flow using dense inverse search" (OpenCV's preset
    "fast"); "farneback": Farnebäck 2003, "Two-frame motion estimation based on polynomial expansion". Pictures are at
    least 16 pixels a side.
    """
    check_setting("dense flow", "method", method, method in METHODS, f"one of {', '.join(METHODS)}")
    smallest = min(before.shape)
    check_setting(
        "dense flow", "size", smallest, smallest >= SMALLEST, f"pictures of at least {SMALLEST} pixels a side"
    )
    before, after = np.ascontiguousarray(before), np.ascontiguousarray(after)
    with one_thread():
        if method == "dis":
            return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(before, after, None)  # type: ignore[attr-defined]
        # scale, levels, window, iterations, neighbourhood and its sigma: the values of OpenCV's own examples
        return cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]


def flow_summary(flow: np.ndarray, grid: tuple[int, int] = (3, 3)) -> np.ndarray:
    """(H, W, 2) -> (cells * 5,): of each cell the mean to the right, down and of the length, the lengths' standard
    deviation, and the share of pixels that move by more than 0.4 pixels. The first four are in pixels."""
    lengths = np.hypot(flow[..., 0], flow[..., 1])[..., None]
    out = []
    for cell in grid_cells(np.concatenate([flow, lengths], axis=-1), grid):
        flat = cell.reshape(-1, 3).astype(np.float64)
        mean = flat.mean(axis=0)
        out.append([*mean, flat[:, 2].std(), (flat[:, 2] > STANDING).mean()])
    return np.array(out).ravel()


def orientation_histogram(
    right: np.ndarray, down: np.ndarray, orientations: int, grid: tuple[int, int], standing: float | None = None
) -> np.ndarray:
    """(H, W) twice -> (cells, orientations [+ 1]) float64, sums of lengths by direction, over 360 degrees.

    Each pixel is shared between the two nearest bins, bin 0 centred on "to the right" and going clockwise as seen.
    With `standing`, a last bin counts the pixels that are not longer than that, and the others leave them out.
    """
    length = np.hypot(right, down)
    place = np.arctan2(down, right) * (orientations / (2 * np.pi)) % orientations
    first = np.floor(place).astype(np.int32) % orientations
    part = place - np.floor(place)
    width = orientations + (standing is not None)
    moving = length if standing is None else np.where(length > standing, length, 0.0)
    out = np.empty((grid[0] * grid[1], width))
    arrays = (first, part, moving, length)
    for i, (low, share, weight, size) in enumerate(zip(*(grid_cells(a, grid) for a in arrays), strict=True)):
        low, share, weight = low.ravel(), share.ravel(), weight.ravel()
        sums = np.bincount(low, weight * (1 - share), orientations)
        sums += np.bincount((low + 1) % orientations, weight * share, orientations)
        out[i, :orientations] = sums
        if standing is not None:
            out[i, orientations] = (size <= standing).sum()
    return out


def hof(flow: np.ndarray, orientations: int = 8, grid: tuple[int, int] = (3, 3), norm: str = "root") -> np.ndarray:
    """(H, W, 2) -> (cells * (orientations + 1),): histograms of flow directions and of standing still, as one vector.

    Laptev, Marszalek, Schmid and Rozenfeld 2008; the bin for standing still and the normalisation are those of Wang,
    Kläser, Schmid and Liu 2013, "Dense trajectories and motion boundary descriptors", section 3.2.
    """
    return normalised(orientation_histogram(flow[..., 0], flow[..., 1], orientations, grid, STANDING).ravel(), norm)


def mbh(flow: np.ndarray, orientations: int = 8, grid: tuple[int, int] = (3, 3), norm: str = "root") -> np.ndarray:
    """(H, W, 2) -> (2 * cells * orientations,): motion boundary histograms, MBHx and then MBHy.

    HOG of each of the flow's two channels over 360 degrees, each part normalised by itself: even movement of the
    camera has no gradient and drops out. Dalal, Triggs and Schmid 2006, "Human detection using oriented histograms of
    flow and appearance"; Wang et al. 2013, section 3.2.
    """
    parts = []
    for channel in (flow[..., 0], flow[..., 1]):
        right, down = np.zeros_like(channel), np.zeros_like(channel)
        np.subtract(channel[:, 2:], channel[:, :-2], out=right[:, 1:-1])
        np.subtract(channel[2:], channel[:-2], out=down[1:-1])
        parts.append(normalised(orientation_histogram(right, down, orientations, grid).ravel(), norm))
    return np.concatenate(parts)


NORMS = ("root", "L2", "L1", "none")


def normalised(values: np.ndarray, norm: str) -> np.ndarray:
    """(D,) not below 0. "root": square root of the shares (RootSIFT). Zeros stay zeros."""
    check_setting("flow", "norm", norm, norm in NORMS, f"one of {', '.join(NORMS)}")
    if norm == "none":
        return values
    size = float(np.sqrt(values @ values)) if norm == "L2" else float(values.sum())
    shares = values / size if size > 0 else values
    return np.sqrt(shares) if norm == "root" else shares
