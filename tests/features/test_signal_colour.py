"""Colours and sharpness against plain definitions in RGB."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.signal import colour
from cinescope.features.signal.detail import detail


def to_yuv(rgb: np.ndarray, matrix: str) -> np.ndarray:
    red, blue = colour._WEIGHTS[matrix]
    r, g, b = (rgb[..., i].astype(np.float64) for i in range(3))
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)) + 128, (r - y) / (2 * (1 - red)) + 128
    return np.clip(np.round(np.stack([y, u, v], axis=-1)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"), ((0, 0, 255), "blue"), ((0, 200, 0), "green"), ((255, 255, 0), "yellow"),
        ((255, 140, 0), "orange"), ((0, 0, 90), "dark blue"), ((135, 206, 235), "light blue"),
        ((0, 60, 0), "dark green"),
        ((128, 128, 128), "grey"), ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((120, 80, 40), "brown"),
        ((210, 180, 140), "beige"), ((128, 0, 128), "purple"), ((255, 150, 190), "pink"), ((0, 150, 140), "turquoise"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_colours_have_the_names_people_use(rgb: tuple[int, int, int], name: str, matrix: str) -> None:
    assert colour.colour_name(rgb) == name
    picture = to_yuv(np.full((1, 4, 4, 3), rgb, np.uint8), matrix)
    shares, sums, _ = colour.names_of(picture, matrix)
    assert shares[0, colour.NAMES.index(name)] == 1.0
    back = colour.to_rgb(sums[0, colour.NAMES.index(name)], matrix)
    assert np.abs(back - rgb).max() <= 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["bt601", "bt709", "bt2020"]))
def test_colourfulness_is_that_of_the_paper(seed: int, matrix: str) -> None:
    rng = np.random.default_rng(seed)
    rgb = np.clip(rng.normal(rng.uniform(60, 190, 3), rng.uniform(1, 25, 3), (1, 30, 40, 3)), 0, 255).astype(np.uint8)
    r, g, b = (rgb[0, ..., i].astype(np.float64) for i in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert colour.colourfulness(to_yuv(rgb, matrix), matrix)[0] == pytest.approx(expected, abs=1.5)


def test_grey_pictures_have_no_colour() -> None:
    ramp = np.full((1, 16, 256, 3), 128, np.uint8)
    ramp[..., 0] = np.arange(256)
    shares, _, chroma = colour.names_of(ramp, "bt709")
    assert chroma[0] == pytest.approx(0, abs=1e-3)
    assert colour.colourfulness(ramp, "bt709")[0] == pytest.approx(0, abs=1e-3)
    assert {colour.NAMES[i] for i in np.flatnonzero(shares[0])} == {"black", "dark grey", "grey", "light grey", "white"}
    mean, deviation = colour.brightness(ramp)
    assert mean[0] == pytest.approx(0.5)
    assert deviation[0] == pytest.approx(np.arange(256).std() / 255)


def test_nearly_grey_is_grey_to_both_sides() -> None:
    tinted = np.array([[[[100, 126, 127]]], [[[100, 130, 129]]]], np.uint8)
    assert colour.names_of(tinted, "bt709")[2] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_lab_agrees_with_opencv() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    expected = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    assert np.abs(colour.to_lab(rgb) - expected).max() < 0.6


@pytest.mark.parametrize(
    ("space", "height", "name"),
    [("bt709", 100, "bt709"), ("smpte170m", 1080, "bt601"), (None, 720, "bt709"), (None, 576, "bt601"),
     ("bt2020nc", 2160, "bt2020"), ("gbr", 1080, "bt709"), (None, None, "bt601")],
)  # fmt: skip
def test_matrix_is_the_files_or_the_one_players_take(space: str | None, height: int | None, name: str) -> None:
    assert colour.matrix_name(space, height) == name


def test_detail_falls_with_blur_and_not_with_contrast() -> None:
    noise = np.random.default_rng(1).normal(128, 30, (180, 320)).clip(0, 255)
    pictures = [noise, *(cv2.GaussianBlur(noise, (0, 0), s) for s in (1, 2, 4)), 128 + (noise - 128) * 0.4]
    values = detail(np.stack(pictures).round().astype(np.uint8))
    assert values[0] == pytest.approx(1.0, abs=0.03)
    assert values[0] > values[1] > values[2] > values[3] >= 0
    assert values[4] == pytest.approx(values[0], abs=0.05)
    assert detail(np.full((2, 10, 10), 77, np.uint8)).tolist() == [0.0, 0.0]
