"""Dense flow follows what moves; the histograms are their definitions; both keep to one thread's numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.features.feature_clips import texture

from cinescope.features.signal.dense_flow import (
    METHODS,
    STANDING,
    dense_flow,
    flow_summary,
    hof,
    mbh,
    normalised,
    one_thread,
    orientation_histogram,
)
from cinescope.types import BadQueryError

BASE = texture(9, (260, 200), 1, blur=3)


def moved(right: int, down: int) -> tuple[np.ndarray, np.ndarray]:
    """Two views (90, 160) of one picture; what is seen moves by so many pixels."""
    cut = BASE[50:140, 50:210]
    return cut, BASE[50 - down : 140 - down, 50 - right : 210 - right]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -2), (-4, 3), (0, 0)])
def test_it_finds_an_even_movement(method: str, right: int, down: int) -> None:
    flow = dense_flow(*moved(right, down), method)
    assert flow.shape == (90, 160, 2)
    assert flow.dtype == np.float32
    inside = flow[10:-10, 10:-10]
    assert np.abs(np.median(inside, axis=(0, 1)) - (right, down)).max() < 0.25
    assert np.percentile(np.hypot(*(inside - (right, down)).transpose(2, 0, 1)), 90) < 0.4


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_threads_changes_nothing(method: str) -> None:
    pair = moved(4, 1)
    before = cv2.getNumThreads()
    try:
        made = []
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            made.append(dense_flow(*pair, method).tobytes())
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    assert len(set(made)) == 1


def test_threads_are_given_back_after_an_error_and_when_nested() -> None:
    before = cv2.getNumThreads()
    with one_thread():
        with pytest.raises(BadQueryError, match="not so"), one_thread():
            raise BadQueryError("not so")
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before


def test_the_summary_of_two_halves() -> None:
    flow = np.zeros((20, 40, 2), np.float32)
    flow[:, 20:] = (3, -4)
    made = flow_summary(flow, (1, 2)).reshape(2, 5)
    assert made[0].tolist() == [0, 0, 0, 0, 0]
    assert made[1] == pytest.approx([3, -4, 5, 0, 1])
    assert flow_summary(flow, (1, 1)) == pytest.approx([1.5, -2, 2.5, 2.5, 0.5])


def loops(right: np.ndarray, down: np.ndarray, count: int, standing: float | None) -> np.ndarray:
    out = np.zeros(count + (standing is not None))
    for x, y in zip(right.ravel().tolist(), down.ravel().tolist(), strict=True):
        length = (x * x + y * y) ** 0.5
        if standing is not None and length <= standing:
            out[count] += 1
            continue
        angle = np.arctan2(y, x) % (2 * np.pi) / (2 * np.pi / count)
        low = int(angle)
        out[low % count] += length * (1 - (angle - low))
        out[(low + 1) % count] += length * (angle - low)
    return out


@pytest.mark.parametrize("standing", [None, STANDING])
def test_the_histogram_is_its_definition(standing: float | None) -> None:
    rng = np.random.default_rng(4)
    right, down = (rng.standard_normal((2, 12, 18)) * 0.7).astype(np.float32)
    made = orientation_histogram(right, down, 8, (2, 3), standing)
    assert made.shape == (6, 8 + (standing is not None))
    expected = loops(right[6:, :6], down[6:, :6], 8, standing)
    assert made[3] == pytest.approx(expected, abs=1e-4)


def test_bins_go_clockwise_from_the_right() -> None:
    for place, (x, y) in enumerate([(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]):
        flow = np.full((6, 6, 2), (x, y), np.float32)
        made = hof(flow, 8, (1, 1), "L1")
        assert made[place] == pytest.approx(1, abs=1e-5)


def test_standing_still_has_its_own_bin() -> None:
    assert hof(np.zeros((6, 6, 2), np.float32), 8, (1, 1), "L1").tolist() == [0] * 8 + [1]


def test_even_movement_has_no_boundaries() -> None:
    even = np.full((20, 30, 2), (5, -2), np.float32)
    assert not mbh(even).any()
    half = even.copy()
    half[:, 15:] += (2, 0)
    made = mbh(half, 8, (1, 1), "L1")
    assert made[0] == pytest.approx(1)  # MBHx: the flow to the right grows to the right
    assert not made[8:].any()  # MBHy


def test_normalisations() -> None:
    values = np.array([3.0, 4.0, 0.0])
    assert normalised(values, "L2").tolist() == pytest.approx([0.6, 0.8, 0])
    assert normalised(values, "L1").tolist() == pytest.approx([3 / 7, 4 / 7, 0])
    assert normalised(values, "root") ** 2 == pytest.approx([3 / 7, 4 / 7, 0])
    assert normalised(values, "none") is values
    assert normalised(values * 0, "root").tolist() == [0, 0, 0]


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'method' of dense flow cannot be 'tvl1'"):
        dense_flow(*moved(0, 0), "tvl1")
    with pytest.raises(BadQueryError, match="pictures of at least 16 pixels"):
        dense_flow(np.zeros((8, 40), np.uint8), np.zeros((8, 40), np.uint8))
    with pytest.raises(BadQueryError, match="'norm' of flow"):
        normalised(np.zeros(2), "L3")
