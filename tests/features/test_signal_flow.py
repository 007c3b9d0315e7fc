"""The movement of a view against what was done to the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cinescope.features.signal.flow import NOTHING, shift_between, stirring


def texture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (180, 320))
    made = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (2, 5))
    return np.clip(128 + made / made.std() * 45, 0, 255).astype(np.uint8)


def view(x: float = 0.0, y: float = 0.0, scale: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """The middle of the texture, its content moved by x and y pixels, grown and turned clockwise."""
    c, s = np.cos(turn) / scale, np.sin(turn) / scale
    matrix = np.array([[c, s, 0.0], [-s, c, 0.0]])
    matrix[:, 2] = (159.5, 89.5) - matrix[:, :2] @ np.array([79.5 + x, 44.5 + y])
    return cv2.warpAffine(texture(), matrix, (160, 90), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


@pytest.mark.parametrize(
    ("x", "y", "scale", "turn"),
    [
        (5, 0, 1, 0),
        (-20, 0, 1, 0),
        (0, 7, 1, 0),
        (0, 0, 1.05, 0),
        (0, 0, 0.94, 0),
        (0, 0, 1, 0.04),
        (3, -4, 1.02, 0.02),
    ],
)
def test_finds_what_was_done(x: float, y: float, scale: float, turn: float) -> None:
    shift = shift_between(view(), view(x, y, scale, turn))
    assert shift.right * 160 == pytest.approx(x, abs=0.4)
    assert shift.down * 160 == pytest.approx(y, abs=0.4)
    assert shift.growth == pytest.approx(np.log(scale), abs=0.005)
    assert shift.turn == pytest.approx(turn, abs=0.005)
    assert shift.agree > 0.9


def test_still_pictures_are_still() -> None:
    shift = shift_between(view(), view())
    assert (shift.still, shift.agree) == (1.0, 1.0)
    assert stirring(view(), view()) == 0.0


def test_a_patch_that_moves_does_not_move_the_view() -> None:
    before, after = view(), view()
    patch = texture(4)[:50, :60]
    before[20:70, 30:90], after[20:70, 38:98] = patch, patch
    shift = shift_between(before, after)
    assert abs(shift.right) < 0.003
    assert 0.1 < stirring(before, after) < 0.6


@pytest.mark.parametrize("size", [(90, 160), (5, 5), (1, 1), (300, 8)])
def test_nothing_to_follow(size: tuple[int, int]) -> None:
    blank = np.full(size, 100, np.uint8)
    assert shift_between(blank, blank) == NOTHING
