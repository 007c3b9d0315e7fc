"""Histograms and moments of colours against numpy's own, and against scikit-image where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.colour_features import (
    SPACES,
    ColourHistogram,
    ColourMoments,
    colour_histogram,
    colour_moments,
    in_space,
)
from cinescope.types import BadQueryError

PICTURE = texture(8, (80, 60))


def test_the_spaces_are_those_of_scikit_image() -> None:
    colour = pytest.importorskip("skimage.color", reason="scikit-image is not installed")
    hsv = in_space(PICTURE, "hsv") / np.array([256, 255, 255])
    turn = np.abs(hsv - colour.rgb2hsv(PICTURE))
    assert np.minimum(turn, 1 - turn)[..., 0].max() < 0.006
    assert turn[..., 1:].max() < 0.006
    lab = in_space(PICTURE, "lab") * np.array([100 / 255, 1, 1]) - np.array([0, 128, 128])
    assert np.abs(lab - colour.rgb2lab(PICTURE)).max() < 1.5


@pytest.mark.parametrize("space", SPACES)
def test_the_joint_histogram_is_numpys(space: str) -> None:
    counts = (8, 4, 3)
    edges = [np.ceil(np.arange(n + 1) * 256 / n) for n in counts]  # the first byte of each bin
    expected, _ = np.histogramdd(in_space(PICTURE, space).reshape(-1, 3), edges)
    made = colour_histogram(PICTURE, counts, space)
    assert made == pytest.approx(expected.ravel() / expected.sum(), abs=1e-12)
    assert made.sum() == pytest.approx(1)


def test_one_channel_after_the_other() -> None:
    made = colour_histogram(PICTURE, (4, 5, 6), "rgb", joint=False)
    joint = colour_histogram(PICTURE, (4, 5, 6), "rgb").reshape(4, 5, 6)
    sums = [joint.sum(axis=(1, 2)), joint.sum(axis=(0, 2)), joint.sum(axis=(0, 1))]
    assert made * 3 == pytest.approx(np.concatenate(sums), abs=1e-12)


def test_a_plain_picture_is_in_one_bin() -> None:
    red = np.full((10, 10, 3), (255, 0, 0), np.uint8)
    made = colour_histogram(red).reshape(8, 4, 4)
    assert made[0, 3, 3] == 1


def test_moments_are_their_definition() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    values = in_space(PICTURE, "lab").reshape(-1, 3) / 255
    made = colour_moments(PICTURE).reshape(3, 3)
    assert made[0] == pytest.approx(values.mean(axis=0))
    assert made[1] == pytest.approx(values.std(axis=0))
    assert made[2] == pytest.approx(np.cbrt(stats.moment(values, 3)))


def test_the_grid_is_row_by_row() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[20:, :20] = 255
    clip = clip_of(picture)
    means = ColourMoments(space="rgb", grid=(2, 2), size=40)(clip).values[0].reshape(4, 9)[:, 0]
    assert means.tolist() == [0, 0, 1, 0]
    cells = ColourHistogram(grid=(2, 2), size=40)(clip).values[0].reshape(4, -1)
    assert cells.sum(axis=1).tolist() == [1, 1, 1, 1]
    assert np.array_equal(cells[0], cells[3])
    assert not np.array_equal(cells[0], cells[2])


def test_a_picture_with_fewer_pixels_than_cells() -> None:
    tiny = clip_of(np.full((1, 40, 3), 9, np.uint8))
    for extractor in (ColourMoments(grid=(3, 3)), ColourHistogram(grid=(3, 3))):
        assert extractor(tiny).values.shape == (1, extractor.dim)


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'space' of colour_moments cannot be 'cmyk': give one of hsv, lab, rgb"):
        ColourMoments(space="cmyk")
    with pytest.raises(BadQueryError, match="'bins' of colour_histogram"):
        ColourHistogram(bins=(8, 8))  # type: ignore[arg-type]
    with pytest.raises(BadQueryError, match="colours need pictures in rgb"):
        ColourHistogram()(clip_of(PICTURE[..., 0]))
