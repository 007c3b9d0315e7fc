"""What a picture is known by again: short codes for "the same", a vector for "alike". Plain functions, no times.

A code is the signs of the 64 lowest frequencies of a part of the picture (after Zauner 2010, "pHash"; signs against
zero rather than the median, so that the code of the mirrored picture is known without seeing it). The parts are the
whole picture and its middle at three sizes: a copy whose edges were cut off has the code of a middle as its whole.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

SIZE = 32  # pixels a side that a part is brought to before its frequencies are taken
PARTS = (1.0, 0.8, 0.69, 0.6)  # share of width and height that each code's part has
# Coefficient of the orthonormal transform from which its sign is no accident of noise or compression: an amplitude of a
# quarter of a level of 255.
FIRM = 4.0
PLAIN = 20  # of the 64: with fewer firm signs a picture is too plain to be known by its code
VIEW = 96  # pixels a side of the small picture from which codes of other parts can be taken later
_STEP = 3  # pixels of VIEW by which the edges of a part are moved
_INSET = 21  # pixels of VIEW that at most are left out at an edge
COLOURS = 72
LOOK = 248  # numbers of `look`: 48 of layout, 72 of colour, 128 of edges
# What each of the three says about likeness; set on the shared clips themselves, on which benchmarks.copies reports.
_SHARES = (0.35, 0.3, 0.35)


@lru_cache(maxsize=1)
def _frequencies() -> tuple[np.ndarray, np.ndarray, int]:
    """Rows and columns of the 64 lowest frequencies but the mean, and the mask of those that mirroring turns round."""
    order = sorted(((u + v, u, v) for u in range(SIZE) for v in range(SIZE) if u + v), key=lambda t: (t[0], t[1]))[:64]
    rows, columns = np.array([u for _, u, _ in order]), np.array([v for _, _, v in order])
    mask = sum(1 << bit for bit, column in enumerate(columns) if column % 2)
    return rows, columns, mask


def codes(luma: np.ndarray) -> tuple[np.ndarray, int]:
    """uint8 (H, W) -> ((4,) uint64, a code for each of PARTS; how many signs of the whole are firm, 0 to 64)."""
    height, width = luma.shape
    found, firm = np.zeros(len(PARTS), np.uint64), 0
    for number, share in enumerate(PARTS):
        down, across = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
        part = luma[down : height - down, across : width - across]
        size = _lowest(part)
        found[number] = np.packbits(size > 0, bitorder="little").view(np.uint64)[0]
        if number == 0:
            firm = int((np.abs(size) >= FIRM).sum())
    return found, firm


def _lowest(luma: np.ndarray) -> np.ndarray:
    """uint8 (H, W) -> (64,) its lowest frequencies."""
    rows, columns, _ = _frequencies()
    small = cv2.resize(luma, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.dct(small))[rows, columns]


def view(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> (VIEW, VIEW) uint8, from which `fitted_codes` are taken."""
    return cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (VIEW, VIEW), interpolation=cv2.INTER_AREA)


def codes_within(views: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
    """(N, VIEW, VIEW) -> (N,) uint64, codes of a part; `window`: pixels left out at the left, right, top and bottom."""
    left, right, top, bottom = window
    bits = [_lowest(v[top : VIEW - bottom, left : VIEW - right]) > 0 for v in views]
    return np.packbits(np.array(bits).reshape(-1, 64), axis=1, bitorder="little").view(np.uint64)[:, 0]


def fitted_window(views: np.ndarray, wanted: np.ndarray) -> tuple[int, int, int, int]:
    """(N, VIEW, VIEW) and the (N,) codes of what they are to show -> the part whose codes come nearest.

    A copy was cut off by other shares on each side: then no middle of the original is its whole, but a part of it is a
    middle. Descends from three middles.
    """

    def cost(window: tuple[int, int, int, int]) -> int:
        if window not in known:
            known[window] = int(differing(codes_within(views, window), wanted).sum())
        return known[window]

    known: dict[tuple[int, int, int, int], int] = {}
    best = min(((n, n, n, n) for n in (0, 2 * _STEP, 4 * _STEP)), key=cost)
    while True:
        nearest = min(_moved(best), key=cost)
        if cost(nearest) >= cost(best):
            return best
        best = nearest


def _moved(window: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Windows of which one pair of edges that face each other is moved, by one step or two, each or both."""
    found = []
    for one, other in ((0, 1), (2, 3)):
        for by in ((1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 2), (2, -2)):
            for sign in (-_STEP, _STEP):
                edges = list(window)
                edges[one], edges[other] = edges[one] + sign * by[0], edges[other] + sign * by[1]
                if min(edges) >= 0 and max(edges) <= _INSET:
                    found.append((edges[0], edges[1], edges[2], edges[3]))
    return found


def mirrored(code: np.ndarray) -> np.ndarray:
    """uint64 of any shape -> the codes that the pictures have when left and right are exchanged."""
    return code ^ np.uint64(_frequencies()[2])


def differing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """uint64 arrays that broadcast -> how many of the 64 bits differ; 32 on average for unrelated pictures."""
    return np.bitwise_count(a ^ b)


def look(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) -> (LOOK,) float32 of length 1: where which colours are, which there are, and how edges run.

    Layout: mean L, a, b of 4 x 4 cells. Colour: a histogram of 8 hues in 3 strengths in 2 lightnesses, and 24 greys.
    Edges: 8 directions in 4 x 4 cells (after Dalal and Triggs 2005). Root of each histogram, so that their product
    is Hellinger's likeness.
    """
    small = cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32) - np.array((128, 128, 128), np.float32)
    cells = lab.reshape(4, 16, 4, 16, 3).mean(axis=(1, 3)).reshape(-1)
    # The lightness of a whole picture changes with exposure; where it is light changes less.
    layout = cells / max(float(np.linalg.norm(cells)), 1e-6)
    parts = (layout, np.sqrt(_colours(lab)), np.sqrt(_edges(small)))
    joined = np.concatenate([np.sqrt(share) * part for share, part in zip(_SHARES, parts, strict=True)])
    return (joined / np.linalg.norm(joined)).astype(np.float32)


def _colours(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) L, a, b about 0 -> (72,) shares."""
    light, a, b = (lab[..., i].ravel() for i in range(3))
    strength = np.hypot(a, b)
    hue = ((np.arctan2(b, a) / (2 * np.pi) + 1) * 8).astype(int) % 8
    coloured = 24 + hue * 6 + np.digitize(strength, (20, 40)) * 2 + (light > 0)
    grey = np.clip((light + 128) * 24 / 256, 0, 23).astype(int)
    counts = np.bincount(np.where(strength < 10, grey, coloured), minlength=COLOURS)
    return counts / counts.sum()


def _edges(rgb: np.ndarray) -> np.ndarray:
    """(64, 64, 3) -> (128,) shares of edge strength by direction and cell; even where there are no edges."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    direction = ((np.arctan2(down, across) / np.pi + 1) * 8).astype(int) % 8
    cell = (np.arange(64) // 16)[:, None] * 4 + (np.arange(64) // 16)[None, :]
    sums = np.bincount((cell * 8 + direction).ravel(), weights=strength.ravel(), minlength=128) + 1.0
    return sums / sums.sum()
