"""HOG has the values of scikit-image; the gradient sum those of its definition, written out in loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.hog import NORMS, GradientSum, Hog, gradient_sum, hog
from cinescope.types import BadQueryError

COLOUR = texture(1, (99, 74))
GREY = np.ascontiguousarray(COLOUR[..., 0])
KINDS = {
    "bytes": GREY,
    "colour": COLOUR,
    "floats": (GREY / 255).astype(np.float64),
    "single": (GREY / 255).astype(np.float32),
    "colour floats": COLOUR / 255,
    "black": np.zeros((74, 99), np.uint8),
}


def reference(picture: np.ndarray, **options: object) -> np.ndarray:
    skimage = pytest.importorskip("skimage.feature", reason="scikit-image is not installed")
    return skimage.hog(picture, channel_axis=-1 if picture.ndim == 3 else None, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("root", [False, True])
def test_the_values_are_those_of_scikit_image(kind: str, norm: str, root: bool) -> None:
    picture = KINDS[kind]
    expected = reference(picture, cells_per_block=(2, 2), block_norm=norm, transform_sqrt=root)
    assert np.abs(hog(picture, norm=norm, transform_sqrt=root) - expected).max() < 1e-6


@pytest.mark.parametrize("orientations", [1, 4, 7, 8, 12, 18])
@pytest.mark.parametrize(("cell", "block"), [((8, 8), (3, 3)), ((7, 5), (1, 2)), ((16, 12), (2, 1))])
def test_whatever_the_cells(orientations: int, cell: tuple[int, int], block: tuple[int, int]) -> None:
    for picture in (GREY, COLOUR):
        expected = reference(picture, orientations=orientations, pixels_per_cell=cell, cells_per_block=block)
        assert np.abs(hog(picture, orientations, cell, block) - expected).max() < 1e-6


def test_tables_give_what_is_computed() -> None:
    # Every gradient that bytes can have is in the tables; those on the edges of bins are the ones that could differ.
    noise = np.random.default_rng(3).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    for orientations in (4, 6, 8, 9, 12):
        assert np.array_equal(hog(noise, orientations), hog(noise.astype(np.float64), orientations))


@pytest.mark.parametrize("orientations", [7, 11, 13])
def test_the_edges_of_bins_decide_to_the_last_bit(orientations: int) -> None:
    # One gradient each, as near to an edge as floats are: dividing by the bins' width rounds some to the other side.
    rng, step = np.random.default_rng(0), 180 / orientations
    for edge in range(1, orientations):
        for ulps in range(-20, 20):
            length = rng.uniform(0.5, 2)
            right = length * np.cos(np.deg2rad(step * edge))
            down = length * np.sin(np.deg2rad(step * edge)) * (1 + ulps * 1.1e-16)
            degrees = np.rad2deg(np.arctan2(down, right)) % 180
            expected = [step * i <= degrees < step * (i + 1) for i in range(orientations)]
            picture = np.zeros((3, 3))
            picture[1, 2], picture[2, 1] = right, down
            assert (hog(picture, orientations, (3, 3), (1, 1), "L1") > 0).tolist() == expected


def test_a_ramp_to_the_right_is_in_the_first_bin() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    cells = hog(ramp, 9, (8, 8), (1, 1), "L1").reshape(-1, 9)
    assert cells[:, 0] == pytest.approx(1, abs=1e-5)
    assert not cells[:, 1:].any()
    turned = hog(np.ascontiguousarray(ramp.T), 9, (8, 8), (1, 1), "L1").reshape(-1, 9)
    assert turned[:, 4] == pytest.approx(1, abs=1e-5)  # 90 degrees lie in [80, 100)


def test_what_falls_on_180_degrees_by_rounding_is_dropped_as_there() -> None:
    picture = np.zeros((3, 3))
    picture[1, 2], picture[2, 1] = 1.0, -1e-20  # -1e-20 radians, which modulo 180 degrees is 180.0
    expected = reference(picture, pixels_per_cell=(3, 3), cells_per_block=(1, 1))
    assert not expected.any()
    assert not hog(picture, cell=(3, 3), block=(1, 1)).any()


def test_too_small_or_unknown() -> None:
    with pytest.raises(
        BadQueryError, match="a picture of 15 x 40 is smaller than one HOG block: give at least 16 x 16"
    ):
        hog(np.zeros((40, 15), np.uint8))
    with pytest.raises(BadQueryError, match="no block normalisation 'L3'"):
        hog(GREY, norm="L3")


def loops(picture: np.ndarray, window: tuple[int, int], step: tuple[int, int]) -> np.ndarray:
    """The definition, pixel by pixel."""
    plane = picture.astype(float)
    height, width = plane.shape
    out = []
    for top in range(0, height - window[0] + 1, step[0]):
        row = []
        for left in range(0, width - window[1] + 1, step[1]):
            total = 0.0
            for y in range(top, top + window[0]):
                for x in range(left, left + window[1]):
                    right = plane[y, x + 1] - plane[y, x - 1] if 0 < x < width - 1 else 0.0
                    down = plane[y + 1, x] - plane[y - 1, x] if 0 < y < height - 1 else 0.0
                    total += (right**2 + down**2) ** 0.5
            row.append(total)
        out.append(row)
    return np.array(out)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_the_gradient_sum_is_its_definition(
    rows: int, columns: int, down: int, right: int, touching: bool, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (11, 13)).astype(np.uint8)
    step = (rows, columns) if touching else (down, right)
    made = gradient_sum(picture, (rows, columns), None if touching else step)
    expected = loops(picture, (rows, columns), step)
    assert made.shape == expected.shape
    assert made == pytest.approx(expected, rel=1e-9, abs=1e-8)
    assert gradient_sum(picture / 255, (rows, columns), step) == pytest.approx(expected / 255, rel=1e-9, abs=1e-8)


def test_a_window_larger_than_the_picture() -> None:
    with pytest.raises(BadQueryError, match="a picture of 13 x 11 is smaller than the window: give at least 20 x 20"):
        gradient_sum(np.zeros((11, 13), np.uint8), (20, 20))


def test_the_extractors_are_the_functions_on_pictures_of_their_size() -> None:
    clip = clip_of(texture(2, (64, 48), 1), texture(3, (64, 48), 1))
    assert clip.frames is not None
    made = Hog(size=(64, 48), cell=8)(clip)
    assert np.array_equal(made.values[1], hog(clip.frames.data[1, ..., 0]).astype(np.float32))
    plain = GradientSum(window=8, size=(64, 48))(clip)
    assert plain.values[0] == pytest.approx(gradient_sum(clip.frames.data[0, ..., 0]).ravel() / 255)


@given(st.integers(1, 4), st.integers(1, 20), st.integers(1, 3), st.integers(60, 90), st.integers(60, 90))
@settings(max_examples=25, deadline=None)
def test_its_width_is_as_said(orientations: int, cell: int, block: int, width: int, height: int) -> None:
    clip = clip_of(texture(4, (80, 80), 1))
    extractor = Hog(orientations, cell, block, size=(width, height))
    assert extractor(clip).values.shape == (1, extractor.dim)
    for step in (None, 3):
        plain = GradientSum(cell, step, (width, height))
        assert plain(clip).values.shape == (1, plain.dim)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"cell": 0}, "'cell'"), ({"norm": "L3"}, "'norm'"), ({"size": (16, 128)}, "'size'"), ({"rate": -1.0}, "'rate'")],
)
def test_bad_settings_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(BadQueryError, match=named):
        Hog(**wrong)  # type: ignore[arg-type]
