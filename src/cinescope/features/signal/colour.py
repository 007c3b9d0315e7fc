"""How bright, colourful and which colours: numbers and names, from luma and chroma without a picture in RGB.

Pictures are full-range uint8 (T, H, W, 3) in Y, U, V, as `FrameNeed(pixels="yuv")` gives them. Knows nothing of time.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

# Colours as people name them: the answers of 222,500 people in the xkcd colour survey (R. Munroe, 2010, CC0), by the
# plainer of their names. A colour has the name of the nearest of these in CIELAB.
_NAMED = {
    "black": ("000000",),
    "dark grey": ("363737",),
    "grey": ("7d7f7c", "929591"),
    "light grey": ("d8dcd6",),
    "white": ("ffffff",),
    "red": ("e50000",),
    "dark red": ("840000", "650021"),
    "pink": ("ff81c0", "ffd1df", "cb416b", "ff028d", "ff796c"),
    "orange": ("f97306", "c65102"),
    "brown": ("653700", "ad8150"),
    "dark brown": ("341c02",),
    "beige": ("e6daa6", "d1b26f", "ffb07c"),
    "yellow": ("ffff14", "fffe7a", "d5b60a"),
    "olive": ("6e750e", "677a04"),
    "green": ("15b01a", "01ff07"),
    "light green": ("96f97b", "c7fdb5", "89fe05"),
    "dark green": ("033500", "06470c"),
    "turquoise": ("06c2ac", "029386", "00ffff", "13eac9"),
    "light blue": ("95d0fc", "75bbfd"),
    "blue": ("0343df", "0504aa", "0203e2", "0804f9", "0485d1", "3b5b92"),
    "dark blue": ("00035b", "001146"),
    "purple": ("7e1e9c", "9a0eea"),
    "light purple": ("bf77f6", "c79fef"),
    "dark purple": ("35063e",),
    "magenta": ("c20078",),
}
NAMES = tuple(_NAMED)

# Luma weights of red and blue: ITU-R BT.601, BT.709, BT.2020.
_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
_BITS = 5  # of Y, U and V that the names look at


def matrix_name(colour_space: str | None, height: int | None) -> str:
    """FFmpeg's name of a colour space -> "bt601", "bt709" or "bt2020"; by the height where the file does not say."""
    said = (colour_space or "").lower()
    if said.startswith("bt2020"):
        return "bt2020"
    if said in ("bt709", "itu709"):
        return "bt709"
    if said and said not in ("unspecified", "unknown", "reserved", "gbr", "rgb"):
        return "bt601"
    return "bt709" if (height or 0) >= 720 else "bt601"


def to_rgb(yuv: np.ndarray, matrix: str) -> np.ndarray:
    """(..., 3) full-range Y, U, V -> (..., 3) float64 R, G, B, 0 to 255 (ITU-T H.273, equations 38 to 40)."""
    red, blue = _WEIGHTS[matrix]
    y, u, v = (yuv[..., i].astype(np.float64) for i in range(3))
    r = y + 2 * (1 - red) * (v - 128)
    b = y + 2 * (1 - blue) * (u - 128)
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.stack([r, g, b], axis=-1), 0, 255)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB, 0 to 255 -> CIELAB, D65 (IEC 61966-2-1; CIE 15:2004)."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def colour_name(rgb: tuple[float, float, float]) -> str:
    """The name people would use."""
    return NAMES[int(_nearest(np.array([rgb], np.float64))[0])]


def _nearest(rgb: np.ndarray) -> np.ndarray:
    """(N, 3) -> (N,) indices into NAMES."""
    owners = np.array([i for i, codes in enumerate(_NAMED.values()) for _ in codes])
    codes = [bytes.fromhex(code) for codes in _NAMED.values() for code in codes]
    prototypes = to_lab(np.array([list(c) for c in codes], np.float64))
    # |a - b|^2 without |a|^2, which is the same for every b.
    distances = (prototypes**2).sum(axis=1) - 2 * (to_lab(rgb) @ prototypes.T)
    return owners[distances.argmin(axis=1)]


@lru_cache(maxsize=4)
def _tables(matrix: str) -> tuple[np.ndarray, np.ndarray]:
    """For each of the 2 ** 15 coarse colours: its name's index, and how far it is from grey (HSV chroma, 0 to 1)."""
    step = 1 << (8 - _BITS)
    values = np.arange(1 << _BITS) * step
    yuv = np.stack(np.meshgrid(values, values, values, indexing="ij"), axis=-1).reshape(-1, 3)
    rgb = to_rgb(yuv, matrix)
    return _nearest(rgb).astype(np.uint8), ((rgb.max(axis=1) - rgb.min(axis=1)) / 255).astype(np.float32)


def brightness(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean luma and its standard deviation ("RMS contrast", Peli 1990), both (T,), 0 to 1."""
    both = np.array([cv2.meanStdDev(np.ascontiguousarray(f[..., 0])) for f in frames]).reshape(-1, 2) / 255
    return both[:, 0], both[:, 1]


def colourfulness(frames: np.ndarray, matrix: str) -> np.ndarray:
    """(T,): M3 of Hasler and Süsstrunk (2003, "Measuring colourfulness in natural images"); 0 grey, 15 slightly,
    33 moderately, 45 averagely, 59 quite, 82 highly, 109 extremely colourful.

    Both opponent axes are sums of U and V alone, so their moments are enough; what RGB would cut off at 0 and 255 is
    not cut off.
    """
    red, blue = _WEIGHTS[matrix]
    green = 1 - red - blue
    from_v, from_u = 2 * (1 - red), 2 * (1 - blue)
    green_u, green_v = -blue * from_u / green, -red * from_v / green
    # Of (Y, U, V): R - G and (R + G) / 2 - B.
    axes = np.array([[0, -green_u, from_v - green_v], [0, green_u / 2 - from_u, (from_v + green_v) / 2]])
    grey = 128 * axes.sum(axis=1)
    values = np.zeros(len(frames))
    for i, frame in enumerate(frames):
        mean, deviation = cv2.meanStdDev(cv2.transform(frame.astype(np.float32), axes))
        values[i] = np.hypot(*deviation[:, 0]) + 0.3 * np.hypot(*(mean[:, 0] - grey))
    return values


def names_of(frames: np.ndarray, matrix: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, N) share of each of NAMES, (T, N, 3) the sum of its pixels' Y, U, V times that share, (T,) mean chroma."""
    names, chroma = _tables(matrix)
    count, kinds = len(frames), len(NAMES)
    pixels = frames.reshape(count, -1, 3)
    # Rounded, not cut off: so grey, whose chroma is 128, stays grey.
    half = 1 << (7 - _BITS)
    coarse = (np.minimum(pixels, 255 - half) + half) >> (8 - _BITS)
    index = (coarse[..., 0].astype(np.int32) << 2 * _BITS) | (coarse[..., 1].astype(np.int32) << _BITS) | coarse[..., 2]
    which = names[index].astype(np.int64) + np.arange(count)[:, None] * kinds
    total = pixels.shape[1]
    shares = np.bincount(which.ravel(), minlength=count * kinds).reshape(count, kinds) / total
    sums = [np.bincount(which.ravel(), pixels[..., i].ravel(), count * kinds) / total for i in range(3)]
    return shares, np.stack(sums, axis=-1).reshape(count, kinds, 3), chroma[index].mean(axis=1)
