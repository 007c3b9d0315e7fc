"""Points by which a picture is recognised though it is cut, scaled or mirrored. Plain functions, no times.

SIFT (Lowe 2004), each descriptor kept as 128 bits: which of its numbers are above their median (after Zhou et al. 2012,
"Scalar quantization for large scale image search"). A point is 20 bytes: x, y as shares of 255, the logarithm of its
size, its angle, and the bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

POINT = np.dtype([("x", "u1"), ("y", "u1"), ("size", "u1"), ("angle", "u1"), ("bits", "<u8", (2,))])
MOST = 64  # points of a picture
SIDE = 256  # pixels of the longest side in which points are looked for
NEAR = 34  # bits of 128 that may differ between the same point in two copies; 64 on average for others
FEWEST = 7  # points that must agree on one way of moving, scaling and turning
_OFF = 5.0  # pixels of SIDE by which a point may miss its place
_SCALES = (0.45, 2.2)  # a copy of which less than half a side is left is not looked for
_TURN = 12.0  # degrees: copies that are turned are not looked for
_SPREAD = 0.06  # share of the picture that agreeing points must span: a logo is no picture


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a picture lies in another: a point at (x, y) of the one is at scale * (x, y) + shift of the other."""

    points: int  # that agree
    scale: float  # of picture widths
    shift: tuple[float, float]  # shares of the other's width
    mirrored: bool


@lru_cache(maxsize=1)
def _sift() -> Any:
    return cv2.SIFT.create(nfeatures=MOST, contrastThreshold=0.03)


def points(luma: np.ndarray) -> np.ndarray:
    """uint8 (H, W) -> (N,) of POINT, the strongest first, at most MOST; none in a plain picture."""
    height, width = luma.shape
    scale = SIDE / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = luma if size == (width, height) else cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    keys, descriptors = _sift().detectAndCompute(small, None)
    if not keys:
        return np.zeros(0, POINT)
    strongest = np.argsort([-k.response for k in keys], kind="stable")[:MOST]
    found = np.zeros(len(strongest), POINT)
    for row, i in zip(found, strongest, strict=True):
        key = keys[i]
        row["x"], row["y"] = round(key.pt[0] / size[0] * 255), round(key.pt[1] / size[1] * 255)
        row["size"] = min(255, max(0, round(16 * np.log2(max(key.size, 1.0)))))
        row["angle"] = round(key.angle / 360 * 256) % 256
    of_points = descriptors[strongest]
    above = of_points > np.median(of_points, axis=1, keepdims=True)
    found["bits"] = np.packbits(above, axis=1, bitorder="little").view(np.uint64)
    return found


def mirrored(of: np.ndarray) -> np.ndarray:
    """(N,) of POINT -> the points of the picture with left and right exchanged."""
    turned = of.copy()
    turned["x"] = 255 - of["x"]
    turned["angle"] = (128 - of["angle"].astype(int)) % 256
    bits = np.unpackbits(
        np.ascontiguousarray(of["bits"]).view(np.uint8).reshape(len(of), 16), axis=1, bitorder="little"
    )
    # A descriptor is 4 rows x 4 columns x 8 directions about the point's own axis, which mirroring leaves as it is:
    # what was on one side of it is on the other.
    cells = bits.reshape(len(of), 4, 4, 8)[:, ::-1][..., (-np.arange(8)) % 8]
    turned["bits"] = np.packbits(cells.reshape(len(of), 128), axis=1, bitorder="little").view(np.uint64)
    return turned


def agree(a: np.ndarray, b: np.ndarray, aspects: tuple[float, float]) -> Agreement | None:
    """Whether two pictures' points tell that they show the same, and how `a` lies in `b`; None where they do not.

    `aspects`: width / height of each.
    """
    straight = _agree(a, b, aspects, False)
    turned = _agree(mirrored(a), b, aspects, True)
    if straight is None or turned is None:
        return straight or turned
    return turned if turned.points > straight.points else straight


def _agree(a: np.ndarray, b: np.ndarray, aspects: tuple[float, float], turned: bool) -> Agreement | None:
    if min(len(a), len(b)) < FEWEST:
        return None
    apart = np.bitwise_count(a["bits"][:, None] ^ b["bits"][None]).sum(axis=2, dtype=np.int16)  # (A, B)
    nearest = apart.argmin(axis=1)
    rows = np.arange(len(a))
    mutual = (apart.argmin(axis=0)[nearest] == rows) & (apart[rows, nearest] <= NEAR)
    if mutual.sum() < FEWEST:
        return None
    source, target = _places(a[mutual], aspects[0]), _places(b[nearest[mutual]], aspects[1])
    moved, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=_OFF, maxIters=300
    )
    if moved is None or int(inliers.sum()) < FEWEST:
        return None
    scale = float(np.hypot(moved[0, 0], moved[1, 0]))
    angle = float(np.degrees(np.arctan2(moved[1, 0], moved[0, 0])))
    fits = inliers.ravel().astype(bool)
    if not _SCALES[0] <= scale <= _SCALES[1] or abs(angle) > _TURN or _spread(target[fits], aspects[1]) < _SPREAD:
        return None
    # Many points that come again and again (a crowd, a fence) agree in pairs by chance, but not in a large share.
    if fits.sum() < 0.4 * mutual.sum():
        return None
    return Agreement(int(fits.sum()), scale, (float(moved[0, 2]) / SIDE, float(moved[1, 2]) / SIDE), turned)


def _places(of: np.ndarray, aspect: float) -> np.ndarray:
    """(N,) of POINT -> (N, 2) float32 in pixels of a picture SIDE wide."""
    return np.stack([of["x"] / 255 * SIDE, of["y"] / 255 * SIDE / aspect], axis=1).astype(np.float32)


def _spread(places: np.ndarray, aspect: float) -> float:
    """The share of the picture that the middle nine tenths of the points span."""
    low, high = np.quantile(places, 0.05, axis=0), np.quantile(places, 0.95, axis=0)
    return float(np.prod(high - low)) / (SIDE * SIDE / aspect)
