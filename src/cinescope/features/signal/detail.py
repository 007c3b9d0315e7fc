"""How sharp a picture is. Plain functions; knows nothing of time."""

from __future__ import annotations

import math

import cv2
import numpy as np

_ROUNDING = 1 / 12  # variance that rounding to whole numbers adds


def detail(luma: np.ndarray) -> np.ndarray:
    """uint8 (T, H, W) -> (T,) float64: 0 nothing to be seen or all blurred, 1 white noise.

    The variance of the Laplacian (Pech-Pacheco et al. 2000) over 20 times that of the luma, which is what the two
    are to each other in white noise, as a square root: so neither contrast nor the picture's size in pixels count,
    but pictures must be of one size to be compared.
    """
    values = np.zeros(len(luma))
    for i, plane in enumerate(luma):
        spread = float(cv2.meanStdDev(plane)[1][0, 0]) ** 2
        if spread > 1.0:  # below, rounding to whole numbers is all there is
            edges = float(cv2.meanStdDev(cv2.Laplacian(plane, cv2.CV_16S))[1][0, 0]) ** 2
            values[i] = min(1.0, math.sqrt(max(0.0, edges - 20 * _ROUNDING) / (20 * spread)))
    return values
