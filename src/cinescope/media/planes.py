"""From one decoded frame to an array: scaling, range, matrix, alpha, rotation. Knows nothing of time or files.

`grey` and `yuv` come from the decoder's planes without passing through RGB. All values are full range: 0 is black and
255 white, whatever the file's range, so that analysers see one scale. Transparent pictures stand on black.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from cinescope.types.signal import Pixels

Size = int | tuple[int, int] | None

# Area averaging neither aliases nor rings; the other three make swscale exact and repeatable on every processor.
_SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT

# AVColorSpace (libavutil/pixfmt.h, which follows ITU-T H.273 table 4) -> swscale's matrix.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
_HD_HEIGHT = 720  # from this height on players take an unnamed matrix for BT.709, below for BT.601

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a coded picture is shown. Turned clockwise after the mirroring."""

    pixel_aspect: float = 1.0  # width / height of one coded pixel
    rotation: int = 0  # degrees clockwise: 0, 90, 180, 270
    mirrored: bool = False  # left and right swapped, before the turn

    def shown(self, width: int, height: int) -> tuple[int, int]:
        """Coded (width, height) -> shown (width, height): square pixels, upright. Pixel aspect changes the width."""
        width = max(1, round(width * self.pixel_aspect))
        return (height, width) if self.rotation in (90, 270) else (width, height)


def geometry_of(frame: Any, pixel_aspect: float) -> Geometry:
    """From the display matrix that a decoded frame carries (containers and EXIF write it); upright where there is none.

    The matrix maps (x, y) to (a x + c y, b x + d y) and lies in memory as a b u c d v x y w (libavutil/display.h);
    angles between the four are rounded to the nearest of them.
    """
    matrix = next((d for d in frame.side_data if d.type is SideType.DISPLAYMATRIX), None)
    if matrix is None or matrix.buffer_size < 36:
        return Geometry(pixel_aspect)
    a, b, _, c, d = (int(v) for v in np.frombuffer(bytes(matrix), "=i4", 5))
    mirrored = a * d - b * c < 0
    sign = -1 if mirrored else 1
    turn = round(math.degrees(math.atan2(sign * b, sign * a)) / 90) * 90 % 360
    return Geometry(pixel_aspect, turn, mirrored)


def target_size(shown: tuple[int, int], size: Size) -> tuple[int, int]:
    """Shown (width, height) and the wish of a `FrameNeed` -> (width, height) of the array."""
    if size is None:
        return shown
    if isinstance(size, tuple):
        if min(size) < 1:
            raise ValueError(f"a picture size needs positive width and height, got {size}")
        return size
    if size < 1:
        raise ValueError(f"a picture's longest side is at least 1, got {size}")
    longest = max(shown)
    if longest <= size:
        return shown
    return max(1, round(shown[0] * size / longest)), max(1, round(shown[1] * size / longest))


def to_array(frame: Any, geometry: Geometry, size: Size = None, pixels: Pixels = "rgb") -> np.ndarray:
    """A decoded `av.VideoFrame` -> (H, W, C) uint8, upright, square pixels, full range."""
    width, height = target_size(geometry.shown(frame.width, frame.height), size)
    coded = (height, width) if geometry.rotation in (90, 270) else (width, height)
    if pixels == "rgb":
        array = _rgb(frame, coded)
    elif pixels in ("grey", "yuv"):
        array = _from_planes(frame, coded, with_chroma=pixels == "yuv")
    else:
        raise ValueError(f"pixels are 'rgb', 'grey' or 'yuv', got {pixels!r}")
    return _upright(array, geometry)


