"""Points: they agree on how a copy lies in the original, and on nothing where there is nothing in common."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.like_films import picture

from cinescope.features.signal import picture_points as points


def grey(seed: int) -> np.ndarray:
    return cv2.cvtColor(picture(seed, 0.3, (320, 200)), cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("seed", range(3))
def test_a_part_of_a_picture_is_found_in_it_at_its_place_and_scale(seed: int) -> None:
    whole = grey(seed)
    part = whole[30:170, 40:264]  # 0.7 of the width
    found = points.agree(points.points(part), points.points(whole), (224 / 140, 1.6))
    assert found is not None
    assert not found.mirrored
    assert found.scale == pytest.approx(0.7, abs=0.03)
    assert found.shift == pytest.approx((40 / 320, 30 / 320), abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_the_points_of_the_mirrored_picture_are_known_without_seeing_it(seed: int) -> None:
    whole = grey(seed)
    turned = points.points(np.ascontiguousarray(whole[:, ::-1]))
    found = points.agree(turned, points.points(whole), (1.6, 1.6))
    assert found is not None
    assert found.mirrored
    assert found.points >= points.FEWEST


def test_mirroring_points_twice_gives_them_back() -> None:
    found = points.points(grey(1))
    back = points.mirrored(points.mirrored(found))
    assert (back["bits"] == found["bits"]).all()
    assert (back["x"] == found["x"]).all()
    assert (back["angle"] == found["angle"]).all()


def test_other_pictures_do_not_agree() -> None:
    every = [points.points(grey(seed)) for seed in range(6)]
    for i, a in enumerate(every):
        for b in every[:i]:
            assert points.agree(a, b, (1.6, 1.6)) is None


def test_a_logo_in_common_is_no_picture_in_common() -> None:
    a, b = grey(1), grey(2)
    logo = grey(9)[50:90, 100:150]
    a[150:190, 260:310] = b[150:190, 260:310] = logo
    assert points.agree(points.points(a), points.points(b), (1.6, 1.6)) is None


def test_a_plain_picture_has_no_points_and_agrees_with_nothing() -> None:
    none = points.points(np.full((90, 160), 90, np.uint8))
    assert len(none) == 0
    assert none.dtype == points.POINT
    assert points.agree(none, points.points(grey(0)), (1.6, 1.6)) is None
