"""Times of rows, pictures in the wanted pixels and size, settings that check themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.features.feature_clips import clip_of, texture

from cinescope.features import EXTRACTORS
from cinescope.features.common import (
    check_setting,
    frame_times,
    grey_pictures,
    grid_cells,
    is_count,
    is_pair,
    is_rate,
    no_rows,
    pair_times,
    rgb_pictures,
    rows,
    settings_of,
)
from cinescope.types import BadQueryError, Clip, Frames, Source, Span

GREY = np.zeros((4, 6, 1), np.uint8)


def with_times(times: list[float], span: Span, durations: tuple[float, ...] = ()) -> Clip:
    data = np.zeros((len(times), 4, 6, 1), np.uint8)
    return Clip(span, Frames(data, np.array(times, float), "grey"), frame_durations=durations)


def test_frames_stand_as_long_as_the_clip_says() -> None:
    clip = with_times([1.0, 1.5, 3.0], Span(1.0, 3.5), (0.5, 1.5, 0.5))
    assert frame_times(clip).tolist() == [[1.0, 1.5], [1.5, 3.0], [3.0, 3.5]]


def test_without_durations_they_stand_until_the_next() -> None:
    clip = with_times([1.0, 1.4, 1.8, 2.6], Span(1.0, 9.0))
    assert frame_times(clip) == pytest.approx(np.array([[1.0, 1.4], [1.4, 1.8], [1.8, 2.6], [2.6, 3.0]]))
    assert frame_times(with_times([1.0], Span(1.0, 9.0))).tolist() == [[1.0, 9.0]]


def test_times_are_cut_to_the_span() -> None:
    clip = with_times([0.5, 1.5], Span(1.0, 1.75), (1.0, 1.0))
    assert frame_times(clip).tolist() == [[1.0, 1.5], [1.5, 1.75]]
    assert pair_times(clip).tolist() == [[1.0, 1.5]]


def test_as_many_durations_as_frames() -> None:
    with pytest.raises(ValueError, match="2 frames need as many durations, got 1"):
        frame_times(with_times([1.0, 2.0], Span(1.0, 3.0), (1.0,)))


def test_nothing_has_no_times() -> None:
    for clip in (Clip(Span(0, 1)), with_times([], Span(0, 1))):
        assert frame_times(clip).shape == (0, 2)
        assert pair_times(clip).shape == (0, 2)
    assert pair_times(with_times([0.5], Span(0, 1))).shape == (0, 2)


@given(
    st.lists(st.floats(0.01, 5), min_size=2, max_size=12),
    st.floats(0, 3),
    st.floats(0, 60),
)
def test_rows_rise_and_stay_within_the_span(gaps: list[float], late: float, length: float) -> None:
    times = np.cumsum(gaps).tolist()
    clip = with_times(times, Span(late, late + length))
    for made in (frame_times(clip), pair_times(clip)):
        assert (np.diff(made, axis=0) >= 0).all()
        assert (made[:, 1] >= made[:, 0]).all()
        assert made.min() >= clip.span.start
        assert made.max() <= clip.span.end


def test_luma_is_that_of_bt601() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert grey_pictures(clip_of(red))[0].tolist() == [[76] * 4] * 4  # 0.299 * 255
    grey = texture(channels=1)
    assert np.array_equal(grey_pictures(clip_of(grey))[0], grey)


def test_pictures_come_in_the_wanted_size() -> None:
    clip = clip_of(texture(size=(120, 90)))
    assert rgb_pictures(clip, (40, 50))[0].shape == (50, 40, 3)
    assert grey_pictures(clip, 60)[0].shape == (45, 60)
    assert grey_pictures(clip, 1000)[0].shape == (90, 120)  # never enlarged
    assert np.array_equal(rgb_pictures(clip, (120, 90))[0], clip.frames.data[0])  # type: ignore[union-attr]


def test_shrinking_takes_the_mean_of_an_area() -> None:
    fine = texture(3, (16, 16), 1, blur=0.5)
    means = fine.reshape(4, 4, 4, 4).mean(axis=(1, 3))
    assert np.abs(grey_pictures(clip_of(fine), (4, 4))[0] - means).max() <= 0.5


def test_colours_of_a_grey_clip_are_an_error() -> None:
    with pytest.raises(BadQueryError, match="colours need pictures in rgb, and the clip has them in grey"):
        rgb_pictures(clip_of(GREY))


def test_a_bad_setting_is_named() -> None:
    with pytest.raises(BadQueryError, match=r"'cell' of hog cannot be 0: give a whole number above 0"):
        check_setting("hog", "cell", 0, is_count(0), "a whole number above 0")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("hog", {"colour": "yes"}), ("hog", {"cell": True}), ("hog", {"cell": 8.0}), ("hog", {"size": 64}),
    ("hog", {"transform_sqrt": 1}), ("gradient_sum", {"window": None}), ("gradient_sum", {"step": 0}),
    ("pixels", {"colour": None}), ("pixels", {"rate": "2"}), ("frame_statistics", {"size": True}),
    ("lbp", {"radius": "1"}), ("lbp", {"radius": None}), ("lbp", {"radius": 65}), ("lbp", {"grid": "4x4"}),
    ("colour_histogram", {"joint": 0}), ("colour_histogram", {"bins": 8}), ("colour_histogram", {"space": ["hsv"]}),
    ("colour_moments", {"size": (4, 4)}), ("flow", {"grid": 3}), ("hof", {"norm": None}),
    ("mbh", {"orientations": "8"}),
    ("sift_bow", {"root": "no"}), ("sift_bow", {"words": 2.5}), ("sift_vlad", {"intra": 1}), ("sift_vlad", {"step": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("feature", "setting"), WRONG)
def test_settings_of_the_wrong_kind_are_named(feature: str, setting: dict[str, Any]) -> None:
    ((name, _),) = setting.items()
    with pytest.raises(BadQueryError, match=rf"^'{name}' of {feature} cannot be .*: give "):
        EXTRACTORS.create(feature, **setting)


def test_lists_are_as_good_as_pairs() -> None:
    # A recipe or a command line gives lists.
    clip = clip_of(texture(), texture(1))
    for feature in ("hog", "gradient_sum", "pixels", "lbp", "flow", "hof", "mbh"):
        one, other = EXTRACTORS.create(feature, size=[64, 48]), EXTRACTORS.create(feature, size=(64, 48))
        assert one.source == other.source
        assert one.needs == other.needs
        assert one(clip).values.tobytes() == other(clip).values.tobytes()


def test_what_is_a_count_a_pair_a_rate() -> None:
    assert [is_count(v) for v in (1, 0, True, 1.0, "1")] == [True, False, False, False, False]
    assert [is_pair(v) for v in ((1, 2), [3, 4], (1,), (1, 0), 5)] == [True, True, False, False, False]
    assert [is_rate(v) for v in (None, 2, 0.5, 0, -1, float("nan"), float("inf"), True, "2")] == [
        *(True, True, True),
        *(False,) * 6,
    ]


def test_settings_are_json_values() -> None:
    @dataclass
    class Some:
        size: tuple[int, int] = (4, 3)
        rate: float | None = None

    assert settings_of(Some()) == {"size": [4, 3], "rate": None}


def test_rows_of_nothing() -> None:
    made = no_rows(7, "picture", Source("x", "1"))
    assert made.values.shape == (0, 7)
    assert made.times.shape == (0, 2)
    assert rows([[1, 2]], np.array([[0, 1]]), 2, "sound", Source("x", "1")).values.dtype == np.float32


@given(st.integers(1, 9), st.integers(1, 9), st.integers(9, 40), st.integers(9, 40))
def test_a_grid_covers_every_pixel_once(down: int, across: int, height: int, width: int) -> None:
    seen = np.zeros((height, width), int)
    cells = grid_cells(seen, (down, across))
    for cell in cells:
        assert cell.size
        cell += 1
    assert len(cells) == down * across
    assert (seen == 1).all()
