from __future__ import annotations

import cv2
import numpy as np
import pytest

from cinescope.features.text.changes import (
    LUMA_SIZE,
    Presence,
    begins,
    fresh_blocks,
    gradients,
    luma,
    presence,
    text_like,
)
from cinescope.features.text.lines import learn

QUAD = np.array([[0.1, 0.4], [0.75, 0.4], [0.75, 0.55], [0.1, 0.55]], np.float32)


def page(text: str, level: int = 220, ground: int = 40) -> np.ndarray:
    """(360, 640) luma with one line in QUAD."""
    grey = np.full((360, 640), ground, np.uint8)
    cv2.putText(grey, text, (70, 180), cv2.FONT_HERSHEY_SIMPLEX, 1.0, level, 2, cv2.LINE_AA)
    return grey


def noise(seed: int, strength: float = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, strength, (360, 640))


def noisy(grey: np.ndarray, seed: int, strength: float = 4) -> np.ndarray:
    return np.clip(grey + noise(seed, strength), 0, 255).astype(np.uint8)


def compare(learned: np.ndarray, now: np.ndarray) -> tuple[Presence, bool]:
    x, y, patch, weight = learn(learned, None, QUAD)
    edges = gradients(now).at(x, y, patch.shape[1], patch.shape[0])
    return presence(gradients(patch), weight, edges), begins(gradients(patch), weight, edges)


def test_luma_is_small_and_never_enlarged() -> None:
    assert luma(np.zeros((720, 1280, 3), np.uint8)).shape == (360, LUMA_SIZE)
    assert luma(np.zeros((1280, 720, 3), np.uint8)).shape == (LUMA_SIZE, 360)
    assert luma(np.zeros((90, 160, 3), np.uint8)).shape == (90, 160)
    assert luma(np.zeros((1, 2000, 3), np.uint8)).shape == (1, LUMA_SIZE)


def test_a_new_line_is_noticed_once_it_stands() -> None:
    empty, text = gradients(noisy(page(""), 1)), gradients(noisy(page("Hello there"), 2))
    again = gradients(noisy(page("Hello there"), 3))
    assert fresh_blocks(empty, gradients(noisy(page(""), 4)), empty) == (0, 0)
    still, every = fresh_blocks(text, empty, empty)
    assert (still, every > 4) == (0, True)
    still, every = fresh_blocks(again, text, empty)
    assert still > 4
    assert fresh_blocks(again, text, text) == (0, 0)


def test_known_places_do_not_count() -> None:
    known = np.zeros((360, 640), bool)
    known[140:200] = True
    assert fresh_blocks(gradients(page("Hello there")), None, None, known) == (0, 0)


def test_one_edge_is_not_like_text() -> None:
    half = np.full((360, 640), 30, np.uint8)
    half[:, 320:] = 220
    edges = gradients(half)
    assert not text_like(edges, edges.strength > 80).any()


def test_a_standing_line_is_present_and_another_is_not() -> None:
    same, _ = compare(page("Meeting at noon"), noisy(page("Meeting at noon"), 5))
    other, _ = compare(page("Meeting at noon"), noisy(page("Lunch is served"), 5))
    nothing, _ = compare(page("Meeting at noon"), noisy(page(""), 5))
    assert same.overall > 0.9
    assert same.worst > 0.8
    assert other.overall < 0.5
    assert abs(nothing.overall) < 0.3


def test_a_fading_line_is_present_with_less_contrast() -> None:
    faint, _ = compare(page("Meeting at noon"), page("Meeting at noon", level=94))
    assert faint.overall > 0.9
    assert faint.contrast == pytest.approx(54 / 180, abs=0.05)


def test_one_other_digit_is_a_spot() -> None:
    turned, _ = compare(page("Frame 1234"), noisy(page("Frame 1284"), 6, 2))
    same, _ = compare(page("Frame 1234"), noisy(page("Frame 1234"), 6, 2))
    assert turned.overall > 0.6
    assert turned.spot
    assert not same.spot


def test_a_line_over_a_moving_ground_is_present() -> None:
    rng = np.random.default_rng(0)
    grounds = [cv2.resize(rng.integers(60, 180, (18, 32), np.uint8), (640, 360)) for _ in range(2)]
    line = page("Meeting at noon", level=255, ground=0)
    a, b = (np.maximum(line, g) for g in grounds)
    found, _ = compare(a, b)
    assert found.overall > 0.6


def test_typing_shows_the_beginning_only() -> None:
    assert compare(page("Meeting at noon"), page("Meeti"))[1]
    assert not compare(page("Meeting at noon"), page("Meeting at noon"))[1]
    assert not compare(page("Chapter one"), page("Chapter two"))[1]
    assert not compare(page("Meeting at noon"), page(""))[1]
