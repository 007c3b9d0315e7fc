"""Plain picture filters: uint8 in, uint8 out. Knows nothing of times or videos.

Pictures are (H, W, 3) RGB or (H, W, 1) grey; every function returns a new array and raises ValueError for others.
"""

from __future__ import annotations

import cv2
import numpy as np


def grey(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) or (H, W, 1) -> (H, W, 1): luma by ITU-R BT.601, as OpenCV weighs it."""
    _check(picture)
    return picture.copy() if picture.shape[2] == 1 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, None]


def sobel(picture: np.ndarray) -> np.ndarray:
    """(H, W, C) -> (H, W, 1): how strong the edges are, by the 3 x 3 Sobel operator (Sobel and Feldman, 1968).

    Scaled so that a straight step from black to white is 255; what exceeds it at corners is cut off.
    """
    plane = grey(picture)[:, :, 0]
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3)
    return cv2.convertScaleAbs(cv2.magnitude(across, down), alpha=0.25)[:, :, None]


def canny(picture: np.ndarray, low: float = 50.0, high: float = 150.0, sigma: float = 1.4) -> np.ndarray:
    """(H, W, C) -> (H, W, 1): 255 on thin edges, 0 elsewhere (Canny, 1986).

    `low` and `high` are the hysteresis thresholds on the gradient, one to three as Canny's section on thresholding
    recommends; `sigma` is the smoothing before, in pixels, 0 for none.
    """
    plane = grey(picture)[:, :, 0]
    if sigma > 0:
        plane = cv2.GaussianBlur(plane, (0, 0), sigma)
    return cv2.Canny(plane, low, high, L2gradient=True)[:, :, None]


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, `sigma` in pixels, above 0. Edges are mirrored."""
    _check(picture)
    if not 0 < sigma < float("inf"):
        raise ValueError(f"a blur needs a sigma above 0, got {sigma}")
    # OpenCV's width for sigma is 6 sigma on 8-bit pictures; wider than the picture it would only read reflections.
    return cv2.GaussianBlur(picture, (0, 0), min(sigma, max(picture.shape[:2]))).reshape(picture.shape)


def equalise(picture: np.ndarray) -> np.ndarray:
    """Histogram equalisation: brightness spread over 0 to 255, hue kept (colour pictures through their luma)."""
    _check(picture)
    if picture.shape[2] == 1:
        return cv2.equalizeHist(picture[:, :, 0])[:, :, None]
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    luma[:, :, 0] = cv2.equalizeHist(np.ascontiguousarray(luma[:, :, 0]))
    return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)


def crop(picture: np.ndarray, width: int, height: int, x: int, y: int) -> np.ndarray:
    """The `width` x `height` pixels whose upper left one is at (x, y). ValueError where they leave the picture."""
    _check(picture)
    tall, wide = picture.shape[:2]
    if width < 1 or height < 1 or x < 0 or y < 0 or x + width > wide or y + height > tall:
        raise ValueError(f"a crop of {width} x {height} at {x}, {y} does not lie inside {wide} x {tall} pixels")
    return picture[y : y + height, x : x + width].copy()


def _check(picture: np.ndarray) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (1, 3) or 0 in picture.shape:
        raise ValueError(f"a picture is uint8 (H, W, 3) or (H, W, 1), got {picture.dtype} {picture.shape}")
