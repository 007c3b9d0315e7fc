"""Rows of movement lie between frames, in picture widths a second; HOF and MBH over a grid."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.dense_flow import dense_flow, hof, mbh
from cinescope.features.signal.flow_features import Flow, Hof, Mbh
from cinescope.types import BadQueryError, Clip, Frames, Span

BASE = texture(10, (300, 120), 1, blur=3)


def panning(step: int = 3, count: int = 4, rate: float = 10.0) -> Clip:
    """What is seen moves to the right by `step` pixels of 160 from frame to frame."""
    return clip_of(*(BASE[10:100, 60 - step * i : 220 - step * i] for i in range(count)), rate=rate)


def test_rows_are_from_one_frame_to_the_next() -> None:
    made = Flow()(panning())
    assert made.times == pytest.approx(np.array([[2.0, 2.1], [2.1, 2.2], [2.2, 2.3]]))
    assert made.values.shape == (3, 45)


@pytest.mark.parametrize("method", ["dis", "farneback"])
@pytest.mark.parametrize(("step", "rate"), [(4, 10.0), (2, 20.0), (4, 5.0)])
def test_speed_is_in_widths_a_second_whatever_the_rate(method: str, step: int, rate: float) -> None:
    made = Flow(method, (1, 1))(panning(step, 3, rate)).values
    speed = step / 160 * rate
    assert np.abs(made[:, 0] - speed).max() < 0.06 * speed
    assert np.abs(made[:, 2] - speed).max() < 0.06 * speed
    assert np.abs(made[:, 1]).max() < 0.04 * speed
    assert (made[:, 4] > 0.98).all()


def test_uneven_times_are_minded() -> None:
    clip = panning(4, 3)
    assert clip.frames is not None
    slow = Clip(Span(2, 4), Frames(clip.frames.data, np.array([2.0, 2.1, 2.5]), "grey"))
    made = Flow(grid=(1, 1))(slow).values[:, 0]
    assert made[0] / made[1] == pytest.approx(4, rel=0.05)


def test_a_single_frame_has_no_movement() -> None:
    for extractor in (Flow(), Hof(), Mbh()):
        assert len(extractor(panning(count=1))) == 0


def test_hof_and_mbh_are_the_functions() -> None:
    clip = panning()
    assert clip.frames is not None
    flow = dense_flow(clip.frames.data[1, ..., 0], clip.frames.data[2, ..., 0])
    assert Hof()(clip).values[1] == pytest.approx(hof(flow), abs=1e-6)
    assert Mbh(norm="L2")(clip).values[1] == pytest.approx(mbh(flow, norm="L2"), abs=1e-6)


@pytest.mark.parametrize("grid", [(1, 1), (2, 3)])
def test_their_width_is_as_said(grid: tuple[int, int]) -> None:
    for extractor in (Flow(grid=grid, size=(40, 30)), Hof(6, grid, size=(40, 30)), Mbh(5, grid, size=(40, 30))):
        assert extractor(panning()).values.shape == (3, extractor.dim)


def test_a_pan_is_all_in_one_direction_and_has_little_boundary() -> None:
    shares = Hof(grid=(1, 1), norm="L1")(panning()).values
    assert (shares[:, 0] > 0.95).all()
    raw = Mbh(grid=(1, 1), norm="none")(panning()).values.sum(axis=1) / (160 * 90)
    assert (raw < 0.2).all()  # of 3 pixels a step


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'method' of hof cannot be 'tvl1': give one of dis, farneback"):
        Hof(method="tvl1")
    with pytest.raises(BadQueryError, match="'size' of flow"):
        Flow(size=(8, 90))
    with pytest.raises(BadQueryError, match="'orientations' of mbh"):
        Mbh(orientations=1)
