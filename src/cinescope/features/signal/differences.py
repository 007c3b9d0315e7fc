"""How unlike small pictures are, and what each is like. Plain functions; knows nothing of time or shots.

Pictures are full-range uint8 (T, H, W, 3) in Y, U, V, as `FrameNeed(pixels="yuv")` gives them, a few dozen pixels wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

LUMA_BINS = 32
CHROMA_BINS = 8  # per axis of the joint U, V histogram
BINS = LUMA_BINS + CHROMA_BINS**2

_CHROMA_RANGE = (80, 176)  # chroma rarely leaves the middle of its range; what does counts in the outer bins

_BAR = 24  # luma up to which a row or column at the rim counts as a black bar
_GRID = (8, 6)  # blocks that `same_view` votes with
_TEXTURE = 25.0  # mean squared luma step from which a block has anything to compare
_SAME_COLOUR = 10.0  # mean change of Y, U and V in a block, of 255, up to which it keeps its colour


def coarse(frames: np.ndarray, size: tuple[int, int] = (16, 9)) -> np.ndarray:
    """Area means: uint8 (T, H, W, C) -> float32 (T, h, w, C) with `size` = (w, h)."""
    out = np.empty((len(frames), size[1], size[0], frames.shape[3]), np.uint8)
    for frame, small in zip(frames, out, strict=True):
        cv2.resize(frame, size, dst=small, interpolation=cv2.INTER_AREA)
    return out.astype(np.float32)


def histograms(frames: np.ndarray) -> np.ndarray:
    """uint8 yuv (T, H, W, 3) -> float32 (T, BINS): luma, then joint chroma; each of the two parts sums to 1."""
    out = np.empty((len(frames), BINS), np.float32)
    chroma = np.clip(frames[..., 1:], _CHROMA_RANGE[0], _CHROMA_RANGE[1] - 1)
    for frame, colours, row in zip(frames, chroma, out, strict=True):
        row[:LUMA_BINS] = cv2.calcHist([frame], [0], None, [LUMA_BINS], [0, 256])[:, 0]
        joint = cv2.calcHist([colours], [0, 1], None, [CHROMA_BINS, CHROMA_BINS], [*_CHROMA_RANGE, *_CHROMA_RANGE])
        row[LUMA_BINS:] = joint.ravel()
    return out / np.float32(frames.shape[1] * frames.shape[2])


def step_energy(luma: np.ndarray) -> np.ndarray:
    """Mean squared luma step between neighbours, right plus below: uint8 (T, H, W) -> float32 (T,).

    It falls where two unrelated pictures are mixed (their details add up in power, at half strength each) and where a
    picture is blurred.
    """
    out = np.empty(len(luma), np.float32)
    for i, plane in enumerate(luma):
        across = cv2.absdiff(plane[:, 1:], plane[:, :-1])
        down = cv2.absdiff(plane[1:], plane[:-1])
        out[i] = cv2.norm(across, cv2.NORM_L2SQR) / across.size + cv2.norm(down, cv2.NORM_L2SQR) / down.size
    return out


def distance(small_a: np.ndarray, hist_a: np.ndarray, small_b: np.ndarray, hist_b: np.ndarray) -> np.ndarray:
    """From 0 for the same picture to 3 for the most unlike. `coarse` (..., h, w, 3) and `histograms` (..., BINS).

    Twice the mean absolute difference of areas, of 1, and half the sum of absolute differences of each histogram's
    half: areas see composition, histograms forgive motion. Histograms of flat pictures leap from bin to bin when next
    to nothing changes, so they count for at most five times what the areas do.
    """
    areas = np.abs(small_a - small_b).mean((-3, -2, -1)) / 255
    spread = np.abs(hist_a - hist_b).sum(-1) / 4
    return np.asarray(2 * areas + np.minimum(spread, 10 * areas))


def same_view(a: np.ndarray, b: np.ndarray, coarse_a: np.ndarray, coarse_b: np.ndarray) -> float:
    """The share of blocks with texture that still show the same, 0 to 1: uint8 luma (H, W) and `coarse` (h, w, 3).

    A block shows the same when its luma edges agree, which outlive what changes brightness (a lamp, a flash, an iris,
    a title in front), or when it keeps its colour and has texture before and after, which outlives small movements.
    Neither outlives a cut. Black bars do not count. 0 where too little has texture to tell.

    Undoing a shift of the whole picture first was tried and left out: it makes portraits before plain walls agree.
    """
    inside = _inside_bars(a, b)
    if inside is None:
        return 0.0
    rows, columns = inside
    scale = a.shape[0] / coarse_a.shape[0], a.shape[1] / coarse_a.shape[1]
    within = (
        slice(math.ceil(rows.start / scale[0]), math.floor(rows.stop / scale[0])),
        slice(math.ceil(columns.start / scale[1]), math.floor(columns.stop / scale[1])),
    )
    edges_a, edges_b = _edges(a[inside]), _edges(b[inside])
    power_a, power_b = _per_block(_product(edges_a, edges_a)), _per_block(_product(edges_b, edges_b))
    textured = np.maximum(power_a, power_b) > _TEXTURE
    if textured.sum() < 4:
        return 0.0
    agreeing = _per_block(_product(edges_a, edges_b)) > 0.5 * np.sqrt(power_a * power_b) + 1e-3
    change = np.abs(coarse_a[within] - coarse_b[within])
    kept = (_per_block(change).max(2) < _SAME_COLOUR) & (np.minimum(power_a, power_b) > _TEXTURE)
    return float(max(agreeing[textured].mean(), kept[textured].mean()))


def _inside_bars(a: np.ndarray, b: np.ndarray) -> tuple[slice, slice] | None:
    bright = np.maximum(a, b) > _BAR
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    if len(rows) < 8 or len(columns) < 8:
        return None
    # The edge of a bar belongs to the bar.
    top, bottom = (rows[0] + 2 if rows[0] else 0), (rows[-1] - 1 if rows[-1] < len(a) - 1 else len(a))
    left, right = (
        (columns[0] + 2 if columns[0] else 0),
        (columns[-1] - 1 if columns[-1] < a.shape[1] - 1 else a.shape[1]),
    )
    return slice(top, bottom), slice(left, right)


def _edges(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = luma.astype(np.float32)
    return values[1:, 1:] - values[1:, :-1], values[1:, 1:] - values[:-1, 1:]


def _product(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.asarray(a[0] * b[0] + a[1] * b[1])


def _per_block(values: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(values, _GRID, interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """How well the pictures between two are mixtures of both; every field (N,), one entry per pair."""

    distance: np.ndarray  # root mean square difference of the two, 0 to 1
    shares: np.ndarray  # (3, N) share of the second picture a quarter, half and three quarters of the way
    residual: np.ndarray  # the largest part of those three that is no mixture, relative to `distance`
    dip: np.ndarray  # detail half way, relative to what the two would have in turn: near 0.5 for unrelated pictures


def mixtures(small: np.ndarray, energy: np.ndarray, centres: np.ndarray, half: int) -> Mix:
    """Test the pictures around `centres` for a dissolve from `centres - half` to `centres + half`.

    `small` float32 (T, D), areas in 0 to 1; `energy` (T,) from `step_energy`; `centres` indices that have `half`
    pictures on both sides. The idea of fitting f = (1 - a) A + a B is the additive model of dissolves in Lienhart,
    "Comparison of automatic shot boundary detection algorithms", 1999, section 4; the loss of detail is the parabola
    of variance there.
    """
    first, last = small[centres - half], small[centres + half]
    change = last - first
    power = np.einsum("nd,nd->n", change, change) + 1e-6
    shares, rests = [], []
    for at in (centres - (half + 1) // 2, centres, centres + (half + 1) // 2):
        part = small[at] - first
        share = np.clip(np.einsum("nd,nd->n", part, change) / power, 0, 1)
        rest = part - share[:, None] * change
        shares.append(share)
        rests.append(np.sqrt(np.einsum("nd,nd->n", rest, rest) / power))
    middle = shares[1]
    # The constant keeps noise in flat pictures from looking like detail.
    expected = (1 - middle) * energy[centres - half] + middle * energy[centres + half] + 4
    dip = (energy[centres] + 4) / expected
    return Mix(np.sqrt(power / small.shape[1]), np.stack(shares), np.max(rests, axis=0), dip)
