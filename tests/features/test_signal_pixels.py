"""Small pictures as they are, and eight statistics with known values for plain pictures."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.pixels import STATISTICS, FrameStatistics, Pixels, frame_statistics
from cinescope.types import BadQueryError


def statistics(picture: np.ndarray) -> dict[str, float]:
    return dict(zip(STATISTICS, frame_statistics(picture).tolist(), strict=True))


def plain(*colour: int) -> np.ndarray:
    return np.full((40, 60, 3), colour, np.uint8)


def test_pixels_are_shares_of_white_row_by_row() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    made = Pixels(size=(4, 3))(clip_of(picture))
    assert made.values[0] == pytest.approx(picture.ravel() / 255)
    assert made.times.tolist() == [[2.0, 2.1]]
    assert made.values.shape == (1, Pixels(size=(4, 3)).dim)


def test_pixels_in_colour() -> None:
    extractor = Pixels(size=(5, 4), colour=True)
    made = extractor(clip_of(texture(1)))
    assert extractor.needs.frames is not None
    assert extractor.needs.frames.pixels == "rgb"
    assert made.values.shape == (1, 60)


def test_an_even_grey_picture() -> None:
    made = statistics(plain(51, 51, 51))
    assert made["brightness"] == pytest.approx(0.2)
    rest = [v for k, v in made.items() if k != "brightness"]
    assert rest == pytest.approx([0.0] * 7, abs=1e-12)


def test_colours() -> None:
    red = statistics(plain(255, 0, 0))
    assert red["saturation"] == 1
    assert red["hue spread"] == pytest.approx(0)
    # M3 of an even picture is 0.3 times the length of its mean in (R - G, (R + G) / 2 - B).
    assert red["colourfulness"] == pytest.approx(0.3 * np.hypot(255, 127.5) / 109)
    both = plain(255, 0, 0)
    both[:20] = (0, 255, 255)
    assert statistics(both)["hue spread"] == pytest.approx(1, abs=0.02)


def test_contrast_and_entropy_of_two_halves() -> None:
    halves = plain(0, 0, 0)
    halves[:, 30:] = 255
    made = statistics(halves)
    assert made["contrast"] == pytest.approx(0.5)
    assert made["entropy"] == pytest.approx(1 / 8)


def test_a_blur_is_less_sharp_and_has_weaker_edges() -> None:
    sharp, soft = statistics(texture(2, blur=1)), statistics(texture(2, blur=5))
    assert sharp["sharpness"] > soft["sharpness"] + 0.1
    assert sharp["edges"] > soft["edges"] * 2


def test_a_row_for_each_frame() -> None:
    made = FrameStatistics(size=64)(clip_of(texture(1), texture(2), texture(3)))
    assert made.values.shape == (3, 8)
    assert made.times[:, 0] == pytest.approx([2.0, 2.1, 2.2])


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'size' of pixels"):
        Pixels(size=(0, 4))
    with pytest.raises(BadQueryError, match="'size' of frame_statistics"):
        FrameStatistics(size=2)
