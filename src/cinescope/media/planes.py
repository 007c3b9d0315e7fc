"""From one decoded frame to an array: scaling, range, matrix, alpha, rotation. Knows nothing of time or files.

`grey` and `yuv` are scaled from the decoder's planes without passing through RGB. All values are full range: 0 is black
and 255 white, whatever the file's range, so that analysers see one scale. Transparent pictures stand on black.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from cinescope.media.opening import FilePath, reason
from cinescope.types import MediaError
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


def geometry_of(frame: Any, pixel_aspect: float, path: FilePath | None = None) -> Geometry:
    """From the display matrix that a decoded frame carries (containers and EXIF write it); upright where there is none.

    The matrix maps (x, y) to (a x + c y, b x + d y) and lies in memory as a b u c d v x y w (libavutil/display.h);
    angles between the four are rounded to the nearest of them. `path` is the file of a still picture.
    """
    try:
        matrix = next((d for d in frame.side_data if d.type is SideType.DISPLAYMATRIX), None)
    except ValueError:
        # PyAV 18 refuses all side data of a frame when it does not know one of them, and EXIF is one it does not know.
        mirrored, turn = (_exif(path) if path is not None else None) or (False, round(-frame.rotation / 90) * 90 % 360)
        return Geometry(pixel_aspect, turn, mirrored)
    if matrix is None or matrix.buffer_size < 36:
        return Geometry(pixel_aspect)
    a, b, _, c, d = (int(v) for v in np.frombuffer(bytes(matrix), "=i4", 5))
    mirrored = a * d - b * c < 0
    sign = -1 if mirrored else 1
    turn = round(math.degrees(math.atan2(sign * b, sign * a)) / 90) * 90 % 360
    return Geometry(pixel_aspect, turn, mirrored)


# Orientation (EXIF 2.32, tag 274) -> (mirrored, degrees clockwise).
_ORIENTATIONS = {
    1: (False, 0), 2: (True, 0), 3: (False, 180), 4: (True, 180), 5: (True, 270), 6: (False, 90), 7: (True, 90),
    8: (False, 270),
}  # fmt: skip


def _exif(path: FilePath) -> tuple[bool, int] | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return _ORIENTATIONS.get(image.getexif().get(274, 1))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # Pillow cannot read this one; FFmpeg's angle stands


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
    """A decoded `av.VideoFrame` -> (H, W, C) uint8, upright, square pixels, full range.

    Raises MediaError for the few pixel formats that cannot be converted, ValueError for an impossible size.
    """
    width, height = target_size(geometry.shown(frame.width, frame.height), size)
    coded = (height, width) if geometry.rotation in (90, 270) else (width, height)
    if pixels not in ("rgb", "grey", "yuv"):
        raise ValueError(f"pixels are 'rgb', 'grey' or 'yuv', got {pixels!r}")
    try:
        if _has_alpha(frame) and (pixels == "rgb" or _is_rgb(frame)):
            frame = _on_black(frame)
        array = _rgb(frame, coded) if pixels == "rgb" else _from_planes(frame, coded, with_chroma=pixels == "yuv")
    except av.error.FFmpegError as error:
        raise MediaError(
            f"pictures of {frame.width} x {frame.height} in format {frame.format.name} cannot be converted "
            f"to {pixels} {width} x {height} ({reason(error)})"
        ) from error
    return _upright(array, geometry)


def _upright(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    if geometry.mirrored:
        array = array[:, ::-1]
    if geometry.rotation:
        array = np.rot90(array, -geometry.rotation // 90)
    return np.ascontiguousarray(array)


def _reformat(frame: Any, size: tuple[int, int], target: str, **colour: Any) -> Any:
    # A reformatter keeps its tables while its sizes and formats stay the same, and is not to be shared by threads.
    kept: dict[Any, VideoReformatter] = _local.__dict__.setdefault("kept", {})
    key = (frame.width, frame.height, frame.format.name, size, target, tuple(colour.items()))
    if key not in kept:
        while len(kept) >= 8:
            kept.pop(next(iter(kept)))
        kept[key] = VideoReformatter()
    return kept[key].reformat(frame, *size, target, interpolation=_SCALING, threads=1, **colour)


def is_full_range(frame: Any) -> bool:
    """Whether black is 0 (full) or 16 (limited, which is also what an unnamed range means for YUV)."""
    if frame.color_range and not _is_rgb(frame):
        return int(frame.color_range) == ColorRange.JPEG
    return _is_rgb(frame) or frame.format.name.startswith(("yuvj", "gray", "ya8", "ya16", "mono"))


def _is_rgb(frame: Any) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def _matrix(frame: Any) -> Colorspace:
    named = _MATRICES.get(int(frame.colorspace))
    if named is not None:
        return named
    return Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601


def _has_alpha(frame: Any) -> bool:
    return frame.format.has_palette or any(c.is_alpha for c in frame.format.components)


def _on_black(frame: Any) -> Any:
    """The same picture without transparency, in RGB."""
    rgba = _plane(_reformat(frame, (frame.width, frame.height), "rgba", **_to_full(frame)), 4).astype(np.uint16)
    rgb = ((rgba[:, :, :3] * rgba[:, :, 3:] + 127) // 255).astype(np.uint8)
    flat = av.VideoFrame.from_ndarray(rgb, "rgb24")
    flat.color_range = int(ColorRange.JPEG)
    return flat


def _to_full(frame: Any) -> dict[str, Any]:
    return {
        "src_colorspace": _matrix(frame),
        "src_color_range": ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG,
        "dst_color_range": ColorRange.JPEG,
    }


def _rgb(frame: Any, size: tuple[int, int]) -> np.ndarray:
    return _plane(_reformat(frame, size, "rgb24", **_to_full(frame)), 3)


def _from_planes(frame: Any, size: tuple[int, int], with_chroma: bool) -> np.ndarray:
    """(H, W, 1) luma, or (H, W, 3) luma and chroma, each plane scaled by itself."""
    # One range and one matrix on both sides make swscale scale the code values as they are. The matrix must be BT.601,
    # which swscale 9 takes for that of any grey target: with another it goes through RGB. RGB gives BT.601's luma.
    same = {
        "src_colorspace": Colorspace.ITU601,
        "dst_colorspace": Colorspace.ITU601,
        "src_color_range": ColorRange.JPEG,
        "dst_color_range": ColorRange.JPEG,
    }
    alpha = _has_alpha(frame)
    scaled = _reformat(frame, size, "yuva444p" if alpha else "yuv444p" if with_chroma else "gray", **same)
    wide = is_full_range(frame)
    planes = []
    for index in range(3 if with_chroma else 1):
        plane = _plane(scaled, 1, index)
        plane = plane if wide else cv2.LUT(plane, _WIDEN_CHROMA if index else _WIDEN_LUMA)
        planes.append(_towards(128 if index else 0, plane, _plane(scaled, 1, 3)) if alpha else plane)
    # A copy in any case: the planes borrow the scaled frame's memory.
    return cv2.merge(planes) if with_chroma else planes[0].copy()[:, :, None]


def _towards(black: int, plane: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    return (black + np.round((plane.astype(np.int32) - black) * opacity / 255)).astype(np.uint8)


def _widened(zero: int, steps: int) -> np.ndarray:
    """Limited 8-bit code -> full: ITU-T H.273 (2021) section 8.3, equations 26 and 27, against 29 and 30."""
    codes = np.arange(256, dtype=np.float64)
    return np.clip(np.floor((codes - zero) * 255 / steps + (0 if zero == 16 else 128) + 0.5), 0, 255).astype(np.uint8)


_WIDEN_LUMA = _widened(16, 219)
_WIDEN_CHROMA = _widened(128, 224)


def _plane(frame: Any, channels: int, index: int = 0) -> np.ndarray:
    """One plane of bytes as an array that borrows the frame's memory: (H, W) or (H, W, C)."""
    plane = frame.planes[index]
    if channels == 1:
        return np.ndarray((plane.height, plane.width), np.uint8, plane, 0, (plane.line_size, 1))
    return np.ndarray((plane.height, plane.width, channels), np.uint8, plane, 0, (plane.line_size, channels, 1))