def _upright(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    if geometry.mirrored:
        array = array[:, ::-1]
    if geometry.rotation:
        array = np.rot90(array, -geometry.rotation // 90)
    return np.ascontiguousarray(array)


def _reformat(frame: Any, width: int, height: int, target: str, **colour: Any) -> Any:
    # A reformatter keeps its tables while its sizes and formats stay the same, and is not to be shared by threads.
    kept: dict[Any, VideoReformatter] = _local.__dict__.setdefault("kept", {})
    key = (frame.width, frame.height, frame.format.name, width, height, target, tuple(colour.items()))
    if key not in kept:
        while len(kept) >= 8:
            kept.pop(next(iter(kept)))
        kept[key] = VideoReformatter()
    return kept[key].reformat(frame, width, height, target, interpolation=_SCALING, threads=1, **colour)


def is_full_range(frame: Any) -> bool:
    """Whether black is 0 (full) or 16 (limited, which is also what an unnamed range means for YUV)."""
    if frame.color_range:
        return int(frame.color_range) == ColorRange.JPEG
    name = frame.format.name
    return name.startswith(("yuvj", "gray", "ya", "mono", "pal")) or frame.format.is_rgb


def _matrix(frame: Any) -> Colorspace:
    named = _MATRICES.get(int(frame.colorspace))
    if named is not None:
        return named
    return Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601


def _has_alpha(frame: Any) -> bool:
    return frame.format.has_palette or any(c.is_alpha for c in frame.format.components)


def _rgb(frame: Any, size: tuple[int, int]) -> np.ndarray:
    colour = {
        "src_colorspace": _matrix(frame),
        "src_color_range": ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        "dst_color_range": ColorRange.JPEG,
    }
    if not _has_alpha(frame):
        return _plane(_reformat(frame, *size, "rgb24", **colour), 0, np.uint8, 3)
    rgba = _plane(_reformat(frame, *size, "rgba", **colour), 0, np.uint8, 4)
    return _times_alpha(rgba[:, :, :3], rgba[:, :, 3:])


def _times_alpha(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)


def _from_planes(frame: Any, size: tuple[int, int], with_chroma: bool) -> np.ndarray:
    """(H, W, 1) luma, or (H, W, 3) luma and chroma, each plane scaled by itself."""
    layout = _layout(frame.format.name)
    if layout is None:
        frame = _planar(frame)
        layout = _layout(frame.format.name)
        assert layout is not None
    bits, chroma, alpha = layout
    dtype = np.uint8 if bits == 8 else np.dtype("<u2")
    full = is_full_range(frame)

    def scaled(index: int, kind: str) -> np.ndarray:
        plane = _plane(frame, index, dtype)
        if (plane.shape[1], plane.shape[0]) != size:
            shrinking = size[0] <= plane.shape[1] and size[1] <= plane.shape[0]
            plane = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
        table = _table(bits, full if kind != "alpha" else True, kind)
        return plane if table is None else table[plane]

    planes = [scaled(0, "luma")]
    if with_chroma:
        blank = np.full_like(planes[0], 128)
        planes += [scaled(i, "chroma") for i in (1, 2)] if chroma else [blank, blank]
    if alpha is not None:
        opacity = scaled(alpha, "alpha")
        planes[0] = _times_alpha(planes[0], opacity)
        for i in range(1, len(planes)):
            offset = (planes[i].astype(np.int32) - 128) * opacity
            planes[i] = (128 + np.round(offset / 255)).astype(np.uint8)
    if len(planes) == 1:
        return planes[0][:, :, None]
    return cv2.merge(planes)


@lru_cache(maxsize=64)
def _layout(name: str) -> tuple[int, bool, int | None] | None:
    """(bits, has chroma, index of the alpha plane) where each component is a plane of its own; None elsewhere."""
    form = av.VideoFormat(name, 16, 16)
    components = form.components
    if form.is_rgb or form.has_palette or form.is_bit_stream or form.is_big_endian or not components:
        return None
    if [c.plane for c in components] != list(range(len(components))) or len(components) not in (1, 3, 4):
        return None
    bits = {c.bits for c in components}
    if len(bits) != 1 or not 8 <= max(bits) <= 16 or name.startswith(("p0", "p2", "p4", "xyz", "bayer", "y2", "xv")):
        return None
    if name.endswith(("msble", "msbbe")) or (len(components) == 1 and not name.startswith("gray")):
        return None
    return max(bits), len(components) >= 3, 3 if len(components) == 4 else None


def _planar(frame: Any) -> Any:
    """The same picture in planes at its own size, for formats that mix their components (RGB, palette, NV12, P010)."""
    target = "yuva444p" if _has_alpha(frame) else "yuv444p"
    full = ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
    matrix = _matrix(frame)
    planar = _reformat(
        frame, frame.width, frame.height, target,
        src_colorspace=matrix, dst_colorspace=matrix, src_color_range=full, dst_color_range=full,
    )  # fmt: skip
    planar.color_range = int(full)
    return planar


@lru_cache(maxsize=64)
def _table(bits: int, full: bool, kind: str) -> np.ndarray | None:
    """Code value -> full-range 8 bits (ITU-T H.273 8.3, equations 26 to 31 inverted); None where nothing changes."""
    if bits == 8 and full:
        return None
    codes = np.arange(1 << (8 if bits == 8 else 16), dtype=np.float64)
    unit = float(1 << (bits - 8))
    if full:
        values = codes * (255 / ((1 << bits) - 1))
    elif kind == "luma":
        values = (codes - 16 * unit) * (255 / (219 * unit))
    else:
        values = (codes - 128 * unit) * (255 / (224 * unit)) + 128
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def _plane(frame: Any, index: int, dtype: Any, channels: int = 1) -> np.ndarray:
    """One plane as an array that borrows the frame's memory: (H, W) or (H, W, C)."""
    plane = frame.planes[index]
    dtype = np.dtype(dtype)
    stride = abs(plane.line_size)
    shape = (plane.height, plane.width) if channels == 1 else (plane.height, plane.width, channels)
    steps = (stride, dtype.itemsize) if channels == 1 else (stride, channels * dtype.itemsize, dtype.itemsize)
    if plane.line_size < 0:  # stored bottom up
        return np.ndarray(shape, dtype, plane, (plane.height - 1) * stride, (-stride, *steps[1:]))
    return np.ndarray(shape, dtype, plane, 0, steps)
