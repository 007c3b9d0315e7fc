"""Picture filters: known answers on small pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.signal import filters


def step(left: int = 0, right: int = 255) -> np.ndarray:
    picture = np.full((20, 30, 3), left, np.uint8)
    picture[:, 15:] = right
    return picture


def test_grey_weighs_colours_as_bt601_does() -> None:
    for colour, weight in (((255, 0, 0), 0.299), ((0, 255, 0), 0.587), ((0, 0, 255), 0.114)):
        picture = np.full((2, 2, 3), colour, np.uint8)
        assert filters.grey(picture)[0, 0, 0] == pytest.approx(255 * weight, abs=1)
    one = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    assert (filters.grey(one) == one).all()


def test_sobel_is_255_on_a_full_step_and_0_on_nothing() -> None:
    edges = filters.sobel(step())
    assert edges.shape == (20, 30, 1)
    assert (edges[:, 14:16] == 255).all()
    assert (edges[:, :13] == 0).all()
    assert (filters.sobel(step(100, 140))[:, 14] == 40).all()
    assert (filters.sobel(step().transpose(1, 0, 2))[14] == 255).all()


def test_canny_draws_one_thin_line() -> None:
    edges = filters.canny(step())
    assert set(np.unique(edges)) == {0, 255}
    assert ((edges[2:-2, :, 0] > 0).sum(axis=1) == 1).all()
    assert (filters.canny(step(100, 104)) == 0).all()


def test_blur_keeps_the_mean_and_spreads_by_sigma() -> None:
    dot = np.zeros((61, 61, 1), np.uint8)
    dot[29:32, 29:32] = 255
    soft = filters.blur(dot, 3.0)[:, :, 0].astype(float)
    assert soft.sum() == pytest.approx(dot.sum(), rel=0.1)
    places = np.arange(61) - 30
    spread = np.sqrt((soft.sum(axis=0) * places**2).sum() / soft.sum())
    assert spread == pytest.approx(np.hypot(3.0, np.sqrt(2 / 3)), rel=0.1)
    assert filters.blur(step(), 1e9).std() < 30  # far wider than the picture: still quick, still a picture


def test_equalise_uses_the_whole_range_and_keeps_grey_grey() -> None:
    dull = (np.random.default_rng(0).integers(100, 120, (50, 50, 1))).astype(np.uint8)
    even = filters.equalise(dull)
    assert even.min() == 0
    assert even.max() == 255
    coloured = filters.equalise(np.repeat(dull, 3, 2))
    assert np.abs(coloured.astype(int) - even).max() <= 2


def test_crop() -> None:
    picture = np.arange(20 * 30 * 3, dtype=np.uint32).astype(np.uint8).reshape(20, 30, 3)
    assert (filters.crop(picture, 5, 4, 2, 3) == picture[3:7, 2:7]).all()
    for bad in ((0, 4, 0, 0), (31, 1, 0, 0), (5, 5, -1, 0), (5, 5, 26, 0), (5, 5, 0, 16)):
        with pytest.raises(ValueError, match="crop"):
            filters.crop(picture, *bad)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]), st.integers(0, 99))
def test_any_size_keeps_its_shape_and_its_input(height: int, width: int, channels: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    before = picture.copy()
    for name, expected in (("grey", 1), ("sobel", 1), ("canny", 1), ("equalise", channels)):
        assert getattr(filters, name)(picture).shape == (height, width, expected)
    assert filters.blur(picture, 0.8).shape == picture.shape
    assert (picture == before).all()


def test_other_arrays_are_refused() -> None:
    for bad in (
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
    ):
        for name in ("grey", "sobel", "canny", "equalise"):
            with pytest.raises(ValueError, match="picture"):
                getattr(filters, name)(bad)
    for sigma in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="sigma"):
            filters.blur(step(), sigma)
