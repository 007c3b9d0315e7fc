"""Pictures that run alike: found by their codes alone where they were cut off unevenly, or last a second."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.like_films import picture

from cinescope.features.signal import picture_print
from cinescope.library.prints import Pictures
from cinescope.library.same_pictures import Run, runs

SIZE = (240, 160)
NO_CUT = (0.0, 0.0, 0.0, 0.0)
UNEVEN = (0.13, 0.18, 0.17, 0.12)


def shown(seed: int, times: np.ndarray, cut: tuple[float, float, float, float]) -> list[np.ndarray]:
    """Pictures of which so much was cut off at the left, right, top and bottom."""
    width, height = SIZE
    left, right, top, bottom = (round(s * side) for s, side in zip(cut, (width, width, height, height), strict=True))
    return [picture(seed, t, SIZE)[top : height - bottom, left : width - right] for t in times.tolist()]


def pictures(of: list[np.ndarray], times: np.ndarray) -> Pictures:
    codes = np.stack([picture_print.codes(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY))[0] for p in of])
    n = len(times)
    return Pictures(("v",), np.zeros(n, np.int32), times, codes, np.zeros(n, np.int32), np.arange(n).astype(np.uint8))


def compared(seed: int, other: int, seconds: float, cut: tuple[float, float, float, float], views: bool) -> list[Run]:
    """The stretches of `other` that are called the same as `seed` after cutting; nothing has points."""
    here, there = np.arange(0, seconds, 1 / 6), np.arange(0, seconds, 0.5)
    asked = shown(seed, here, cut)
    small = np.stack([picture_print.view(p) for p in asked]) if views else None
    library = pictures(shown(other, there, NO_CUT), there)
    return runs(pictures(asked, here), [], library, lambda _, __: [], views=small)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_what_was_cut_off_unevenly_is_found_by_the_part_that_is_a_middle(seed: int) -> None:
    (found,) = compared(seed, seed, 6.0, UNEVEN, views=True)
    assert found.scale == pytest.approx(0.7, abs=0.06)
    assert not compared(seed, seed + 10, 6.0, UNEVEN, views=True)


def test_without_the_small_pictures_more_of_it_is_missed() -> None:
    found = {views: sum(len(compared(s, s, 6.0, UNEVEN, views)) for s in range(1, 9)) for views in (True, False)}
    assert found[True] > found[False]


def test_a_film_of_a_second_is_found_without_another_moment_to_tell_it_from() -> None:
    assert compared(1, 1, 1.0, NO_CUT, views=True)
    assert not compared(1, 11, 1.0, NO_CUT, views=True)
