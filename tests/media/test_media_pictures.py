"""Single pictures: written whole, read upright, and refused when they are too large or broken."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cinescope.media import picture_bytes, read_picture, save_picture
from cinescope.media.pictures import picture_from_bytes
from cinescope.types import BadQueryError, MediaError


def ramp(height: int = 40, width: int = 60) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 6, columns * 4, np.full_like(rows, 80)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_exact_and_jpeg_close(tmp_path: Path, channels: int) -> None:
    picture = ramp()[:, :, :channels]
    full = np.repeat(picture, 3, 2) if channels == 1 else picture
    for suffix in (".png", ".PNG"):
        save_picture(picture, tmp_path / f"a{suffix}")
        assert (read_picture(tmp_path / f"a{suffix}") == full).all()
    sizes = []
    for quality in (30, 90):
        save_picture(picture, tmp_path / "a.jpg", quality)
        assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - full).mean() < 4
        sizes.append((tmp_path / "a.jpg").stat().st_size)
    assert sizes[0] < sizes[1]
    data = picture_bytes(picture)
    assert data.startswith(b"\xff\xd8")
    assert picture_from_bytes(data).shape == full.shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(tmp_path: Path, orientation: int) -> None:
    upright = ramp()
    # What a camera that writes this orientation stores: the inverse of what a viewer does (Exif 2.3, tag 0x0112).
    store = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(store(upright))).save(tmp_path / "a.png", exif=exif)
    assert (read_picture(tmp_path / "a.png") == upright).all()


def test_other_kinds_of_pixels(tmp_path: Path) -> None:
    half = np.dstack([ramp(), np.full((40, 60), 128, np.uint8)])
    Image.fromarray(half, "RGBA").save(tmp_path / "alpha.png")
    on_white = read_picture(tmp_path / "alpha.png").astype(int)
    assert np.abs(on_white - (ramp().astype(int) * 128 + 255 * 127) / 255).max() <= 1
    deep = (np.arange(60, dtype=np.uint16) * 1000)[None].repeat(40, 0)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png")[0, 59, 0] == pytest.approx(59_000 / 65_535 * 255, abs=1)
    Image.fromarray(ramp()).convert("P").save(tmp_path / "p.gif")
    Image.fromarray(ramp()).convert("CMYK").save(tmp_path / "c.jpg")
    Image.fromarray(ramp()).convert("1").save(tmp_path / "b.png")
    for name in ("p.gif", "c.jpg", "b.png"):
        assert read_picture(tmp_path / name).shape == (40, 60, 3)


def test_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    save_picture(np.zeros((100, 100, 3), np.uint8), tmp_path / "a.png")
    with pytest.raises(MediaError, match="100 x 100"):
        read_picture(tmp_path / "a.png", max_pixels=9_999)
    for side in (10_000, 20_000):  # 100 and 400 megapixels claimed by some bytes
        Image.new("1", (side, side)).save(tmp_path / "bomb.png")
        with pytest.raises(MediaError, match=r"million|too large"):
            read_picture(tmp_path / "bomb.png")


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.jpg").write_bytes(
        picture_bytes(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))[:9000]
    )
    for name, words in (
        ("text.jpg", "not a picture"),
        ("empty.jpg", "empty"),
        ("cut.jpg", "damaged"),
        ("no.jpg", "no file"),
    ):
        with pytest.raises(MediaError, match=words) as caught:
            read_picture(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(MediaError, match="folder"):
        read_picture(tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP"]))
def test_mutated_pictures_are_read_or_refused(seed: int, changes: int, form: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(ramp()).save(buffer, form)
    data = bytearray(buffer.getvalue())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(data), changes):
        data[place] = rng.integers(256)
    with suppress(MediaError):  # any other error fails the test
        array = picture_from_bytes(bytes(data[: rng.integers(1, len(data) + 1)]))
        assert array.dtype == np.uint8
        assert array.shape[2] == 3


def test_what_cannot_be_written(tmp_path: Path) -> None:
    picture = ramp()
    with pytest.raises(BadQueryError, match=r"\.bmp"):
        save_picture(picture, tmp_path / "a.bmp")
    with pytest.raises(BadQueryError, match="quality"):
        save_picture(picture, tmp_path / "a.jpg", 0)
    with pytest.raises(MediaError, match="no folder"):
        save_picture(picture, tmp_path / "none" / "a.jpg")
    with pytest.raises(MediaError, match="65,500"):
        save_picture(np.zeros((1, 70_000, 3), np.uint8), tmp_path / "a.jpg")
    for bad in (picture.astype(float), picture[:, :, :2], np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="picture"):
            save_picture(bad, tmp_path / "a.png")
    assert os.listdir(tmp_path) == []


def test_real_pictures(shared_clip: Callable[..., Path]) -> None:
    assert read_picture(shared_clip("obama-480p.jpg", "faces")).shape == (480, 853, 3)
